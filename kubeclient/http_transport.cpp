#include "kubeclient/http_transport.hpp"

#include "kubeclient/base64.hpp"
#include "kubeclient/connection_pool.hpp"
#include "kubeclient/http_exchange.hpp"
#include "kubeclient/http_message.hpp"

namespace kubeclient {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMostInFlight = 8;

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
        const Call call = begin(request, interrupt_);
        TRY_ASSIGN(slot, pool_.enter(options_.stop, call.patience.until));
        return as_owner(call);
    }

    // Without a slot: a watch lasts for minutes, and eight of them would leave none for requests.
    // Whoever opens streams has a thread for each, and so bounds them.
    Result<Response> stream(const Request& request, const BodySink& sink,
                            std::stop_token stop) override {
        std::stop_source either;
        const auto end = [&either] { either.request_stop(); };
        const std::stop_callback by_caller(stop, end);
        const std::stop_callback by_everyone(options_.stop, end);
        const Interrupt interrupt(either.get_token());
        Call call = begin(request, interrupt);
        call.sink = &sink;
        if (request.silence.count() > 0) call.limits.silence = request.silence;
        return as_owner(call);
    }

private:
    struct Call {
        const Request& request;
        milliseconds timeout;  // 0: none
        Patience patience;
        HttpLimits limits;
        const BodySink* sink = nullptr;  // null: the reply is kept whole
    };

    Call begin(const Request& request, const Interrupt& interrupt) const {
        auto timeout = options_.request_timeout;
        if (request.timeout.count() > 0 && (timeout.count() == 0 || request.timeout < timeout)) {
            timeout = request.timeout;
        }
        const bool bounded = timeout.count() > 0 && timeout < std::chrono::hours(24 * 365);
        const auto until = bounded ? Clock::now() + timeout : Clock::time_point::max();
        return {request, timeout, {until, interrupt}, options_.limits};
    }

    // Once more with a new credential where the server refuses the first.
    Result<Response> as_owner(const Call& call) {
        TRY_ASSIGN(url, request_target(target_.server.base_path, call.request));
        TRY_ASSIGN(credential, source_->current());
        TRY_ASSIGN(first, send_as(credential, call, url));
        if (first.status != 401) return first;
        source_->rejected(credential.serial);
        TRY_ASSIGN(renewed, source_->current());
        if (renewed.serial == credential.serial) return first;  // would be refused again
        return send_as(renewed, call, url);
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

    Result<Headers> headers_for(const Call& call, const Credential& credential) const {
        const Request& request = call.request;
        Headers headers{{"Host", host_header(target_.server)},
                        {"User-Agent", options_.user_agent},
                        {"Accept", request.accept}};
        if (!credential.authorization.empty()) {
            headers.emplace_back("Authorization", credential.authorization);
        }
        if (!request.content_type.empty()) {
            headers.emplace_back("Content-Type", request.content_type);
        }
        // The apiserver compresses from 128 KiB on; without a network between that only costs. In a
        // stream it would hold events back.
        if (request.method == Method::get && call.sink == nullptr && !target_.disable_compression &&
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
        TRY_ASSIGN(headers, headers_for(call, credential));
        TRY_ASSIGN(context, context_for(credential));
        const bool plain_by_proxy = route_.proxy && !target_.server.tls;
        const WireRequest wire{std::string(name_of(call.request.method)),
                               plain_by_proxy ? "http://" + host_header(target_.server) + url : url,
                               std::move(headers), call.request.body};

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
        return run(std::move(connection), wire, call, credential.generation, progress);
    }

    Result<Response> run(std::unique_ptr<Connection> connection, const WireRequest& wire,
                         const Call& call, std::uint64_t generation, Progress& progress) {
        auto done = exchange(*connection, wire, call.limits, call.patience, call.sink, progress);
        if (!done) return worded(call, progress);
        if (done->reusable) pool_.keep(std::move(connection), generation);
        return std::move(done->response);
    }

    Error worded(const Call& call, const Progress& progress) const {
        Error error = *progress.failure;
        const std::string what =
            std::string(name_of(call.request.method)) + " " + call.request.path;
        if (error.kind == ErrorKind::timeout) {
            if (!progress.streaming && Clock::now() >= call.patience.until) {
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
        route.proxy_authorization =
            "Basic " + encode_base64(route.proxy->username + ":" + route.proxy->password);
    }
    // Both go into what is sent, and come from a file that somebody else may have written.
    TRY(check_host(target.server.host));
    TRY(check_headers(
        {{"User-Agent", options.user_agent}, {"Proxy-Authorization", route.proxy_authorization}}));
    return std::unique_ptr<Transport>(std::make_unique<HttpTransport>(
        target, std::move(route), std::move(source), options, system));
}

}  // namespace kubeclient
