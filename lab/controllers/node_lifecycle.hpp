// What kube-controller-manager does about nodes that fall silent, and about the pods on them.
// Source: kubernetes v1.36 pkg/controller/{nodelifecycle,tainteviction,podgc}. Not here: zones and
// their eviction rates, the stop of evictions when all nodes are silent.
#pragma once

#include <map>
#include <string>

#include "lab/controllers/controller.hpp"

namespace lab {

// A node whose kubelet neither renews its Lease nor posts its status for the grace period becomes
// Ready=Unknown; taints follow the conditions.
class NodeLifecycle final : public Controller {
public:
    static constexpr Duration kGracePeriod = std::chrono::seconds(50);

    std::string_view name() const override { return "node-controller"; }
    std::vector<WorkItem> concerned(const Change& change, const Store& objects) const override;
    kubeclient::Result<std::optional<Duration>> sync(const WorkItem& item,
                                                     Cluster& cluster) override;

private:
    // The last signs of life and when they were seen: the nodes' clocks are not trusted.
    struct Health {
        std::string renewed{};
        std::string heartbeat{};
        kubeclient::Instant seen{};
    };

    kubeclient::Status call_unknown(const Json& node, Cluster& cluster) const;
    std::map<std::string, Health> health_{};
};

// Deletes pods from nodes with a NoExecute taint that they do not tolerate, or no longer.
class TaintEviction final : public Controller {
public:
    std::string_view name() const override { return "taint-eviction-controller"; }
    std::vector<WorkItem> concerned(const Change& change, const Store& objects) const override;
    kubeclient::Result<std::optional<Duration>> sync(const WorkItem& item,
                                                     Cluster& cluster) override;

private:
    std::map<ObjectKey, kubeclient::Instant> tainted_since_{};
};

// Removes pods that no kubelet will: of nodes that are gone, or out of service.
class PodGarbageCollector final : public Controller {
public:
    static constexpr Duration kPeriod = std::chrono::seconds(20);
    static constexpr Duration kQuarantine = std::chrono::seconds(40);

    std::string_view name() const override { return "pod-garbage-collector-controller"; }
    std::vector<WorkItem> concerned(const Change& change, const Store& objects) const override;
    kubeclient::Result<std::optional<Duration>> sync(const WorkItem& item,
                                                     Cluster& cluster) override;

private:
    std::map<ObjectKey, kubeclient::Instant> due_{};
};

}  // namespace lab
