#include "cli/connect.hpp"

#include <memory>
#include <optional>
#include <utility>

#include "commands/version.hpp"
#include "kubeclient/credentials.hpp"
#include "kubeclient/http_transport.hpp"
#include "kubeclient/kubeconfig.hpp"

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

Result<Connection> connect(const ConnectionOptions& options,
                           const commands::Environment& environment) {
    const auto& system = environment.system;
    TRY_ASSIGN(target, kubeclient::load_target(to_flags(options), system));
    std::optional<std::chrono::milliseconds> limit;
    if (options.request_timeout.count() > 0) limit = options.request_timeout;
    TRY_ASSIGN(credentials, kubeclient::make_credentials(target, system, limit));
    kubeclient::HttpOptions http;
    http.request_timeout = options.request_timeout;
    http.user_agent = commands::user_agent();
    http.stop = environment.stop;
    TRY_ASSIGN(transport,
               kubeclient::make_http_transport(target, std::move(credentials), http, system));
    return Connection{std::move(target), std::move(transport)};
}

}  // namespace

std::function<Result<Connection>(const ConnectionOptions&)> make_connect(
    const commands::Environment& environment) {
    return
        [&environment](const ConnectionOptions& options) { return connect(options, environment); };
}

}  // namespace cli
