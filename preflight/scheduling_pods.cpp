// What the pods on the nodes mean for another one: room, ports, spread, affinity. Sources: plugins
// noderesources/fit.go, nodeports, podtopologyspread, interpodaffinity.
#include <algorithm>

#include "preflight/scheduling_filters.hpp"

namespace preflight {
namespace {

using facts::PodAffinityTerm;
using facts::SchedulerPod;
using facts::SpreadConstraint;

std::int64_t amount(const facts::Amounts& amounts, const std::string& name) {
    const auto found = amounts.find(name);
    return found == amounts.end() ? 0 : found->second;
}

// Whether the term, written on another pod, speaks of this one.
bool speaks_of(const PodAffinityTerm& term, const SchedulerPod& pod,
               const facts::SchedulerView& view) {
    if (!term.namespaces.contains(pod.meta.ns)) {
        const auto ns = view.namespaces.find(pod.meta.ns);
        if (!matches(term.ns_selector,
                     ns == view.namespaces.end() ? facts::Labels{} : ns->second)) {
            return false;
        }
    }
    return matches(term.pods, pod.meta.labels);
}

bool all_speak_of(const std::vector<PodAffinityTerm>& terms, const SchedulerPod& pod,
                  const facts::SchedulerView& view) {
    return !terms.empty() && std::all_of(terms.begin(), terms.end(), [&](const auto& term) {
        return speaks_of(term, pod, view);
    });
}

void count(TopologyCounts& counts, const facts::Node& node, const std::string& key) {
    const auto label = node.meta.labels.find(key);
    if (label != node.meta.labels.end()) ++counts[{key, label->second}];
}

void count_affinity(Cycle& cycle) {
    const auto& view = cycle.view;
    const auto& pod = cycle.pod;
    for (const auto& key : view.anti_affine) {
        if (cycle.victims.contains(key)) continue;
        const auto& other = view.pods.at(key);
        const auto& node = view.nodes.at(other.node).node;
        if (!node) continue;
        for (const auto& term : other.anti_affinity) {
            if (speaks_of(term, pod, view)) {
                count(cycle.existing_anti_affinity, *node, term.topology_key);
            }
        }
    }
    if (pod.affinity.empty() && pod.anti_affinity.empty()) return;
    each_assigned(cycle, [&](const SchedulerPod& other, const facts::Node& node) {
        if (all_speak_of(pod.affinity, other, view)) {
            for (const auto& term : pod.affinity) {
                count(cycle.affinity, node, term.topology_key);
            }
        }
        for (const auto& term : pod.anti_affinity) {
            if (speaks_of(term, other, view)) {
                count(cycle.anti_affinity, node, term.topology_key);
            }
        }
    });
}

// Whether the node's pods and domain count for this constraint.
bool included(const SpreadConstraint& constraint, const SchedulerPod& pod,
              const facts::Node& node) {
    const bool has_keys = std::all_of(
        pod.spread.begin(), pod.spread.end(),
        [&](const SpreadConstraint& each) { return node.meta.labels.contains(each.topology_key); });
    if (!has_keys) return false;
    if (constraint.honors_affinity && !node_affinity_matches(pod, node)) return false;
    return !constraint.honors_taints || !has_untolerated_taint(pod, node);
}

void count_spread(Cycle& cycle) {
    const auto& constraints = cycle.pod.spread;
    if (constraints.empty()) return;
    cycle.spread.resize(constraints.size());
    for (std::size_t i = 0; i < constraints.size(); ++i) {
        const auto& constraint = constraints[i];
        for (const auto& [name, state] : cycle.view.nodes) {
            if (!state.node || !included(constraint, cycle.pod, *state.node)) continue;
            const auto& domain = state.node->meta.labels.at(constraint.topology_key);
            auto& sum = cycle.spread[i][domain];
            // A selector without requirements counts no pod, though it matches all.
            if (!constraint.pods || constraint.pods->empty()) continue;
            for (const auto& key : state.pods) {
                const auto& other = cycle.view.pods.at(key);
                const bool counts = !other.meta.deleting && other.meta.ns == cycle.pod.meta.ns &&
                                    !cycle.victims.contains(key);
                if (counts && matches(constraint.pods, other.meta.labels)) ++sum;
            }
        }
    }
}

bool conflict(const facts::HostPort& a, const facts::HostPort& b) {
    constexpr auto all = "0.0.0.0";
    return a.port == b.port && a.protocol == b.protocol &&
           (a.ip == b.ip || a.ip == all || b.ip == all);
}

bool has_affine_pods(const Cycle& cycle, const facts::Labels& labels) {
    const auto& terms = cycle.pod.affinity;
    const bool has_keys = std::all_of(terms.begin(), terms.end(), [&](const auto& term) {
        return labels.contains(term.topology_key);
    });
    if (!has_keys) return false;
    const bool found = std::all_of(terms.begin(), terms.end(), [&](const auto& term) {
        return cycle.affinity.contains({term.topology_key, labels.at(term.topology_key)});
    });
    // The first of a group that wants to be together: nobody is there yet.
    return found || (cycle.affinity.empty() && all_speak_of(terms, cycle.pod, cycle.view));
}

}  // namespace

void count_pods(Cycle& cycle) {
    count_affinity(cycle);
    count_spread(cycle);
}

NodeVerdict filter_ports(const Cycle& cycle, const Offer& offer) {
    if (cycle.pod.ports.empty()) return {};
    for (const auto& key : offer.state.pods) {
        if (cycle.victims.contains(key)) continue;
        for (const auto& used : cycle.view.pods.at(key).ports) {
            for (const auto& wanted : cycle.pod.ports) {
                if (!conflict(used, wanted)) continue;
                return {{"node(s) didn't have free ports for the requested pod ports"}, true};
            }
        }
    }
    return {};
}

NodeVerdict filter_resources(const Cycle& cycle, const Offer& offer) {
    NodeVerdict verdict{{}, true};
    auto pods = static_cast<std::int64_t>(offer.state.pods.size());
    facts::Amounts freed;
    for (const auto& key : cycle.victims) {
        if (!offer.state.pods.contains(key)) continue;
        --pods;
        for (const auto& [name, used] : cycle.view.pods.at(key).requests) freed[name] += used;
    }
    if (pods + 1 > amount(offer.state.allocatable, "pods")) {
        verdict.reasons.emplace_back("Too many pods");
    }
    // cpu, memory and ephemeral-storage come first; the others in any order, here by name.
    static const std::vector<std::string> first{"cpu", "memory", "ephemeral-storage"};
    const auto check = [&](const std::string& name, std::int64_t wanted) {
        const auto all = amount(offer.state.allocatable, name);
        const auto used = amount(offer.state.requested, name) - amount(freed, name);
        if (wanted <= 0 || wanted <= all - used) return;
        verdict.reasons.push_back("Insufficient " + name);
        if (wanted > all) verdict.preemption_may_help = false;
    };
    for (const auto& name : first) check(name, amount(cycle.pod.requests, name));
    for (const auto& [name, wanted] : cycle.pod.requests) {
        if (std::find(first.begin(), first.end(), name) == first.end()) check(name, wanted);
    }
    return verdict;
}

NodeVerdict filter_spread(const Cycle& cycle, const Offer& offer) {
    const std::string refusal = "node(s) didn't match pod topology spread constraints";
    for (std::size_t i = 0; i < cycle.spread.size(); ++i) {
        const auto& constraint = cycle.pod.spread[i];
        const auto domain = offer.node.meta.labels.find(constraint.topology_key);
        if (domain == offer.node.meta.labels.end()) {
            return {{refusal + " (missing required label)"}};
        }
        const auto& counts = cycle.spread[i];
        std::int64_t least = 0;
        if (static_cast<std::int64_t>(counts.size()) >= constraint.min_domains) {
            const auto smaller = [](const auto& a, const auto& b) { return a.second < b.second; };
            least = std::min_element(counts.begin(), counts.end(), smaller)->second;
        }
        const auto here = counts.find(domain->second);
        const auto skew = (here == counts.end() ? 0 : here->second) +
                          (matches(constraint.pods, cycle.pod.meta.labels) ? 1 : 0) - least;
        if (skew > constraint.max_skew) return {{refusal}, true};
    }
    return {};
}

NodeVerdict filter_pod_affinity(const Cycle& cycle, const Offer& offer) {
    const auto& labels = offer.node.meta.labels;
    if (!has_affine_pods(cycle, labels)) return {{"node(s) didn't match pod affinity rules"}};
    for (const auto& term : cycle.pod.anti_affinity) {
        const auto label = labels.find(term.topology_key);
        if (label != labels.end() &&
            cycle.anti_affinity.contains({term.topology_key, label->second})) {
            return {{"node(s) didn't match pod anti-affinity rules"}, true};
        }
    }
    for (const auto& [pair, pods] : cycle.existing_anti_affinity) {
        const auto label = labels.find(pair.first);
        if (label != labels.end() && label->second == pair.second) {
            return {{"node(s) didn't satisfy existing pods anti-affinity rules"}, true};
        }
    }
    return {};
}

}  // namespace preflight
