// The one seam between the program and the network. The real one is HTTP over TLS; fakes, faults,
// recording and replay decorate it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kubeclient/result.hpp"

namespace kubeclient {

enum class Method { get, post, put, patch, del };

// Whether a broken connection after the request was sent leaves the outcome open. A read, and a
// write that changes nothing (dryRun=All, SelfSubjectAccessReview), may be sent again.
enum class Repeatable { no, yes };

struct Request {
    Method method = Method::get;
    std::string
        path{};  // absolute, already percent-encoded per segment, without the server's prefix
    std::vector<std::pair<std::string, std::string>> query{};  // plain text; the transport encodes
    std::string accept = "application/json";
    std::string content_type{};
    std::string body{};
    Repeatable repeatable = Repeatable::yes;
    // Everything together, waiting included; 0 leaves it to the transport's own limits.
    std::chrono::milliseconds timeout{0};

    bool operator==(const Request&) const = default;
};

struct Response {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers{};  // names in lower case
    std::string body{};

    bool operator==(const Response&) const = default;
};

// Thread-safe: several threads may send at the same time.
class Transport {
public:
    virtual ~Transport() = default;

    // Any HTTP status is a Response; an Error means that no complete reply was received.
    // Where a request that is not repeatable may have reached the server, the kind is
    // unknown_outcome; with every other kind it had no effect.
    virtual Result<Response> send(const Request& request) = 0;
};

}  // namespace kubeclient
