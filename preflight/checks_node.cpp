// The nodes: where the guest could go, and whether the node it is on still reports.
#include <algorithm>
#include <array>

#include "kubeclient/time.hpp"
#include "preflight/checks.hpp"
#include "preflight/question.hpp"

namespace preflight {
namespace {

std::vector<Finding> check_candidates(const Question& question) {
    const auto& nodes = question.snapshot.nodes;
    const auto& needs = question.needs;
    auto gaps = needs.gaps;
    gaps.insert(gaps.end(), needs.volume_gaps.begin(), needs.volume_gaps.end());
    const std::string needed = "another node that the target pod may run on";
    std::vector<std::string> candidates;
    std::vector<std::string> refused;
    for (const auto& node : nodes.items) {
        if (node.meta.name == question.judged.node) continue;
        const auto obstacles = why_not(node, needs, question.now());
        if (obstacles.empty()) {
            candidates.push_back(node.meta.name);
        } else {
            refused.push_back(node.meta.name + " " + join(obstacles));
        }
    }
    const bool enough = candidates.size() >= nodes_needed(question.judged);
    if (enough && !gaps.empty()) {
        return {unknown(question.machine(), needed, gaps)};
    }
    if (enough) {
        return {passed(question.machine(),
                       count_of(candidates.size(), "candidate") + ": " + join(candidates))};
    }
    // Of an incomplete list the refusals are facts, but another node may still suit.
    const bool none_refused = refused.empty() || !candidates.empty();
    if (!candidates.empty()) refused.push_back("only " + join(candidates) + " can take it");
    if (none_refused && !nodes.complete) {
        return {unknown(question.machine(), needed, {nodes.gap_or("nodes")})};
    }
    return {warned(question.machine(),
                   refused.empty() ? "there is no other node" : join(refused, "; "), needed,
                   "the target pod stays unschedulable for five minutes, and the migration fails",
                   {"mend what keeps one of the nodes away, or relax the VM's nodeSelector and "
                    "affinity",
                    {"kubectl get nodes -o wide"}})};
}

std::vector<Finding> check_heartbeat(const Question& question) {
    const std::string needed = "a heartbeat of virt-handler within 5 minutes";
    if (const auto finding = unless_running(question, needed)) return {*finding};
    const Subject subject{"Node", "", question.judged.node};
    if (!question.now()) return {skipped(subject, "files do not tell the time")};
    const auto* node = question.snapshot.nodes.find("", question.judged.node);
    if (node == nullptr) {
        return {unknown(subject, needed,
                        {question.snapshot.nodes.gap_or("nodes/" + question.judged.node)})};
    }
    if (!node->heartbeat) {
        return {warned(subject, "the node has no heartbeat annotation", needed,
                       "no virt-handler has reported from this node",
                       {"look whether virt-handler runs there",
                        {"kubectl get pods -A -l kubevirt.io=virt-handler -o wide"}})};
    }
    // Some tools write the year 1 for "never"; so long ago does not fit the nanoseconds below.
    constexpr std::chrono::seconds longest = std::chrono::years(100);
    const auto age = std::clamp(*question.now() - *node->heartbeat, -longest, longest);
    const auto seen = "last heartbeat " + kubeclient::human_duration(age) + " ago";
    if (age <= heartbeat_limit) return {passed(subject, seen)};
    return {warned(subject, seen, needed,
                   "what KubeVirt reports of this VM may be out of date, and a migration does not "
                   "start without the source's virt-handler",
                   {"look at the virt-handler pod of node " + question.judged.node,
                    {"kubectl get pods -A -l kubevirt.io=virt-handler -o wide"}})};
}

constexpr std::array<Check, 2> rows{{
    {"NODE-001", "candidate-nodes", "A node can take the target pod", Severity::warning,
     "Tests every other node against what the target pod asks: Ready, not cordoned, virt-handler "
     "alive, nodeSelector, required node affinity, taints, the nodes that can reach the volumes, "
     "huge pages. Not looked at: free CPU, memory and devices, affinity between pods, spread.",
     "KubeVirt itself never looks: the migration is accepted and then waits for a node that never "
     "comes.",
     "Mend what keeps one of the nodes away.",
     "kubevirt pkg/virt-controller/services/nodeselectorrenderer.go; kube-scheduler",
     check_candidates},
    {"NODE-002", "handler-alive", "virt-handler of the source node is alive", Severity::warning,
     "Looks at the age of the annotation kubevirt.io/heartbeat of the node that runs the VM.",
     "Conditions are written by that virt-handler: when it is silent they may be out of date.",
     "Look at the virt-handler pod.", "kubevirt pkg/virt-controller/watch/node/node.go",
     check_heartbeat},
}};

}  // namespace

std::span<const Check> node_checks() {
    return rows;
}

}  // namespace preflight
