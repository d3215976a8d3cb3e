// Replies of a server that may say anything. The first byte chooses where they come in: "W", what
// follows is sent over a loopback socket to the real transport; otherwise it is cut into replies
// that are handed to the Api: records separated by 0x1e, each a status line, a Warning line, a
// body.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "kubeclient/api.hpp"
#include "kubeclient/http_transport.hpp"
#include "kubeclient/redact.hpp"

namespace {

using namespace kubeclient;
using namespace std::chrono_literals;

void require(bool condition) {
    if (!condition) std::abort();
}

bool printable(std::string_view text) {
    for (const char byte : text) {
        const auto c = static_cast<unsigned char>(byte);
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) return false;
    }
    return true;
}

// ---- over a socket
// --------------------------------------------------------------------------------

// Answers every connection with the bytes of the moment and closes it.
class Feeder {
public:
    Feeder() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        require(::bind(listener_, generic, size) == 0 && ::listen(listener_, 16) == 0);
        ::getsockname(listener_, generic, &size);
        port_ = ntohs(address.sin_port);
        std::thread([this] { serve(); }).detach();  // for as long as the process lives
    }
    int port() const { return port_; }
    void feed(std::string_view bytes) {
        const std::lock_guard lock(mutex_);
        bytes_ = bytes;
    }

private:
    void serve() {
        for (;;) {
            const int fd = ::accept(listener_, nullptr, nullptr);
            if (fd < 0) continue;
            std::string request;
            std::array<char, 4096> buffer;
            while (!request.ends_with("\r\n\r\n")) {
                const auto count = ::recv(fd, buffer.data(), buffer.size(), 0);
                if (count <= 0) break;
                request.append(buffer.data(), static_cast<std::size_t>(count));
            }
            std::string bytes;
            {
                const std::lock_guard lock(mutex_);
                bytes = bytes_;
            }
            // In two pieces, so that every limit of the reader may fall between them.
            const std::size_t cut = bytes.empty() ? 0 : bytes.size() / 2;
            ::send(fd, bytes.data(), cut, MSG_NOSIGNAL);
            ::send(fd, bytes.data() + cut, bytes.size() - cut, MSG_NOSIGNAL);
            ::close(fd);
        }
    }

    int listener_;
    int port_ = 0;
    std::mutex mutex_{};
    std::string bytes_{};
};

class Nobody final : public CredentialSource {
public:
    Result<Credential> current() override { return Credential{}; }
    void rejected(std::uint64_t) override {}
};

void over_a_socket(std::string_view bytes) {
    static auto* const feeder = new Feeder;
    feeder->feed(bytes);
    Target target;
    target.server = {false, "127.0.0.1", feeder->port(), ""};
    HttpOptions options;
    options.request_timeout = 5s;
    options.limits.body = 1 << 16;
    System system;
    system.env = [](const std::string&) { return std::nullopt; };
    auto transport = make_http_transport(target, std::make_unique<Nobody>(), options, system);
    require(transport.ok());
    Request request;
    request.path = "/version";
    for (int i = 0; i < 2; ++i) {
        const auto reply = (*transport)->send(request);
        if (!reply.ok()) {
            require(printable(reply.error().message));
            require(reply.error().kind == ErrorKind::transport ||
                    reply.error().kind == ErrorKind::protocol);
            continue;
        }
        require(reply->status >= 200 && reply->status <= 599 && reply->body.size() <= 1 << 16);
        for (const auto& [name, value] : reply->headers) require(printable(value));
    }
}

// ---- into the Api
// ---------------------------------------------------------------------------------

// Hands out the same few replies again and again.
class Replies final : public Transport {
public:
    explicit Replies(std::string_view records) {
        constexpr char separator = 0x1e;
        for (std::size_t start = 0; start <= records.size() && replies_.size() < 8;) {
            const auto end = std::min(records.find(separator, start), records.size());
            replies_.push_back(reply_of(records.substr(start, end - start)));
            start = end + 1;
        }
    }
    Result<Response> send(const Request&) override {
        if (++sent_ > 64) return Error{ErrorKind::transport, "enough"};
        return replies_[next_++ % replies_.size()];
    }
    Result<Response> stream(const Request& request, const BodySink& sink,
                            std::stop_token) override {
        auto reply = send(request);
        if (!reply.ok() || reply->status < 200 || reply->status > 299) return reply;
        const std::string body = std::exchange(reply->body, "");
        sink(*reply, body);
        return reply;
    }

private:
    static std::string_view line_of(std::string_view& rest) {
        const auto end = std::min(rest.find('\n'), rest.size());
        const auto line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        return line;
    }
    static Response reply_of(std::string_view record) {
        Response reply;
        const auto status = line_of(record);
        reply.status = std::atoi(std::string(status).c_str()) % 1000;
        reply.headers.emplace_back("warning", line_of(record));
        reply.headers.emplace_back("content-type", "application/json");
        reply.body = record;
        return reply;
    }

    std::vector<Response> replies_{};
    std::size_t next_ = 0;
    int sent_ = 0;
};

template <class T>
void look_at(const Result<T>& result) {
    if (result.ok()) return;
    require(!result.error().message.empty());
    // Every string of the error can be shown, and can be put into our own JSON.
    Json shown = Json::object();
    shown["message"] = result.error().message;
    require(!to_line(shown).empty());
}

void into_the_api(std::string_view records) {
    Replies replies(records);
    Api api(replies, [](const std::string& text) { require(!text.empty()); });
    look_at(api.get("/api/v1/namespaces/n/pods/p", "Pod"));
    look_at(api.get("/version"));
    const auto list = api.list("/api/v1/pods");
    look_at(list);
    if (list.ok()) {
        for (const auto& item : list->items) to_line(item);
    }
    look_at(api.create("/api/v1/namespaces/n/pods", Json::object(), DryRun::server));
    look_at(api.self_subject_access_review({}));
    redacted_body(std::string(records));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    if (bytes.starts_with('W')) {
        over_a_socket(bytes.substr(1));
    } else {
        into_the_api(bytes);
    }
    return 0;
}
