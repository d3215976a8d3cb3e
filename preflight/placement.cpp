#include "preflight/placement.hpp"

#include <algorithm>
#include <charconv>

namespace preflight {
namespace {

using facts::Labels;

constexpr std::string_view migration_model = "cpu-model-migration.node.kubevirt.io/";
constexpr std::string_view cpu_model = "cpu-model.node.kubevirt.io/";
constexpr std::string_view cpu_feature = "cpu-feature.node.kubevirt.io/";
constexpr std::string_view cpu_vendor = "cpu-vendor.node.kubevirt.io/";
constexpr std::string_view host_model = "host-model-cpu.node.kubevirt.io/";
constexpr std::string_view host_feature = "host-model-required-features.node.kubevirt.io/";
constexpr std::string_view machine_type = "machine-type.node.kubevirt.io/";
constexpr std::string_view tsc_frequency = "scheduling.node.kubevirt.io/tsc-frequency-";
constexpr auto obsolete_host_model = "node-labeller.kubevirt.io/obsolete-host-model";
constexpr auto schedulable = "kubevirt.io/schedulable";

bool has_prefix(const Labels& labels, std::string_view prefix) {
    const auto found = labels.lower_bound(std::string(prefix));
    return found != labels.end() && found->first.starts_with(prefix);
}

std::string key(std::string_view prefix, std::string_view name) {
    return std::string(prefix).append(name);
}

std::optional<long long> number(const std::string& text) {
    long long value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = problem == std::errc{} && end == text.data() + text.size();
    return whole ? std::optional(value) : std::nullopt;
}

bool compare(const facts::Requirement& requirement, const std::string& value) {
    if (requirement.values.size() != 1) return false;
    const auto left = number(value);
    const auto right = number(requirement.values.front());
    if (!left || !right) return false;
    return requirement.op == "Gt" ? *left > *right : *left < *right;
}

bool holds(const facts::Requirement& requirement, const std::string* value) {
    const auto& wanted = requirement.values;
    const bool listed =
        value != nullptr && std::find(wanted.begin(), wanted.end(), *value) != wanted.end();
    if (requirement.op == "In") return listed;
    if (requirement.op == "NotIn") return !listed;
    if (requirement.op == "Exists") return value != nullptr;
    if (requirement.op == "DoesNotExist") return value == nullptr;
    const bool ordered = requirement.op == "Gt" || requirement.op == "Lt";
    return ordered && value != nullptr && compare(requirement, *value);
}

// An earlier migration's addedNodeSelector is in the selector of its target pod, and of no later
// one (kubevirt pkg/virt-controller/watch/migration/migration.go, createTargetPod, v1.9): only what
// the guest, the KubeVirt CR and KubeVirt itself select comes again.
void drop_added(Labels& selector, const facts::Guest& guest, const facts::KubeVirt& kubevirt) {
    std::erase_if(selector, [&](const auto& label) {
        const auto domain = label.first.substr(0, label.first.find('/'));
        const bool own = domain == "kubevirt.io" || domain.ends_with(".kubevirt.io") ||
                         label.first == "kubernetes.io/arch";
        return !own && guest.placement.node_selector.count(label.first) == 0 &&
               kubevirt.node_selectors.count(label.first) == 0;
    });
}

// What a launcher pod of this guest selects, where there is no pod to read it from.
Labels selector_of_guest(const Judged& judged, const facts::KubeVirt* kubevirt) {
    const auto& guest = judged.guest;
    Labels selector{{schedulable, "true"}};
    if (!guest.architecture.empty()) selector["kubernetes.io/arch"] = guest.architecture;
    if (kubevirt != nullptr) {
        for (const auto& [name, value] : kubevirt->node_selectors) selector[name] = value;
    }
    for (const auto& [name, value] : guest.placement.node_selector) selector[name] = value;
    if (guest.cpu) {
        const auto& cpu = *guest.cpu;
        if (cpu.dedicated) selector["kubevirt.io/cpumanager"] = "true";
        if (cpu.realtime) selector["kubevirt.io/realtime"] = "true";
        const bool named = !cpu.model.empty() && !cpu.model.starts_with("host-");
        if (named) selector[key(cpu_model, cpu.model)] = "true";
        for (const auto& feature : cpu.features) {
            const bool required = feature.policy.empty() || feature.policy == "require";
            if (required && !cpu.model.empty()) selector[key(cpu_feature, feature.name)] = "true";
        }
    }
    return selector;
}

// The first migration of a host-model guest pins it to the source node's model and features; later
// ones keep what the source pod already selects.
void add_host_model(Labels& selector, const Judged& judged, const facts::Node* source) {
    const bool host_model_guest = judged.guest.cpu && judged.guest.cpu->model == "host-model";
    if (source == nullptr) return;
    const auto& labels = source->meta.labels;
    if (host_model_guest && !has_prefix(selector, migration_model)) {
        for (const auto& [name, value] : labels) {
            if (name.starts_with(host_model)) {
                selector[key(migration_model, name.substr(host_model.size()))] = value;
            } else if (name.starts_with(host_feature)) {
                selector[key(cpu_feature, name.substr(host_feature.size()))] = value;
            }
        }
    }
    if (has_prefix(selector, cpu_vendor)) return;
    const auto vendor = labels.lower_bound(std::string(cpu_vendor));
    if (vendor != labels.end() && vendor->first.starts_with(cpu_vendor)) {
        selector[vendor->first] = vendor->second;
    }
}

template <class T>
void add_gap(std::vector<std::string>& gaps, const facts::Reading<T>& reading,
             const std::string& resource) {
    const auto gap = reading.gap_or(resource);
    if (std::find(gaps.begin(), gaps.end(), gap) == gaps.end()) {
        gaps.push_back(gap);
    }
}

// Older releases label no node with these, and then select none.
void add_if_nodes_have(Labels& selector, const facts::Snapshot& snapshot, std::string_view prefix,
                       const std::string& name) {
    const bool labelled =
        std::any_of(snapshot.nodes.items.begin(), snapshot.nodes.items.end(),
                    [&](const auto& node) { return has_prefix(node.meta.labels, prefix); });
    if (labelled) selector[key(prefix, name)] = "true";
}

void add_machine(Labels& selector, const facts::Snapshot& snapshot, const Judged& judged) {
    const bool reported = judged.vmi != nullptr && !judged.vmi->machine.empty();
    const auto& machine = reported ? judged.vmi->machine : judged.guest.machine;
    if (!machine.empty()) add_if_nodes_have(selector, snapshot, machine_type, machine);
    if (judged.running() && judged.tsc_frequency.value_or(0) > 0) {
        add_if_nodes_have(selector, snapshot, tsc_frequency, std::to_string(*judged.tsc_frequency));
    }
}

void add_volumes(TargetNeeds& needs, const facts::Snapshot& snapshot, const Judged& judged) {
    for (const auto& volume : judged.guest.volumes) {
        if (volume.claim.empty()) continue;
        const auto* claim = snapshot.claims.find(judged.meta.ns, volume.claim);
        if (claim == nullptr) {
            if (!snapshot.claims.complete)
                add_gap(needs.volume_gaps, snapshot.claims, "persistentvolumeclaims");
            continue;
        }
        if (claim->volume.empty()) continue;
        const auto* bound = snapshot.volumes.find("", claim->volume);
        if (bound == nullptr) {
            add_gap(needs.volume_gaps, snapshot.volumes, "persistentvolumes");
        } else if (bound->node_terms) {
            needs.volumes.push_back(bound);
        }
    }
}

std::vector<std::string> label_obstacles(const facts::Node& node, const TargetNeeds& needs) {
    std::vector<std::string> obstacles;
    for (const auto& [name, value] : needs.placement.node_selector) {
        const auto label = node.meta.labels.find(name);
        if (label == node.meta.labels.end()) {
            obstacles.push_back("lacks label " + name);
        } else if (label->second != value) {
            obstacles.push_back("has " + name + "=" + label->second + ", not " + value);
        }
    }
    for (const auto& name : needs.absent_labels) {
        if (node.meta.labels.contains(name)) obstacles.push_back("has label " + name);
    }
    return obstacles;
}

}  // namespace

bool labels_match(const std::vector<facts::Requirement>& requirements, const Labels& labels) {
    return std::all_of(requirements.begin(), requirements.end(), [&](const auto& requirement) {
        const auto label = labels.find(requirement.key);
        return holds(requirement, label == labels.end() ? nullptr : &label->second);
    });
}

bool term_matches(const facts::NodeTerm& term, const facts::Node& node) {
    if (term.labels.empty() && term.fields.empty()) return false;
    return labels_match(term.labels, node.meta.labels) &&
           std::all_of(term.fields.begin(), term.fields.end(), [&](const auto& requirement) {
               return requirement.key == "metadata.name" && holds(requirement, &node.meta.name);
           });
}

bool tolerated(const facts::Taint& taint, const std::vector<facts::Toleration>& tolerations) {
    return std::any_of(tolerations.begin(), tolerations.end(), [&](const auto& toleration) {
        if (!toleration.effect.empty() && toleration.effect != taint.effect) return false;
        if (toleration.op == "Exists") {
            return toleration.key.empty() || toleration.key == taint.key;
        }
        return toleration.key == taint.key && toleration.value == taint.value;
    });
}

const facts::Pod* source_launcher(const Judged& judged) {
    const auto found = std::find_if(judged.launchers.begin(), judged.launchers.end(),
                                    [&](const auto* pod) { return pod->node == judged.node; });
    return found == judged.launchers.end() ? nullptr : *found;
}

TargetNeeds target_needs(const facts::Snapshot& snapshot, const Judged& judged) {
    TargetNeeds needs;
    needs.placement = judged.guest.placement;
    const auto* launcher = source_launcher(judged);
    const auto* kubevirt = kubevirt_of(snapshot);
    if (launcher != nullptr) {
        needs.placement = launcher->placement;
        const bool was_target = launcher->meta.labels.count("kubevirt.io/migrationJobUID") != 0;
        if (was_target && kubevirt != nullptr) {
            drop_added(needs.placement.node_selector, judged.guest, *kubevirt);
        } else if (was_target) {
            add_gap(needs.gaps, snapshot.kubevirts, "kubevirts.kubevirt.io");
        }
    } else {
        needs.placement.node_selector = selector_of_guest(judged, kubevirt);
        add_machine(needs.placement.node_selector, snapshot, judged);
        if (kubevirt == nullptr) add_gap(needs.gaps, snapshot.kubevirts, "kubevirts.kubevirt.io");
    }
    const auto* source = snapshot.nodes.find("", judged.node);
    if (judged.running()) {
        add_host_model(needs.placement.node_selector, judged, source);
        // The first migration takes model and vendor from the source node; its pod keeps both.
        const bool pinned = has_prefix(needs.placement.node_selector, cpu_vendor);
        if (source == nullptr && !pinned && !judged.node.empty()) {
            add_gap(needs.gaps, snapshot.nodes, "nodes/" + judged.node);
        }
    }
    const auto& cpu = judged.guest.cpu;
    if (!cpu || cpu->model.empty() || cpu->model == "host-model") {
        needs.absent_labels.emplace_back(obsolete_host_model);
    }
    if (cpu) {
        for (const auto& feature : cpu->features) {
            if (feature.policy == "forbid") {
                needs.absent_labels.push_back(key(cpu_feature, feature.name));
            }
        }
    }
    add_volumes(needs, snapshot, judged);
    if (!judged.guest.hugepages.empty()) {
        needs.hugepages = "hugepages-" + judged.guest.hugepages;
        const auto request = judged.guest.memory_request;
        const auto memory = judged.guest.memory_guest;
        needs.hugepages_bytes =
            std::min(request.value_or(memory.value_or(0)), memory.value_or(request.value_or(0)));
    }
    return needs;
}

std::size_t nodes_needed(const Judged& judged) {
    return judged.running() ? 1 : 2;
}

std::vector<std::string> why_not(const facts::Node& node, const TargetNeeds& needs,
                                 std::optional<std::chrono::sys_seconds> now) {
    std::vector<std::string> obstacles;
    if (!node.ready) obstacles.emplace_back("is not Ready");
    if (node.cordoned) obstacles.emplace_back("is cordoned");
    const bool silent = now && node.heartbeat && *now - *node.heartbeat > heartbeat_limit;
    if (silent) obstacles.emplace_back("virt-handler is silent for more than 5 minutes");
    auto labels = label_obstacles(node, needs);
    obstacles.insert(obstacles.end(), labels.begin(), labels.end());
    for (const auto& taint : node.taints) {
        const bool keeps_away = taint.effect == "NoSchedule" || taint.effect == "NoExecute";
        // The cordon's own taint is told above.
        const bool cordon = taint.key == "node.kubernetes.io/unschedulable";
        if (keeps_away && !cordon && !tolerated(taint, needs.placement.tolerations)) {
            obstacles.push_back("has taint " + taint.key + ":" + taint.effect);
        }
    }
    const auto reachable = [&](const std::vector<facts::NodeTerm>& terms) {
        return std::any_of(terms.begin(), terms.end(),
                           [&](const auto& term) { return term_matches(term, node); });
    };
    if (needs.placement.required_terms && !reachable(*needs.placement.required_terms)) {
        obstacles.emplace_back("does not match the required node affinity");
    }
    for (const auto* volume : needs.volumes) {
        if (!reachable(*volume->node_terms)) {
            obstacles.push_back("cannot reach volume " + volume->meta.name);
        }
    }
    if (!needs.hugepages.empty()) {
        const auto pages = node.allocatable.find(needs.hugepages);
        if (pages == node.allocatable.end() || pages->second < needs.hugepages_bytes) {
            obstacles.push_back("has too few " + needs.hugepages);
        }
    }
    return obstacles;
}

}  // namespace preflight
