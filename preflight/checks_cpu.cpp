// CPU model: what KubeVirt refuses for it, and whether another node offers it.
#include <algorithm>
#include <array>

#include "preflight/checks.hpp"
#include "preflight/question.hpp"

namespace preflight {
namespace {

bool is_cpu_label(const std::string& name) {
    return name.starts_with("cpu-model.node.kubevirt.io/") ||
           name.starts_with("cpu-model-migration.node.kubevirt.io/") ||
           name.starts_with("cpu-feature.node.kubevirt.io/") ||
           name.starts_with("cpu-vendor.node.kubevirt.io/");
}

facts::Labels cpu_labels(const facts::Labels& selector) {
    facts::Labels wanted;
    for (const auto& [name, value] : selector) {
        if (is_cpu_label(name)) wanted.emplace(name, value);
    }
    return wanted;
}

std::vector<std::string> missing_on(const facts::Node& node, const facts::Labels& wanted) {
    std::vector<std::string> missing;
    for (const auto& [name, value] : wanted) {
        const auto label = node.meta.labels.find(name);
        if (label == node.meta.labels.end() || label->second != value) {
            missing.push_back(name.substr(name.find('/') + 1));
        }
    }
    return missing;
}

std::vector<Finding> check_host_model(const Question& question) {
    const auto& node = question.judged.node;
    const auto show_labels = node.empty() ? std::string("kubectl get nodes --show-labels")
                                          : command("kubectl get node ", node, " --show-labels");
    return from_rule(
        question, Rule::host_model,
        {"the CPU model can be handed over",
         "a host-model-cpu.node.kubevirt.io label on the node",
         "KubeVirt's labeller knows no CPU model of this node, so no other node can be "
         "told to offer the same",
         {"look at the node's virt-handler and its labels; a named cpu.model works "
          "without the label",
          {show_labels}}});
}

std::vector<Finding> check_passthrough(const Question& question) {
    const auto& cpu = question.judged.guest.cpu;
    if (!cpu || cpu->model != "host-passthrough") {
        return {passed(question.machine(), "cpu.model is not host-passthrough")};
    }
    return {warned(question.machine(), "cpu.model host-passthrough",
                   "the same CPU, microcode and kernel on source and target",
                   "KubeVirt matches the CPU's vendor only; on an unequal CPU the migration fails, "
                   "or the guest misbehaves after it",
                   {"use host-model or a named model, or pin the VM to nodes of one kind", {}})};
}

std::vector<Finding> check_model_elsewhere(const Question& question) {
    const auto& nodes = question.snapshot.nodes;
    const auto& needs = question.needs;
    const auto wanted = cpu_labels(needs.placement.node_selector);
    const std::string needed = "another node with the same CPU model and features";
    if (!needs.gaps.empty()) return {unknown(question.machine(), needed, needs.gaps)};
    const bool any_read = nodes.complete || !nodes.items.empty();
    if (wanted.empty() && question.judged.running() && any_read) {
        return {passed(question.machine(), "asks for no CPU label")};
    }
    std::vector<std::string> lacking;
    std::vector<std::string> offering;
    for (const auto& node : nodes.items) {
        if (node.meta.name == question.judged.node) continue;
        const auto missing = missing_on(node, wanted);
        if (missing.empty()) {
            offering.push_back(node.meta.name);
        } else {
            lacking.push_back(node.meta.name + " lacks " + join(missing));
        }
    }
    if (offering.size() >= nodes_needed(question.judged)) {
        return {passed(question.machine(), "offered by " + join(offering))};
    }
    if (lacking.empty() && !nodes.complete) {
        return {unknown(question.machine(), needed, {nodes.gap_or("nodes")})};
    }
    return {warned(question.machine(),
                   lacking.empty() ? "there is no other node" : join(lacking, "; "), needed,
                   "no node suits the CPU that the guest sees, so the target pod stays Pending",
                   {"choose an older cpu.model that all nodes offer, or add a node of this kind",
                    {"kubectl get nodes --show-labels"}})};
}

std::vector<Finding> check_sticky_selectors(const Question& question) {
    const auto* launcher = source_launcher(question.judged);
    const auto* node = question.snapshot.nodes.find("", question.judged.node);
    if (const auto finding = unless_running(question, "the VMI's status")) return {*finding};
    const std::string needed = "CPU labels that the source node still has";
    if (launcher == nullptr) {
        return {unknown(question.machine(), needed, {question.snapshot.launchers.gap_or("pods")})};
    }
    if (node == nullptr) {
        return {unknown(question.machine(), needed, {question.snapshot.nodes.gap_or("nodes")})};
    }
    const auto missing = missing_on(*node, cpu_labels(launcher->placement.node_selector));
    if (missing.empty()) {
        return {passed(question.machine(), "the source node still offers what its pod selects")};
    }
    return {
        warned(question.machine(),
               "pod " + launcher->meta.name + " selects " + join(missing) +
                   ", which its own node no longer has",
               needed,
               "after a CPU, microcode or QEMU update a label can vanish from every node, while "
               "a guest that migrated before keeps asking for it",
               {"stop and start the VM, so that its selectors are made anew", {}})};
}

std::vector<Finding> check_tsc(const Question& question) {
    return from_rule(question, Rule::tsc,
                     {"no TSC frequency is needed, or it is known",
                      "status.topologyHints.tscFrequency",
                      "Hyper-V reenlightenment needs the same TSC frequency on the target",
                      {"expose the TSC frequency on the nodes (invtsc), or switch reenlightenment "
                       "off",
                       {}}});
}

std::vector<Finding> check_hyperv(const Question& question) {
    return from_rule(question, Rule::hyperv_passthrough,
                     {"no Hyper-V passthrough",
                      "features.hypervPassthrough not enabled",
                      "the guest sees the Hyper-V features of one host",
                      {"name the Hyper-V features one by one instead", {}}});
}

constexpr std::array<Check, 6> rows{{
    {"CPU-001", "host-model-known", "The node's CPU model is known", Severity::blocking,
     "For cpu.model host-model, looks for the label host-model-cpu.node.kubevirt.io/… of the node "
     "that runs the VM.",
     "KubeVirt pins the target to that model. Without the label it refuses; its constant for this "
     "is spelled CPUModeLiveMigratable, without a Not.",
     "Check virt-handler and the node labeller on that node, or use a named CPU model.",
     "kubevirt pkg/virt-handler/vm.go isHostModelMigratable", check_host_model},
    {"CPU-002", "no-host-passthrough", "The guest does not see the raw host CPU", Severity::warning,
     "Looks for cpu.model host-passthrough.",
     "KubeVirt lets it migrate to any node of the same CPU vendor; it works only between equal "
     "CPUs with equal microcode.",
     "Use host-model or a named model.",
     "kubevirt pkg/virt-controller/services/nodeselectorrenderer.go", check_passthrough},
    {"CPU-003", "cpu-offered-elsewhere", "Another node offers the same CPU", Severity::warning,
     "Compares the CPU labels that the target pod will select (model, required features, vendor) "
     "with those of every other node.",
     "Without such a node the target pod stays unschedulable for five minutes, and the migration "
     "fails.",
     "Use a cpu.model that all nodes offer, or add a node of this kind.",
     "kubevirt pkg/virt-controller/watch/migration/migration.go "
     "prepareNodeSelectorForHostCpuModel",
     check_model_elsewhere},
    {"CPU-004", "tsc-frequency-known", "The TSC frequency is known where it matters",
     Severity::blocking,
     "For Hyper-V reenlightenment without invtsc, looks for status.topologyHints.tscFrequency.",
     "Guest timers would be inconsistent on a host with another frequency; KubeVirt refuses.",
     "Use nodes that expose the TSC frequency, or switch reenlightenment off.",
     "kubevirt pkg/virt-controller/watch/topology/tsc.go", check_tsc},
    {"CPU-005", "no-hyperv-passthrough", "No Hyper-V passthrough", Severity::blocking,
     "Looks for features.hypervPassthrough.enabled.",
     "The guest sees whatever one host offers; KubeVirt refuses with "
     "HypervPassthroughNotLiveMigratable.",
     "Name the Hyper-V features one by one.", "kubevirt pkg/virt-handler/vm.go", check_hyperv},
    {"CPU-006", "cpu-selectors-current", "CPU selectors of the pod are still offered",
     Severity::warning,
     "Compares the CPU labels in the source pod's nodeSelector with its own node.",
     "A guest that migrated before keeps its selectors. After an update no node may have the label "
     "any more, and the target pod never schedules.",
     "Stop and start the VM.", "kubevirt pkg/virt-controller/watch/migration/migration.go",
     check_sticky_selectors},
}};

}  // namespace

std::span<const Check> cpu_checks() {
    return rows;
}

}  // namespace preflight
