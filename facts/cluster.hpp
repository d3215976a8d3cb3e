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
