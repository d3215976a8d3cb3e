#include "lab/controllers/virt_configuration.hpp"

#include <nlohmann/json.hpp>

#include "kubeclient/json.hpp"
#include "lab/controllers/virt_objects.hpp"
#include "preflight/migration_config.hpp"

namespace lab::virt {

using kubeclient::find;

namespace {

facts::Labels labels_of(const Json* object) {
    facts::Labels labels;
    if (object == nullptr || !object->is_object()) return labels;
    for (const auto& [key, value] : object->items()) {
        if (value.is_string()) labels[key] = value.get<std::string>();
    }
    return labels;
}

facts::MigrationPolicy decoded(const Json& policy) {
    facts::MigrationPolicy made;
    made.meta.name = name_of(policy);
    const Json* selectors = find(policy, {"spec", "selectors"});
    made.has_selectors = selectors != nullptr;
    if (selectors == nullptr) return made;
    if (const Json* in_ns = find(*selectors, "namespaceSelector")) {
        made.namespace_selector = labels_of(in_ns);
    }
    if (const Json* of_vmi = find(*selectors, "virtualMachineInstanceSelector")) {
        made.vmi_selector = labels_of(of_vmi);
    }
    return made;
}

// True when the policy says anything at all.
bool apply(const Json& spec, Json& values) {
    static const char* const kSettings[] = {
        "allowAutoConverge", "bandwidthPerMigration", "completionTimeoutPerGiB",
        "maxDowntimeMs",     "allowPostCopy",         "allowWorkloadDisruption",
        "experimental"};
    bool any = false;
    for (const char* name : kSettings) {
        if (const Json* set = find(spec, name)) {
            values[name] = *set;
            any = true;
        }
    }
    // A policy that speaks of post-copy only means it for the disruption as well.
    if (find(spec, "allowPostCopy") != nullptr &&
        find(spec, "allowWorkloadDisruption") == nullptr) {
        values["allowWorkloadDisruption"] = spec.at("allowPostCopy");
    }
    return any;
}

}  // namespace

Json configuration(const Store& objects) {
    for (const auto& [key, kubevirt] : objects.all(kKubeVirts)) {
        if (const Json* found = find(*kubevirt, {"spec", "configuration"})) return *found;
    }
    return Json::object();
}

Json migration_configuration(const Store& objects) {
    Json values{{"allowAutoConverge", false},
                {"allowPostCopy", false},
                {"bandwidthPerMigration", "0"},
                {"completionTimeoutPerGiB", 150},
                {"maxDowntimeMs", 900},
                {"nodeDrainTaintKey", "kubevirt.io/drain"},
                {"parallelMigrationsPerCluster", 5},
                {"parallelOutboundMigrationsPerNode", 2},
                {"progressTimeout", 150},
                {"unsafeMigrationOverride", false},
                {"utilityVolumesTimeout", 150}};
    const Json all = configuration(objects);
    if (const Json* set = find(all, "migrations")) {
        for (const auto& [key, value] : set->items()) {
            if (!value.is_null()) values[key] = value;
        }
    }
    if (!values.contains("allowWorkloadDisruption")) {
        values["allowWorkloadDisruption"] = values["allowPostCopy"];
    }
    return values;
}

MatchedConfiguration migration_configuration_of(const Store& objects, const Json& vmi) {
    Json values = migration_configuration(objects);
    std::vector<facts::MigrationPolicy> policies;
    for (const auto& [key, policy] : objects.all(kPolicies)) policies.push_back(decoded(*policy));
    const Object ns = objects.get(kNamespaces, {"", key_of(vmi).ns});
    const auto* best = preflight::match_policy(
        policies, labels_of(find(vmi, {"metadata", "labels"})),
        ns ? labels_of(find(*ns, {"metadata", "labels"})) : facts::Labels{});
    MatchedConfiguration matched;
    if (best != nullptr) {
        const Object policy = objects.get(kPolicies, {"", best->meta.name});
        const Json* spec = find(*policy, "spec");
        if (spec != nullptr && apply(*spec, values)) matched.policy = best->meta.name;
    }
    matched.values = std::make_shared<const Json>(std::move(values));
    return matched;
}

std::string launcher_image(const Store& objects) {
    std::string registry = "quay.io/kubevirt";
    std::string version = "v1.9.0";
    for (const auto& [key, kubevirt] : objects.all(kKubeVirts)) {
        if (auto set = text(*kubevirt, {"status", "observedKubeVirtRegistry"}); !set.empty()) {
            registry = set;
        }
        if (auto set = text(*kubevirt, {"status", "observedKubeVirtVersion"}); !set.empty()) {
            version = set;
        }
    }
    return registry + "/virt-launcher:" + version;
}

}  // namespace lab::virt
