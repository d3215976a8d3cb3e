// The filters of the scheduler one by one; for scheduling*.cpp only.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "preflight/scheduling.hpp"

namespace preflight {

// Pods counted as gone, to see whether preempting them would help.
using Victims = std::set<facts::NamespacedName>;

using TopologyPair = std::pair<std::string, std::string>;
using TopologyCounts = std::map<TopologyPair, std::int64_t>;

// What PreFilter finds out once for all nodes.
struct Cycle {
    const facts::SchedulerView& view;
    const facts::SchedulerPod& pod;
    const Victims& victims;
    TopologyCounts existing_anti_affinity{};
    TopologyCounts affinity{};
    TopologyCounts anti_affinity{};
    std::vector<std::map<std::string, std::int64_t>> spread{};  // pods by domain, per constraint
    bool claim_in_use = false;  // a ReadWriteOncePod claim that another pod holds
};

// An assigned node with what it offers.
struct Offer {
    const facts::Node& node;
    const facts::SchedulerNode& state;
};

bool matches(const facts::LabelSelector& selector, const facts::Labels& labels);
bool node_affinity_matches(const facts::SchedulerPod& pod, const facts::Node& node);
bool has_untolerated_taint(const facts::SchedulerPod& pod, const facts::Node& node);

// Calls `use(pod, node)` for every assigned pod that is no victim and whose node is known.
template <class Use>
void each_assigned(const Cycle& cycle, Use use) {
    for (const auto& [key, pod] : cycle.view.pods) {
        if (pod.node.empty() || cycle.victims.contains(key)) continue;
        const auto found = cycle.view.nodes.find(pod.node);
        if (found != cycle.view.nodes.end() && found->second.node) use(pod, *found->second.node);
    }
}

// What every one of these returns: no reasons means no objection.
NodeVerdict filter_resources(const Cycle& cycle, const Offer& offer);
NodeVerdict filter_ports(const Cycle& cycle, const Offer& offer);
NodeVerdict filter_spread(const Cycle& cycle, const Offer& offer);
NodeVerdict filter_pod_affinity(const Cycle& cycle, const Offer& offer);
NodeVerdict filter_volume_limits(const Cycle& cycle, const Offer& offer);
NodeVerdict filter_volume_binding(const Cycle& cycle, const Offer& offer);
NodeVerdict filter_volume_zone(const Cycle& cycle, const Offer& offer);

// Why PreFilter of the volume plugins refuses the pod on every node; empty: it does not.
std::string refuse_for_volumes(const facts::SchedulerView& view, const facts::SchedulerPod& pod);

void count_pods(Cycle& cycle);
void look_for_claims_in_use(Cycle& cycle);

// All filters, in the scheduler's order.
Cycle begin_cycle(const facts::SchedulerView& view, const facts::SchedulerPod& pod,
                  const Victims& victims);
NodeVerdict filter(const Cycle& cycle, const Offer& offer);

}  // namespace preflight
