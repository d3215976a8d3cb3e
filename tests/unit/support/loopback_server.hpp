// A server on a free loopback port whose every byte the test decides. Each connection runs the
// test's script on a thread of its own; the destructor ends them all.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/unit/support/server_tls.hpp"
#include "tests/unit/support/wire.hpp"

namespace support {

class LoopbackServer {
public:
    using Script = std::function<void(Wire&)>;

    explicit LoopbackServer(Script script, const ServerTls* tls = nullptr, int family = AF_INET)
        : script_(std::move(script)), stop_(::eventfd(0, 0)) {
        std::signal(SIGPIPE, SIG_IGN);
        if (tls != nullptr) context_ = server_context(*tls);
        listen_on(family);
        acceptor_ = std::thread([this] { accept_all(); });
    }
    ~LoopbackServer() {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(stop_, &one, sizeof one);
        acceptor_.join();
        for (auto& thread : connections_) {
            {
                const std::lock_guard lock(mutex_);
                for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
            }
            thread.join();
        }
        ::close(listener_);
        ::close(stop_);
    }
    LoopbackServer(const LoopbackServer&) = delete;
    LoopbackServer& operator=(const LoopbackServer&) = delete;

    int port() const { return port_; }

    // Whether this machine has a loopback address of the family.
    static bool available(int family) {
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_addr = in6addr_loopback;
        const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
        ::close(fd);
        return family == AF_INET || bound;
    }

private:
    void listen_on(int family) {
        sockaddr_storage address{};
        socklen_t size = sizeof(sockaddr_in);
        if (family == AF_INET6) {
            auto* v6 = reinterpret_cast<sockaddr_in6*>(&address);
            v6->sin6_family = AF_INET6;
            v6->sin6_addr = in6addr_loopback;
            size = sizeof(sockaddr_in6);
        } else {
            auto* v4 = reinterpret_cast<sockaddr_in*>(&address);
            v4->sin_family = AF_INET;
            v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        }
        listener_ = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
        ::listen(listener_, 64);
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                         : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
    }
    void accept_all() {
        for (;;) {
            pollfd fds[] = {{listener_, POLLIN, 0}, {stop_, POLLIN, 0}};
            ::poll(fds, 2, -1);
            if (fds[1].revents != 0) return;
            const int fd = ::accept(listener_, nullptr, nullptr);
            if (fd < 0) continue;
            {
                const std::lock_guard lock(mutex_);
                open_.push_back(fd);
            }
            connections_.emplace_back([this, fd] { serve(fd); });
        }
    }
    void serve(int fd) {
        SSL* ssl = nullptr;
        bool ready = true;
        if (context_) {
            ssl = SSL_new(context_.get());
            SSL_set_fd(ssl, fd);
            ready = SSL_accept(ssl) == 1;
        }
        if (ready) {
            Wire wire(fd, ssl, stop_);
            script_(wire);
            if (ssl != nullptr) SSL_shutdown(ssl);
        }
        if (ssl != nullptr) SSL_free(ssl);
        ERR_clear_error();
        const std::lock_guard lock(mutex_);
        open_.erase(std::find(open_.begin(), open_.end(), fd));
        ::close(fd);
    }

    Script script_;
    int stop_;
    int listener_ = -1;
    int port_ = 0;
    ServerContext context_{};
    std::mutex mutex_{};
    std::vector<int> open_{};
    std::vector<std::thread> connections_{};
    std::thread acceptor_{};
};

}  // namespace support
