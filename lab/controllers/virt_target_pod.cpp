// See target_pod() and host_model_selector().
// Source: kubevirt pkg/virt-controller/watch/migration/migration.go (createTargetPod,
// prepareNodeSelectorForHostCpuModel, setTargetPodSELinuxLevel); v1.9.
#include <nlohmann/json.hpp>
#include <utility>

#include "kubeclient/json.hpp"
#include "lab/controllers/virt_configuration.hpp"
#include "lab/controllers/virt_launcher_pod.hpp"
#include "lab/controllers/virt_objects.hpp"

namespace lab::virt {

using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::find;
using kubeclient::Result;

namespace {

constexpr std::string_view kHostModel = "host-model-cpu.node.kubevirt.io/";
constexpr std::string_view kHostFeature = "host-model-required-features.node.kubevirt.io/";
constexpr std::string_view kModel = "cpu-model-migration.node.kubevirt.io/";
constexpr std::string_view kFeature = "cpu-feature.node.kubevirt.io/";
constexpr std::string_view kVendor = "cpu-vendor.node.kubevirt.io/";

bool starts(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

std::map<std::string, std::string> labels_at(const Json& object,
                                             std::initializer_list<std::string_view> path) {
    std::map<std::string, std::string> labels;
    const Json* found = find(object, path);
    if (found == nullptr || !found->is_object()) return labels;
    for (const auto& [key, value] : found->items()) {
        if (value.is_string()) labels[key] = value.get<std::string>();
    }
    return labels;
}

void keep_off_source(Json& pod, const Json& vmi) {
    Json& terms = pod["spec"]["affinity"]["podAntiAffinity"]
                     ["requiredDuringSchedulingIgnoredDuringExecution"];
    if (!terms.is_array()) terms = Json::array();
    terms.push_back(
        {{"labelSelector", {{"matchLabels", {{"kubevirt.io/created-by", uid_of(vmi)}}}}},
         {"topologyKey", "kubernetes.io/hostname"}});
}

// Keys that are there stay: the first vendor of the source node where none is asked for.
void ask_for_vendor(Json& selector, const Json& source_node) {
    for (const auto& [key, value] : selector.items()) {
        if (starts(key, kVendor)) return;
    }
    for (const auto& [key, value] : labels_at(source_node, {"metadata", "labels"})) {
        if (!starts(key, kVendor)) continue;
        selector[key] = value;
        return;
    }
}

// The level of "user:role:type:level"; the level itself has colons.
std::string selinux_level(const std::string& context) {
    std::size_t from = 0;
    for (int i = 0; i < 3; ++i) {
        from = context.find(':', from);
        if (from == std::string::npos) return "";
        ++from;
    }
    return context.substr(from);
}

kubeclient::Status set_selinux_level(Json& pod, const Json& vmi, const Store& objects) {
    const Json config = migration_configuration(objects);
    if (!kubeclient::bool_at(config, {"matchSELinuxLevelOnMigration"}).value_or(true)) {
        return kubeclient::Done{};
    }
    const auto context = text(vmi, {"status", "selinuxContext"});
    if (context == "none") return kubeclient::Done{};
    if (context.empty()) {
        return Error{ErrorKind::invalid, "SELinux context not set on VMI status", ""};
    }
    if (auto level = selinux_level(context); !level.empty()) {
        pod["spec"]["securityContext"]["seLinuxOptions"] = {{"level", level}};
    }
    return kubeclient::Done{};
}

}  // namespace

Result<std::map<std::string, std::string>> host_model_selector(const Json& source_node,
                                                               const Json& source_pod) {
    std::map<std::string, std::string> selector;
    for (const auto& [key, value] : labels_at(source_pod, {"spec", "nodeSelector"})) {
        if (starts(key, kFeature) || starts(key, kModel)) selector[key] = value;
    }
    if (!selector.empty()) return selector;
    bool has_model = false;
    for (const auto& [key, value] : labels_at(source_node, {"metadata", "labels"})) {
        if (starts(key, kHostModel)) {
            selector[std::string(kModel) + key.substr(kHostModel.size())] = value;
            has_model = true;
        } else if (starts(key, kHostFeature)) {
            selector[std::string(kFeature) + key.substr(kHostFeature.size())] = value;
        }
    }
    if (!has_model) {
        return Error{ErrorKind::invalid,
                     "unable to locate host cpu model, does not contain label \"" +
                         std::string(kHostModel) + "\" with information",
                     ""};
    }
    return selector;
}

Result<Json> target_pod(const Json& vmi, const Json& migration, const Json& source_pod,
                        const Store& objects) {
    TRY_ASSIGN(pod, launcher_pod(vmi, objects));
    keep_off_source(pod, vmi);
    Json selector = Json::object();
    if (const Json* added = find(migration, {"spec", "addedNodeSelector"})) selector = *added;
    selector.update(pod["spec"]["nodeSelector"]);
    pod["metadata"]["labels"]["kubevirt.io/migrationJobUID"] = uid_of(migration);
    pod["metadata"]["annotations"]["kubevirt.io/migrationJobName"] = name_of(migration);
    const auto node_name = text(vmi, {"status", "nodeName"});
    const Object node = objects.get(kNodes, {"", node_name});
    if (text(vmi, {"spec", "domain", "cpu", "model"}) == "host-model") {
        if (!node) {
            return Error{ErrorKind::not_found,
                         "node \"" + node_name + "\" associated with vmi \"" + name_of(vmi) +
                             "\" does not exist",
                         ""};
        }
        TRY_ASSIGN(wanted, host_model_selector(*node, source_pod));
        for (const auto& [key, value] : wanted) selector[key] = value;
    }
    if (node) ask_for_vendor(selector, *node);
    pod["spec"]["nodeSelector"] = std::move(selector);
    TRY(set_selinux_level(pod, vmi, objects));
    return pod;
}

}  // namespace lab::virt
