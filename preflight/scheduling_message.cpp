// The scheduler's words, and whether preemption would help. Sources: framework/types.go FitError,
// framework/preemption/preemption.go, plugins/defaultpreemption, plugins/dynamicresources.
#include <algorithm>

#include "preflight/scheduling_filters.hpp"

namespace preflight {
namespace {

using Histogram = std::map<std::string, std::size_t>;

std::string counted(const Histogram& reasons) {
    std::vector<std::string> texts;
    for (const auto& [reason, nodes] : reasons) {
        if (nodes > 0) texts.push_back(std::to_string(nodes) + " " + reason);
    }
    std::sort(texts.begin(), texts.end());
    std::string joined;
    for (const auto& text : texts) joined += (joined.empty() ? "" : ", ") + text;
    return joined;
}

std::string none_of(std::size_t nodes) {
    return "0/" + std::to_string(nodes) + " nodes are available:";
}

// What keeps the pod from the node when all pods of lower priority there are gone; no reasons:
// nothing, so they are preempted.
NodeVerdict without_victims(const facts::SchedulerView& view, const facts::SchedulerPod& pod,
                            const facts::SchedulerNode& state) {
    Victims victims;
    for (const auto& key : state.pods) {
        if (view.pods.at(key).priority < pod.priority) victims.insert(key);
    }
    if (victims.empty()) return {{"No preemption victims found for incoming pod"}};
    return filter(begin_cycle(view, pod, victims), {*state.node, state});
}

// Empty: some pods are preempted, and then the scheduler says nothing about it.
std::string preemption(const facts::SchedulerView& view, const facts::SchedulerPod& pod,
                       const Placing& placing, std::size_t nodes) {
    if (!pod.preempts) return "preemption: not eligible due to preemptionPolicy=Never.";
    Histogram reasons;
    std::size_t asked = 0;
    for (const auto& [name, verdict] : placing.nodes) {
        if (!verdict.preemption_may_help) continue;
        const auto left = without_victims(view, pod, view.nodes.at(name));
        if (left.fits()) return {};
        ++asked;
        for (const auto& reason : left.reasons) ++reasons[reason];
    }
    reasons["Preemption is not helpful for scheduling"] += nodes - asked;
    return "preemption: " + none_of(nodes) + " " + counted(reasons) + ".";
}

}  // namespace

std::string describe_placing(const facts::SchedulerView& view, const facts::SchedulerPod& pod,
                             const Placing& placing) {
    const auto nodes = static_cast<std::size_t>(std::count_if(
        view.nodes.begin(), view.nodes.end(), [](const auto& entry) { return entry.second.node; }));
    if (nodes == 0) return "no nodes available to schedule pods";
    if (!placing.fitting().empty()) return {};
    // DynamicResources has no state of a pod that PreFilter refused, and says so.
    if (!placing.refused.empty()) return none_of(nodes) + " " + placing.refused + ". not found";
    Histogram reasons;
    for (const auto& [name, verdict] : placing.nodes) {
        for (const auto& reason : verdict.reasons) ++reasons[reason];
    }
    if (!placing.elsewhere.empty()) reasons[placing.elsewhere] += nodes - placing.nodes.size();
    const auto preempted = preemption(view, pod, placing, nodes);
    return none_of(nodes) + " " + counted(reasons) + "." +
           (preempted.empty() ? "" : " no new claims to deallocate, " + preempted);
}

}  // namespace preflight
