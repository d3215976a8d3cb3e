// One open way to the server: TCP, through a proxy where there is one, then TLS. One thread at a
// time. Errors here carry kubectl's sentences.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kubeclient/proxy.hpp"
#include "kubeclient/socket.hpp"
#include "kubeclient/target.hpp"
#include "kubeclient/tls.hpp"

namespace kubeclient {

struct Route {
    ServerUrl server{};
    std::optional<Proxy> proxy{};
    std::string proxy_authorization{};  // header value for the proxy alone; may be empty
};

struct ConnectLimits {
    std::chrono::milliseconds lookup{30000};
    std::chrono::milliseconds connect{30000};
    std::chrono::milliseconds handshake{30000};  // a proxy's answer to CONNECT, and TLS, each
};

class Connection {
public:
    // `tls` is null for plain http.
    static Result<std::unique_ptr<Connection>> open(const Route& route, const TlsContext* tls,
                                                    const Lookup& lookup,
                                                    const ConnectLimits& limits,
                                                    const Patience& patience);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Bytes read; 0 when the peer has ended the stream properly.
    Result<std::size_t> read(char* buffer, std::size_t size, const Patience& patience);
    Status write(std::string_view bytes, const Patience& patience);

    // Whether nothing has arrived since the last reply: neither stray bytes nor the end. A TLS
    // connection that the server closed while it lay idle is found out by this.
    bool quiet() const;

private:
    Connection(Descriptor socket, std::unique_ptr<TlsSession> session);
    Status shake_hands(const Patience& patience);
    Status flush(const Patience& patience);
    Status feed(const Patience& patience);

    Descriptor socket_;
    std::unique_ptr<TlsSession> session_;
};

}  // namespace kubeclient
