// The two documents that pass between us and a credential plugin. Pure.
// Source: k8s.io/client-go pkg/apis/clientauthentication v1 and v1beta1, and
// plugin/pkg/client/auth/exec/exec.go.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kubeclient/exec_plugin.hpp"
#include "kubeclient/result.hpp"
#include "kubeclient/target.hpp"
#include "kubeclient/time.hpp"

namespace kubeclient {

struct ExecCredential {
    std::string token{};
    std::string client_certificate{};  // PEM; given together with the key or not at all
    std::string client_key{};
    std::optional<Instant> expires{};  // nullopt: good until the server refuses it

    bool operator==(const ExecCredential&) const = default;
};

// $KUBERNETES_EXEC_INFO.
std::string exec_info(const ExecPlugin& plugin, PluginInput input);

// What the plugin printed. Messages never show any of it but the version.
Result<ExecCredential> decode_exec_credential(std::string_view output,
                                              const std::string& api_version);

}  // namespace kubeclient
