// What the Kubernetes scheduler decides about a pod, in its own words: its filters in its order,
// with the reasons that FailedScheduling events are made of. Pure.
//
// Source: kubernetes v1.36 pkg/scheduler (schedule_one.go, framework/types.go FitError,
// framework/plugins/*, framework/preemption). Not asked: DynamicResources, in-tree disks of
// VolumeRestrictions, ephemeral volumes, CSIStorageCapacity, extenders.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "facts/scheduling.hpp"

namespace preflight {

struct NodeVerdict {
    std::vector<std::string> reasons{};  // of the first filter that refuses; none: the pod fits
    bool preemption_may_help = false;    // framework.Unschedulable, not …AndUnresolvable

    bool fits() const { return reasons.empty(); }
    bool operator==(const NodeVerdict&) const = default;
};

struct Placing {
    std::string refused{};                       // by PreFilter, for all nodes at once
    std::map<std::string, NodeVerdict> nodes{};  // those that the filters looked at
    std::string elsewhere{};                     // why the other nodes were not looked at

    std::vector<std::string> fitting() const;
    bool operator==(const Placing&) const = default;
};

Placing place(const facts::SchedulerView& view, const facts::SchedulerPod& pod);

// The message of FailedScheduling and of the condition PodScheduled; empty where a node fits.
std::string describe_placing(const facts::SchedulerView& view, const facts::SchedulerPod& pod,
                             const Placing& placing);

// Of the nodes that fit the one with the smallest share of cpu and memory spoken for, the first by
// name among equals. The real scheduler weighs more and draws lots among equals. Empty: none fits.
std::string choose_node(const facts::SchedulerView& view, const Placing& placing);

// What has to happen to the pod's unbound claims before it can run on the node.
struct VolumePlan {
    std::map<std::string, std::string> bindings{};  // claim to volume
    std::vector<std::string> provisions{};          // claims

    bool operator==(const VolumePlan&) const = default;
};
// nullopt: the node cannot have them.
std::optional<VolumePlan> plan_volumes(const facts::SchedulerView& view,
                                       const facts::SchedulerPod& pod, const facts::Node& node);

// Keeping a view up to date. A pod or node of the same name is replaced.
void put_pod(facts::SchedulerView& view, facts::SchedulerPod pod);
void remove_pod(facts::SchedulerView& view, const facts::NamespacedName& key);
void put_node(facts::SchedulerView& view, facts::Node node, facts::Amounts allocatable);
void remove_node(facts::SchedulerView& view, const std::string& name);

}  // namespace preflight
