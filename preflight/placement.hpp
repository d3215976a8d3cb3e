// Which nodes the target pod may run on, and for every other node why not: labels, affinity,
// taints, node state, and where the volumes can be reached. Free capacity is not counted. Pure.
//
// Source: kubevirt pkg/virt-controller/services/nodeselectorrenderer.go and
// watch/migration/migration.go (prepareNodeSelectorForHostCpuModel), v1.9; Kubernetes scheduler
// plugins nodeaffinity, tainttoleration, nodeunschedulable, volumebinding.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "preflight/judged.hpp"

namespace preflight {

// What the target pod asks of a node.
struct TargetNeeds {
    facts::Placement placement{};
    std::vector<std::string> absent_labels{};               // the node must not have them
    std::vector<const facts::PersistentVolume*> volumes{};  // those pinned to some nodes
    std::string hugepages{};  // resource, "hugepages-1Gi"; empty: none
    std::int64_t hugepages_bytes = 0;
    std::vector<std::string> gaps{};         // what could not be read and may ask more
    std::vector<std::string> volume_gaps{};  // the same of where the volumes can be reached
};

TargetNeeds target_needs(const facts::Snapshot& snapshot, const Judged& judged);

// How many nodes have to suit: for a stopped VM one of them will be the source.
std::size_t nodes_needed(const Judged& judged);

// Why the node cannot take the target pod, most telling first; empty: it can. `now` is nullopt
// when the age of a heartbeat cannot be told.
std::vector<std::string> why_not(const facts::Node& node, const TargetNeeds& needs,
                                 std::optional<std::chrono::sys_seconds> now);

// All of them hold, as in a label selector.
bool labels_match(const std::vector<facts::Requirement>& requirements, const facts::Labels& labels);
bool term_matches(const facts::NodeTerm& term, const facts::Node& node);
bool tolerated(const facts::Taint& taint, const std::vector<facts::Toleration>& tolerations);

// The launcher pod of the VMI on the node that runs it; nullptr when it was not read.
const facts::Pod* source_launcher(const Judged& judged);

// virt-controller takes a node out of service when its virt-handler is silent for this long
// (pkg/virt-controller/watch/node/node.go).
inline constexpr std::chrono::minutes heartbeat_limit{5};

}  // namespace preflight
