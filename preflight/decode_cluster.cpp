// Nodes, pods, claims, volumes, quotas: what Kubernetes itself keeps.
#include <limits>
#include <nlohmann/json.hpp>

#include "kubeclient/quantity.hpp"
#include "kubeclient/time.hpp"
#include "preflight/decode.hpp"

namespace preflight {
namespace {

std::map<std::string, std::int64_t> decode_milli(const Fields& quantities) {
    std::map<std::string, std::int64_t> result;
    for (const auto& name : quantities.keys()) {
        if (const auto amount = quantities.maybe_milli(name)) result.emplace(name, *amount);
    }
    return result;
}

void add_amounts(std::map<std::string, std::int64_t>& sums,
                 const std::map<std::string, std::int64_t>& amounts) {
    for (const auto& [name, milli] : amounts) {
        auto& sum = sums[name];
        if (__builtin_add_overflow(sum, milli, &sum)) {
            sum = std::numeric_limits<std::int64_t>::max();
        }
    }
}

// Annotation k8s.v1.cni.cncf.io/network-status: a JSON list that Multus writes. Text that is no
// such list tells of no interfaces.
std::map<std::string, std::vector<std::string>> decode_network_status(const facts::Meta& meta) {
    std::map<std::string, std::vector<std::string>> interfaces;
    const auto annotation = meta.annotations.find("k8s.v1.cni.cncf.io/network-status");
    if (annotation == meta.annotations.end()) return interfaces;
    const auto list = kubeclient::parse_json(annotation->second, "network-status");
    if (!list.ok() || !list->is_array()) return interfaces;
    for (const auto& entry : *list) {
        auto& addresses = interfaces[kubeclient::text_at(entry, {"interface"}).value_or("")];
        for (const auto& address : kubeclient::items_at(entry, {"ips"})) {
            if (address.is_string()) addresses.push_back(address.get<std::string>());
        }
    }
    return interfaces;
}

// In-tree volume kinds as their old provisioners are called (kubernetes pkg/volume/*/plugin names).
std::string in_tree_driver(const Fields& spec) {
    for (const auto* kind : {"nfs", "cephfs", "rbd", "iscsi", "fc", "hostPath", "local",
                             "glusterfs", "awsElasticBlockStore", "gcePersistentDisk", "azureDisk",
                             "azureFile", "vsphereVolume", "cinder"}) {
        if (spec.has(kind)) return std::string("kubernetes.io/") + kind;
    }
    return {};
}

// "ImagePullBackOff: Back-off pulling …", "OOMKilled (137)".
std::string container_trouble(const Fields& container) {
    const auto state = container.at("state");
    const auto waiting = state.at("waiting");
    const auto reason = waiting.text("reason");
    if (!reason.empty() && reason != "ContainerCreating" && reason != "PodInitializing") {
        const auto message = waiting.text("message");
        return message.empty() ? reason : reason + ": " + message;
    }
    const auto ended = state.at("terminated");
    const auto code = ended.maybe_integer("exitCode").value_or(0);
    if (code == 0) return {};
    return ended.text("reason") + " (" + std::to_string(code) + ")";
}

std::string pod_trouble(const Fields& status) {
    for (const auto* list : {"initContainerStatuses", "containerStatuses"}) {
        for (const auto& container : status.list(list)) {
            auto trouble = container_trouble(container);
            if (!trouble.empty()) return trouble;
        }
    }
    const auto reason = status.text("reason");
    const auto message = status.text("message");
    return message.empty() ? reason : reason + ": " + message;
}

}  // namespace

facts::Node decode_node(const Fields& object) {
    facts::Node node;
    node.meta = decode_meta(object);
    const auto spec = object.at("spec");
    const auto status = object.at("status");
    node.cordoned = spec.flag("unschedulable");
    for (const auto& taint : spec.list("taints")) {
        node.taints.push_back({taint.text("key"), taint.text("value"), taint.text("effect")});
    }
    for (const auto& condition : decode_conditions(status)) {
        if (condition.type == "Ready") node.ready = condition.status == "True";
    }
    for (const auto& [name, milli] : decode_milli(status.at("allocatable"))) {
        node.allocatable.emplace(name, milli / 1000);
    }
    const auto heartbeat = node.meta.annotations.find("kubevirt.io/heartbeat");
    if (heartbeat != node.meta.annotations.end()) {
        const auto time = kubeclient::parse_time(heartbeat->second);
        if (time.ok()) node.heartbeat = std::chrono::floor<std::chrono::seconds>(*time);
    }
    return node;
}

facts::Pod decode_pod(const Fields& object) {
    facts::Pod pod;
    pod.meta = decode_meta(object);
    const auto spec = object.at("spec");
    const auto status = object.at("status");
    pod.node = spec.text("nodeName");
    pod.phase = status.text("phase");
    pod.placement = decode_placement(spec);
    for (const auto& container : spec.list("containers")) {
        add_amounts(pod.requests, decode_milli(container.at("resources").at("requests")));
        add_amounts(pod.limits, decode_milli(container.at("resources").at("limits")));
    }
    pod.interfaces = decode_network_status(pod.meta);
    for (const auto& condition : decode_conditions(status)) {
        if (condition.type == "Ready") pod.ready = condition.status == "True";
        const bool refused = condition.type == "PodScheduled" && condition.status == "False";
        if (refused && condition.reason == "Unschedulable") pod.unschedulable = condition.message;
    }
    pod.trouble = pod_trouble(status);
    return pod;
}

facts::Claim decode_claim(const Fields& object) {
    const auto spec = object.at("spec");
    return {decode_meta(object), spec.texts("accessModes"), spec.text("volumeMode"),
            spec.text("storageClassName"), spec.text("volumeName")};
}

facts::PersistentVolume decode_volume(const Fields& object) {
    facts::PersistentVolume volume;
    volume.meta = decode_meta(object);
    const auto spec = object.at("spec");
    volume.driver = spec.has("csi") ? spec.at("csi").text("driver") : in_tree_driver(spec);
    if (spec.at("nodeAffinity").has("required")) {
        volume.node_terms = decode_node_terms(spec.at("nodeAffinity").at("required"));
    }
    return volume;
}

facts::ResourceQuota decode_quota(const Fields& object) {
    const auto status = object.at("status");
    return {decode_meta(object), decode_milli(status.at("hard")), decode_milli(status.at("used"))};
}

}  // namespace preflight
