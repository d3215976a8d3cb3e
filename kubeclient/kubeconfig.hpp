// Kubeconfig files and kubectl's connection flags, merged into a Target as kubectl merges them.
// Reads files and variables through System only. Messages never hold a token, key or password.
//
// Sources: client-go tools/clientcmd loader.go (files, order, merging, paths), client_config.go
// and overrides.go (flags), merged_client_builder.go (in-cluster), validation.go; wording by
// kubectl where kubectl has one.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kubeclient/result.hpp"
#include "kubeclient/system.hpp"
#include "kubeclient/target.hpp"

namespace kubeclient {

// kubectl's flags of the same names; empty means not given.
struct KubeconfigFlags {
    std::string kubeconfig{};
    std::string context{};
    std::string cluster{};
    std::string user{};
    std::string ns{};
    std::string server{};
    std::string tls_server_name{};
    std::string certificate_authority{};
    std::string proxy_url{};
    bool insecure_skip_tls_verify = false;
    bool disable_compression = false;
    std::string token{};
    std::string username{};
    std::string password{};
    std::string client_certificate{};
    std::string client_key{};
    std::string as{};
    std::string as_uid{};
    std::vector<std::string> as_group{};
    std::vector<std::string> as_user_extra{};  // "key=value", may repeat
};

// One entry of `clusters`. Paths are already resolved against the file that holds them, and
// *_data is already decoded.
struct ClusterEntry {
    std::string server{};
    std::string tls_server_name{};
    std::string certificate_authority{};
    std::string certificate_authority_data{};
    std::string proxy_url{};
    std::string exec_extension{};  // JSON of the extension for exec plugins; empty: none
    bool insecure_skip_tls_verify = false;
    bool disable_compression = false;

    bool operator==(const ClusterEntry&) const = default;
};

struct UserEntry {
    std::string token{};
    std::string token_file{};
    std::string username{};
    std::string password{};
    std::string client_certificate{};
    std::string client_certificate_data{};
    std::string client_key{};
    std::string client_key_data{};
    Impersonation impersonate{};
    std::optional<ExecPlugin> exec{};
    std::string interactive_mode{};  // of `exec`, as written
    std::string auth_provider{};     // its name; empty: none
    std::string oidc_issuer{};       // of the auth-provider, for the advice on how to convert
    std::string oidc_client{};

    bool operator==(const UserEntry&) const = default;
};

struct ContextEntry {
    std::string cluster{};
    std::string user{};
    std::string ns{};

    bool operator==(const ContextEntry&) const = default;
};

struct Kubeconfig {
    std::string current_context{};
    std::map<std::string, ClusterEntry> clusters{};
    std::map<std::string, UserEntry> users{};
    std::map<std::string, ContextEntry> contexts{};
    std::vector<std::string> missing{};  // files that were named and are not there

    bool operator==(const Kubeconfig&) const = default;
};

// One file's text. `path` is for messages and for resolving relative paths.
Result<Kubeconfig> parse_kubeconfig(std::string_view text, const std::string& path);

// Earlier files win: whole entries, and the current context.
Kubeconfig merge_kubeconfigs(const std::vector<Kubeconfig>& files);

// --kubeconfig alone; or else $KUBECONFIG, split at ':', empty and repeated ones dropped; or else
// ~/.kube/config.
std::vector<std::string> kubeconfig_paths(const KubeconfigFlags& flags, const System& system);

// Reads and merges all of them. Missing files are skipped, but --kubeconfig must be there.
Result<Kubeconfig> load_kubeconfig(const KubeconfigFlags& flags, const System& system);

// The chosen context with the flags on top, checked; certificate files are read. Without a
// cluster in files and flags: $KUBERNETES_MASTER, or the pod's service account. Over plain HTTP no
// credentials are kept, as in client-go.
Result<Target> make_target(const Kubeconfig& config, const KubeconfigFlags& flags,
                           const System& system);

// load_kubeconfig and make_target.
Result<Target> load_target(const KubeconfigFlags& flags, const System& system);

}  // namespace kubeclient
