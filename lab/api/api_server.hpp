// What kube-apiserver is to a cluster: every verb on every object the lab knows, as a function from
// request to response. The HTTP server, the controllers and the tests all come through here.
// Not thread-safe: whoever holds the World's lock.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kubeclient/time.hpp"
#include "kubeclient/transport.hpp"
#include "lab/api/kinds.hpp"
#include "lab/api/store.hpp"

namespace lab {

struct User {
    std::string name{};
    std::vector<std::string> groups{};

    bool operator==(const User&) const = default;
};

// What an admission plugin is asked about.
struct Admission {
    std::string verb{};  // "create", "update", "delete", "connect"
    ResourceId resource{};
    std::string subresource{};
    ObjectKey key{};
    User user{};
    bool dry_run = false;
    Object before{};                 // null on create
    std::shared_ptr<Json> object{};  // to be stored, and a plugin may change it; on pods/eviction
                                     // the Eviction; null on delete
};

// metav1.StatusCause.
struct Cause {
    std::string reason{};
    std::string message{};
    std::string field{};

    bool operator==(const Cause&) const = default;
};

// Becomes a metav1.Status without the fields that are empty.
struct Refusal {
    int code = 403;
    std::string reason{};  // metav1.StatusReason: "Forbidden", "Invalid", "TooManyRequests", …
    std::string message{};
    std::string name{};  // from here on metav1.StatusDetails
    std::string group{};
    std::string kind{};
    std::string uid{};
    std::vector<Cause> causes{};
    int retry_after_seconds = 0;
    std::string continue_token{};  // of a list that expired on the way
    bool empty_details = false;    // "details": {} is written all the same

    bool operator==(const Refusal&) const = default;
};

// What a right is asked about: authorization.k8s.io's ResourceAttributes or, with `path`, its
// NonResourceAttributes.
struct Attributes {
    std::string verb{};  // "get", "list", "watch", "create", "deletecollection", …
    std::string group{};
    std::string version{};
    std::string resource{};
    std::string subresource{};
    std::string ns{};
    std::string name{};
    std::string path{};

    bool operator==(const Attributes&) const = default;
};

// nullopt: allowed.
using Authorizer = std::function<std::optional<Refusal>(const User&, const Attributes&)>;

// What a component adds to the API server: webhooks and other admission, aggregated APIs, the
// reading of logs and metrics. Asked in the order in which they were added.
class Extension {
public:
    virtual ~Extension() = default;

    // nullopt: nothing against it.
    virtual std::optional<Refusal> admit(Admission&) { return std::nullopt; }

    // Paths the API server itself does not serve (aggregated APIs, pods/log, proxies). Rights have
    // been checked.
    virtual std::optional<kubeclient::Response> serve(const User&, const kubeclient::Request&) {
        return std::nullopt;
    }
};

// Events of one watch. Drawn from the store's history, so it holds nothing but its place in it.
class WatchCursor {
public:
    virtual ~WatchCursor() = default;
    // What happened since then, as lines of JSON ({"type":…,"object":…}\n); empty: nothing.
    virtual std::string next() = 0;
    // No more will come: an ERROR event was the last, or timeoutSeconds has passed.
    virtual bool ended() const = 0;
};

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

    // Everything but watches.
    kubeclient::Response handle(const User& user, const kubeclient::Request& request);

    // For GET with watch=true. nullptr: `refusal` says why not.
    std::unique_ptr<WatchCursor> watch(const User& user, const kubeclient::Request& request,
                                       kubeclient::Response& refusal);

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
