// The server's end of one connection, plain or TLS, for tests that decide on every byte.
#pragma once

#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <string>
#include <string_view>

namespace support {

class Wire {
public:
    Wire(int fd, SSL* ssl, int stop) : fd_(fd), ssl_(ssl), stop_(stop) {}

    // Head and body (by Content-Length) of one request; what there was when the client left.
    std::string read_request() {
        std::string text;
        std::size_t wanted = std::string::npos;
        while (text.size() < wanted) {
            char byte = 0;
            if (read(&byte, 1) != 1) break;
            text += byte;
            if (wanted != std::string::npos || !text.ends_with("\r\n\r\n")) continue;
            const auto length = text.find("Content-Length: ");
            wanted = text.size() +
                     (length == std::string::npos ? 0 : std::stoul(text.substr(length + 16)));
        }
        return text;
    }
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto count =
                ssl_ != nullptr
                    ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                    : static_cast<int>(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
            if (count <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
        return true;
    }
    bool reply(const std::string& body, const std::string& head = "HTTP/1.1 200 OK\r\n") {
        return send(head + "Content-Type: application/json\r\nContent-Length: " +
                    std::to_string(body.size()) + "\r\n\r\n" + body);
    }
    // Until the client leaves or the server is stopped.
    void hang() {
        pollfd fds[] = {{fd_, POLLRDHUP, 0}, {stop_, POLLIN, 0}};
        ::poll(fds, 2, -1);
    }
    // One byte of `bytes` after the other, `pause` milliseconds apart, for ever.
    void trickle(std::string_view bytes, int pause) {
        for (std::size_t i = 0;; ++i) {
            pollfd fds[] = {{fd_, POLLRDHUP, 0}, {stop_, POLLIN, 0}};
            if (::poll(fds, 2, pause) != 0 || !send(bytes.substr(i % bytes.size(), 1))) return;
        }
    }
    int fd() const { return fd_; }
    SSL* ssl() const { return ssl_; }

private:
    int read(char* buffer, int size) {
        return ssl_ != nullptr
                   ? SSL_read(ssl_, buffer, size)
                   : static_cast<int>(::recv(fd_, buffer, static_cast<std::size_t>(size), 0));
    }

    int fd_;
    SSL* ssl_;
    int stop_;
};

}  // namespace support
