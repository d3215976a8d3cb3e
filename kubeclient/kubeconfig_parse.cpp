#include <filesystem>
#include <nlohmann/json.hpp>

#include "kubeclient/base64.hpp"
#include "kubeclient/json.hpp"
#include "kubeclient/kubeconfig.hpp"
#include "kubeclient/yaml.hpp"

namespace kubeclient {
namespace {

const char* kind_of(const Json& json) {
    switch (json.type()) {
        case Json::value_t::object:
            return "a mapping";
        case Json::value_t::array:
            return "a list";
        case Json::value_t::string:
            return "text";
        case Json::value_t::boolean:
            return "a boolean";
        default:
            return "a number";
    }
}

// Takes typed fields out of a mapping. The first wrong one is kept as the error, so that a
// decoder reads as a list of its fields. Values are never shown: they may be secrets.
class Fields {
public:
    Fields(const Json& object, std::string where) : object_(object), where_(std::move(where)) {
        if (!object.is_null() && !object.is_object()) wrong("", "a mapping", object);
    }

    void take(const std::string& key, std::string& into) {
        if (const Json* value = find(object_, key)) {
            if (!value->is_string()) return wrong(key, "text", *value);
            into = value->get<std::string>();
        }
    }
    void take(const std::string& key, bool& into) {
        if (const Json* value = find(object_, key)) {
            if (!value->is_boolean()) return wrong(key, "a boolean", *value);
            into = value->get<bool>();
        }
    }
    void take(const std::string& key, std::vector<std::string>& into) {
        for (const auto& element : list(key)) {
            if (!element.is_string()) return wrong(key, "a list of texts", element);
            into.push_back(element.get<std::string>());
        }
    }
    void take_base64(const std::string& key, std::string& into) {
        std::string text;
        take(key, text);
        auto bytes = decode_base64(text);
        if (!bytes.ok()) return fail(where_ + ": " + key + ": " + bytes.error().message);
        into = *std::move(bytes);
    }
    void take_path(const std::string& key, const std::string& folder, std::string& into) {
        take(key, into);
        into = resolve(folder, into);
    }
    const std::vector<Json>& list(const std::string& key) {
        const Json* value = find(object_, key);
        if (value != nullptr && !value->is_array()) wrong(key, "a list", *value);
        return items_at(object_, {key});
    }
    const Json& member(const std::string& key) {
        static const Json none;
        const Json* value = find(object_, key);
        return value == nullptr ? none : *value;
    }
    void fail(const std::string& message) {
        if (status_.ok()) status_ = Error{ErrorKind::config, message};
    }
    void include(const Status& other) {
        if (!other.ok()) fail(other.error().message);
    }
    const Status& status() const { return status_; }

    // A path stays a path: one that ends up without a slash would be looked up in $PATH.
    static std::string resolve(const std::string& folder, const std::string& path) {
        if (path.empty() || path.front() == '/') return path;
        auto joined = (std::filesystem::path(folder) / path).lexically_normal().string();
        return joined.find('/') == std::string::npos ? "./" + joined : joined;
    }

private:
    void wrong(const std::string& key, const char* expected, const Json& seen) {
        fail(where_ + (key.empty() ? "" : ": " + key) + ": " + expected + " is expected, not " +
             kind_of(seen));
    }

    const Json& object_;
    std::string where_;
    Status status_ = Done{};
};

Status decode(const Json& json, const std::string& where, const std::string& folder,
              ClusterEntry& cluster) {
    Fields fields(json, where);
    fields.take("server", cluster.server);
    fields.take("tls-server-name", cluster.tls_server_name);
    fields.take("insecure-skip-tls-verify", cluster.insecure_skip_tls_verify);
    fields.take_path("certificate-authority", folder, cluster.certificate_authority);
    fields.take_base64("certificate-authority-data", cluster.certificate_authority_data);
    fields.take("proxy-url", cluster.proxy_url);
    fields.take("disable-compression", cluster.disable_compression);
    for (const auto& extension : fields.list("extensions")) {
        const Json* value = find(extension, "extension");
        if (text_at(extension, {"name"}) == "client.authentication.k8s.io/exec" &&
            value != nullptr) {
            cluster.exec_extension = to_line(*value);
        }
    }
    return fields.status();
}

Status decode_exec(const Json& json, const std::string& where, const std::string& folder,
                   UserEntry& user) {
    Fields fields(json, where);
    ExecPlugin exec;
    fields.take("apiVersion", exec.api_version);
    fields.take("command", exec.command);
    if (exec.command.find('/') != std::string::npos) {
        exec.command = Fields::resolve(folder, exec.command);
    }
    fields.take("args", exec.arguments);
    for (const auto& variable : fields.list("env")) {
        Fields pair(variable, where + ": env");
        auto& [name, value] = exec.environment.emplace_back();
        pair.take("name", name);
        pair.take("value", value);
        fields.include(pair.status());
    }
    fields.take("installHint", exec.install_hint);
    fields.take("provideClusterInfo", exec.provide_cluster_info);
    fields.take("interactiveMode", user.interactive_mode);
    user.exec = std::move(exec);
    return fields.status();
}

void decode_auth_provider(const Json& json, const std::string& where, Fields& fields,
                          UserEntry& user) {
    Fields provider(json, where);
    provider.take("name", user.auth_provider);
    Fields config(provider.member("config"), where + ": config");
    config.take("idp-issuer-url", user.oidc_issuer);
    config.take("client-id", user.oidc_client);
    fields.include(provider.status());
    fields.include(config.status());
}

Status decode(const Json& json, const std::string& where, const std::string& folder,
              UserEntry& user) {
    Fields fields(json, where);
    fields.take("token", user.token);
    fields.take_path("tokenFile", folder, user.token_file);
    fields.take("username", user.username);
    fields.take("password", user.password);
    fields.take_path("client-certificate", folder, user.client_certificate);
    fields.take_base64("client-certificate-data", user.client_certificate_data);
    fields.take_path("client-key", folder, user.client_key);
    fields.take_base64("client-key-data", user.client_key_data);
    fields.take("as", user.impersonate.user);
    fields.take("as-uid", user.impersonate.uid);
    fields.take("as-groups", user.impersonate.groups);
    if (const Json* extra = find(json, "as-user-extra"); extra != nullptr && extra->is_object()) {
        Fields keys(*extra, where + ": as-user-extra");
        for (const auto& [key, values] : extra->items()) {
            keys.take(key, user.impersonate.extra[key]);
        }
        fields.include(keys.status());
    }
    if (const Json* exec = find(json, "exec")) {
        fields.include(decode_exec(*exec, where + ": exec", folder, user));
    }
    if (const Json* provider = find(json, "auth-provider")) {
        decode_auth_provider(*provider, where + ": auth-provider", fields, user);
    }
    return fields.status();
}

Status decode(const Json& json, const std::string& where, const std::string&,
              ContextEntry& context) {
    Fields fields(json, where);
    fields.take("cluster", context.cluster);
    fields.take("user", context.user);
    fields.take("namespace", context.ns);
    return fields.status();
}

// A list of {name, cluster|user|context}.
template <class Entry>
void take_entries(Fields& file, const char* list, const char* kind, const std::string& folder,
                  std::map<std::string, Entry>& into) {
    for (const auto& element : file.list(list)) {
        Fields named(element, list);
        std::string name;
        named.take("name", name);
        file.include(named.status());
        const auto [entry, inserted] = into.try_emplace(name);
        if (!inserted) file.fail("duplicate name \"" + name + "\" in " + list);
        const auto where = std::string(kind) + " \"" + name + "\"";
        file.include(decode(named.member(kind), where, folder, entry->second));
    }
}

}  // namespace

Result<Kubeconfig> parse_kubeconfig(std::string_view text, const std::string& path) {
    const auto loading = "error loading config file \"" + path + "\"";
    constexpr YamlLimits limits{
        .bytes = std::size_t{16} << 20U, .nodes = 1'000'000, .expansion = 1'000'000};
    const auto parsed = parse_yaml(text, path, limits, DuplicateKeys::last_wins);
    if (!parsed.ok()) {
        return Error{ErrorKind::config, loading + ": " + parsed.error().message};
    }
    Kubeconfig config;
    if (parsed->empty() || parsed->front().value->is_null()) return config;
    const Json& json = *parsed->front().value;
    const auto folder = std::filesystem::path(path).parent_path().string();
    Fields file(json, "kubeconfig");
    std::string api_version;
    std::string kind;
    file.take("apiVersion", api_version);
    file.take("kind", kind);
    if ((!api_version.empty() && api_version != "v1") || (!kind.empty() && kind != "Config")) {
        file.fail("kind \"" + kind + "\" of version \"" + api_version +
                  "\" is no kubeconfig, which is kind \"Config\" of version \"v1\"");
    }
    file.take("current-context", config.current_context);
    take_entries(file, "clusters", "cluster", folder, config.clusters);
    take_entries(file, "contexts", "context", folder, config.contexts);
    take_entries(file, "users", "user", folder, config.users);
    if (!file.status().ok()) {
        return Error{ErrorKind::config, loading + ": " + file.status().error().message};
    }
    return config;
}

}  // namespace kubeclient
