#include "kubeclient/socket.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>
#include <thread>

namespace kubeclient {
namespace {

using std::chrono::milliseconds;

// RFC 8305 and Go's net.Dialer.FallbackDelay.
constexpr milliseconds kNextAddressAfter{250};

std::string reason_of(int error_number) {
    std::string reason = std::system_category().message(error_number);
    // The C library says "Connection refused", Go and kubectl "connection refused".
    if (!reason.empty() && reason[0] >= 'A' && reason[0] <= 'Z') reason[0] |= 0x20;
    return reason;
}

int poll_timeout(Clock::time_point until) {
    if (until == Clock::time_point::max()) return -1;
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now()).count();
    constexpr long long longest = 24LL * 3600 * 1000;
    return static_cast<int>(std::clamp<long long>(left, 0, longest));
}

// Polls `fds`, whose last entry is the interrupt.
Waited poll_all(std::vector<pollfd>& fds, const Patience& patience) {
    for (;;) {
        const int timeout = poll_timeout(patience.until);
        const int count = ::poll(fds.data(), fds.size(), timeout);
        if (fds.back().revents != 0 && count > 0) return Waited::interrupted;
        if (count > 0) return Waited::ready;
        if (count == 0 && Clock::now() >= patience.until) return Waited::timed_out;
        if (count < 0 && errno != EINTR) return Waited::ready;  // the next call names the error
    }
}

Result<std::vector<Address>> addresses_of(const std::string& host, int port, int flags) {
    addrinfo wanted{};
    wanted.ai_family = AF_UNSPEC;
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = flags | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int failure = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
    if (failure != 0) {
        const bool none = failure == EAI_NONAME;
        return Error{ErrorKind::transport, none ? "no such host" : ::gai_strerror(failure)};
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
    std::vector<Address> addresses;
    for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
        Address address;
        std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
        address.length = entry->ai_addrlen;
        addresses.push_back(address);
    }
    return addresses;
}

std::string dialing(Peer peer, const std::string& where) {
    return (peer == Peer::proxy ? "proxyconnect tcp: dial tcp " : "dial tcp ") + where;
}

Error refused(const std::string& name, Peer peer, const Address& address, int error_number) {
    if (error_number == ECONNREFUSED && peer == Peer::server) {
        return Error{ErrorKind::transport,
                     "The connection to the server " + name +
                         " was refused - did you specify the right host or "
                         "port?",
                     "check the server address of the kubeconfig context"};
    }
    return cannot_connect(
        ErrorKind::transport,
        dialing(peer, address.text()) + ": connect: " + reason_of(error_number),
        peer == Peer::proxy ? "check proxy-url of the kubeconfig, HTTPS_PROXY and NO_PROXY" : "");
}

// Sockets that are being connected, each with its address.
class Race {
public:
    // Starts one more; the errno when it failed at once.
    int start(const Address& address) {
        Descriptor socket(
            ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (!socket.open()) return errno;
        const int on = 1;
        ::setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::setsockopt(socket.fd(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
        const auto* target = reinterpret_cast<const sockaddr*>(&address.storage);
        if (::connect(socket.fd(), target, address.length) != 0 && errno != EINPROGRESS) {
            return errno;
        }
        running_.push_back({std::move(socket), address});
        return 0;
    }

    bool empty() const { return running_.empty(); }

    Waited wait(const Patience& patience) {
        polled_.clear();
        for (const auto& entry : running_) polled_.push_back({entry.socket.fd(), POLLOUT, 0});
        polled_.push_back({patience.interrupt.fd(), POLLIN, 0});
        return poll_all(polled_, patience);
    }

    // The first socket that is connected; those that failed are dropped, the last reason kept.
    std::optional<Descriptor> winner(int& last_error, Address& last_address) {
        std::vector<Entry> left;
        for (std::size_t i = 0; i < running_.size(); ++i) {
            if (polled_[i].revents == 0) {
                left.push_back(std::move(running_[i]));
                continue;
            }
            int error_number = 0;
            socklen_t size = sizeof error_number;
            ::getsockopt(running_[i].socket.fd(), SOL_SOCKET, SO_ERROR, &error_number, &size);
            if (error_number == 0) return std::move(running_[i].socket);
            last_error = error_number;
            last_address = running_[i].address;
        }
        running_ = std::move(left);
        return std::nullopt;
    }

private:
    struct Entry {
        Descriptor socket;
        Address address;
    };
    std::vector<Entry> running_;
    std::vector<pollfd> polled_;
};

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

Descriptor::~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

Interrupt::Interrupt(std::stop_token stop)
    : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), stop_(stop), wake_(stop, [this] {
          const std::uint64_t one = 1;
          // Nobody reads it: readable for ever. A full counter is readable as well.
          [[maybe_unused]] const auto written = ::write(event_.fd(), &one, sizeof one);
      }) {}

Patience Patience::at_most(milliseconds limit) const {
    return {std::min(until, Clock::now() + limit), interrupt};
}

Waited wait_for(int fd, short events, const Patience& patience) {
    std::vector<pollfd> fds{{fd, events, 0}, {patience.interrupt.fd(), POLLIN, 0}};
    return poll_all(fds, patience);
}

Error cannot_connect(ErrorKind kind, const std::string& detail, std::string hint) {
    return Error{kind, "Unable to connect to the server: " + detail, std::move(hint)};
}

Error interrupted() {
    return Error{ErrorKind::canceled, "interrupted"};
}

std::string host_and_port(const std::string& host, int port) {
    const bool brackets = host.find(':') != std::string::npos;
    return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string Address::text() const {
    char host[INET6_ADDRSTRLEN] = "";
    int port = 0;
    if (storage.ss_family == AF_INET6) {
        const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&storage);
        ::inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
        port = ntohs(v6->sin6_port);
    } else {
        const auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage);
        ::inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        port = ntohs(v4->sin_port);
    }
    return host_and_port(host, port);
}

Result<std::vector<Address>> system_lookup(const std::string& host, int port) {
    return addresses_of(host, port, 0);
}

Result<std::vector<Address>> look_up(const Lookup& lookup, const std::string& host, int port,
                                     const Patience& patience) {
    if (auto numeric = addresses_of(host, port, AI_NUMERICHOST); numeric.ok()) return numeric;

    struct Answer {
        Descriptor ready{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
        Result<std::vector<Address>> addresses{std::vector<Address>{}};
    };
    const auto answer = std::make_shared<Answer>();
    std::thread([answer, lookup, host, port] {
        answer->addresses = lookup(host, port);
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(answer->ready.fd(), &one, sizeof one);
    }).detach();

    const std::string where = "dial tcp: lookup " + host;
    switch (wait_for(answer->ready.fd(), POLLIN, patience)) {
        case Waited::interrupted:
            return interrupted();
        case Waited::timed_out:
            return cannot_connect(ErrorKind::timeout, where + ": i/o timeout",
                                  "check the name servers of this machine");
        case Waited::ready:
            break;
    }
    std::uint64_t count = 0;  // reading is what hands the answer over to this thread
    [[maybe_unused]] const auto got = ::read(answer->ready.fd(), &count, sizeof count);
    if (!answer->addresses.ok()) {
        return cannot_connect(ErrorKind::transport,
                              where + ": " + answer->addresses.error().message,
                              "check the server address of the kubeconfig context");
    }
    if (answer->addresses->empty()) {
        return cannot_connect(ErrorKind::transport, where + ": no such host");
    }
    return std::move(answer->addresses);
}

Result<Descriptor> dial(const std::vector<Address>& addresses, const std::string& name, Peer peer,
                        const Patience& patience) {
    Race race;
    int last_error = ETIMEDOUT;
    Address last_address = addresses.front();
    std::size_t next = 0;
    while (next < addresses.size() || !race.empty()) {
        if (next < addresses.size()) {
            if (const int failure = race.start(addresses[next]); failure != 0) {
                last_error = failure;
                last_address = addresses[next];
            }
            ++next;
        }
        if (race.empty()) continue;
        const bool more = next < addresses.size();
        const auto waited = race.wait(more ? patience.at_most(kNextAddressAfter) : patience);
        if (waited == Waited::interrupted) return interrupted();
        if (waited == Waited::timed_out && Clock::now() >= patience.until) {
            return cannot_connect(ErrorKind::timeout,
                                  dialing(peer, last_address.text()) + ": i/o timeout",
                                  "is " + name + " reachable from here, or behind a proxy?");
        }
        if (waited == Waited::timed_out) continue;
        if (auto socket = race.winner(last_error, last_address)) return std::move(*socket);
    }
    return refused(name, peer, last_address, last_error);
}

Result<std::size_t> receive(int fd, char* buffer, std::size_t size, const Patience& patience) {
    for (;;) {
        const auto count = ::recv(fd, buffer, size, MSG_DONTWAIT);
        if (count >= 0) return static_cast<std::size_t>(count);
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            return Error{ErrorKind::transport, "read: " + reason_of(errno)};
        }
        const auto waited = wait_for(fd, POLLIN, patience);
        if (waited == Waited::interrupted) return interrupted();
        if (waited == Waited::timed_out) return Error{ErrorKind::timeout, "read: i/o timeout"};
    }
}

Status send_all(int fd, std::string_view bytes, const Patience& patience) {
    while (!bytes.empty()) {
        const auto count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(count));
            continue;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            return Error{ErrorKind::transport, "write: " + reason_of(errno)};
        }
        const auto waited = wait_for(fd, POLLOUT, patience);
        if (waited == Waited::interrupted) return interrupted();
        if (waited == Waited::timed_out) return Error{ErrorKind::timeout, "write: i/o timeout"};
    }
    return Done{};
}

}  // namespace kubeclient
