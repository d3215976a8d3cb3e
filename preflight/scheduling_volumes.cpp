// Where a pod's volumes let it run. Sources: plugins volumerestrictions, nodevolumelimits/csi.go,
// volumebinding/binder.go, volumezone; component-helpers storage/volume/pv_helpers.go.
#include <algorithm>
#include <array>

#include "preflight/placement.hpp"
#include "preflight/scheduling_filters.hpp"

namespace preflight {
namespace {

using facts::SchedulerClaim;
using facts::SchedulerPod;
using facts::SchedulerView;
using facts::SchedulerVolume;

template <class Map, class Key>
const auto* find(const Map& map, const Key& key) {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : &found->second;
}

bool contains(const std::vector<std::string>& texts, std::string_view text) {
    return std::find(texts.begin(), texts.end(), text) != texts.end();
}

std::string annotation(const facts::Meta& meta, const std::string& name) {
    const auto* value = find(meta.annotations, name);
    return value == nullptr ? "" : *value;
}

bool is_bound(const SchedulerClaim& claim) {
    return !claim.claim.volume.empty() &&
           claim.claim.meta.annotations.contains("pv.kubernetes.io/bind-completed");
}

bool waits_for_pod(const SchedulerClaim& claim, const SchedulerView& view) {
    const auto* storage_class = find(view.classes, claim.claim.storage_class);
    return storage_class != nullptr && storage_class->waits && claim.claim.volume.empty();
}

bool is_reachable(const SchedulerVolume& volume, const facts::Node& node) {
    const auto& terms = volume.volume.node_terms;
    if (!terms) return true;
    // CheckNodeAffinity asks about a node without a name.
    facts::Node labels;
    labels.meta.labels = node.meta.labels;
    return std::any_of(terms->begin(), terms->end(),
                       [&](const auto& term) { return term_matches(term, labels); });
}

std::string mode_of(const std::string& mode) {
    return mode.empty() ? "Filesystem" : mode;
}

bool may_bind(const SchedulerVolume& volume, const SchedulerClaim& claim) {
    const bool free = volume.claim.second.empty();
    const bool reserved =
        volume.claim == facts::NamespacedName{claim.claim.meta.ns, claim.claim.meta.name} &&
        (volume.claim_uid.empty() || volume.claim_uid == claim.claim.meta.uid);
    if ((!free && !reserved) || volume.bytes < claim.bytes || volume.volume.meta.deleting) {
        return false;
    }
    if (mode_of(volume.volume_mode) != mode_of(claim.claim.volume_mode)) return false;
    if (reserved) return true;
    if (volume.phase != "Available" || volume.storage_class != claim.claim.storage_class) {
        return false;
    }
    if (claim.selector && !labels_match(*claim.selector, volume.volume.meta.labels)) return false;
    const auto& modes = claim.claim.access_modes;
    return std::all_of(modes.begin(), modes.end(),
                       [&](const auto& mode) { return contains(volume.access_modes, mode); });
}

// The smallest free volume that the claim could have on this node.
const SchedulerVolume* volume_for(const SchedulerClaim& claim, const SchedulerView& view,
                                  const facts::Node& node, const std::set<std::string>& taken) {
    const SchedulerVolume* best = nullptr;
    for (const auto& [name, volume] : view.volumes) {
        if (taken.contains(name) || !may_bind(volume, claim)) continue;
        if (!volume.claim.second.empty()) return is_reachable(volume, node) ? &volume : nullptr;
        if (!is_reachable(volume, node)) continue;
        if (best == nullptr || volume.bytes < best->bytes) best = &volume;
    }
    return best;
}

bool can_provision(const SchedulerClaim& claim, const SchedulerView& view,
                   const facts::Node& node) {
    const auto* storage_class = find(view.classes, claim.claim.storage_class);
    if (storage_class == nullptr) return false;
    const auto& provisioner = storage_class->storage_class.provisioner;
    if (provisioner.empty() || provisioner == "kubernetes.io/no-provisioner") return false;
    const auto& topologies = storage_class->topologies;
    return topologies.empty() ||
           std::any_of(topologies.begin(), topologies.end(), [&](const auto& requirements) {
               return labels_match(requirements, node.meta.labels);
           });
}

// The CSI driver and handle that a claim is counted under; empty where it is no CSI volume.
std::pair<std::string, std::string> counted_as(const SchedulerClaim& claim,
                                               const SchedulerView& view) {
    const auto* volume = find(view.volumes, claim.claim.volume);
    if (volume != nullptr) {
        if (volume->handle.empty()) return {};
        return {volume->volume.driver, volume->handle};
    }
    const auto* storage_class = find(view.classes, claim.claim.storage_class);
    if (storage_class == nullptr) return {};
    return {storage_class->storage_class.provisioner,
            "unbound " + claim.claim.meta.ns + "/" + claim.claim.meta.name};
}

using CountedVolumes = std::set<std::pair<std::string, std::string>>;

void add_counted(CountedVolumes& counted, const SchedulerPod& pod, const SchedulerView& view) {
    for (const auto& name : pod.claims) {
        const auto* claim = find(view.claims, facts::NamespacedName{pod.meta.ns, name});
        if (claim == nullptr) continue;
        auto volume = counted_as(*claim, view);
        if (!volume.first.empty() && !volume.second.empty()) counted.insert(std::move(volume));
    }
}

constexpr std::array<const char*, 4> topology_labels{
    "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region",
    "topology.kubernetes.io/zone", "topology.kubernetes.io/region"};

std::string stable_name(const std::string& label) {
    if (label == topology_labels[0]) return topology_labels[2];
    if (label == topology_labels[1]) return topology_labels[3];
    return label;
}

// A volume's zone label may list several: "a__b".
bool lists(const std::string& zones, const std::string& zone) {
    std::size_t start = 0;
    while (start <= zones.size()) {
        const auto end = std::min(zones.find("__", start), zones.size());
        if (zones.compare(start, end - start, zone) == 0) return true;
        start = end + 2;
    }
    return false;
}

bool in_zone(const SchedulerVolume& volume, const facts::Labels& node) {
    return std::all_of(topology_labels.begin(), topology_labels.end(), [&](const char* name) {
        const auto* zones = find(volume.volume.meta.labels, name);
        if (zones == nullptr) return true;
        const auto* zone = find(node, name);
        if (zone == nullptr) zone = find(node, stable_name(name));
        return zone != nullptr && lists(*zones, *zone);
    });
}

}  // namespace

std::string refuse_for_volumes(const SchedulerView& view, const SchedulerPod& pod) {
    const auto quoted = [](const std::string& text) { return '"' + text + '"'; };
    std::vector<const SchedulerClaim*> claims;
    for (const auto& name : pod.claims) {
        claims.push_back(find(view.claims, facts::NamespacedName{pod.meta.ns, name}));
        if (claims.back() == nullptr) return "persistentvolumeclaim " + quoted(name) + " not found";
    }
    for (const auto* claim : claims) {
        const auto& meta = claim->claim.meta;
        if (claim->phase == "Lost") {
            return "persistentvolumeclaim " + quoted(meta.name) +
                   " bound to non-existent persistentvolume " + quoted(claim->claim.volume);
        }
        if (meta.deleting) {
            return "persistentvolumeclaim " + quoted(meta.name) + " is being deleted";
        }
    }
    for (const auto* claim : claims) {
        if (!is_bound(*claim) && !waits_for_pod(*claim, view)) {
            return "pod has unbound immediate PersistentVolumeClaims";
        }
    }
    for (const auto* claim : claims) {
        const auto& volume = claim->claim.volume;
        if (!volume.empty() && !view.volumes.contains(volume)) {
            return "persistentvolume " + quoted(volume) + " not found";
        }
    }
    return {};
}

void look_for_claims_in_use(Cycle& cycle) {
    for (const auto& name : cycle.pod.claims) {
        const auto* claim = find(cycle.view.claims, facts::NamespacedName{cycle.pod.meta.ns, name});
        if (claim == nullptr || !contains(claim->claim.access_modes, "ReadWriteOncePod")) continue;
        each_assigned(cycle, [&](const SchedulerPod& other, const facts::Node&) {
            if (other.meta.ns == cycle.pod.meta.ns && contains(other.claims, name)) {
                cycle.claim_in_use = true;
            }
        });
    }
}

NodeVerdict filter_volume_limits(const Cycle& cycle, const Offer& offer) {
    const auto* limits = find(cycle.view.volume_limits, offer.node.meta.name);
    if (limits == nullptr || cycle.pod.claims.empty()) return {};
    CountedVolumes wanted;
    add_counted(wanted, cycle.pod, cycle.view);
    CountedVolumes used;
    for (const auto& key : offer.state.pods) {
        if (!cycle.victims.contains(key)) add_counted(used, cycle.view.pods.at(key), cycle.view);
    }
    for (const auto& volume : used) wanted.erase(volume);
    for (const auto& [name, attachment] : cycle.view.attachments) {
        const auto* volume = find(cycle.view.volumes, attachment.volume);
        if (attachment.node != offer.node.meta.name || volume == nullptr) continue;
        if (!volume->handle.empty()) used.emplace(attachment.driver, volume->handle);
    }
    for (const auto& [driver, limit] : *limits) {
        const auto of_driver = [&, &name = driver](const auto& volume) {
            return volume.first == name;
        };
        const auto more = std::count_if(wanted.begin(), wanted.end(), of_driver);
        const auto now = std::count_if(used.begin(), used.end(), of_driver);
        if (more > 0 && now + more > limit) return {{"node(s) exceed max volume count"}, true};
    }
    return {};
}

std::optional<VolumePlan> plan_volumes(const SchedulerView& view, const SchedulerPod& pod,
                                       const facts::Node& node) {
    std::vector<const SchedulerClaim*> unbound;
    for (const auto& name : pod.claims) {
        const auto* claim = find(view.claims, facts::NamespacedName{pod.meta.ns, name});
        if (claim != nullptr && !is_bound(*claim)) unbound.push_back(claim);
    }
    std::stable_sort(unbound.begin(), unbound.end(),
                     [](const auto* a, const auto* b) { return a->bytes < b->bytes; });
    VolumePlan plan;
    std::set<std::string> taken;
    for (const auto* claim : unbound) {
        const auto& meta = claim->claim.meta;
        const auto selected = annotation(meta, "volume.kubernetes.io/selected-node");
        if (!selected.empty() && selected != node.meta.name) return std::nullopt;
        const auto* volume = selected.empty() ? volume_for(*claim, view, node, taken) : nullptr;
        if (volume != nullptr) {
            taken.insert(volume->volume.meta.name);
            plan.bindings[meta.name] = volume->volume.meta.name;
        } else if (can_provision(*claim, view, node)) {
            plan.provisions.push_back(meta.name);
        } else {
            return std::nullopt;
        }
    }
    return plan;
}

NodeVerdict filter_volume_binding(const Cycle& cycle, const Offer& offer) {
    NodeVerdict verdict;
    for (const auto& name : cycle.pod.claims) {
        const auto* claim = find(cycle.view.claims, facts::NamespacedName{cycle.pod.meta.ns, name});
        if (!is_bound(*claim)) continue;
        if (!is_reachable(cycle.view.volumes.at(claim->claim.volume), offer.node)) {
            verdict.reasons = {"node(s) didn't match PersistentVolume's node affinity"};
        }
    }
    if (!plan_volumes(cycle.view, cycle.pod, offer.node)) {
        verdict.reasons.emplace_back("node(s) didn't find available persistent volumes to bind");
    }
    return verdict;
}

NodeVerdict filter_volume_zone(const Cycle& cycle, const Offer& offer) {
    const auto& labels = offer.node.meta.labels;
    const bool zoned = std::any_of(topology_labels.begin(), topology_labels.end(),
                                   [&](const char* name) { return labels.contains(name); });
    if (!zoned) return {};
    for (const auto& name : cycle.pod.claims) {
        const auto* claim = find(cycle.view.claims, facts::NamespacedName{cycle.pod.meta.ns, name});
        const auto* volume = find(cycle.view.volumes, claim->claim.volume);
        if (volume != nullptr && !in_zone(*volume, labels)) {
            return {{"node(s) had no available volume zone"}};
        }
    }
    return {};
}

}  // namespace preflight
