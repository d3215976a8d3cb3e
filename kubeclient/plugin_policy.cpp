#include "kubeclient/plugin_policy.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "kubeclient/json.hpp"
#include "kubeclient/yaml.hpp"

namespace kubeclient {
namespace {

std::string quote(const std::string& text) {
    return "\"" + text + "\"";
}

Error wrong(const std::string& file, const std::string& what) {
    return {ErrorKind::config, "kuberc: " + file + ": " + what,
            "correct the file, or switch it off with KUBERC=off"};
}

Status take_rule(const Json& preference, PluginPolicy& policy) {
    const Json* rule = find(preference, "credentialPluginPolicy");
    if (rule == nullptr || *rule == "" || *rule == "AllowAll") return Done{};
    if (*rule == "DenyAll") {
        policy.rule = PluginPolicy::Rule::deny_all;
    } else if (*rule == "Allowlist") {
        policy.rule = PluginPolicy::Rule::allow_listed;
    } else {
        return wrong(policy.file, "unknown plugin policy: " +
                                      (rule->is_string() ? to_line(*rule) : "not a text"));
    }
    return Done{};
}

Status take_list(const Json& list, PluginPolicy& policy) {
    if (!list.is_array()) return wrong(policy.file, "credentialPluginAllowlist is no list");
    for (const auto& entry : list) {
        // kubectl 1.35 calls it name, later releases command.
        auto name = text_at(entry, {"command"});
        if (!name) name = text_at(entry, {"name"});
        if (!name || name->empty()) {
            return wrong(policy.file, "misconfigured credential plugin allowlist: empty entry #" +
                                          std::to_string(policy.allowed.size() + 1));
        }
        const auto normal = std::filesystem::path(*name).lexically_normal().string();
        if (normal != *name) {
            return wrong(policy.file,
                         "non-normalized file path: " + quote(*name) + " vs " + quote(normal));
        }
        policy.allowed.push_back(*name);
    }
    return Done{};
}

// A list without its rule, or a rule without its list, is a slip that must not pass for a policy.
Result<PluginPolicy> decode_policy(const Json& preference, const std::string& file) {
    PluginPolicy policy{.file = file};
    TRY(take_rule(preference, policy));
    const Json* list = find(preference, "credentialPluginAllowlist");
    const bool listed = policy.rule == PluginPolicy::Rule::allow_listed;
    if (listed && list == nullptr) {
        return wrong(file,
                     "credential plugin policy set to \"Allowlist\", but allowlist is unspecified");
    }
    if (!listed && list != nullptr) {
        return wrong(file, "credentialPluginAllowlist needs credentialPluginPolicy: Allowlist");
    }
    if (list != nullptr) TRY(take_list(*list, policy));
    if (listed && policy.allowed.empty()) {
        return wrong(file,
                     "credential plugin policy set to \"Allowlist\", but allowlist is empty; "
                     "use \"DenyAll\" policy instead");
    }
    return policy;
}

}  // namespace

Result<PluginPolicy> load_plugin_policy(const System& system) {
    const auto variable = system.env("KUBERC").value_or("");
    const auto home = system.env("HOME").value_or("");
    if (variable == "off" || (variable.empty() && home.empty())) return PluginPolicy{};
    const auto file = variable.empty() ? home + "/.kube/kuberc" : variable;
    const auto text = system.read_file(file);
    if (!text.ok()) {
        const bool absent = text.error().kind == ErrorKind::not_found;
        if (absent && variable.empty()) return PluginPolicy{};
        return wrong(file, text.error().message);
    }
    const auto documents = parse_yaml(*text, file, {.bytes = std::size_t{1} << 20U});
    if (!documents.ok()) return Error{wrong(file, documents.error().message)};
    bool empty = true;
    for (const auto& document : *documents) {
        const auto version = text_at(*document.value, {"apiVersion"}).value_or("");
        if (version.starts_with("kubectl.config.k8s.io/") &&
            text_at(*document.value, {"kind"}) == "Preference") {
            return decode_policy(*document.value, file);
        }
        empty = empty && document.value->is_null();
    }
    if (empty) return PluginPolicy{};
    return wrong(file, "holds no Preference of kubectl.config.k8s.io");
}

Status check_plugin(const PluginPolicy& policy, const std::string& command,
                    const std::string& program,
                    const std::function<Result<std::string>(const std::string&)>& look_up) {
    if (policy.rule == PluginPolicy::Rule::allow_all) return Done{};
    const auto hint = "the credential plugin policy is in " + policy.file;
    if (policy.rule == PluginPolicy::Rule::deny_all) {
        return Error{ErrorKind::config,
                     "plugin " + quote(command) + " not allowed: policy set to \"DenyAll\"", hint};
    }
    const bool allowed =
        std::any_of(policy.allowed.begin(), policy.allowed.end(), [&](const std::string& entry) {
            if (entry == command || entry == program) return true;
            const auto found = look_up(entry);
            return found.ok() && *found == program;
        });
    if (allowed) return Done{};
    return Error{
        ErrorKind::config,
        "plugin path " + quote(program) + " is not permitted by the credential plugin allowlist",
        hint};
}

}  // namespace kubeclient
