// The real transport: HTTP/1.1 over TLS (or plain), with a few kept connections.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "kubeclient/connection.hpp"
#include "kubeclient/credentials.hpp"
#include "kubeclient/system.hpp"
#include "kubeclient/target.hpp"
#include "kubeclient/transport.hpp"

namespace kubeclient {

// What one request may take where --request-timeout does not say.
struct HttpLimits {
    ConnectLimits connect{};
    std::chrono::milliseconds first_byte{30000};  // from the request sent to the headers received
    std::chrono::milliseconds silence{30000};     // within a body
    // A connection idle for longer is not used again: load balancers drop them without a word.
    std::chrono::milliseconds keep{10000};
    // Decoded. 10,000 pods are 40 MB, so this is some 60,000; it bounds what a broken or hostile
    // server can make us hold.
    std::size_t body = std::size_t{1} << 28;
};

struct HttpOptions {
    // Everything together for one send(), 0: none given, the limits alone hold.
    std::chrono::milliseconds request_timeout{0};
    std::string user_agent = "kubectl-virt-handoff";
    std::stop_token stop{};  // ends requests in flight with ErrorKind::canceled
    HttpLimits limits{};
    Lookup lookup = system_lookup;
};

// Does not touch the network yet. config: a server or proxy address that cannot be used.
// At most eight requests are in flight, further ones wait; streams are not counted among them. What
// is not repeatable travels on a fresh connection, so that a stale one never makes a write
// uncertain.
Result<std::unique_ptr<Transport>> make_http_transport(const Target& target,
                                                       std::unique_ptr<CredentialSource> source,
                                                       const HttpOptions& options,
                                                       const System& system);

}  // namespace kubeclient
