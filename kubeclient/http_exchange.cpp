// The only file that includes cpp-httplib, which here does one thing: it writes a request to, and
// reads a reply from, a connection that is ours. Connecting, TLS, deadlines and limits are not its
// business: it knows neither a total time nor the reason of a failure.
#include "kubeclient/http_exchange.hpp"

#include <httplib.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>

namespace kubeclient {
namespace {

// cpp-httplib matches the status line with std::regex, whose recursion a long line would turn into
// a stack overflow, and it reads headers without any limit.
constexpr std::size_t kLongestStatusLine = 512;
constexpr std::size_t kLongestHead = 1 << 20;

std::string excerpt(std::string_view bytes) {
    std::string text = "\"";
    for (const char c : bytes.substr(0, 60)) text += c >= 0x20 && c < 0x7f ? c : '?';
    return text + "\"";
}

// What cpp-httplib takes for a socket.
class WireStream final : public httplib::Stream {
public:
    WireStream(Connection& connection, const HttpLimits& limits, const Patience& patience,
               Progress& progress)
        : connection_(connection), limits_(limits), patience_(patience), progress_(progress) {}

    bool is_readable() const override { return true; }
    bool is_writable() const override { return true; }
    socket_t socket() const override { return INVALID_SOCKET; }
    void get_remote_ip_and_port(std::string&, int&) const override {}
    void get_local_ip_and_port(std::string&, int&) const override {}

    ssize_t write(const char* bytes, size_t size) override {
        progress_.sent = true;
        const auto written = connection_.write({bytes, size}, patience_.at_most(limits_.silence));
        // A broken pipe is left to the read: the server may have answered before it closed, and
        // TLS alerts wait there.
        if (!written.ok() && written.error().kind != ErrorKind::transport) {
            progress_.fail(written.error());
            return -1;
        }
        return static_cast<ssize_t>(size);
    }

    ssize_t read(char* buffer, size_t size) override {
        if (!progress_.answered && !read_status_line()) return -1;
        if (at_ == buffered_.size() && !fill()) return progress_.failure ? -1 : 0;
        const auto count = std::min(size, buffered_.size() - at_);
        buffered_.copy(buffer, count, at_);
        at_ += count;
        remember({buffer, count});
        if (!progress_.head_done && (head_ += count) > kLongestHead) {
            progress_.fail(Error{ErrorKind::protocol, "server response headers exceeded 1 MiB"});
            return -1;
        }
        return static_cast<ssize_t>(count);
    }

    bool drained() const { return at_ == buffered_.size(); }
    // cpp-httplib takes a chunk with a wrong length for the last one.
    bool ended_with_last_chunk() const { return last_bytes_ == "0\r\n\r\n"; }

private:
    Patience reading_patience() {
        if (progress_.streaming) {
            return Patience{Clock::time_point::max(), patience_.interrupt}.at_most(limits_.silence);
        }
        if (progress_.head_done) return patience_.at_most(limits_.silence);
        if (!head_until_) head_until_ = patience_.at_most(limits_.first_byte).until;
        return {*head_until_, patience_.interrupt};
    }

    // More bytes behind those that are there; false at the end or after a failure.
    bool more() {
        std::array<char, 16 * 1024> bytes;
        const auto count = connection_.read(bytes.data(), bytes.size(), reading_patience());
        if (!count.ok()) {
            progress_.fail(count.error());
            return false;
        }
        progress_.ended = *count == 0;
        progress_.answered = progress_.answered || *count > 0;
        buffered_.append(bytes.data(), *count);
        return *count > 0;
    }

    bool fill() {
        buffered_.clear();
        at_ = 0;
        return more();
    }

    bool read_status_line() {
        while (buffered_.find('\n') == std::string::npos && buffered_.size() < kLongestStatusLine) {
            if (more()) continue;
            const bool cut = std::string_view("HTTP/1.").starts_with(buffered_.substr(0, 7));
            if (cut) progress_.fail(Error{ErrorKind::transport, "EOF"});
            if (progress_.failure) return false;
            break;
        }
        const auto line = std::string_view(buffered_).substr(0, buffered_.find('\n'));
        const bool http = line.starts_with("HTTP/1.0 ") || line.starts_with("HTTP/1.1 ");
        // 1xx has never an apiserver sent unasked; cpp-httplib would take it for the reply.
        if (http && line.size() >= 12 && line.size() < kLongestStatusLine && line[9] >= '2' &&
            line[9] <= '5') {
            return true;
        }
        progress_.fail(
            Error{ErrorKind::protocol, "malformed HTTP response " + excerpt(line),
                  "does the server want https:// here, or is this another service's port?"});
        return false;
    }

    void remember(std::string_view bytes) {
        constexpr std::size_t length = 5;
        last_bytes_.append(bytes.substr(bytes.size() - std::min(length, bytes.size())));
        last_bytes_.erase(0, last_bytes_.size() - std::min(length, last_bytes_.size()));
    }

    Connection& connection_;
    const HttpLimits& limits_;
    const Patience& patience_;
    Progress& progress_;
    std::optional<Clock::time_point> head_until_{};
    std::string buffered_{};
    std::size_t at_ = 0;
    std::size_t head_ = 0;
    std::string last_bytes_{};
};

// cpp-httplib's client over a WireStream. The descriptor it is given leads nowhere: it may shut it
// down and close it as it likes.
class Codec final : public httplib::ClientImpl {
public:
    explicit Codec(httplib::Stream& stream) : ClientImpl("unused", 80), stream_(stream) {
        set_keep_alive(true);
        set_url_encode(false);
    }

private:
    bool create_and_connect_socket(Socket& socket, httplib::Error& error) override {
        socket.sock = ::eventfd(0, EFD_CLOEXEC);
        if (socket.sock < 0) error = httplib::Error::Connection;
        return socket.sock >= 0;
    }
    bool process_socket(const Socket&, std::function<bool(httplib::Stream&)> callback) override {
        return callback(stream_);
    }

    httplib::Stream& stream_;
};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return (x >= 'A' && x <= 'Z' ? x | 0x20 : x) == (y >= 'A' && y <= 'Z' ? y | 0x20 : y);
    });
}

enum class Framing { length, chunks, until_close };

// How the end of the body is known. cpp-httplib reads "Content-Length: x" as 0.
Result<Framing> framing_of(const httplib::Response& reply) {
    const auto lengths = reply.headers.equal_range("Content-Length");
    for (auto length = lengths.first; length != lengths.second; ++length) {
        const std::string& text = length->second;
        const bool digits = !text.empty() && text.size() < 19 &&
                            text.find_first_not_of("0123456789") == std::string::npos;
        if (!digits || text != lengths.first->second) {
            return Error{ErrorKind::protocol, "bad Content-Length " + excerpt(text)};
        }
    }
    if (reply.has_header("Transfer-Encoding")) {
        const auto coding = reply.get_header_value("Transfer-Encoding");
        if (equal_ignoring_case(coding, "chunked")) return Framing::chunks;
        return Error{ErrorKind::protocol, "unsupported transfer encoding " + excerpt(coding)};
    }
    if (lengths.first != lengths.second) return Framing::length;
    // The whole cannot be told from a part. An error is worth showing all the same.
    if (reply.status < 400) {
        return Error{ErrorKind::protocol, "reply with neither Content-Length nor chunks"};
    }
    return Framing::until_close;
}

Response response_of(const httplib::Response& reply, std::string body) {
    Response response;
    response.status = reply.status;
    response.body = std::move(body);
    for (const auto& [name, value] : reply.headers) {
        std::string key = name;
        std::transform(key.begin(), key.end(), key.begin(), [](char c) {
            return static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        });
        // cpp-httplib has decoded %0A and the like.
        std::string text = value;
        std::replace_if(
            text.begin(), text.end(),
            [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; }, '?');
        response.headers.emplace_back(std::move(key), std::move(text));
    }
    return response;
}

// Takes the reply apart as cpp-httplib hands it over.
class Receiver {
public:
    Receiver(const HttpLimits& limits, const BodySink* sink, Progress& progress)
        : limits_(limits), sink_(sink), progress_(progress) {}

    bool take_head(const httplib::Response& reply) {
        const auto found = framing_of(reply);
        if (found.ok()) framing_ = *found;
        if (!found.ok()) progress_.fail(found.error());
        progress_.head_done = true;
        progress_.streaming = sink_ != nullptr && reply.status >= 200 && reply.status < 300;
        if (progress_.streaming) head_ = response_of(reply, "");
        return found.ok();
    }
    bool take_piece(std::string_view piece) {
        if (progress_.streaming) {
            stopped_ = (*sink_)(head_, piece) == Flow::stop;
            return !stopped_;
        }
        if (piece.size() > limits_.body - body_.size()) {
            progress_.fail(Error{ErrorKind::protocol,
                                 "reply larger than " + std::to_string(limits_.body) + " bytes",
                                 "ask for less: one namespace, or a label selector"});
            return false;
        }
        body_.append(piece);
        return true;
    }

    Framing framing() const { return framing_; }
    bool stopped() const { return stopped_; }  // by the sink
    std::string body() && { return std::move(body_); }

private:
    const HttpLimits& limits_;
    const BodySink* const sink_;
    Progress& progress_;
    Framing framing_ = Framing::length;
    Response head_{};
    std::string body_{};
    bool stopped_ = false;
};

}  // namespace

std::optional<Exchanged> exchange(Connection& connection, const WireRequest& request,
                                  const HttpLimits& limits, const Patience& patience,
                                  const BodySink* sink, Progress& progress) {
    WireStream stream(connection, limits, patience, progress);
    Codec codec(stream);
    Receiver receiver(limits, sink, progress);
    httplib::Request wire;
    wire.method = request.method;
    wire.path = request.target;
    wire.body = request.body;
    for (const auto& [name, value] : request.headers) wire.headers.emplace(name, value);
    wire.response_handler = [&](const httplib::Response& reply) {
        return receiver.take_head(reply);
    };
    wire.content_receiver = [&](const char* bytes, size_t size, uint64_t, uint64_t) {
        return receiver.take_piece({bytes, size});
    };
    httplib::Response reply;
    bool complete = false;
    try {
        auto unused = httplib::Error::Success;  // says less than `progress` knows
        complete = codec.send(wire, reply, unused);
    } catch (const std::exception& problem) {
        progress.fail(Error{ErrorKind::protocol, std::string("HTTP reply: ") + problem.what()});
    }
    if (receiver.stopped()) return Exchanged{response_of(reply, ""), false};
    if (!complete) {
        if (progress.ended) progress.fail(Error{ErrorKind::transport, "unexpected EOF"});
        progress.fail(Error{ErrorKind::protocol, "malformed HTTP response"});
        return std::nullopt;
    }
    if (receiver.framing() == Framing::chunks && !stream.ended_with_last_chunk()) {
        progress.fail(Error{ErrorKind::protocol, "malformed chunked encoding"});
        return std::nullopt;
    }
    const bool reusable = stream.drained() && receiver.framing() != Framing::until_close &&
                          reply.version == "HTTP/1.1" &&
                          !equal_ignoring_case(reply.get_header_value("Connection"), "close");
    return Exchanged{response_of(reply, std::move(receiver).body()), reusable};
}

}  // namespace kubeclient
