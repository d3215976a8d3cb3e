// Where requests go and as whom: what is left of kubeconfig files, flags and environment once they
// are merged. Values only. Certificates are PEM text, already read; a token file is only named,
// because it is read again as it changes.
//
// Source of the fields: client-go tools/clientcmd/api/v1/types.go (kubeconfig v1).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kubeclient {

struct ServerUrl {
    bool tls = true;
    std::string host{};  // name or address, IPv6 without brackets
    int port = 443;
    std::string base_path{};  // "" or "/k8s/clusters/c-1": put in front of every path

    bool operator==(const ServerUrl&) const = default;
};

enum class InteractiveMode { never, if_available, always };

// An exec credential plugin, client.authentication.k8s.io/v1 or v1beta1.
struct ExecPlugin {
    std::string api_version{};
    std::string command{};  // resolved against the kubeconfig's folder when it has a slash
    std::vector<std::string> arguments{};
    std::vector<std::pair<std::string, std::string>> environment{};
    std::string install_hint{};
    InteractiveMode interactive = InteractiveMode::if_available;
    bool provide_cluster_info = false;
    std::string cluster_info{};  // the `cluster` object of KUBERNETES_EXEC_INFO, as JSON

    bool operator==(const ExecPlugin&) const = default;
};

struct Credentials {
    std::string token{};
    std::string token_file{};  // wins over `token` once it can be read
    std::string username{};    // basic authentication
    std::string password{};
    std::string client_certificate{};  // PEM, leaf first, intermediates after it
    std::string client_key{};          // PEM
    std::optional<ExecPlugin> exec{};

    bool operator==(const Credentials&) const = default;
};

struct Impersonation {
    std::string user{};
    std::string uid{};
    std::vector<std::string> groups{};
    std::map<std::string, std::vector<std::string>> extra{};

    bool operator==(const Impersonation&) const = default;
};

struct Target {
    ServerUrl server{};
    std::string certificate_authority{};  // PEM; empty: the system's own authorities
    std::string tls_server_name{};        // changes SNI and verification only
    bool insecure_skip_tls_verify = false;
    std::string proxy_url{};  // from the kubeconfig or --proxy-url; empty: the environment decides
    bool disable_compression = false;
    Credentials credentials{};
    Impersonation impersonate{};
    std::string ns = "default";
    std::string context{};  // for messages only
    std::string cluster{};
    std::string user{};

    bool operator==(const Target&) const = default;
};

}  // namespace kubeclient
