// What surrounds a virtual machine in Kubernetes: nodes, pods, storage, quotas. Values only; sizes
// are bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "facts/machine.hpp"

namespace facts {

struct Taint {
    std::string key{};
    std::string value{};
    std::string effect{};

    bool operator==(const Taint&) const = default;
};

struct Node {
    Meta meta{};
    bool cordoned = false;
    bool ready = false;
    std::vector<Taint> taints{};
    std::map<std::string, std::int64_t> allocatable{};    // whole units, rounded down
    std::optional<std::chrono::sys_seconds> heartbeat{};  // annotation kubevirt.io/heartbeat

    bool operator==(const Node&) const = default;
};

struct Pod {
    Meta meta{};
    std::string node{};
    std::string phase{};
    Placement placement{};
    std::map<std::string, std::int64_t> requests{};  // all containers; cpu in thousandths
    std::map<std::string, std::int64_t> limits{};    // the same
    std::map<std::string, std::vector<std::string>> interfaces{};  // name -> addresses (Multus)
    bool ready = false;
    std::string unschedulable{};  // the scheduler's words; empty: it has a node, or waits for one
    // What keeps a container from running, or ended it: "ImagePullBackOff: …", "OOMKilled (137)".
    // Else status.reason and message: "Evicted: …". Empty: nothing.
    std::string trouble{};

    bool finished() const { return phase == "Succeeded" || phase == "Failed"; }
    bool operator==(const Pod&) const = default;
};

struct Claim {
    Meta meta{};
    std::vector<std::string> access_modes{};  // spec.accessModes
    std::string volume_mode{};
    std::string storage_class{};
    std::string volume{};  // the PV it is bound to

    bool operator==(const Claim&) const = default;
};

struct PersistentVolume {
    Meta meta{};
    std::string driver{};  // CSI driver, or "kubernetes.io/<in-tree kind>"
    std::optional<std::vector<NodeTerm>> node_terms{};  // nullopt: reachable from every node

    bool operator==(const PersistentVolume&) const = default;
};

struct StorageClass {
    Meta meta{};
    std::string provisioner{};

    bool operator==(const StorageClass&) const = default;
};

// A VolumeAttachment: the volume is, or is to be, attached to the node.
struct VolumeAttachment {
    Meta meta{};
    std::string volume{};  // the PV
    std::string node{};
    std::string attacher{};  // the CSI driver
    bool attached = false;
    std::string error{};  // of attaching or detaching; empty when none

    bool operator==(const VolumeAttachment&) const = default;
};

// An Event of type Warning, about one object. It may stand for several alike.
struct Warning {
    std::string uid{};   // of the Event
    std::string kind{};  // of the object
    std::string ns{};
    std::string name{};
    std::string object_uid{};
    std::string reason{};
    std::string message{};
    std::int64_t count = 1;
    std::optional<std::chrono::sys_seconds> last{};

    bool operator==(const Warning&) const = default;
};

struct Namespace {
    Meta meta{};

    bool operator==(const Namespace&) const = default;
};

struct ResourceQuota {
    Meta meta{};
    std::map<std::string, std::int64_t> hard{};  // thousandths
    std::map<std::string, std::int64_t> used{};

    bool operator==(const ResourceQuota&) const = default;
};

}  // namespace facts
