#include <array>
#include <nlohmann/json.hpp>

#include "kubeclient/base64.hpp"
#include "kubeclient/json.hpp"
#include "kubeclient/kubeconfig.hpp"
#include "kubeclient/server_url.hpp"
#include "kubeclient/shell_word.hpp"

namespace kubeclient {
namespace {

constexpr const char* service_account = "/var/run/secrets/kubernetes.io/serviceaccount/";

Error config_error(const std::string& message, const std::string& hint = "") {
    return {ErrorKind::config, message, hint};
}

std::string quote(const std::string& name) {
    return "\"" + name + "\"";
}

std::string trimmed(const std::string& text) {
    constexpr const char* space = " \t\r\n\v\f";
    const auto first = text.find_first_not_of(space);
    if (first == std::string::npos) return "";
    return text.substr(first, text.find_last_not_of(space) - first + 1);
}

void override_with(std::string& value, const std::string& flag) {
    if (!flag.empty()) value = flag;
}

// The entries that the context and the flags name, before the flags' values are put on top.
struct Chosen {
    std::string context_name{};
    std::string cluster_name{};
    std::string user_name{};
    ContextEntry context{};
    ClusterEntry cluster{};
    UserEntry user{};
};

bool has_credentials(const KubeconfigFlags& flags) {
    return !flags.token.empty() || !flags.username.empty() || !flags.client_certificate.empty();
}

Status choose_user(const Kubeconfig& config, const KubeconfigFlags& flags, Chosen& chosen) {
    chosen.user_name = flags.user.empty() ? chosen.context.user : flags.user;
    const auto entry = config.users.find(chosen.user_name);
    if (entry != config.users.end()) {
        chosen.user = entry->second;
        return Done{};
    }
    if (!flags.user.empty()) {
        return config_error("auth info " + quote(flags.user) + " does not exist",
                            "kubectl config get-users lists the users there are");
    }
    // kubectl goes on without credentials here, and the server answers Unauthorized.
    if (chosen.user_name.empty() || has_credentials(flags)) return Done{};
    return config_error("user " + quote(chosen.user_name) + " was not found for context " +
                            quote(chosen.context_name),
                        "kubectl config get-users lists the users there are");
}

Status choose_cluster(const Kubeconfig& config, const KubeconfigFlags& flags, Chosen& chosen) {
    chosen.cluster_name = flags.cluster.empty() ? chosen.context.cluster : flags.cluster;
    const auto entry = config.clusters.find(chosen.cluster_name);
    if (entry != config.clusters.end()) {
        chosen.cluster = entry->second;
        return Done{};
    }
    const std::string hint = "kubectl config get-clusters lists the clusters there are";
    if (!flags.cluster.empty()) {
        return config_error("no server found for cluster " + quote(flags.cluster), hint);
    }
    if (chosen.cluster_name.empty() || !flags.server.empty()) return Done{};
    return config_error("cluster " + quote(chosen.cluster_name) + " was not found for context " +
                            quote(chosen.context_name),
                        hint);
}

Result<Chosen> choose(const Kubeconfig& config, const KubeconfigFlags& flags) {
    Chosen chosen;
    chosen.context_name = flags.context.empty() ? config.current_context : flags.context;
    const auto context = config.contexts.find(chosen.context_name);
    if (context != config.contexts.end()) {
        chosen.context = context->second;
    } else if (!chosen.context_name.empty()) {
        return config_error("context was not found for specified context: " + chosen.context_name,
                            "kubectl config get-contexts lists the contexts there are");
    }
    TRY(choose_user(config, flags, chosen));
    TRY(choose_cluster(config, flags, chosen));
    return chosen;
}

void override_cluster(const KubeconfigFlags& flags, ClusterEntry& cluster) {
    if (flags.insecure_skip_tls_verify || !flags.certificate_authority.empty()) {
        cluster.insecure_skip_tls_verify = flags.insecure_skip_tls_verify;
        cluster.certificate_authority = flags.certificate_authority;
        cluster.certificate_authority_data.clear();
    }
    // Another server is another name: the file's tls-server-name was for the file's server.
    if (!flags.tls_server_name.empty() || !flags.server.empty()) {
        cluster.tls_server_name = flags.tls_server_name;
    }
    override_with(cluster.server, flags.server);
    override_with(cluster.proxy_url, flags.proxy_url);
    cluster.disable_compression = cluster.disable_compression || flags.disable_compression;
}

Status override_impersonation(const KubeconfigFlags& flags, Impersonation& impersonate) {
    override_with(impersonate.user, flags.as);
    override_with(impersonate.uid, flags.as_uid);
    if (!flags.as_group.empty()) impersonate.groups = flags.as_group;
    std::map<std::string, std::vector<std::string>> extra;
    for (const auto& pair : flags.as_user_extra) {
        const auto equals = pair.find('=');
        if (equals == std::string::npos || equals == 0) {
            return Error{ErrorKind::usage,
                         "--as-user-extra " + quote(pair) + " is not of the form key=value"};
        }
        extra[pair.substr(0, equals)].push_back(pair.substr(equals + 1));
    }
    for (auto& [key, values] : extra) impersonate.extra[key] = std::move(values);
    return Done{};
}

Status override_user(const KubeconfigFlags& flags, UserEntry& user) {
    if (!flags.token.empty()) {
        user.token = flags.token;
        user.token_file.clear();  // it would win over the token just given
    }
    override_with(user.username, flags.username);
    override_with(user.password, flags.password);
    if (!flags.client_certificate.empty()) {
        user.client_certificate = flags.client_certificate;
        user.client_certificate_data.clear();
    }
    if (!flags.client_key.empty()) {
        user.client_key = flags.client_key;
        user.client_key_data.clear();
    }
    return override_impersonation(flags, user.impersonate);
}

using Problems = std::vector<std::string>;

void check_exec(const ExecPlugin& exec, const UserEntry& user, const std::string& name,
                Problems& problems) {
    const auto use = " must be specified for " + name + " to use exec authentication plugin";
    if (!user.auth_provider.empty()) {
        problems.push_back(
            "authProvider cannot be provided in combination with an exec plugin for " + name);
    }
    if (exec.command.empty()) problems.push_back("command" + use);
    if (exec.api_version.empty()) problems.push_back("apiVersion" + use);
    for (const auto& variable : exec.environment) {
        if (variable.first.empty()) problems.push_back("env variable name" + use);
    }
    const auto& mode = user.interactive_mode;
    const bool has_default = exec.api_version == "client.authentication.k8s.io/v1beta1";
    if (mode.empty() && !has_default) {
        problems.push_back("interactiveMode" + use);
    } else if (!mode.empty() && mode != "Never" && mode != "IfAvailable" && mode != "Always") {
        problems.push_back("invalid interactiveMode for " + name + ": " + quote(mode));
    }
}

void check_user(const UserEntry& user, const std::string& name, Problems& problems) {
    if (!user.token.empty() && (!user.username.empty() || !user.password.empty())) {
        problems.push_back("more than one authentication method found for " + name +
                           "; found [token basicAuth], only one is allowed");
    }
    if (!user.client_certificate.empty() || !user.client_certificate_data.empty()) {
        if (!user.client_certificate.empty() && !user.client_certificate_data.empty()) {
            problems.push_back("client-cert-data and client-cert are both specified for " + name);
        }
        if (!user.client_key.empty() && !user.client_key_data.empty()) {
            problems.push_back("client-key-data and client-key are both specified for " + name);
        }
        if (user.client_key.empty() && user.client_key_data.empty()) {
            problems.push_back("client-key-data or client-key must be specified for " + name +
                               " to use the clientCert authentication method");
        }
    }
    if (user.exec) check_exec(*user.exec, user, name, problems);
    const auto& as = user.impersonate;
    if (as.user.empty() && (!as.groups.empty() || !as.extra.empty() || !as.uid.empty())) {
        problems.push_back("requesting uid, groups or user-extra for " + name +
                           " without impersonating a user");
    }
}

void check_cluster(const ClusterEntry& cluster, const std::string& name, Problems& problems) {
    if (cluster.server.empty()) {
        problems.push_back(name.empty() ? "default cluster has no server defined"
                                        : "no server found for cluster " + quote(name));
    }
    const bool has_ca =
        !cluster.certificate_authority.empty() || !cluster.certificate_authority_data.empty();
    if (!cluster.certificate_authority.empty() && !cluster.certificate_authority_data.empty()) {
        problems.push_back(
            "certificate-authority-data and certificate-authority are both specified for " + name);
    }
    if (cluster.insecure_skip_tls_verify && has_ca) {
        problems.push_back(
            "specifying a root certificates file with the insecure flag is not allowed: cluster " +
            quote(name));
    }
}

Status check(const Chosen& chosen) {
    Problems problems;
    check_user(chosen.user, chosen.user_name, problems);
    check_cluster(chosen.cluster, chosen.cluster_name, problems);
    if (!chosen.cluster.proxy_url.empty()) {
        auto proxy = check_proxy_url(chosen.cluster.proxy_url);
        if (!proxy.ok()) {
            return std::move(proxy).within("invalid 'proxy-url' for cluster " +
                                           quote(chosen.cluster_name));
        }
    }
    if (problems.empty()) return Done{};
    std::string message = problems.size() == 1 ? problems.front() : "invalid configuration: ";
    for (std::size_t at = 0; problems.size() > 1 && at < problems.size(); ++at) {
        message += (at == 0 ? "" : "; ") + problems[at];
    }
    return config_error(message, "kubectl config view shows the merged configuration");
}

// PEM text from the entry itself or from its file.
Result<std::string> read_pem(const std::string& data, const std::string& path,
                             const std::string& field, const std::string& entry,
                             const System& system) {
    std::string pem = data;
    if (pem.empty() && path.empty()) return pem;
    if (pem.empty()) {
        auto file = system.read_file(path);
        if (!file.ok()) {
            return config_error("unable to read " + field + " " + path + " for " + entry +
                                " due to " + file.error().message);
        }
        pem = *std::move(file);
    }
    if (pem.find("-----BEGIN ") != std::string::npos) return pem;
    const auto where = data.empty() ? field + " " + path : field + "-data";
    return config_error(where + " for " + entry + " holds no PEM block");
}

std::string cluster_info(const ClusterEntry& cluster, const std::string& authority) {
    auto json = Json::object();
    json["server"] = cluster.server;
    if (!cluster.tls_server_name.empty()) json["tls-server-name"] = cluster.tls_server_name;
    if (cluster.insecure_skip_tls_verify) json["insecure-skip-tls-verify"] = true;
    if (!authority.empty()) json["certificate-authority-data"] = encode_base64(authority);
    if (!cluster.proxy_url.empty()) json["proxy-url"] = cluster.proxy_url;
    if (cluster.disable_compression) json["disable-compression"] = true;
    if (!cluster.exec_extension.empty()) {
        json["config"] = Json::parse(cluster.exec_extension, nullptr, false);
    }
    return to_line(json);
}

ExecPlugin completed(ExecPlugin exec, const Chosen& chosen, const std::string& authority) {
    const auto& mode = chosen.user.interactive_mode;
    exec.interactive = mode == "Never"    ? InteractiveMode::never
                       : mode == "Always" ? InteractiveMode::always
                                          : InteractiveMode::if_available;
    exec.install_hint = harmless(exec.install_hint);
    if (exec.provide_cluster_info) exec.cluster_info = cluster_info(chosen.cluster, authority);
    return exec;
}

Error auth_provider_refused(const UserEntry& user, const std::string& name) {
    const std::string issuer = user.oidc_issuer.empty() ? "ISSUER" : user.oidc_issuer;
    const std::string client = user.oidc_client.empty() ? "CLIENT-ID" : user.oidc_client;
    std::string hint =
        "convert it to an exec plugin: install kubelogin (kubectl krew install oidc-login), then "
        "kubectl config unset " +
        shell_word("users." + name + ".auth-provider") + " and kubectl config set-credentials " +
        shell_word(name) +
        " --exec-api-version=client.authentication.k8s.io/v1 --exec-interactive-mode=IfAvailable"
        " --exec-command=kubectl --exec-arg=oidc-login --exec-arg=get-token " +
        shell_word("--exec-arg=--oidc-issuer-url=" + issuer) + " " +
        shell_word("--exec-arg=--oidc-client-id=" + client);
    if (user.auth_provider == "gcp") {
        hint =
            "convert it to an exec plugin: install gke-gcloud-auth-plugin, then run gcloud "
            "container clusters get-credentials";
    } else if (user.auth_provider == "azure") {
        hint =
            "convert it to an exec plugin: install Azure's kubelogin, then run kubelogin "
            "convert-kubeconfig";
    }
    return config_error("user " + quote(name) + " logs in with auth-provider " +
                            quote(user.auth_provider) + ", which is not supported",
                        hint);
}

Result<Credentials> credentials_of(const Chosen& chosen, const std::string& authority,
                                   const System& system) {
    const auto& user = chosen.user;
    const auto& name = chosen.user_name;
    Credentials credentials;
    credentials.token = user.token;
    credentials.token_file = user.token_file;
    if (user.token.empty() && !user.token_file.empty()) {
        const auto file = system.read_file(user.token_file);
        if (!file.ok()) {
            return config_error("unable to read tokenFile " + user.token_file + " for " + name +
                                " due to " + file.error().message);
        }
    }
    credentials.username = user.username;
    credentials.password = user.password;
    if (!user.client_certificate.empty() || !user.client_certificate_data.empty()) {
        TRY_ASSIGN(certificate, read_pem(user.client_certificate_data, user.client_certificate,
                                         "client-certificate", name, system));
        TRY_ASSIGN(key,
                   read_pem(user.client_key_data, user.client_key, "client-key", name, system));
        credentials.client_certificate = std::move(certificate);
        credentials.client_key = std::move(key);
    }
    const bool has_header = !user.token.empty() || !user.token_file.empty() ||
                            !user.username.empty() || !user.password.empty();
    if (!user.auth_provider.empty() && !has_header) return auth_provider_refused(user, name);
    if (user.exec) credentials.exec = completed(*user.exec, chosen, authority);
    return credentials;
}

bool runs_in_cluster(const System& system) {
    return !system.env("KUBERNETES_SERVICE_HOST").value_or("").empty() &&
           !system.env("KUBERNETES_SERVICE_PORT").value_or("").empty() &&
           system.read_file(std::string(service_account) + "token").ok();
}

std::string pod_namespace(const System& system) {
    if (auto variable = system.env("POD_NAMESPACE").value_or(""); !variable.empty())
        return variable;
    const auto file = system.read_file(std::string(service_account) + "namespace");
    const auto ns = file.ok() ? trimmed(*file) : "";
    return ns.empty() ? "default" : ns;
}

// client-go takes only --server, --token and --certificate-authority here and drops the other
// flags without a word; --as being dropped would act as somebody else, so all of them count.
Chosen in_cluster(const System& system) {
    Chosen chosen;
    chosen.cluster_name = "in-cluster";
    chosen.user_name = "service account";
    const auto host = system.env("KUBERNETES_SERVICE_HOST").value_or("");
    const bool ipv6 = host.find(':') != std::string::npos;
    chosen.cluster.server = "https://" + (ipv6 ? "[" + host + "]" : host) + ":" +
                            system.env("KUBERNETES_SERVICE_PORT").value_or("");
    const auto authority = std::string(service_account) + "ca.crt";
    if (system.read_file(authority).ok()) chosen.cluster.certificate_authority = authority;
    chosen.user.token_file = std::string(service_account) + "token";
    return chosen;
}

Error nothing_configured(const Kubeconfig& config, const std::string& context) {
    if (!context.empty()) {
        return config_error("cluster was not specified for context " + quote(context),
                            "name one with --cluster, or with kubectl config set-context");
    }
    if (!config.contexts.empty()) {
        return config_error("no context chosen: the kubeconfig sets no current-context",
                            "choose one with --context, or with kubectl config use-context");
    }
    std::string message = "no configuration has been provided";
    for (std::size_t at = 0; at < config.missing.size(); ++at) {
        message += (at == 0 ? ": config not found: " : ", ") + config.missing[at];
    }
    return config_error(message, "name a kubeconfig with --kubeconfig or $KUBECONFIG");
}

std::string target_namespace(const KubeconfigFlags& flags, const ContextEntry& context,
                             const System& system) {
    if (!flags.ns.empty()) {
        for (const std::string_view prefix : {"namespaces/", "namespace/", "ns/"}) {
            if (flags.ns.starts_with(prefix)) return flags.ns.substr(prefix.size());
        }
        return flags.ns;
    }
    if (!context.ns.empty()) return context.ns;
    return runs_in_cluster(system) ? pod_namespace(system) : "default";
}

Result<Target> target_of(const Chosen& chosen, const System& system) {
    Target target;
    auto server = parse_server_url(chosen.cluster.server)
                      .within("server of cluster " + quote(chosen.cluster_name));
    if (!server.ok()) return server.error();
    target.server = *server;
    target.proxy_url = chosen.cluster.proxy_url;
    target.disable_compression = chosen.cluster.disable_compression;
    target.impersonate = chosen.user.impersonate;
    target.context = chosen.context_name;
    target.cluster = chosen.cluster_name;
    target.user = chosen.user_name;
    // In the clear there are no credentials, or anybody on the way could read them.
    if (!target.server.tls) return target;
    target.tls_server_name = chosen.cluster.tls_server_name;
    target.insecure_skip_tls_verify = chosen.cluster.insecure_skip_tls_verify;
    TRY_ASSIGN(authority, read_pem(chosen.cluster.certificate_authority_data,
                                   chosen.cluster.certificate_authority, "certificate-authority",
                                   chosen.cluster_name, system));
    TRY_ASSIGN(credentials, credentials_of(chosen, authority, system));
    target.certificate_authority = std::move(authority);
    target.credentials = std::move(credentials);
    return target;
}

}  // namespace

Result<Target> make_target(const Kubeconfig& config, const KubeconfigFlags& flags,
                           const System& system) {
    TRY_ASSIGN(chosen, choose(config, flags));
    if (chosen.cluster.server.empty()) {
        chosen.cluster.server = system.env("KUBERNETES_MASTER").value_or("");
    }
    const bool nothing = chosen.cluster == ClusterEntry{} && chosen.cluster_name.empty();
    if (nothing && flags.server.empty()) {
        if (!runs_in_cluster(system)) return nothing_configured(config, chosen.context_name);
        chosen = in_cluster(system);
    }
    override_cluster(flags, chosen.cluster);
    TRY(override_user(flags, chosen.user));
    TRY(check(chosen));
    TRY_ASSIGN(target, target_of(chosen, system));
    target.ns = target_namespace(flags, chosen.context, system);
    return target;
}

}  // namespace kubeclient
