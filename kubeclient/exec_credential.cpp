#include "kubeclient/exec_credential.hpp"

#include <nlohmann/json.hpp>

#include "kubeclient/json.hpp"

namespace kubeclient {
namespace {

Error wrong(const std::string& what) {
    return {ErrorKind::config, what};
}

// Absent is empty; of another type is an error.
Result<std::string> text_field(const Json& status, const char* key) {
    const Json* value = find(status, key);
    if (value == nullptr) return std::string();
    if (!value->is_string()) {
        return wrong(std::string("decoding stdout: status.") + key + " is no text");
    }
    return value->get<std::string>();
}

}  // namespace

std::string exec_info(const ExecPlugin& plugin, PluginInput input) {
    Json json{{"apiVersion", plugin.api_version},
              {"kind", "ExecCredential"},
              {"spec", {{"interactive", input == PluginInput::terminal}}}};
    if (plugin.provide_cluster_info && !plugin.cluster_info.empty()) {
        json["spec"]["cluster"] = Json::parse(plugin.cluster_info, nullptr, false);
    }
    return to_line(json);
}

Result<ExecCredential> decode_exec_credential(std::string_view output,
                                              const std::string& api_version) {
    const auto json = Json::parse(output, nullptr, false);
    if (json.is_discarded() || !json.is_object()) {
        return wrong("decoding stdout: the plugin printed no JSON object");
    }
    const auto version = text_at(json, {"apiVersion"}).value_or("");
    if (text_at(json, {"kind"}) != "ExecCredential") {
        return wrong("decoding stdout: the plugin printed no ExecCredential");
    }
    if (version != api_version) {
        return wrong("exec plugin is configured to use API version " + api_version +
                     ", plugin returned version " + version.substr(0, 64));
    }
    const Json* status = find(json, "status");
    if (status == nullptr) return wrong("exec plugin didn't return a status field");
    ExecCredential credential;
    TRY_ASSIGN(token, text_field(*status, "token"));
    TRY_ASSIGN(certificate, text_field(*status, "clientCertificateData"));
    TRY_ASSIGN(key, text_field(*status, "clientKeyData"));
    TRY_ASSIGN(expires, text_field(*status, "expirationTimestamp"));
    if (token.empty() && certificate.empty() && key.empty()) {
        return wrong("exec plugin didn't return a token or cert/key pair");
    }
    if (certificate.empty() != key.empty()) {
        return wrong("exec plugin returned only certificate or key, not both");
    }
    if (!expires.empty()) {
        const auto time = parse_time(expires);
        if (!time.ok()) return wrong("decoding stdout: status.expirationTimestamp is no time");
        credential.expires = *time;
    }
    credential.token = std::move(token);
    credential.client_certificate = std::move(certificate);
    credential.client_key = std::move(key);
    return credential;
}

}  // namespace kubeclient
