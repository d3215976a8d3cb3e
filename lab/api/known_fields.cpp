#include "lab/api/known_fields.hpp"

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string_view>

namespace lab {

namespace {

struct Row {
    std::string_view kind;
    std::string_view path;  // "": the object itself
    std::string_view fields;
};

// Source: k8s.io/api v0.36.3. Kinds and paths that are not here are taken as they are.
constexpr Row kRows[] = {
    {"ConfigMap", "", "data binaryData immutable"},
    {"CSIDriver", "", "spec"},
    {"CSINode", "", "spec"},
    {"CustomResourceDefinition", "", "spec status"},
    {"DaemonSet", "", "spec status"},
    {"Deployment", "", "spec status"},
    {"Endpoints", "", "subsets"},
    {"Event", "",
     "involvedObject reason message source firstTimestamp lastTimestamp count type eventTime "
     "series action related reportingComponent reportingInstance"},
    {"Job", "", "spec status"},
    {"Lease", "", "spec"},
    {"Lease", "spec",
     "holderIdentity leaseDurationSeconds acquireTime renewTime leaseTransitions strategy "
     "preferredHolder"},
    {"Namespace", "", "spec status"},
    {"Node", "", "spec status"},
    {"Node", "spec", "podCIDR podCIDRs providerID unschedulable taints configSource externalID"},
    {"PersistentVolume", "", "spec status"},
    {"PersistentVolumeClaim", "", "spec status"},
    {"PersistentVolumeClaim", "spec",
     "accessModes selector resources volumeName storageClassName volumeMode dataSource "
     "dataSourceRef volumeAttributesClassName"},
    {"Pod", "", "spec status"},
    {"Pod", "spec",
     "volumes initContainers containers ephemeralContainers restartPolicy "
     "terminationGracePeriodSeconds activeDeadlineSeconds dnsPolicy nodeSelector "
     "serviceAccountName serviceAccount automountServiceAccountToken nodeName hostNetwork hostPID "
     "hostIPC shareProcessNamespace securityContext imagePullSecrets hostname subdomain affinity "
     "schedulerName tolerations hostAliases priorityClassName priority dnsConfig readinessGates "
     "runtimeClassName enableServiceLinks preemptionPolicy overhead topologySpreadConstraints "
     "setHostnameAsFQDN os hostUsers schedulingGates resourceClaims resources hostnameOverride "
     "workloadRef schedulingGroup"},
    {"PodDisruptionBudget", "", "spec status"},
    {"PodDisruptionBudget", "spec",
     "minAvailable selector maxUnavailable unhealthyPodEvictionPolicy"},
    {"ReplicaSet", "", "spec status"},
    {"ResourceQuota", "", "spec status"},
    {"Secret", "", "immutable data stringData type"},
    {"Service", "", "spec status"},
    {"ServiceAccount", "", "secrets imagePullSecrets automountServiceAccountToken"},
    {"StorageClass", "",
     "provisioner parameters reclaimPolicy mountOptions allowVolumeExpansion volumeBindingMode "
     "allowedTopologies"},
    {"VolumeAttachment", "", "spec status"},
    {"VolumeAttachment", "spec", "attacher source nodeName"},
};

std::set<std::string> words(std::string_view text) {
    std::istringstream stream{std::string(text)};
    std::set<std::string> words;
    for (std::string word; stream >> word;) words.insert(word);
    return words;
}

}  // namespace

std::vector<std::string> drop_unknown_fields(Json& object, const Kind& kind) {
    std::vector<std::string> dropped;
    for (const Row& row : kRows) {
        if (row.kind != kind.kind) continue;
        const std::string path(row.path);
        if (!path.empty() && !object.contains(path)) continue;
        Json& place = path.empty() ? object : object[path];
        if (!place.is_object()) continue;
        std::set<std::string> known = words(row.fields);
        if (path.empty()) known.insert({"apiVersion", "kind", "metadata"});
        for (auto entry = place.begin(); entry != place.end();) {
            if (known.contains(entry.key())) {
                ++entry;
                continue;
            }
            dropped.push_back(path.empty() ? entry.key() : path + "." + entry.key());
            entry = place.erase(entry);
        }
    }
    return dropped;
}

}  // namespace lab
