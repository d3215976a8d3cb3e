// The only file that includes cpp-httplib, which here does one thing: it writes a request to, and
// reads a reply from, a connection that is ours. Connecting, TLS, deadlines and limits are not its
// business: it knows neither a total time nor the reason of a failure.
#include "kubeclient/http_transport.hpp"

#include <httplib.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <variant>

#include "kubeclient/connection_pool.hpp"
#include "kubeclient/http_message.hpp"

namespace kubeclient {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMostInFlight = 8;
// cpp-httplib matches the status line with std::regex, whose recursion a long line would turn into
// a stack overflow, and it reads headers without any limit.
constexpr std::size_t kLongestStatusLine = 512;
constexpr std::size_t kLongestHead = 1 << 20;

std::string excerpt(std::string_view bytes) {
    std::string text = "\"";
    for (const char c : bytes.substr(0, 60)) text += c >= 0x20 && c < 0x7f ? c : '?';
    return text + "\"";
}

// How far an exchange has come; what a failure means depends on it.
struct Progress {
    bool sent = false;      // bytes of the request may have reached the server
    bool answered = false;  // a byte came back
    bool head_done = false;
    bool ended = false;  // the peer closed
    std::optional<Error> failure{};

    void fail(Error error) {
        if (!failure) failure = std::move(error);
    }
};

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

Response response_of(httplib::Response& reply, std::string body) {
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

struct Exchanged {
    Response response{};
    bool reusable = false;  // the connection may carry another request
};

// One request and its reply. On failure `progress` has the details.
std::optional<Exchanged> exchange(Connection& connection, httplib::Request& wire,
                                  const HttpLimits& limits, const Patience& patience,
                                  Progress& progress) {
    WireStream stream(connection, limits, patience, progress);
    Codec codec(stream);
    std::string body;
    Framing framing = Framing::length;
    wire.response_handler = [&](const httplib::Response& reply) {
        const auto found = framing_of(reply);
        if (found.ok()) framing = *found;
        if (!found.ok()) progress.fail(found.error());
        progress.head_done = true;
        return found.ok();
    };
    wire.content_receiver = [&](const char* bytes, size_t size, uint64_t, uint64_t) {
        if (size > limits.body - body.size()) {
            progress.fail(Error{ErrorKind::protocol,
                                "reply larger than " + std::to_string(limits.body) + " bytes",
                                "ask for less: one namespace, or a label selector"});
            return false;
        }
        body.append(bytes, size);
        return true;
    };
    httplib::Response reply;
    bool complete = false;
    try {
        auto unused = httplib::Error::Success;  // says less than `progress` knows
        complete = codec.send(wire, reply, unused);
    } catch (const std::exception& problem) {
        progress.fail(Error{ErrorKind::protocol, std::string("HTTP reply: ") + problem.what()});
    }
    if (!complete) {
        if (progress.ended) progress.fail(Error{ErrorKind::transport, "unexpected EOF"});
        progress.fail(Error{ErrorKind::protocol, "malformed HTTP response"});
        return std::nullopt;
    }
    if (framing == Framing::chunks && !stream.ended_with_last_chunk()) {
        progress.fail(Error{ErrorKind::protocol, "malformed chunked encoding"});
        return std::nullopt;
    }
    const bool reusable = stream.drained() && framing != Framing::until_close &&
                          reply.version == "HTTP/1.1" &&
                          !equal_ignoring_case(reply.get_header_value("Connection"), "close");
    return Exchanged{response_of(reply, std::move(body)), reusable};
}

std::string text_of(milliseconds duration) {
    const auto count = duration.count();
    return count % 1000 == 0 ? std::to_string(count / 1000) + "s" : std::to_string(count) + "ms";
}

bool on_this_machine(const std::string& host) {
    return host == "localhost" || host == "::1" || host.starts_with("127.");
}

class HttpTransport final : public Transport {
public:
    HttpTransport(const Target& target, Route route, std::unique_ptr<CredentialSource> source,
                  HttpOptions options, const System& system)
        : target_(target),
          route_(std::move(route)),
          source_(std::move(source)),
          options_(std::move(options)),
          system_(system),
          interrupt_(options_.stop),
          pool_(kMostInFlight, options_.limits.keep) {}

    Result<Response> send(const Request& request) override {
        const Call call = begin(request);
        TRY_ASSIGN(url, request_target(target_.server.base_path, request));
        TRY_ASSIGN(slot, pool_.enter(options_.stop, call.patience.until));
        TRY_ASSIGN(credential, source_->current());
        TRY_ASSIGN(first, send_as(credential, call, url));
        if (first.status != 401) return first;
        source_->rejected(credential.serial);
        TRY_ASSIGN(renewed, source_->current());
        if (renewed.serial == credential.serial) return first;  // would be refused again
        return send_as(renewed, call, url);
    }

private:
    struct Call {
        const Request& request;
        milliseconds timeout;  // 0: none
        Patience patience;
    };

    Call begin(const Request& request) {
        auto timeout = options_.request_timeout;
        if (request.timeout.count() > 0 && (timeout.count() == 0 || request.timeout < timeout)) {
            timeout = request.timeout;
        }
        const bool bounded = timeout.count() > 0 && timeout < std::chrono::hours(24 * 365);
        const auto until = bounded ? Clock::now() + timeout : Clock::time_point::max();
        return {request, timeout, {until, interrupt_}};
    }

    Result<std::shared_ptr<const TlsContext>> context_for(const Credential& credential) {
        if (!target_.server.tls) return std::shared_ptr<const TlsContext>();
        const std::lock_guard lock(context_mutex_);
        if (context_ && context_generation_ == credential.generation) return context_;
        TlsSettings settings;
        settings.server_name =
            target_.tls_server_name.empty() ? target_.server.host : target_.tls_server_name;
        settings.authorities = target_.certificate_authority;
        settings.insecure_skip_verify = target_.insecure_skip_tls_verify;
        settings.client_certificate = credential.client_certificate;
        settings.client_key = credential.client_key;
        TRY_ASSIGN(made, TlsContext::make(settings, system_));
        context_ = std::make_shared<const TlsContext>(std::move(made));
        context_generation_ = credential.generation;
        return context_;
    }

    Result<Headers> headers_for(const Request& request, const Credential& credential) const {
        Headers headers{{"Host", host_header(target_.server)},
                        {"User-Agent", options_.user_agent},
                        {"Accept", request.accept}};
        if (!credential.authorization.empty()) {
            headers.emplace_back("Authorization", credential.authorization);
        }
        if (!request.content_type.empty()) {
            headers.emplace_back("Content-Type", request.content_type);
        }
        // The apiserver compresses from 128 KiB on; without a network between that only costs.
        if (request.method == Method::get && !target_.disable_compression &&
            !on_this_machine(target_.server.host)) {
            headers.emplace_back("Accept-Encoding", "gzip");
        }
        const bool plain_by_proxy = route_.proxy && !target_.server.tls;
        if (plain_by_proxy && !route_.proxy_authorization.empty()) {
            headers.emplace_back("Proxy-Authorization", route_.proxy_authorization);
        }
        for (auto& header : impersonation_headers(target_.impersonate)) {
            headers.push_back(std::move(header));
        }
        TRY(check_headers(headers));
        return headers;
    }

    // The request as the credential's owner, on a kept connection or else on a new one.
    Result<Response> send_as(const Credential& credential, const Call& call,
                             const std::string& url) {
        TRY_ASSIGN(headers, headers_for(call.request, credential));
        TRY_ASSIGN(context, context_for(credential));
        httplib::Request wire;
        wire.method = name_of(call.request.method);
        const bool plain_by_proxy = route_.proxy && !target_.server.tls;
        wire.path = plain_by_proxy ? "http://" + host_header(target_.server) + url : url;
        wire.body = call.request.body;
        for (const auto& [name, value] : headers) wire.headers.emplace(name, value);

        if (call.request.repeatable == Repeatable::yes) {
            if (auto kept = pool_.take(credential.generation)) {
                Progress progress;
                auto done = run(std::move(kept), wire, call, credential.generation, progress);
                // A connection that died while it lay idle says nothing about the server.
                if (done.ok() || progress.answered || done.error().kind != ErrorKind::transport) {
                    return done;
                }
            }
        }
        TRY_ASSIGN(connection, Connection::open(route_, context.get(), options_.lookup,
                                                options_.limits.connect, call.patience));
        Progress progress;
        return run(std::move(connection), std::move(wire), call, credential.generation, progress);
    }

    Result<Response> run(std::unique_ptr<Connection> connection, httplib::Request wire,
                         const Call& call, std::uint64_t generation, Progress& progress) {
        auto done = exchange(*connection, wire, options_.limits, call.patience, progress);
        if (!done) return worded(call, progress);
        if (done->reusable) pool_.keep(std::move(connection), generation);
        return std::move(done->response);
    }

    Error worded(const Call& call, const Progress& progress) const {
        Error error = *progress.failure;
        const std::string what =
            std::string(name_of(call.request.method)) + " " + call.request.path;
        if (error.kind == ErrorKind::timeout) {
            if (Clock::now() >= call.patience.until) {
                error.message = what + ": net/http: request canceled (" +
                                (progress.head_done
                                     ? "Client.Timeout or context cancellation while reading body"
                                     : "Client.Timeout exceeded while awaiting headers") +
                                ")";
                error.hint = "there was no complete reply within " + text_of(call.timeout) +
                             ": a longer --request-timeout, or find out what keeps the server";
            } else if (progress.head_done) {
                error.message = what + ": the server fell silent in the middle of its reply";
            } else {
                error.message = what + ": net/http: timeout awaiting response headers";
                error.hint =
                    "the server accepts connections and does not answer: is it overloaded?";
            }
        }
        // A certificate that the server refuses ends the handshake: nothing was read of the rest.
        if (call.request.repeatable == Repeatable::no && progress.sent &&
            error.kind != ErrorKind::config) {
            return Error{ErrorKind::unknown_outcome,
                         "the outcome of " + what + " is unknown: " + error.message,
                         "it may have taken effect: read the object before anything else"};
        }
        if (error.kind == ErrorKind::canceled) return error;
        if (error.kind == ErrorKind::protocol) error.message = what + ": " + error.message;
        return error.kind == ErrorKind::protocol
                   ? error
                   : cannot_connect(error.kind, error.message, error.hint);
    }

    const Target target_;
    const Route route_;
    const std::unique_ptr<CredentialSource> source_;
    const HttpOptions options_;
    const System system_;
    const Interrupt interrupt_;
    ConnectionPool pool_;
    std::mutex context_mutex_;
    std::shared_ptr<const TlsContext> context_;
    std::uint64_t context_generation_ = 0;
};

}  // namespace

Result<std::unique_ptr<Transport>> make_http_transport(const Target& target,
                                                       std::unique_ptr<CredentialSource> source,
                                                       const HttpOptions& options,
                                                       const System& system) {
    Route route;
    route.server = target.server;
    TRY_ASSIGN(proxy, proxy_for(target.server, target.proxy_url, system));
    route.proxy = std::move(proxy);
    if (route.proxy && !(route.proxy->username + route.proxy->password).empty()) {
        route.proxy_authorization = httplib::make_basic_authentication_header(
                                        route.proxy->username, route.proxy->password, true)
                                        .second;
    }
    // Both go into what is sent, and come from a file that somebody else may have written.
    TRY(check_host(target.server.host));
    TRY(check_headers(
        {{"User-Agent", options.user_agent}, {"Proxy-Authorization", route.proxy_authorization}}));
    return std::unique_ptr<Transport>(std::make_unique<HttpTransport>(
        target, std::move(route), std::move(source), options, system));
}

}  // namespace kubeclient
