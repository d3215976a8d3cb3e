#include "commands/lab_kubeconfig.hpp"

#include <nlohmann/json.hpp>

#include "kubeclient/base64.hpp"
#include "kubeclient/json.hpp"
#include "kubeclient/yaml.hpp"

namespace commands {

namespace {

using kubeclient::Json;

constexpr std::string_view kMark =
    "# Written by 'virt-handoff lab', which removes it when it ends.";

}  // namespace

std::string lab_kubeconfig(int port, const std::string& authority,
                           const std::vector<LabUser>& users, const std::string& ns) {
    const Json cluster{{"server", "https://127.0.0.1:" + std::to_string(port)},
                       {"certificate-authority-data", kubeclient::encode_base64(authority)}};
    Json contexts = Json::array();
    Json entries = Json::array();
    for (const LabUser& user : users) {
        const std::string name = entries.empty() ? "lab" : "lab-" + user.name;
        const std::string entry = "lab-" + user.name;
        contexts.push_back({{"name", name},
                            {"context", {{"cluster", "lab"}, {"user", entry}, {"namespace", ns}}}});
        entries.push_back({{"name", entry}, {"user", {{"token", user.token}}}});
    }
    const Json config{{"apiVersion", "v1"},
                      {"kind", "Config"},
                      {"clusters", {{{"name", "lab"}, {"cluster", cluster}}}},
                      {"contexts", std::move(contexts)},
                      {"current-context", "lab"},
                      {"users", std::move(entries)}};
    return std::string(kMark) + "\n" + kubeclient::to_yaml(config);
}

bool is_lab_kubeconfig(std::string_view text) {
    return text.starts_with(kMark);
}

}  // namespace commands
