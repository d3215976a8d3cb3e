// kube-scheduler: gives each pending pod a node. It chooses by preflight's rules; among the nodes
// that fit the one least spoken for, then the first by name, where the real one draws lots. It does
// not preempt. Source: kubernetes v1.36 pkg/scheduler (schedule_one.go, backend/queue).
#pragma once

#include <map>
#include <memory>
#include <set>

#include "facts/scheduling.hpp"
#include "lab/controllers/controller.hpp"

namespace lab {

class Scheduler final : public Controller {
public:
    std::string_view name() const override { return "default-scheduler"; }
    std::vector<WorkItem> concerned(const Change& change, const Store& objects) const override;
    kubeclient::Result<std::optional<Duration>> sync(const WorkItem& item,
                                                     Cluster& cluster) override;

private:
    // Of a pod that found no node: not again before this, however much changes.
    struct Attempt {
        int failures = 0;
        kubeclient::Instant not_before{};
    };

    void catch_up(const Store& objects);
    kubeclient::Result<std::optional<Duration>> refuse(const Json& pod, const std::string& message,
                                                       Cluster& cluster);
    kubeclient::Result<std::optional<Duration>> assign(const Json& pod,
                                                       const facts::SchedulerPod& wanted,
                                                       const std::string& node, Cluster& cluster);

    facts::SchedulerView view_{};
    std::uint64_t seen_ = 0;  // revision of the store that the view shows
    std::set<ObjectKey> waiting_{};
    std::map<ObjectKey, Attempt> attempts_{};
};

}  // namespace lab
