#include "preflight/decode_scheduling.hpp"

#include <algorithm>

#include "preflight/decode.hpp"
#include "preflight/scheduling.hpp"

namespace preflight {
namespace {

using facts::Amounts;
using kubeclient::Json;

// Extended resources, huge pages and attachable volumes; of the others the scheduler counts cpu,
// memory and ephemeral storage only.
bool is_counted(const std::string& name) {
    if (name == "cpu" || name == "memory" || name == "ephemeral-storage") return true;
    return name.find('/') != std::string::npos || name.starts_with("hugepages-") ||
           name.starts_with("attachable-volumes-");
}

Amounts decode_amounts(const Fields& quantities) {
    Amounts amounts;
    for (const auto& name : quantities.keys()) {
        const auto amount =
            name == "cpu" ? quantities.maybe_milli(name) : quantities.maybe_bytes(name);
        if (amount) amounts[name] = *amount;
    }
    return amounts;
}

void add_to(Amounts& sums, const Amounts& more) {
    for (const auto& [name, amount] : more) sums[name] += amount;
}

void raise_to(Amounts& amounts, const Amounts& least) {
    for (const auto& [name, amount] : least) amounts[name] = std::max(amounts[name], amount);
}

// The API server fills absent requests in from the limits; a seeded object may not have been there.
Amounts decode_requests(const Fields& container) {
    auto requests = decode_amounts(container.at("resources").at("requests"));
    requests.merge(decode_amounts(container.at("resources").at("limits")));
    return requests;
}

bool is_sidecar(const Fields& container) {
    return container.text("restartPolicy") == "Always";
}

Amounts decode_pod_requests(const Fields& spec) {
    Amounts sum;
    for (const auto& container : spec.list("containers")) add_to(sum, decode_requests(container));
    Amounts sidecars;
    Amounts starting;  // the most that is needed at once while the init containers run
    for (const auto& container : spec.list("initContainers")) {
        auto requests = decode_requests(container);
        if (is_sidecar(container)) {
            add_to(sum, requests);
            add_to(sidecars, requests);
            raise_to(starting, sidecars);
        } else {
            add_to(requests, sidecars);
            raise_to(starting, requests);
        }
    }
    raise_to(sum, starting);
    for (const auto& [name, amount] : decode_amounts(spec.at("resources").at("requests"))) {
        const bool of_pod = name == "cpu" || name == "memory" || name.starts_with("hugepages-");
        if (of_pod) sum[name] = amount;
    }
    add_to(sum, decode_amounts(spec.at("overhead")));
    std::erase_if(sum, [](const auto& entry) { return !is_counted(entry.first); });
    return sum;
}

std::vector<facts::HostPort> decode_ports(const Fields& spec) {
    std::vector<facts::HostPort> ports;
    const auto add = [&](const Fields& container) {
        for (const auto& port : container.list("ports")) {
            const auto number = port.maybe_integer("hostPort").value_or(0);
            if (number <= 0) continue;
            const auto ip = port.text("hostIP");
            const auto protocol = port.text("protocol");
            ports.push_back(
                {ip.empty() ? "0.0.0.0" : ip, protocol.empty() ? "TCP" : protocol, number});
        }
    };
    for (const auto& container : spec.list("initContainers")) {
        if (is_sidecar(container)) add(container);
    }
    for (const auto& container : spec.list("containers")) add(container);
    return ports;
}

facts::LabelSelector decode_selector(const Fields& owner, std::string_view key) {
    if (!owner.has(key)) return std::nullopt;
    auto requirements = decode_requirements(owner.at(key).list("matchExpressions"));
    for (const auto& [name, value] : owner.at(key).labels("matchLabels")) {
        requirements.push_back({name, "In", {value}});
    }
    return requirements;
}

// matchLabelKeys and mismatchLabelKeys: the API server merges them into the selector when the pod
// is made; doing it again changes nothing.
void merge_keys(facts::LabelSelector& selector, const std::vector<std::string>& keys,
                const std::string& op, const facts::Labels& labels) {
    if (!selector) return;
    for (const auto& key : keys) {
        const auto label = labels.find(key);
        if (label != labels.end()) selector->push_back({key, op, {label->second}});
    }
}

std::vector<facts::PodAffinityTerm> decode_terms(const Fields& affinity, const facts::Meta& meta) {
    std::vector<facts::PodAffinityTerm> terms;
    for (const auto& item : affinity.list("requiredDuringSchedulingIgnoredDuringExecution")) {
        facts::PodAffinityTerm term;
        term.pods = decode_selector(item, "labelSelector");
        merge_keys(term.pods, item.texts("matchLabelKeys"), "In", meta.labels);
        merge_keys(term.pods, item.texts("mismatchLabelKeys"), "NotIn", meta.labels);
        for (const auto& name : item.texts("namespaces")) term.namespaces.insert(name);
        term.ns_selector = decode_selector(item, "namespaceSelector");
        if (term.namespaces.empty() && !term.ns_selector) term.namespaces.insert(meta.ns);
        term.topology_key = item.text("topologyKey");
        terms.push_back(std::move(term));
    }
    return terms;
}

std::vector<facts::SpreadConstraint> decode_spread(const Fields& spec, const facts::Meta& meta) {
    std::vector<facts::SpreadConstraint> constraints;
    for (const auto& item : spec.list("topologySpreadConstraints")) {
        if (item.text("whenUnsatisfiable") != "DoNotSchedule") continue;
        facts::SpreadConstraint constraint;
        constraint.max_skew = item.maybe_integer("maxSkew").value_or(1);
        constraint.topology_key = item.text("topologyKey");
        constraint.pods = decode_selector(item, "labelSelector");
        merge_keys(constraint.pods, item.texts("matchLabelKeys"), "In", meta.labels);
        constraint.min_domains = item.maybe_integer("minDomains").value_or(1);
        constraint.honors_affinity = item.text("nodeAffinityPolicy") != "Ignore";
        constraint.honors_taints = item.text("nodeTaintsPolicy") == "Honor";
        constraints.push_back(std::move(constraint));
    }
    return constraints;
}

facts::SchedulerPod decode_pod_fields(const Fields& object) {
    const auto spec = object.at("spec");
    facts::SchedulerPod pod;
    pod.meta = decode_meta(object);
    pod.node = spec.text("nodeName");
    pod.priority = spec.maybe_integer("priority").value_or(0);
    pod.preempts = spec.text("preemptionPolicy") != "Never";
    pod.placement = decode_placement(spec);
    pod.requests = decode_pod_requests(spec);
    pod.ports = decode_ports(spec);
    pod.affinity = decode_terms(spec.at("affinity").at("podAffinity"), pod.meta);
    pod.anti_affinity = decode_terms(spec.at("affinity").at("podAntiAffinity"), pod.meta);
    pod.spread = decode_spread(spec, pod.meta);
    for (const auto& volume : spec.list("volumes")) {
        const auto claim = volume.at("persistentVolumeClaim").text("claimName");
        if (!claim.empty()) pod.claims.push_back(claim);
    }
    return pod;
}

facts::SchedulerClaim decode_scheduler_claim(const Fields& object) {
    const auto spec = object.at("spec");
    facts::SchedulerClaim claim;
    claim.claim = decode_claim(object);
    claim.phase = object.at("status").text("phase");
    claim.bytes = spec.at("resources").at("requests").maybe_bytes("storage").value_or(0);
    claim.selector = decode_selector(spec, "selector");
    return claim;
}

facts::SchedulerVolume decode_scheduler_volume(const Fields& object) {
    const auto spec = object.at("spec");
    facts::SchedulerVolume volume;
    volume.volume = decode_volume(object);
    volume.handle = spec.at("csi").text("volumeHandle");
    volume.storage_class = spec.text("storageClassName");
    volume.phase = object.at("status").text("phase");
    volume.bytes = spec.at("capacity").maybe_bytes("storage").value_or(0);
    volume.access_modes = spec.texts("accessModes");
    volume.volume_mode = spec.text("volumeMode");
    volume.claim = {spec.at("claimRef").text("namespace"), spec.at("claimRef").text("name")};
    volume.claim_uid = spec.at("claimRef").text("uid");
    return volume;
}

facts::SchedulerClass decode_scheduler_class(const Fields& object) {
    facts::SchedulerClass storage_class;
    storage_class.storage_class = {decode_meta(object), object.text("provisioner")};
    storage_class.waits = object.text("volumeBindingMode") == "WaitForFirstConsumer";
    for (const auto& term : object.list("allowedTopologies")) {
        auto& requirements = storage_class.topologies.emplace_back();
        for (const auto& item : term.list("matchLabelExpressions")) {
            requirements.push_back({item.text("key"), "In", item.texts("values")});
        }
    }
    return storage_class;
}

std::map<std::string, std::int64_t> decode_volume_limits(const Fields& csi_node) {
    std::map<std::string, std::int64_t> limits;
    for (const auto& driver : csi_node.at("spec").list("drivers")) {
        const auto count = driver.at("allocatable").maybe_integer("count");
        if (count) limits.emplace(driver.text("name"), *count);
    }
    return limits;
}

void put_pod_object(facts::SchedulerView& view, const Fields& object) {
    auto pod = decode_pod_fields(object);
    const auto phase = object.at("status").text("phase");
    if (phase == "Succeeded" || phase == "Failed") {
        remove_pod(view, pod.key());
    } else {
        put_pod(view, std::move(pod));
    }
}

}  // namespace

facts::SchedulerPod decode_scheduler_pod(const Json& pod) {
    std::string problem;
    return decode_pod_fields(Fields(pod, "", problem));
}

void put_object(facts::SchedulerView& view, const Json& json) {
    std::string problem;
    const Fields object(json, "", problem);
    const auto kind = object.text("kind");
    const auto name = object.at("metadata").text("name");
    const facts::NamespacedName key{object.at("metadata").text("namespace"), name};
    const auto spec = object.at("spec");
    if (kind == "Pod") {
        put_pod_object(view, object);
    } else if (kind == "Node") {
        put_node(view, decode_node(object), decode_amounts(object.at("status").at("allocatable")));
    } else if (kind == "PersistentVolumeClaim") {
        view.claims[key] = decode_scheduler_claim(object);
    } else if (kind == "PersistentVolume") {
        view.volumes[name] = decode_scheduler_volume(object);
    } else if (kind == "StorageClass") {
        view.classes[name] = decode_scheduler_class(object);
    } else if (kind == "CSINode") {
        view.volume_limits[name] = decode_volume_limits(object);
    } else if (kind == "VolumeAttachment") {
        view.attachments[name] = {spec.text("nodeName"), spec.text("attacher"),
                                  spec.at("source").text("persistentVolumeName")};
    } else if (kind == "Namespace") {
        view.namespaces[name] = decode_meta(object).labels;
    }
}

void remove_object(facts::SchedulerView& view, const std::string& kind,
                   const facts::NamespacedName& key) {
    if (kind == "Pod") remove_pod(view, key);
    if (kind == "Node") remove_node(view, key.second);
    if (kind == "PersistentVolumeClaim") view.claims.erase(key);
    if (kind == "PersistentVolume") view.volumes.erase(key.second);
    if (kind == "StorageClass") view.classes.erase(key.second);
    if (kind == "CSINode") view.volume_limits.erase(key.second);
    if (kind == "VolumeAttachment") view.attachments.erase(key.second);
    if (kind == "Namespace") view.namespaces.erase(key.second);
}

}  // namespace preflight
