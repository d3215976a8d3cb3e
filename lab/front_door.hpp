// What an HTTP server of the lab hands its requests to.
// Not thread-safe: the server takes World::lock() around every call.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "kubeclient/target.hpp"
#include "kubeclient/transport.hpp"
#include "lab/api/api_server.hpp"

namespace lab {

// What the headers of a request say about who sends it.
struct Caller {
    std::optional<std::string> token{};  // nullopt: nobody says who they are
    kubeclient::Impersonation impersonate{};
};

class FrontDoor {
public:
    virtual ~FrontDoor() = default;

    // Everything but watches; of what can be followed, what there is now.
    virtual kubeclient::Response handle(const Caller& caller,
                                        const kubeclient::Request& request) = 0;

    // For GET with watch=true. nullptr: `refusal` says why not.
    virtual std::unique_ptr<WatchCursor> watch(const Caller& caller,
                                               const kubeclient::Request& request,
                                               kubeclient::Response& refusal) = 0;

    // For GET with follow=true. nullptr: handle() answers it.
    virtual std::unique_ptr<Stream> follow(const Caller&, const kubeclient::Request&) {
        return nullptr;
    }
};

}  // namespace lab
