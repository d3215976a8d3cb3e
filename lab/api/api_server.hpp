// What kube-apiserver is to a cluster: every verb on every object the lab knows, as a function from
// request to response. The HTTP server, the controllers and the tests all come through here.
// Not thread-safe: whoever holds the World's lock.
#pragma once

#include <functional>
#include <memory>

#include "kubeclient/time.hpp"
#include "kubeclient/transport.hpp"
#include "lab/api/extension.hpp"
#include "lab/api/kinds.hpp"
#include "lab/api/store.hpp"

namespace lab {

// Events of one watch, lines of JSON ({"type":…,"object":…}\n). Drawn from the store's history, so
// it holds nothing but its place in it. Ends after an ERROR event, or when timeoutSeconds has
// passed.
class WatchCursor : public Stream {};

class ApiServer {
public:
    using Clock = std::function<kubeclient::Instant()>;

    // `store` outlives the server. `seed` decides uids and generated names. Where the store is
    // empty, the system's namespaces and the definitions of lab/crds are put into it.
    ApiServer(Store& store, Clock clock, std::uint64_t seed = 1);
    ~ApiServer();
    ApiServer(const ApiServer&) = delete;
    ApiServer& operator=(const ApiServer&) = delete;

    // `extension` outlives the server.
    void extend(Extension& extension);
    // Who may do what; until it is set, everybody everything.
    void authorize_with(Authorizer authorizer);

    const Kinds& kinds() const;  // what is served now
    const Store& objects() const;

    // Everything but watches; of what can be followed, what there is now.
    kubeclient::Response handle(const User& user, const kubeclient::Request& request);

    // For GET with watch=true. nullptr: `refusal` says why not.
    std::unique_ptr<WatchCursor> watch(const User& user, const kubeclient::Request& request,
                                       kubeclient::Response& refusal);

    // For GET with follow=true. nullptr: handle() answers it.
    std::unique_ptr<Stream> follow(const User& user, const kubeclient::Request& request);

    // Objects of a scenario, stored as they are (status included), past admission and rights.
    // uid, creationTimestamp and resourceVersion are filled in where absent.
    Object seed(Json object);

private:
    struct State;
    std::unique_ptr<State> state_;
};

// A client in the same process. stream() hands on what is there and then ends, as a server does
// whose timeoutSeconds have passed. `server` outlives it.
std::unique_ptr<kubeclient::Transport> transport_as(ApiServer& server, User user);

}  // namespace lab
