#include "cli/connect.hpp"

#include <memory>
#include <optional>
#include <ostream>
#include <syncstream>
#include <utility>

#include "commands/version.hpp"
#include "kubeclient/credentials.hpp"
#include "kubeclient/http_transport.hpp"
#include "kubeclient/kubeconfig.hpp"
#include "kubeclient/retry.hpp"
#include "kubeclient/trace.hpp"

namespace cli {

namespace {

using commands::Connection;
using commands::ConnectionOptions;
using kubeclient::Result;

kubeclient::KubeconfigFlags to_flags(const ConnectionOptions& options) {
    return {.kubeconfig = options.kubeconfig,
            .context = options.context,
            .cluster = options.cluster,
            .user = options.user,
            .ns = options.ns.value_or(""),
            .server = options.server,
            .tls_server_name = options.tls_server_name,
            .certificate_authority = options.certificate_authority,
            .proxy_url = options.proxy_url,
            .insecure_skip_tls_verify = options.insecure_skip_tls_verify.value_or(false),
            .disable_compression = options.disable_compression,
            .token = options.token,
            .username = options.username,
            .password = options.password,
            .client_certificate = options.client_certificate,
            .client_key = options.client_key,
            .as = options.as,
            .as_uid = options.as_uid,
            .as_group = options.as_group};
}

// Retries around traces around HTTP, so that -v shows every attempt.
Result<Connection> connect(const ConnectionOptions& options,
                           const commands::Environment& environment) {
    const auto& system = environment.system;
    const auto timeout = options.request_timeout;
    TRY_ASSIGN(target, kubeclient::load_target(to_flags(options), system));
    std::optional<std::chrono::milliseconds> plugin_limit;
    if (timeout.count() > 0) plugin_limit = timeout;
    TRY_ASSIGN(credentials, kubeclient::make_credentials(target, system, plugin_limit));

    kubeclient::HttpOptions http;
    http.request_timeout = timeout;
    http.user_agent = commands::user_agent();
    http.stop = environment.stop;
    TRY_ASSIGN(transport,
               kubeclient::make_http_transport(target, std::move(credentials), http, system));

    if (options.verbosity > 0) {
        kubeclient::TraceOptions trace;
        trace.level = options.verbosity;
        trace.server = target.server;
        trace.headers = kubeclient::impersonation_headers(target.impersonate);
        trace.headers.emplace_back("User-Agent", http.user_agent);
        trace.sink = [&err = environment.io.err](const std::string& line) {
            std::osyncstream(err) << line << std::endl;
        };
        transport = kubeclient::with_trace(std::move(transport), std::move(trace));
    }
    transport = kubeclient::with_retries(std::move(transport),
                                         kubeclient::retry_options(timeout, environment.stop));
    return Connection{std::move(target), std::move(transport)};
}

}  // namespace

std::function<Result<Connection>(const ConnectionOptions&)> make_connect(
    const commands::Environment& environment) {
    return
        [&environment](const ConnectionOptions& options) { return connect(options, environment); };
}

}  // namespace cli
