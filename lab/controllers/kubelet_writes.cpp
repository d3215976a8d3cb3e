#include "lab/controllers/kubelet_writes.hpp"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace lab {

using kubeclient::find;
using kubeclient::items_at;
using kubeclient::text_at;

namespace {

std::string seconds(Instant now) {
    return kubeclient::format_time(std::chrono::floor<std::chrono::seconds>(now));
}

// A digest that hangs on the text alone: 64 hexadecimal digits.
std::string digest(const std::string& text) {
    static const char digits[] = "0123456789abcdef";
    std::string result;
    std::uint64_t hash = 14695981039346656037U;  // FNV-1a
    for (int block = 0; block < 4; ++block) {
        for (const char c : text) {
            hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
        }
        for (int shift = 60; shift >= 0; shift -= 4) result += digits[(hash >> shift) & 15U];
    }
    return result;
}

Json container_status(const Json& container, const std::string& uid, Instant now) {
    const std::string image = text_at(container, {"image"}).value_or("");
    const std::string name = text_at(container, {"name"}).value_or("");
    const std::string repository = image.substr(0, image.find_last_of(":@"));
    return {{"name", name},
            {"image", image},
            {"imageID", repository + "@sha256:" + digest(image)},
            {"containerID", "cri-o://" + digest(uid + name)},
            {"ready", true},
            {"started", true},
            {"restartCount", 0},
            {"state", {{"running", {{"startedAt", seconds(now)}}}}}};
}

bool must_be_attached(const std::string& driver, const Store& objects) {
    const Object object = objects.get({"storage.k8s.io", "csidrivers"}, {"", driver});
    return object && kubeclient::bool_at(*object, {"spec", "attachRequired"}).value_or(true);
}

bool attached(const std::string& volume, const std::string& node, const Store& objects) {
    const auto& all = objects.all({"storage.k8s.io", "volumeattachments"});
    return std::any_of(all.begin(), all.end(), [&](const auto& entry) {
        const Json& attachment = *entry.second;
        return text_at(attachment, {"spec", "source", "persistentVolumeName"}) == volume &&
               text_at(attachment, {"spec", "nodeName"}) == node &&
               kubeclient::bool_at(attachment, {"status", "attached"}).value_or(false);
    });
}

}  // namespace

Json running_status(const Json& pod, const std::string& address, Instant now) {
    const std::string time = seconds(now);
    Json conditions = Json::array();
    for (const char* type : {"PodScheduled", "Initialized", "ContainersReady", "Ready"}) {
        conditions.push_back({{"type", type}, {"status", "True"}, {"lastTransitionTime", time}});
    }
    Json containers = Json::array();
    const std::string uid = text_at(pod, {"metadata", "uid"}).value_or("");
    for (const Json& container : items_at(pod, {"spec", "containers"})) {
        containers.push_back(container_status(container, uid, now));
    }
    return {{"phase", "Running"},
            {"podIP", address},
            {"podIPs", {{{"ip", address}}}},
            {"startTime", time},
            {"conditions", std::move(conditions)},
            {"containerStatuses", std::move(containers)}};
}

Json ended_status(const Json& pod, const std::string& phase, Instant now) {
    Json status{{"phase", phase}};
    const bool well = phase == "Succeeded";
    for (Json container : items_at(pod, {"status", "containerStatuses"})) {
        const auto since = text_at(container, {"state", "running", "startedAt"});
        container["ready"] = false;
        container["started"] = false;
        container["state"] = {{"terminated",
                               {{"exitCode", well ? 0 : 1},
                                {"reason", well ? "Completed" : "Error"},
                                {"startedAt", since.value_or(seconds(now))},
                                {"finishedAt", seconds(now)}}}};
        status["containerStatuses"].push_back(std::move(container));
    }
    return status;
}

bool volumes_attached(const Json& pod, const Store& objects) {
    const std::string ns = text_at(pod, {"metadata", "namespace"}).value_or("");
    const std::string node = text_at(pod, {"spec", "nodeName"}).value_or("");
    for (const Json& volume : items_at(pod, {"spec", "volumes"})) {
        const auto claim = text_at(volume, {"persistentVolumeClaim", "claimName"});
        if (!claim) continue;
        const Object bound = objects.get({"", "persistentvolumeclaims"}, {ns, *claim});
        const auto name = bound ? text_at(*bound, {"spec", "volumeName"}) : std::nullopt;
        const Object disk = name ? objects.get({"", "persistentvolumes"}, {"", *name}) : nullptr;
        const auto driver = disk ? text_at(*disk, {"spec", "csi", "driver"}) : std::nullopt;
        if (!driver || !must_be_attached(*driver, objects)) continue;
        if (!attached(*name, node, objects)) return false;
    }
    return true;
}

Json ready_status(const Json& node, const std::string& boot_id, Instant now) {
    const std::string time = seconds(now);
    Json conditions = Json::array();
    std::string since = time;
    for (const Json& condition : items_at(node, {"status", "conditions"})) {
        if (text_at(condition, {"type"}) != "Ready") {
            conditions.push_back(condition);
        } else if (text_at(condition, {"status"}) == "True") {
            since = text_at(condition, {"lastTransitionTime"}).value_or(time);
        }
    }
    conditions.push_back({{"type", "Ready"},
                          {"status", "True"},
                          {"reason", "KubeletReady"},
                          {"message", "kubelet is posting ready status"},
                          {"lastHeartbeatTime", time},
                          {"lastTransitionTime", since}});
    return {{"conditions", std::move(conditions)}, {"nodeInfo", {{"bootID", boot_id}}}};
}

bool says_ready(const Json& node, const std::string& boot_id) {
    if (text_at(node, {"status", "nodeInfo", "bootID"}) != boot_id) return false;
    const auto& conditions = items_at(node, {"status", "conditions"});
    return std::any_of(conditions.begin(), conditions.end(), [](const Json& condition) {
        return text_at(condition, {"type"}) == "Ready" && text_at(condition, {"status"}) == "True";
    });
}

Json node_lease(const Json& node, Instant now) {
    const std::string name = text_at(node, {"metadata", "name"}).value_or("");
    return {{"apiVersion", "coordination.k8s.io/v1"},
            {"kind", "Lease"},
            {"metadata",
             {{"name", name},
              {"namespace", "kube-node-lease"},
              {"ownerReferences",
               {{{"apiVersion", "v1"},
                 {"kind", "Node"},
                 {"name", name},
                 {"uid", text_at(node, {"metadata", "uid"}).value_or("")}}}}}},
            {"spec",
             {{"holderIdentity", name},
              {"leaseDurationSeconds", 40},
              {"renewTime", kubeclient::format_micro_time(now)}}}};
}

}  // namespace lab
