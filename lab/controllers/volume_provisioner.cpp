#include <nlohmann/json.hpp>

#include "lab/controllers/kube_objects.hpp"
#include "lab/controllers/volume_binder.hpp"

namespace lab {

using kube::text;
using kubeclient::items_at;

std::vector<WorkItem> VolumeProvisioner::concerned(const Change& change, const Store&) const {
    if (change.resource != kube::kClaims && change.resource != kube::kVolumes) return {};
    if (change.type == ChangeType::deleted) return {};
    return {{change.resource, change.key}};
}

kubeclient::Result<std::optional<Duration>> VolumeProvisioner::sync(const WorkItem& item,
                                                                    Cluster& cluster) {
    const Object object = cluster.objects.get(item.resource, item.key);
    if (!object || kube::is_deleting(*object)) return std::optional<Duration>();
    if (item.resource == kube::kClaims) return provision(*object, cluster);
    const bool unused = text(*object, {"status", "phase"}) == "Released" &&
                        text(*object, {"spec", "persistentVolumeReclaimPolicy"}) == "Delete";
    if (unused) TRY(kube::remove(cluster, kube::kVolumes, *object));
    return std::optional<Duration>();
}

kubeclient::Result<std::optional<Duration>> VolumeProvisioner::provision(const Json& claim,
                                                                         Cluster& cluster) {
    const auto driver =
        text(claim, {"metadata", "annotations", "volume.kubernetes.io/storage-provisioner"});
    const auto uid = kube::uid_of(claim);
    const auto name = "pvc-" + uid;
    const bool asked = !driver.empty() && driver != "kubernetes.io/no-provisioner" &&
                       text(claim, {"spec", "volumeName"}).empty();
    const auto key = kube::key_of(claim);
    if (!asked || cluster.objects.get(kube::kVolumes, {"", name})) {
        begun_.erase(uid);
        return std::optional<Duration>();
    }
    const auto [begun, first] = begun_.emplace(uid, cluster.now);
    if (first) {
        cluster.events.record(claim, "Normal", "Provisioning",
                              "External provisioner is provisioning volume for claim \"" + key.ns +
                                  "/" + key.name + "\"");
    }
    const auto due = begun->second + takes_;
    if (cluster.now < due) return std::optional<Duration>(due - cluster.now);
    const auto class_name = text(claim, {"spec", "storageClassName"});
    const Object storage_class = cluster.objects.get(kube::kClasses, {"", class_name});
    const auto policy = storage_class ? text(*storage_class, {"reclaimPolicy"}) : "";
    const auto mode = text(claim, {"spec", "volumeMode"});
    const Json volume{
        {"apiVersion", "v1"},
        {"kind", "PersistentVolume"},
        {"metadata",
         {{"name", name}, {"annotations", {{"pv.kubernetes.io/provisioned-by", driver}}}}},
        {"spec",
         {{"accessModes", items_at(claim, {"spec", "accessModes"})},
          {"capacity", {{"storage", text(claim, {"spec", "resources", "requests", "storage"})}}},
          {"claimRef",
           {{"kind", "PersistentVolumeClaim"},
            {"apiVersion", "v1"},
            {"namespace", key.ns},
            {"name", key.name},
            {"uid", uid},
            {"resourceVersion", text(claim, {"metadata", "resourceVersion"})}}},
          {"csi", {{"driver", driver}, {"volumeHandle", uid}}},
          {"persistentVolumeReclaimPolicy", policy.empty() ? "Delete" : policy},
          {"storageClassName", class_name},
          {"volumeMode", mode.empty() ? "Filesystem" : mode}}}};
    TRY(kube::create(cluster, kube::kVolumes, "", volume));
    begun_.erase(uid);
    cluster.events.record(claim, "Normal", "ProvisioningSucceeded",
                          "Successfully provisioned volume " + name);
    return std::optional<Duration>();
}

}  // namespace lab
