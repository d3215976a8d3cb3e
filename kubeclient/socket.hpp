// TCP with deadlines: every wait ends at its time or when the user interrupts, whichever is first.
// One socket belongs to one thread at a time; an Interrupt may be shared.
#pragma once

#include <sys/socket.h>

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

using Clock = std::chrono::steady_clock;

// An open file descriptor with one owner.
class Descriptor {
public:
    explicit Descriptor(int fd = -1) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept;
    ~Descriptor();

    int fd() const { return fd_; }
    bool open() const { return fd_ >= 0; }

private:
    int fd_;
};

// Wakes every wait there is, now and later, once a stop is requested.
class Interrupt {
public:
    explicit Interrupt(std::stop_token stop);

    int fd() const { return event_.fd(); }  // readable once interrupted
    bool requested() const { return stop_.stop_requested(); }

private:
    Descriptor event_;
    std::stop_token stop_;
    std::stop_callback<std::function<void()>> wake_;
};

// How long to wait, and who may end the wait early.
struct Patience {
    Clock::time_point until;
    const Interrupt& interrupt;

    // The same, but no longer than `limit` from now.
    Patience at_most(std::chrono::milliseconds limit) const;
};

enum class Waited { ready, timed_out, interrupted };

// Waits until `fd` can be read (POLLIN) or written (POLLOUT), or has failed.
Waited wait_for(int fd, short events, const Patience& patience);

// kubectl's own sentence around what went wrong before a reply.
Error cannot_connect(ErrorKind kind, const std::string& detail, std::string hint = {});
Error interrupted();

struct Address {
    sockaddr_storage storage{};
    socklen_t length = 0;

    std::string text() const;  // "10.0.0.1:6443", "[fd00::1]:6443"
};

// "host:port", with brackets around an IPv6 address.
std::string host_and_port(const std::string& host, int port);

// Asks the system's resolver and blocks as long as that takes; the error message is the reason
// alone ("no such host").
using Lookup = std::function<Result<std::vector<Address>>(const std::string& host, int port)>;
Result<std::vector<Address>> system_lookup(const std::string& host, int port);

// Runs the look-up on a thread of its own, which is left behind when patience ends first:
// getaddrinfo() cannot be interrupted. Numeric addresses need no look-up.
Result<std::vector<Address>> look_up(const Lookup& lookup, const std::string& host, int port,
                                     const Patience& patience);

// Tries the addresses in order, a quarter of a second apart, and keeps the first that answers, so
// that one dead address family does not cost the whole time. `proxied` only words the error.
enum class Peer { server, proxy };
Result<Descriptor> dial(const std::vector<Address>& addresses, const std::string& name, Peer peer,
                        const Patience& patience);

// Bytes received; 0 when the peer has closed.
Result<std::size_t> receive(int fd, char* buffer, std::size_t size, const Patience& patience);
Status send_all(int fd, std::string_view bytes, const Patience& patience);

}  // namespace kubeclient
