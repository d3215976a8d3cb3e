// What the API server and those who extend it say to each other: who asks for what, and what is
// said against it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kubeclient/transport.hpp"
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

// The body of a reply that goes on: the events of a watch, a log that is followed.
class Stream {
public:
    virtual ~Stream() = default;
    // What has come since then; empty: nothing.
    virtual std::string next() = 0;
    // No more will come.
    virtual bool ended() const = 0;
};

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

    // The same for a reply that goes on (pods/log with follow=true); nullptr: serve() is asked.
    virtual std::unique_ptr<Stream> follow(const User&, const kubeclient::Request&) {
        return nullptr;
    }
};

}  // namespace lab
