#include <sstream>
#include <string>
#include <string_view>

#include "lab/api/kinds.hpp"

namespace lab {

namespace {

constexpr Scope kCluster = Scope::cluster;
constexpr Scope kNamespaced = Scope::namespaced;

enum class StatusOf { subresource, none };

struct Row {
    std::string_view group;
    std::string_view version;
    std::string_view plural;
    std::string_view singular;
    std::string_view kind;
    Scope scope = kNamespaced;
    StatusOf status = StatusOf::none;
    std::string_view short_names{};  // separated by blanks
    std::string_view categories{};
};

constexpr auto kStatus = StatusOf::subresource;
constexpr auto kNone = StatusOf::none;
constexpr std::string_view kRbac = "rbac.authorization.k8s.io";

constexpr Row kRows[] = {
    {"", "v1", "configmaps", "configmap", "ConfigMap", kNamespaced, kNone, "cm"},
    {"", "v1", "endpoints", "endpoints", "Endpoints", kNamespaced, kNone, "ep"},
    {"", "v1", "events", "event", "Event", kNamespaced, kNone, "ev"},
    {"", "v1", "limitranges", "limitrange", "LimitRange", kNamespaced, kNone, "limits"},
    {"", "v1", "namespaces", "namespace", "Namespace", kCluster, kStatus, "ns"},
    {"", "v1", "nodes", "node", "Node", kCluster, kStatus, "no"},
    {"", "v1", "persistentvolumeclaims", "persistentvolumeclaim", "PersistentVolumeClaim",
     kNamespaced, kStatus, "pvc"},
    {"", "v1", "persistentvolumes", "persistentvolume", "PersistentVolume", kCluster, kStatus,
     "pv"},
    {"", "v1", "pods", "pod", "Pod", kNamespaced, kStatus, "po", "all"},
    {"", "v1", "resourcequotas", "resourcequota", "ResourceQuota", kNamespaced, kStatus, "quota"},
    {"", "v1", "secrets", "secret", "Secret"},
    {"", "v1", "serviceaccounts", "serviceaccount", "ServiceAccount", kNamespaced, kNone, "sa"},
    {"", "v1", "services", "service", "Service", kNamespaced, kStatus, "svc", "all"},
    {"apiextensions.k8s.io", "v1", "customresourcedefinitions", "customresourcedefinition",
     "CustomResourceDefinition", kCluster, kStatus, "crd crds", "api-extensions"},
    {"apps", "v1", "daemonsets", "daemonset", "DaemonSet", kNamespaced, kStatus, "ds", "all"},
    {"apps", "v1", "deployments", "deployment", "Deployment", kNamespaced, kStatus, "deploy",
     "all"},
    {"apps", "v1", "replicasets", "replicaset", "ReplicaSet", kNamespaced, kStatus, "rs", "all"},
    {"apps", "v1", "statefulsets", "statefulset", "StatefulSet", kNamespaced, kStatus, "sts",
     "all"},
    {"batch", "v1", "jobs", "job", "Job", kNamespaced, kStatus, "", "all"},
    {"coordination.k8s.io", "v1", "leases", "lease", "Lease"},
    {"networking.k8s.io", "v1", "networkpolicies", "networkpolicy", "NetworkPolicy", kNamespaced,
     kNone, "netpol"},
    {"node.k8s.io", "v1", "runtimeclasses", "runtimeclass", "RuntimeClass", kCluster},
    {"policy", "v1", "poddisruptionbudgets", "poddisruptionbudget", "PodDisruptionBudget",
     kNamespaced, kStatus, "pdb"},
    {kRbac, "v1", "clusterrolebindings", "clusterrolebinding", "ClusterRoleBinding", kCluster},
    {kRbac, "v1", "clusterroles", "clusterrole", "ClusterRole", kCluster},
    {kRbac, "v1", "rolebindings", "rolebinding", "RoleBinding"},
    {kRbac, "v1", "roles", "role", "Role"},
    {"scheduling.k8s.io", "v1", "priorityclasses", "priorityclass", "PriorityClass", kCluster,
     kNone, "pc"},
    {"storage.k8s.io", "v1", "csidrivers", "csidriver", "CSIDriver", kCluster},
    {"storage.k8s.io", "v1", "csinodes", "csinode", "CSINode", kCluster},
    {"storage.k8s.io", "v1", "storageclasses", "storageclass", "StorageClass", kCluster, kNone,
     "sc"},
    {"storage.k8s.io", "v1", "volumeattachments", "volumeattachment", "VolumeAttachment", kCluster,
     kStatus},
};

std::vector<std::string> words(std::string_view text) {
    std::istringstream stream{std::string(text)};
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(word);
    return words;
}

Kind kind_of(const Row& row) {
    Kind kind;
    kind.resource = {std::string(row.group), std::string(row.plural)};
    kind.kind = row.kind;
    kind.singular = row.singular;
    kind.scope = row.scope;
    kind.short_names = words(row.short_names);
    kind.categories = words(row.categories);
    KindVersion version;
    version.name = row.version;
    version.has_status = row.status == kStatus;
    kind.versions.push_back(version);
    return kind;
}

}  // namespace

std::vector<Kind> built_in_kinds() {
    std::vector<Kind> kinds;
    for (const Row& row : kRows) kinds.push_back(kind_of(row));
    return kinds;
}

}  // namespace lab
