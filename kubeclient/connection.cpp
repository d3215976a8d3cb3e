#include "kubeclient/connection.hpp"

#include <poll.h>

#include <array>

namespace kubeclient {
namespace {

constexpr const char* kProxyHint = "check proxy-url of the kubeconfig, HTTPS_PROXY and NO_PROXY";

Error proxy_trouble(ErrorKind kind, const std::string& detail) {
    return cannot_connect(kind, "proxyconnect tcp: " + detail, kProxyHint);
}

// The head of the proxy's reply. It is read bytewise: what follows belongs to TLS.
Result<std::string> read_head(int fd, const Patience& patience) {
    constexpr std::size_t longest = 16 * 1024;
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
        char byte = 0;
        const auto count = receive(fd, &byte, 1, patience);
        if (!count.ok()) return count.error();
        if (*count == 0) return Error{ErrorKind::transport, "unexpected EOF"};
        head += byte;
        if (head.size() > longest) return Error{ErrorKind::protocol, "reply too long"};
    }
    return head;
}

// Asks the proxy for a tunnel. Its credentials go to the proxy alone, never through the tunnel.
Status open_tunnel(int fd, const Route& route, const Patience& patience) {
    const std::string name = host_and_port(route.server.host, route.server.port);
    std::string request = "CONNECT " + name + " HTTP/1.1\r\nHost: " + name + "\r\n";
    if (!route.proxy_authorization.empty()) {
        request += "Proxy-Authorization: " + route.proxy_authorization + "\r\n";
    }
    auto sent = send_all(fd, request + "\r\n", patience);
    auto head = sent.ok() ? read_head(fd, patience) : Result<std::string>(sent.error());
    if (!head.ok()) {
        if (head.error().kind == ErrorKind::canceled) return head.error();
        return proxy_trouble(head.error().kind, head.error().message);
    }
    const std::string line = head->substr(0, head->find('\r'));
    if (!line.starts_with("HTTP/1.") || line.size() < 12) {
        return proxy_trouble(ErrorKind::protocol, "malformed HTTP response");
    }
    const std::string status = line.substr(9, 3);
    if (status == "200") return Done{};
    if (status == "407") {
        return proxy_trouble(ErrorKind::config, "Proxy Authentication Required");
    }
    return proxy_trouble(ErrorKind::transport,
                         "the proxy answered " + status + " to CONNECT " + name);
}

Error during_handshake(const Error& error) {
    switch (error.kind) {
        case ErrorKind::canceled:
            return error;
        case ErrorKind::timeout:
            return cannot_connect(ErrorKind::timeout, "net/http: TLS handshake timeout",
                                  "the peer accepts connections and says nothing: is this the port "
                                  "of a Kubernetes API server?");
        default:
            return cannot_connect(error.kind, error.message, error.hint);
    }
}

}  // namespace

Connection::Connection(Descriptor socket, std::unique_ptr<TlsSession> session)
    : socket_(std::move(socket)), session_(std::move(session)) {}

Connection::~Connection() {
    if (!session_) return;
    session_->close();
    const std::string goodbye = session_->output();
    // Politeness only: a full send buffer is not waited for.
    [[maybe_unused]] const auto sent =
        ::send(socket_.fd(), goodbye.data(), goodbye.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

Result<std::unique_ptr<Connection>> Connection::open(const Route& route, const TlsContext* tls,
                                                     const Lookup& lookup,
                                                     const ConnectLimits& limits,
                                                     const Patience& patience) {
    const Peer peer = route.proxy ? Peer::proxy : Peer::server;
    const std::string& host = route.proxy ? route.proxy->host : route.server.host;
    const int port = route.proxy ? route.proxy->port : route.server.port;
    TRY_ASSIGN(addresses, look_up(lookup, host, port, patience.at_most(limits.lookup)));
    TRY_ASSIGN(socket,
               dial(addresses, host_and_port(host, port), peer, patience.at_most(limits.connect)));
    if (route.proxy && tls != nullptr) {
        TRY(open_tunnel(socket.fd(), route, patience.at_most(limits.handshake)));
    }
    std::unique_ptr<Connection> connection(
        new Connection(std::move(socket), tls != nullptr ? tls->session() : nullptr));
    if (tls != nullptr) {
        if (auto shaken = connection->shake_hands(patience.at_most(limits.handshake));
            !shaken.ok()) {
            return during_handshake(shaken.error());
        }
    }
    return connection;
}

Status Connection::shake_hands(const Patience& patience) {
    for (;;) {
        const auto step = session_->handshake();
        const auto flushed = flush(patience);  // also what the peer should know of a failure
        if (step == TlsSession::Step::done) return flushed;
        if (step == TlsSession::Step::failed) return session_->failure();
        if (step == TlsSession::Step::closed) return Error{ErrorKind::transport, "EOF"};
        if (!flushed.ok()) return flushed;
        TRY(feed(patience));
    }
}

Status Connection::flush(const Patience& patience) {
    const std::string bytes = session_->output();
    return bytes.empty() ? Status(Done{}) : send_all(socket_.fd(), bytes, patience);
}

Status Connection::feed(const Patience& patience) {
    std::array<char, 16 * 1024> buffer;
    TRY_ASSIGN(count, receive(socket_.fd(), buffer.data(), buffer.size(), patience));
    if (count == 0) {
        session_->feed_end();
    } else {
        session_->feed({buffer.data(), count});
    }
    return Done{};
}

Result<std::size_t> Connection::read(char* buffer, std::size_t size, const Patience& patience) {
    if (!session_) return receive(socket_.fd(), buffer, size, patience);
    for (;;) {
        std::size_t count = size;
        switch (session_->read(buffer, count)) {
            case TlsSession::Step::done:
                return count;
            case TlsSession::Step::closed:
                return std::size_t{0};
            case TlsSession::Step::failed:
                return session_->failure();
            case TlsSession::Step::wants_input:
                break;
        }
        TRY(flush(patience));
        TRY(feed(patience));
    }
}

Status Connection::write(std::string_view bytes, const Patience& patience) {
    if (!session_) return send_all(socket_.fd(), bytes, patience);
    const auto step = session_->write(bytes);
    if (step != TlsSession::Step::done) return session_->failure();
    return flush(patience);
}

bool Connection::quiet() const {
    pollfd poll_fd{socket_.fd(), POLLIN, 0};
    return (!session_ || session_->drained()) && ::poll(&poll_fd, 1, 0) == 0;
}

}  // namespace kubeclient
