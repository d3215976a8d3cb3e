// The one seam between the program and the network. The real one is HTTP over TLS; fakes, faults,
// recording and replay decorate it.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
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
    // Everything together, waiting included; 0 leaves it to the transport's own limits. Of a stream
    // it bounds the time until the reply begins.
    std::chrono::milliseconds timeout{0};
    // The longest pause within a stream's body before the connection counts as dead; 0 as above.
    std::chrono::milliseconds silence{0};

    bool operator==(const Request&) const = default;
};

struct Response {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers{};  // names in lower case
    std::string body{};

    bool operator==(const Response&) const = default;
};

// What whoever receives a stream wants next.
enum class Flow { go_on, stop };

// Gets the body in pieces as they arrive, cut anywhere; `head` is the reply without its body. Runs
// in the thread that called stream(); must not throw.
using BodySink = std::function<Flow(const Response& head, std::string_view piece)>;

// Thread-safe: several threads may send at the same time.
class Transport {
public:
    virtual ~Transport() = default;

    // Any HTTP status is a Response; an Error means that no complete reply was received.
    // Where a request that is not repeatable may have reached the server, the kind is
    // unknown_outcome; with every other kind it had no effect.
    virtual Result<Response> send(const Request& request) = 0;

    // A reply whose end is not waited for: a watch, a log that is followed. A 2xx body goes to the
    // sink and not into the Response; every other reply comes back whole, as from send().
    // Ok when the server ended the body in order, or the sink said stop. `stop` ends this stream
    // at once, with ErrorKind::canceled. An error may come after pieces that were handed over.
    virtual Result<Response> stream(const Request& request, const BodySink& sink,
                                    std::stop_token stop) = 0;
};

}  // namespace kubeclient
