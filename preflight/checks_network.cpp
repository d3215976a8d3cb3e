// The guest's interfaces, and the network that migrations cross.
#include <algorithm>
#include <array>

#include "preflight/checks.hpp"
#include "preflight/question.hpp"
#include "preflight/selection.hpp"

namespace preflight {
namespace {

std::vector<Finding> check_primary_interface(const Question& question) {
    return from_rule(question, Rule::interfaces,
                     {"the pod network's interface can be handed over",
                      "masquerade, or a binding plugin that migrates, on the pod network",
                      "the guest would keep an address that belongs to the source pod",
                      {"use masquerade on the pod network; a bridge there migrates only with the "
                       "annotation kubevirt.io/allow-pod-bridge-network-live-migration, and loses "
                       "its address",
                       {}}});
}

std::vector<Finding> check_sriov(const Question& question) {
    std::vector<std::string> names;
    for (const auto& interface : question.judged.guest.interfaces) {
        if (interface.binding == facts::Binding::sriov) names.push_back(interface.name);
    }
    if (names.empty()) return {skipped(question.machine(), "no SR-IOV interface")};
    return {warned(question.machine(), "SR-IOV interfaces: " + join(names),
                   "a guest that releases them within 30 seconds, and free devices on the target",
                   "KubeVirt unplugs SR-IOV interfaces before the migration and plugs new ones in "
                   "after it; a guest that does not let go fails the migration",
                   {"make sure that the guest's driver supports hot unplug, and bond the interface "
                    "with a virtio one where the link must not drop",
                    {}})};
}

const facts::HandlerDaemonSet* handlers_of(const Question& question) {
    const auto& sets = question.snapshot.handler_sets.items;
    return sets.empty() ? nullptr : &sets.front();
}

// The annotation is a list: "storage, kubevirt/migration@migration0".
bool attached_to(const facts::HandlerDaemonSet& set, const std::string& network) {
    const std::string wanted = network + "@migration0";
    const auto& list = set.networks;
    for (auto at = list.find(wanted); at != std::string::npos; at = list.find(wanted, at + 1)) {
        const auto end = at + wanted.size();
        const bool begins =
            at == 0 || std::string_view(", /").find(list[at - 1]) != std::string::npos;
        const bool ends =
            end == list.size() || std::string_view(", ").find(list[end]) != std::string::npos;
        if (begins && ends) return true;
    }
    return false;
}

Fix network_fix(const Question& question) {
    const auto ns = question.kubevirt->meta.ns;
    return {
        "check the network attachment and restart virt-handler where its pods lack interface "
        "migration0",
        {command("kubectl get network-attachment-definitions -n ", ns),
         command("kubectl rollout status daemonset/virt-handler -n ", ns)}};
}

// The handlers fall back to the pod network without a word when an interface is missing.
std::vector<std::string> handlers_without_network(const Question& question) {
    std::vector<std::string> names;
    for (const auto& pod : question.snapshot.handlers.items) {
        const auto interface = pod.interfaces.find("migration0");
        if (interface == pod.interfaces.end() || interface->second.empty()) {
            names.push_back(pod.meta.name);
        }
    }
    return names;
}

std::vector<Finding> check_migration_network(const Question& question) {
    const std::string needed = "interface migration0 on every virt-handler pod";
    if (question.kubevirt == nullptr) {
        return {unknown(question.machine(), "the KubeVirt CR", {question.snapshot.kubevirts.gap})};
    }
    const auto& network = question.config.network;
    const Subject configured{"KubeVirt", question.kubevirt->meta.ns, question.kubevirt->meta.name};
    if (network.empty()) return {skipped(configured, "migrations use the pod network")};
    const auto* set = handlers_of(question);
    if (set == nullptr) {
        return {unknown(configured, needed,
                        {question.snapshot.handler_sets.gap_or("daemonsets.apps")})};
    }
    const auto warn = [&](std::string seen, std::string why) -> std::vector<Finding> {
        return {warned(configured, std::move(seen), needed, std::move(why), network_fix(question))};
    };
    if (question.snapshot.attachments.complete &&
        question.snapshot.attachments.find(configured.ns, network) == nullptr) {
        return warn("network attachment " + network + " does not exist",
                    "virt-handler pods cannot start with a network that is not there");
    }
    if (!attached_to(*set, network)) {
        return warn("the virt-handler DaemonSet has networks \"" + set->networks + "\"",
                    "virt-operator has not put the network on the DaemonSet");
    }
    if (!set->observed || set->updated < set->desired || set->ready < set->desired) {
        return warn("the virt-handler rollout is not finished",
                    "handlers without the network use the pod network instead");
    }
    const auto& handlers = question.snapshot.handlers;
    if (handlers.items.empty()) return {unknown(configured, needed, {handlers.gap})};
    const auto lacking = handlers_without_network(question);
    if (lacking.empty()) return {passed(configured, network + " on every virt-handler")};
    return warn("without migration0: " + join(lacking),
                "these handlers use the pod network instead, without a word");
}

struct Direction {
    bool restricted = false;
    bool allowed = false;
    std::string by{};
};

void count_policy(Direction& direction, bool applies, bool allows, const std::string& name) {
    if (!applies) return;
    direction.restricted = true;
    direction.allowed = direction.allowed || allows;
    direction.by = name;
}

// The labels of the virt-handler pods; where none was read, the one that they all have.
std::vector<facts::Labels> handler_labels(const Question& question) {
    std::vector<facts::Labels> labels;
    for (const auto& pod : question.snapshot.handlers.items) labels.push_back(pod.meta.labels);
    if (labels.empty()) labels.push_back({{"kubevirt.io", "virt-handler"}});
    return labels;
}

bool selects_handlers(const facts::NetworkPolicy& policy,
                      const std::vector<facts::Labels>& handlers) {
    const LabelSelector selector{policy.selector};
    return std::any_of(handlers.begin(), handlers.end(),
                       [&](const auto& labels) { return selector.matches(labels); });
}

std::vector<Finding> check_handler_policies(const Question& question) {
    const auto& policies = question.snapshot.network_policies;
    const std::string needed = "virt-handler to virt-handler traffic on any port";
    if (question.kubevirt == nullptr) {
        return {unknown(question.machine(), needed, {question.snapshot.kubevirts.gap})};
    }
    const auto& ns = question.kubevirt->meta.ns;
    if (!policies.covers(ns)) {
        return {unknown(question.machine(), needed,
                        {policies.gap_or("networkpolicies.networking.k8s.io")})};
    }
    Direction in;
    Direction out;
    const auto handlers = handler_labels(question);
    for (const auto& policy : policies.items) {
        if (policy.meta.ns != ns || !selects_handlers(policy, handlers)) continue;
        count_policy(in, policy.ingress, policy.allows_handlers_in, policy.meta.name);
        count_policy(out, policy.egress, policy.allows_handlers_out, policy.meta.name);
    }
    for (const auto& direction : {in, out}) {
        if (!direction.restricted || direction.allowed) continue;
        return {warned({"NetworkPolicy", ns, direction.by},
                       "restricts virt-handler, and no policy allows its peers", needed,
                       "migrations go from virt-handler to virt-handler on random ports; dropped "
                       "packets leave the migration Running without progress for minutes",
                       {"allow pods with label kubevirt.io=virt-handler to reach each other; "
                        "virt-operator ships kubevirt-allow-handler-to-handler for this",
                        {}})};
    }
    return {passed(question.machine(), "nothing keeps virt-handlers apart")};
}

constexpr std::array<Check, 4> rows{{
    {"NET-001", "primary-interface-migratable", "The pod network's interface can move",
     Severity::blocking,
     "Looks at the binding of the interface on the pod network: masquerade, a binding plugin that "
     "the KubeVirt CR registers with migration, passt since 1.8, or a bridge with its annotation.",
     "KubeVirt refuses everything else with InterfaceNotLiveMigratable. Secondary networks are "
     "never looked at.",
     "Use masquerade on the pod network.", "kubevirt pkg/network/vmispec/interface.go",
     check_primary_interface},
    {"NET-002", "sriov-released", "SR-IOV interfaces can be unplugged", Severity::warning,
     "Looks for SR-IOV interfaces.",
     "They are unplugged before and plugged in after the migration, and the guest has 30 seconds "
     "to let go.",
     "Use a guest driver that supports hot unplug; bond with a virtio interface.",
     "kubevirt pkg/virt-launcher/virtwrap/live-migration-source.go", check_sriov},
    {"NET-003", "migration-network-ready", "The dedicated migration network is in place",
     Severity::warning,
     "Where spec.configuration.migrations.network is set: the network attachment, the virt-handler "
     "DaemonSet's annotation and rollout, and interface migration0 of every virt-handler pod.",
     "A virt-handler without the interface silently uses the pod network, and two handlers on "
     "different networks may not reach each other. MTU is not visible from here.",
     "Fix the attachment and let virt-handler roll out.", "kubevirt pkg/virt-handler/migration.go",
     check_migration_network},
    {"NET-004", "handlers-reach-each-other", "Network policies let virt-handlers talk",
     Severity::warning, "Looks at the NetworkPolicies in KubeVirt's own namespace.",
     "A default-deny there breaks every migration, and slowly: the dial has no timeout of its own.",
     "Allow kubevirt.io=virt-handler pods to reach each other on all ports.",
     "kubevirt pkg/virt-operator networkpolicy.go; pkg/virt-handler/migration-proxy",
     check_handler_policies},
}};

}  // namespace

std::span<const Check> network_checks() {
    return rows;
}

}  // namespace preflight
