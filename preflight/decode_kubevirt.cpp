// KubeVirt's own configuration, and what its node agents need from the network.
#include <algorithm>

#include "preflight/decode.hpp"
#include "preflight/selection.hpp"

namespace preflight {
namespace {

std::vector<facts::Requirement> decode_label_selector(const Fields& selector) {
    auto requirements = decode_requirements(selector.list("matchExpressions"));
    for (const auto& [name, value] : selector.labels("matchLabels")) {
        requirements.push_back({name, "In", {value}});
    }
    return requirements;
}

bool matches_handlers(const Fields& selector) {
    return LabelSelector{decode_label_selector(selector)}.matches(
        {{"kubevirt.io", "virt-handler"}});
}

// A rule without peers allows all; one with ports allows only these, and migration ports are
// random.
bool allows_handlers(const Fields& rule, std::string_view peers) {
    if (rule.has("ports") && !rule.list("ports").empty()) return false;
    const auto list = rule.list(peers);
    if (list.empty()) return true;
    return std::any_of(list.begin(), list.end(), [](const Fields& peer) {
        const bool any_namespace =
            !peer.has("namespaceSelector") || peer.at("namespaceSelector").keys().empty();
        const bool pods = !peer.has("podSelector") || matches_handlers(peer.at("podSelector"));
        return !peer.has("ipBlock") && any_namespace && pods;
    });
}

bool any_allows(const Fields& spec, std::string_view direction, std::string_view peers) {
    const auto rules = spec.list(direction);
    return std::any_of(rules.begin(), rules.end(),
                       [&](const Fields& rule) { return allows_handlers(rule, peers); });
}

std::vector<std::string> enabled_gates(const Fields& developer) {
    auto gates = developer.texts("featureGates");
    const auto disabled = developer.texts("disabledFeatureGates");
    std::erase_if(gates, [&](const std::string& gate) {
        return std::find(disabled.begin(), disabled.end(), gate) != disabled.end();
    });
    return gates;
}

}  // namespace

facts::MigrationSettings decode_migration_settings(const Fields& settings) {
    facts::MigrationSettings result;
    result.bandwidth = settings.maybe_bytes("bandwidthPerMigration");
    result.completion_timeout_per_gib = settings.maybe_integer("completionTimeoutPerGiB");
    result.progress_timeout = settings.maybe_integer("progressTimeout");
    result.parallel_per_cluster = settings.maybe_integer("parallelMigrationsPerCluster");
    result.parallel_outbound_per_node = settings.maybe_integer("parallelOutboundMigrationsPerNode");
    result.allow_auto_converge = settings.maybe_flag("allowAutoConverge");
    result.allow_post_copy = settings.maybe_flag("allowPostCopy");
    result.allow_workload_disruption = settings.maybe_flag("allowWorkloadDisruption");
    result.unsafe_override = settings.maybe_flag("unsafeMigrationOverride");
    result.disable_tls = settings.maybe_flag("disableTLS");
    result.match_selinux_level = settings.maybe_flag("matchSELinuxLevelOnMigration");
    result.network = settings.maybe_text("network");
    return result;
}

facts::KubeVirt decode_kubevirt(const Fields& object) {
    facts::KubeVirt kubevirt;
    kubevirt.meta = decode_meta(object);
    kubevirt.observed_version = object.at("status").text("observedKubeVirtVersion");
    const auto configuration = object.at("spec").at("configuration");
    const auto developer = configuration.at("developerConfiguration");
    kubevirt.feature_gates = enabled_gates(developer);
    kubevirt.node_selectors = developer.labels("nodeSelectors");
    const auto network = configuration.at("network");
    const auto bindings = network.at("binding");
    for (const auto& name : bindings.keys()) {
        kubevirt.bindings.emplace(name, bindings.at(name).has("migration"));
    }
    kubevirt.default_network_interface = network.text("defaultNetworkInterface");
    for (const auto& device : configuration.at("permittedHostDevices").list("mediatedDevices")) {
        kubevirt.mediated_device_resources.push_back(device.text("resourceName"));
    }
    kubevirt.default_cpu_model = configuration.text("cpuModel");
    kubevirt.default_architecture =
        configuration.at("architectureConfiguration").text("defaultArchitecture");
    kubevirt.migrations = decode_migration_settings(configuration.at("migrations"));
    return kubevirt;
}

facts::MigrationPolicy decode_policy(const Fields& object) {
    facts::MigrationPolicy policy;
    policy.meta = decode_meta(object);
    const auto spec = object.at("spec");
    policy.has_selectors = spec.has("selectors");
    const auto selectors = spec.at("selectors");
    if (selectors.has("namespaceSelector")) {
        policy.namespace_selector = selectors.labels("namespaceSelector");
    }
    if (selectors.has("virtualMachineInstanceSelector")) {
        policy.vmi_selector = selectors.labels("virtualMachineInstanceSelector");
    }
    policy.settings = decode_migration_settings(spec);
    return policy;
}

facts::HandlerDaemonSet decode_handler_set(const Fields& object) {
    facts::HandlerDaemonSet result;
    result.meta = decode_meta(object);
    const auto annotations = object.at("spec").at("template").at("metadata").labels("annotations");
    const auto networks = annotations.find("k8s.v1.cni.cncf.io/networks");
    if (networks != annotations.end()) result.networks = networks->second;
    const auto status = object.at("status");
    result.desired = status.maybe_integer("desiredNumberScheduled").value_or(0);
    result.updated = status.maybe_integer("updatedNumberScheduled").value_or(0);
    result.ready = status.maybe_integer("numberReady").value_or(0);
    result.observed = status.maybe_integer("observedGeneration").value_or(0) >=
                      object.at("metadata").maybe_integer("generation").value_or(0);
    return result;
}

facts::NetworkPolicy decode_network_policy(const Fields& object) {
    facts::NetworkPolicy policy;
    policy.meta = decode_meta(object);
    const auto spec = object.at("spec");
    policy.selector = decode_label_selector(spec.at("podSelector"));
    // Without policyTypes: ingress always, egress where it has such rules.
    const auto types = spec.texts("policyTypes");
    const auto has = [&](std::string_view type) {
        return std::find(types.begin(), types.end(), type) != types.end();
    };
    policy.ingress = types.empty() || has("Ingress");
    policy.egress = types.empty() ? spec.has("egress") : has("Egress");
    policy.allows_handlers_in = any_allows(spec, "ingress", "from");
    policy.allows_handlers_out = any_allows(spec, "egress", "to");
    return policy;
}

facts::NetworkAttachment decode_attachment(const Fields& object) {
    return {decode_meta(object)};
}

}  // namespace preflight
