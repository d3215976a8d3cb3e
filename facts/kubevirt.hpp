// KubeVirt's own configuration, and the network that its node agents need. Values only; durations
// are seconds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "facts/machine.hpp"

namespace facts {

struct MigrationPolicy {
    Meta meta{};
    std::optional<Labels> namespace_selector{};  // nullopt: no `selectors` at all matches nothing
    std::optional<Labels> vmi_selector{};
    bool has_selectors = false;
    MigrationSettings settings{};

    bool operator==(const MigrationPolicy&) const = default;
};

struct KubeVirt {
    Meta meta{};
    std::string observed_version{};
    std::vector<std::string> feature_gates{};  // enabled, less those disabled
    std::map<std::string, bool> bindings{};    // network binding plugin -> may migrate
    std::vector<std::string> mediated_device_resources{};
    std::string default_cpu_model{};
    std::string default_network_interface{};
    std::string default_architecture{};
    Labels node_selectors{};  // developerConfiguration.nodeSelectors
    MigrationSettings migrations{};

    bool operator==(const KubeVirt&) const = default;
};

// The virt-handler DaemonSet.
struct HandlerDaemonSet {
    Meta meta{};
    std::string networks{};  // template annotation k8s.v1.cni.cncf.io/networks
    std::int64_t desired = 0;
    std::int64_t updated = 0;
    std::int64_t ready = 0;
    bool observed = true;  // status.observedGeneration has caught up

    bool operator==(const HandlerDaemonSet&) const = default;
};

struct NetworkPolicy {
    Meta meta{};
    std::vector<Requirement> selector{};  // its podSelector; empty selects every pod
    bool ingress = false;                 // policyTypes
    bool egress = false;
    bool allows_handlers_in = false;
    bool allows_handlers_out = false;

    bool operator==(const NetworkPolicy&) const = default;
};

struct NetworkAttachment {
    Meta meta{};

    bool operator==(const NetworkAttachment&) const = default;
};

}  // namespace facts
