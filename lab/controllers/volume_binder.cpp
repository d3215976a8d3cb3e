#include "lab/controllers/volume_binder.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kubeclient/quantity.hpp"
#include "lab/controllers/kube_objects.hpp"

namespace lab {

using kube::text;
using kubeclient::find;
using kubeclient::items_at;

namespace {

constexpr auto kCompleted = "pv.kubernetes.io/bind-completed";
constexpr auto kByController = "pv.kubernetes.io/bound-by-controller";
constexpr auto kProvisioner = "volume.kubernetes.io/storage-provisioner";
constexpr auto kProvisionerBeta = "volume.beta.kubernetes.io/storage-provisioner";
constexpr auto kSelectedNode = "volume.kubernetes.io/selected-node";

std::string annotation(const Json& object, const char* name) {
    return text(object, {"metadata", "annotations", name});
}

std::int64_t bytes_at(const Json& object, std::initializer_list<std::string_view> path) {
    const auto size = kubeclient::parse_bytes(text(object, path));
    return size.ok() ? *size : 0;
}

bool names(const Json& volume, const Json& claim) {
    const auto uid = text(volume, {"spec", "claimRef", "uid"});
    return text(volume, {"spec", "claimRef", "name"}) == kube::name_of(claim) &&
           text(volume, {"spec", "claimRef", "namespace"}) ==
               text(claim, {"metadata", "namespace"}) &&
           (uid.empty() || uid == kube::uid_of(claim));
}

std::string mode_of(const Json& object) {
    const auto mode = text(object, {"spec", "volumeMode"});
    return mode.empty() ? "Filesystem" : mode;
}

bool suits(const Json& volume, const Json& claim) {
    if (find(volume, {"spec", "claimRef"}) != nullptr || kube::is_deleting(volume)) return false;
    const auto& offered = items_at(volume, {"spec", "accessModes"});
    const auto& modes = items_at(claim, {"spec", "accessModes"});
    const bool has_modes = std::all_of(modes.begin(), modes.end(), [&](const Json& mode) {
        return std::find(offered.begin(), offered.end(), mode) != offered.end();
    });
    return has_modes && mode_of(volume) == mode_of(claim) &&
           text(volume, {"spec", "storageClassName"}) ==
               text(claim, {"spec", "storageClassName"}) &&
           bytes_at(volume, {"spec", "capacity", "storage"}) >=
               bytes_at(claim, {"spec", "resources", "requests", "storage"}) &&
           find(claim, {"spec", "selector"}) == nullptr;
}

// The volume that is meant for the claim, else, where it need not wait for a pod, the smallest.
Object best_match(const Json& claim, bool waits, const Store& objects) {
    Object best;
    for (const auto& [key, volume] : objects.all(kube::kVolumes)) {
        if (names(*volume, claim)) return volume;
        if (waits || !suits(*volume, claim)) continue;
        const auto size = bytes_at(*volume, {"spec", "capacity", "storage"});
        if (!best || size < bytes_at(*best, {"spec", "capacity", "storage"})) best = volume;
    }
    return best;
}

kubeclient::Status set_phase(const ResourceId& resource, const Json& object, const char* phase,
                             Cluster& cluster) {
    if (text(object, {"status", "phase"}) == phase) return kubeclient::Done{};
    return kube::patch(cluster, resource, kube::key_of(object), {{"status", {{"phase", phase}}}},
                       "status");
}

// Volume first, then claim, as the binder does, so that a crash in between can be finished.
kubeclient::Status bind(const Json& volume, const Json& claim, Cluster& cluster) {
    const auto volume_name = kube::name_of(volume);
    Json metadata = Json::object();
    if (find(volume, {"spec", "claimRef"}) == nullptr) {
        metadata["annotations"] = {{kByController, "yes"}};
    }
    TRY(kube::patch(cluster, kube::kVolumes, {"", volume_name},
                    {{"metadata", metadata},
                     {"spec",
                      {{"claimRef",
                        {{"kind", "PersistentVolumeClaim"},
                         {"apiVersion", "v1"},
                         {"namespace", text(claim, {"metadata", "namespace"})},
                         {"name", kube::name_of(claim)},
                         {"uid", kube::uid_of(claim)},
                         {"resourceVersion", text(claim, {"metadata", "resourceVersion"})}}}}}}));
    TRY(set_phase(kube::kVolumes, volume, "Bound", cluster));
    Json annotations{{kCompleted, "yes"}};
    if (text(claim, {"spec", "volumeName"}).empty()) annotations[kByController] = "yes";
    TRY(kube::patch(
        cluster, kube::kClaims, kube::key_of(claim),
        {{"metadata", {{"annotations", annotations}}}, {"spec", {{"volumeName", volume_name}}}}));
    return kube::patch(cluster, kube::kClaims, kube::key_of(claim),
                       {{"status",
                         {{"phase", "Bound"},
                          {"accessModes", items_at(volume, {"spec", "accessModes"})},
                          {"capacity", volume.at("spec").value("capacity", Json::object())}}}},
                       "status");
}

// Says it, and sets the phase, once.
kubeclient::Status leave_pending(const Json& claim, const char* type, const char* reason,
                                 const std::string& message, Cluster& cluster) {
    if (text(claim, {"status", "phase"}) == "Pending") return kubeclient::Done{};
    cluster.events.record(claim, type, reason, message);
    return set_phase(kube::kClaims, claim, "Pending", cluster);
}

kubeclient::Status ask_provisioner(const Json& claim, const Json& storage_class, Cluster& cluster) {
    const auto provisioner = text(storage_class, {"provisioner"});
    if (annotation(claim, kProvisioner) == provisioner) return kubeclient::Done{};
    TRY(kube::patch(
        cluster, kube::kClaims, kube::key_of(claim),
        {{"metadata",
          {{"annotations", {{kProvisioner, provisioner}, {kProvisionerBeta, provisioner}}}}}}));
    cluster.events.record(
        claim, "Normal", "ExternalProvisioning",
        "Waiting for a volume to be created either by the external provisioner '" + provisioner +
            "' or manually by the system administrator. If volume creation is delayed, please "
            "verify that the provisioner is running and correctly registered.");
    return set_phase(kube::kClaims, claim, "Pending", cluster);
}

}  // namespace

std::vector<WorkItem> VolumeBinder::concerned(const Change& change, const Store& objects) const {
    std::vector<WorkItem> items;
    const Json& object = *change.object;
    if (change.resource == kube::kClaims) {
        items.push_back({change.resource, change.key});
        const auto volume = text(object, {"spec", "volumeName"});
        if (!volume.empty()) items.push_back({kube::kVolumes, {"", volume}});
        return items;
    }
    if (change.resource == kube::kVolumes) items.push_back({change.resource, change.key});
    const auto claim = text(object, {"spec", "claimRef", "name"});
    if (!claim.empty()) {
        items.push_back({kube::kClaims, {text(object, {"spec", "claimRef", "namespace"}), claim}});
    } else if (change.resource == kube::kVolumes || change.resource == kube::kClasses) {
        for (const auto& [key, waiting] : objects.all(kube::kClaims)) {
            if (text(*waiting, {"status", "phase"}) == "Bound") continue;
            items.push_back({kube::kClaims, key});
        }
    }
    return items;
}

kubeclient::Result<std::optional<Duration>> VolumeBinder::sync(const WorkItem& item,
                                                               Cluster& cluster) {
    const Object object = cluster.objects.get(item.resource, item.key);
    if (!object) return std::optional<Duration>();
    if (item.resource == kube::kVolumes) {
        TRY(sync_volume(*object, cluster));
    } else {
        TRY(sync_claim(*object, cluster));
    }
    return std::optional<Duration>();
}

kubeclient::Status VolumeBinder::sync_claim(const Json& claim, Cluster& cluster) const {
    const auto wanted = text(claim, {"spec", "volumeName"});
    if (!annotation(claim, kCompleted).empty()) {
        const Object volume = cluster.objects.get(kube::kVolumes, {"", wanted});
        const auto phase = text(claim, {"status", "phase"});
        if (volume && names(*volume, claim)) {
            return phase == "Bound" ? kubeclient::Done{} : bind(*volume, claim, cluster);
        }
        if (phase == "Lost") return kubeclient::Done{};
        cluster.events.record(claim, "Warning", "ClaimLost",
                              "Bound claim has lost its PersistentVolume. Data on the volume is "
                              "lost!");
        return set_phase(kube::kClaims, claim, "Lost", cluster);
    }
    if (!wanted.empty()) {
        const Object volume = cluster.objects.get(kube::kVolumes, {"", wanted});
        if (!volume) return set_phase(kube::kClaims, claim, "Pending", cluster);
        const bool free = find(*volume, {"spec", "claimRef"}) == nullptr;
        if (free || names(*volume, claim)) return bind(*volume, claim, cluster);
        return leave_pending(claim, "Warning", "FailedBinding",
                             "volume \"" + wanted + "\" already bound to a different claim.",
                             cluster);
    }
    const auto class_name = text(claim, {"spec", "storageClassName"});
    const Object storage_class = cluster.objects.get(kube::kClasses, {"", class_name});
    const bool waits =
        storage_class && text(*storage_class, {"volumeBindingMode"}) == "WaitForFirstConsumer";
    if (const Object volume = best_match(claim, waits, cluster.objects)) {
        return bind(*volume, claim, cluster);
    }
    if (waits && annotation(claim, kSelectedNode).empty()) {
        return leave_pending(claim, "Normal", "WaitForFirstConsumer",
                             "waiting for first consumer to be created before binding", cluster);
    }
    if (storage_class) return ask_provisioner(claim, *storage_class, cluster);
    if (class_name.empty()) {
        return leave_pending(claim, "Normal", "FailedBinding",
                             "no persistent volumes available for this claim and no storage class "
                             "is set",
                             cluster);
    }
    return leave_pending(claim, "Warning", "ProvisioningFailed",
                         "storageclass.storage.k8s.io \"" + class_name + "\" not found", cluster);
}

kubeclient::Status VolumeBinder::sync_volume(const Json& volume, Cluster& cluster) const {
    if (find(volume, {"spec", "claimRef"}) == nullptr) {
        return set_phase(kube::kVolumes, volume, "Available", cluster);
    }
    const auto uid = text(volume, {"spec", "claimRef", "uid"});
    const Object claim =
        cluster.objects.get(kube::kClaims, {text(volume, {"spec", "claimRef", "namespace"}),
                                            text(volume, {"spec", "claimRef", "name"})});
    // Without a uid an administrator has reserved it for a claim that is yet to come.
    if (uid.empty()) {
        return claim ? kubeclient::Done{} : set_phase(kube::kVolumes, volume, "Available", cluster);
    }
    if (claim && kube::uid_of(*claim) == uid) return kubeclient::Done{};
    return set_phase(kube::kVolumes, volume, "Released", cluster);
}

}  // namespace lab
