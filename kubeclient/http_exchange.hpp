// One HTTP/1.1 request and its reply over a connection that is open already.
#pragma once

#include <optional>
#include <string>

#include "kubeclient/connection.hpp"
#include "kubeclient/http_message.hpp"
#include "kubeclient/http_transport.hpp"

namespace kubeclient {

// What goes over the wire. Neither the target nor a header may hold control characters.
struct WireRequest {
    std::string method{};
    std::string target{};
    Headers headers{};
    std::string body{};
};

// How far an exchange has come; what a failure means depends on it.
struct Progress {
    bool sent = false;      // bytes of the request may have reached the server
    bool answered = false;  // a byte came back
    bool head_done = false;
    bool streaming = false;  // the body goes to a sink
    bool ended = false;      // the peer closed
    std::optional<Error> failure{};

    void fail(Error error) {
        if (!failure) failure = std::move(error);
    }
};

struct Exchanged {
    Response response{};
    bool reusable = false;  // the connection may carry another request
};

// nullopt: no complete reply; `progress` has the details. With a sink the body of a 2xx reply goes
// there; from then on only silence ends the wait, not `patience`.
std::optional<Exchanged> exchange(Connection& connection, const WireRequest& request,
                                  const HttpLimits& limits, const Patience& patience,
                                  const BodySink* sink, Progress& progress);

}  // namespace kubeclient
