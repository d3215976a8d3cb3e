// What the Kubernetes scheduler reads of pods, nodes and volumes. Values only; the rules are in
// preflight/scheduling. Source of the fields: k8s.io/api core/v1 and storage/v1 types.go, v1.36.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "facts/cluster.hpp"

namespace facts {

// metav1.LabelSelector: nullopt matches nothing, no requirements match everything.
using LabelSelector = std::optional<std::vector<Requirement>>;

using Amounts = std::map<std::string, std::int64_t>;  // cpu in thousandths, all else whole units

using NamespacedName = std::pair<std::string, std::string>;

// A required term of podAffinity or podAntiAffinity.
struct PodAffinityTerm {
    LabelSelector pods{};
    std::set<std::string> namespaces{};
    LabelSelector ns_selector{};
    std::string topology_key{};

    bool operator==(const PodAffinityTerm&) const = default;
};

// One of topologySpreadConstraints with whenUnsatisfiable: DoNotSchedule.
struct SpreadConstraint {
    std::int64_t max_skew = 1;
    std::string topology_key{};
    LabelSelector pods{};
    std::int64_t min_domains = 1;
    bool honors_affinity = true;  // nodeAffinityPolicy
    bool honors_taints = false;   // nodeTaintsPolicy

    bool operator==(const SpreadConstraint&) const = default;
};

struct HostPort {
    std::string ip{};  // "0.0.0.0": all
    std::string protocol{};
    std::int64_t port = 0;

    bool operator==(const HostPort&) const = default;
};

struct SchedulerPod {
    Meta meta{};
    std::string node{};  // empty: not assigned yet
    std::int64_t priority = 0;
    bool preempts = true;  // preemptionPolicy is not Never
    Placement placement{};
    Amounts requests{};  // of the pod as a whole, what the scheduler counts only
    std::vector<HostPort> ports{};
    std::vector<PodAffinityTerm> affinity{};
    std::vector<PodAffinityTerm> anti_affinity{};
    std::vector<SpreadConstraint> spread{};
    std::vector<std::string> claims{};  // in the order of the volumes

    NamespacedName key() const { return {meta.ns, meta.name}; }
    bool operator==(const SchedulerPod&) const = default;
};

struct SchedulerClaim {
    Claim claim{};
    std::string phase{};
    std::int64_t bytes = 0;                              // requested
    std::optional<std::vector<Requirement>> selector{};  // nullopt: any volume

    bool operator==(const SchedulerClaim&) const = default;
};

struct SchedulerVolume {
    PersistentVolume volume{};
    std::string handle{};  // of a CSI volume
    std::string storage_class{};
    std::string phase{};
    std::int64_t bytes = 0;
    std::vector<std::string> access_modes{};
    std::string volume_mode{};
    NamespacedName claim{};  // spec.claimRef; empty names: free
    std::string claim_uid{};

    bool operator==(const SchedulerVolume&) const = default;
};

struct SchedulerClass {
    StorageClass storage_class{};
    bool waits = false;                                  // volumeBindingMode WaitForFirstConsumer
    std::vector<std::vector<Requirement>> topologies{};  // allowedTopologies; none: everywhere

    bool operator==(const SchedulerClass&) const = default;
};

struct Attachment {
    std::string node{};
    std::string driver{};
    std::string volume{};  // the PV

    bool operator==(const Attachment&) const = default;
};

// A node and the pods assigned to it; the pods may be known before the node.
struct SchedulerNode {
    std::optional<Node> node{};
    Amounts allocatable{};
    Amounts requested{};
    std::set<NamespacedName> pods{};
};

// The cluster as the scheduler sees it. Pods that have finished are not in it.
struct SchedulerView {
    std::map<std::string, SchedulerNode> nodes{};
    std::map<NamespacedName, SchedulerPod> pods{};
    std::set<NamespacedName> anti_affine{};  // assigned pods with required anti-affinity
    std::map<NamespacedName, SchedulerClaim> claims{};
    std::map<std::string, SchedulerVolume> volumes{};
    std::map<std::string, SchedulerClass> classes{};
    std::map<std::string, std::map<std::string, std::int64_t>> volume_limits{};  // node, driver
    std::map<std::string, Attachment> attachments{};
    std::map<std::string, Labels> namespaces{};
};

}  // namespace facts
