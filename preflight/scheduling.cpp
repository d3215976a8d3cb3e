#include "preflight/scheduling.hpp"

#include <algorithm>

#include "preflight/placement.hpp"
#include "preflight/scheduling_filters.hpp"

namespace preflight {
namespace {

using facts::Amounts;

// Of those that a term names by matchFields, or nullopt for all. Empty: the terms contradict each
// other. Source: plugins/nodeaffinity PreFilter.
std::optional<std::set<std::string>> named_nodes(const facts::SchedulerPod& pod) {
    const auto& terms = pod.placement.required_terms;
    if (!terms || terms->empty()) return std::nullopt;
    std::set<std::string> names;
    for (const auto& term : *terms) {
        std::optional<std::set<std::string>> named;
        for (const auto& field : term.fields) {
            if (field.key != "metadata.name" || field.op != "In") continue;
            std::set<std::string> values(field.values.begin(), field.values.end());
            if (named)
                std::erase_if(values, [&](const auto& name) { return !named->contains(name); });
            named = std::move(values);
        }
        if (!named) return std::nullopt;
        names.merge(*named);
    }
    return names;
}

NodeVerdict filter_node(const facts::SchedulerPod& pod, const facts::Node& node) {
    const facts::Taint cordon{"node.kubernetes.io/unschedulable", "", "NoSchedule"};
    if (node.cordoned && !tolerated(cordon, pod.placement.tolerations)) {
        return {{"node(s) were unschedulable"}};
    }
    if (has_untolerated_taint(pod, node)) return {{"node(s) had untolerated taint(s)"}};
    if (!node_affinity_matches(pod, node)) {
        return {{"node(s) didn't match Pod's node affinity/selector"}};
    }
    return {};
}

void add(Amounts& sums, const Amounts& amounts, int sign) {
    for (const auto& [name, amount] : amounts) sums[name] += sign * amount;
}

double share(const facts::SchedulerNode& state, const std::string& name) {
    const auto all = state.allocatable.find(name);
    const auto used = state.requested.find(name);
    if (all == state.allocatable.end() || all->second <= 0) return 1;
    if (used == state.requested.end()) return 0;
    return static_cast<double>(used->second) / static_cast<double>(all->second);
}

}  // namespace

bool matches(const facts::LabelSelector& selector, const facts::Labels& labels) {
    return selector && labels_match(*selector, labels);
}

bool node_affinity_matches(const facts::SchedulerPod& pod, const facts::Node& node) {
    const auto& labels = node.meta.labels;
    for (const auto& [name, value] : pod.placement.node_selector) {
        const auto label = labels.find(name);
        if (label == labels.end() || label->second != value) return false;
    }
    const auto& terms = pod.placement.required_terms;
    return !terms || std::any_of(terms->begin(), terms->end(),
                                 [&](const auto& term) { return term_matches(term, node); });
}

bool has_untolerated_taint(const facts::SchedulerPod& pod, const facts::Node& node) {
    return std::any_of(node.taints.begin(), node.taints.end(), [&](const facts::Taint& taint) {
        return taint.effect != "PreferNoSchedule" && !tolerated(taint, pod.placement.tolerations);
    });
}

Cycle begin_cycle(const facts::SchedulerView& view, const facts::SchedulerPod& pod,
                  const Victims& victims) {
    Cycle cycle{view, pod, victims};
    count_pods(cycle);
    look_for_claims_in_use(cycle);
    return cycle;
}

NodeVerdict filter(const Cycle& cycle, const Offer& offer) {
    auto verdict = filter_node(cycle.pod, offer.node);
    if (!verdict.fits()) return verdict;
    for (const auto step : {filter_ports, filter_resources}) {
        verdict = step(cycle, offer);
        if (!verdict.fits()) return verdict;
    }
    if (cycle.claim_in_use) {
        return {{"node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access "
                 "mode already in-use by another pod"},
                true};
    }
    for (const auto step : {filter_volume_limits, filter_volume_binding, filter_volume_zone,
                            filter_spread, filter_pod_affinity}) {
        verdict = step(cycle, offer);
        if (!verdict.fits()) return verdict;
    }
    return {};
}

Placing place(const facts::SchedulerView& view, const facts::SchedulerPod& pod) {
    Placing placing;
    const auto named = named_nodes(pod);
    if (named && named->empty()) {
        placing.refused = "pod affinity terms conflict";
        return placing;
    }
    placing.refused = refuse_for_volumes(view, pod);
    if (!placing.refused.empty()) return placing;
    if (named) placing.elsewhere = "node(s) didn't satisfy plugin(s) [NodeAffinity]";
    const Victims none;
    const Cycle cycle = begin_cycle(view, pod, none);
    for (const auto& [name, state] : view.nodes) {
        if (!state.node || (named && !named->contains(name))) continue;
        placing.nodes.emplace(name, filter(cycle, {*state.node, state}));
    }
    return placing;
}

std::vector<std::string> Placing::fitting() const {
    std::vector<std::string> names;
    for (const auto& [name, verdict] : nodes) {
        if (verdict.fits()) names.push_back(name);
    }
    return names;
}

std::string choose_node(const facts::SchedulerView& view, const Placing& placing) {
    std::string best;
    double least = 0;
    for (const auto& name : placing.fitting()) {
        const auto& state = view.nodes.at(name);
        const double used = share(state, "cpu") + share(state, "memory");
        if (!best.empty() && used >= least) continue;
        best = name;
        least = used;
    }
    return best;
}

void put_pod(facts::SchedulerView& view, facts::SchedulerPod pod) {
    const auto key = pod.key();
    remove_pod(view, key);
    if (!pod.node.empty()) {
        auto& state = view.nodes[pod.node];
        add(state.requested, pod.requests, 1);
        state.pods.insert(key);
        if (!pod.anti_affinity.empty()) view.anti_affine.insert(key);
    }
    view.pods.emplace(key, std::move(pod));
}

void remove_pod(facts::SchedulerView& view, const facts::NamespacedName& key) {
    const auto found = view.pods.find(key);
    if (found == view.pods.end()) return;
    const auto& pod = found->second;
    if (!pod.node.empty()) {
        auto& state = view.nodes[pod.node];
        add(state.requested, pod.requests, -1);
        state.pods.erase(key);
        view.anti_affine.erase(key);
        if (!state.node && state.pods.empty()) view.nodes.erase(pod.node);
    }
    view.pods.erase(found);
}

void put_node(facts::SchedulerView& view, facts::Node node, facts::Amounts allocatable) {
    auto& state = view.nodes[node.meta.name];
    state.node = std::move(node);
    state.allocatable = std::move(allocatable);
}

void remove_node(facts::SchedulerView& view, const std::string& name) {
    const auto found = view.nodes.find(name);
    if (found == view.nodes.end()) return;
    found->second.node.reset();
    if (found->second.pods.empty()) view.nodes.erase(found);
}

}  // namespace preflight
