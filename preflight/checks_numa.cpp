// Dedicated CPUs, huge pages and NUMA: allowed to migrate, but the target has to offer the same.
#include <algorithm>
#include <array>

#include "preflight/checks.hpp"
#include "preflight/question.hpp"

namespace preflight {
namespace {

// How many nodes beside the source satisfy `suits`.
template <class Predicate>
std::size_t others(const Question& question, Predicate suits) {
    const auto& nodes = question.snapshot.nodes.items;
    const auto count = std::count_if(nodes.begin(), nodes.end(), [&](const facts::Node& node) {
        return node.meta.name != question.judged.node && suits(node);
    });
    return static_cast<std::size_t>(count);
}

// unknown where no other node was read and there may be some.
bool others_unread(const Question& question) {
    return !question.snapshot.nodes.complete &&
           others(question, [](const auto&) { return true; }) == 0;
}

Finding others_unknown(const Question& question, std::string needed) {
    return unknown(question.machine(), std::move(needed),
                   {question.snapshot.nodes.gap_or("nodes")});
}

std::vector<Finding> check_dedicated(const Question& question) {
    const auto& cpu = question.judged.guest.cpu;
    if (!cpu || !cpu->dedicated) return {skipped(question.machine(), "no dedicated CPUs")};
    const std::string needed = "another node with label kubevirt.io/cpumanager=true";
    if (others_unread(question)) return {others_unknown(question, needed)};
    const auto count = others(question, [](const facts::Node& node) {
        const auto label = node.meta.labels.find("kubevirt.io/cpumanager");
        return label != node.meta.labels.end() && label->second == "true";
    });
    if (count >= nodes_needed(question.judged)) {
        return {passed(question.machine(), count_of(count, "node") + " with CPU manager")};
    }
    return {warned(question.machine(), "no other node has the label", needed,
                   "a guest with dedicated CPUs can only move to a node whose kubelet runs the "
                   "static CPU manager policy",
                   {"set the policy on a second node; KubeVirt keeps the label with the feature "
                    "gate CPUManager",
                    {"kubectl get nodes -L kubevirt.io/cpumanager"}})};
}

std::vector<Finding> check_hugepages(const Question& question) {
    const auto& needs = question.needs;
    if (needs.hugepages.empty()) return {skipped(question.machine(), "no huge pages")};
    const std::string needed = "another node with " + std::to_string(needs.hugepages_bytes) +
                               " bytes of " + needs.hugepages;
    if (others_unread(question)) return {others_unknown(question, needed)};
    const auto count = others(question, [&](const facts::Node& node) {
        const auto pages = node.allocatable.find(needs.hugepages);
        return pages != node.allocatable.end() && pages->second >= needs.hugepages_bytes;
    });
    if (count >= nodes_needed(question.judged)) {
        return {passed(question.machine(),
                       count_of(count, "node") + " with enough " + needs.hugepages)};
    }
    return {warned(question.machine(), "no other node has that much allocatable", needed,
                   "the target pod asks for the same huge pages and stays Pending without them",
                   {"reserve huge pages of this size on a second node",
                    {"kubectl describe nodes | grep -i hugepages"}})};
}

std::vector<Finding> check_topology(const Question& question) {
    const auto& cpu = question.judged.guest.cpu;
    if (!cpu || !cpu->numa_passthrough) return {skipped(question.machine(), "no NUMA passthrough")};
    return {passed(question.machine(),
                   "the guest's NUMA cells are mapped anew on the target; no API object tells "
                   "whether its cells are as large")};
}

constexpr std::array<Check, 3> rows{{
    {"NUMA-001", "dedicated-cpus-elsewhere", "Another node can give dedicated CPUs",
     Severity::warning,
     "For dedicatedCpuPlacement, counts the other nodes with label kubevirt.io/cpumanager.",
     "KubeVirt allows the migration, but the target pod selects that label. Free CPUs are not "
     "counted.",
     "Run the kubelet's static CPU manager policy on a second node.",
     "kubevirt pkg/virt-controller/services/nodeselectorrenderer.go", check_dedicated},
    {"NUMA-002", "hugepages-elsewhere", "Another node has the huge pages", Severity::warning,
     "Compares the guest's huge pages with what other nodes can allocate in all.",
     "The target pod asks for the same pages. What other pods use of them is not counted.",
     "Reserve huge pages of this size on a second node.",
     "kubevirt pkg/virt-controller/services/renderresources.go", check_hugepages},
    {"NUMA-003", "numa-mapping", "NUMA passthrough is mapped anew", Severity::info,
     "Tells whether the guest uses numa.guestMappingPassthrough.",
     "KubeVirt allows it. The target's topology is known to its kubelet only, so a target that "
     "cannot give the same cells is found out when the migration starts.",
     "Keep nodes of one kind for such guests.", "kubevirt pkg/virt-handler/vm.go", check_topology},
}};

}  // namespace

std::span<const Check> numa_checks() {
    return rows;
}

}  // namespace preflight
