// What goes when its owner or its namespace goes. Source: kubernetes v1.36
// pkg/controller/garbagecollector (attemptToDeleteItem, processDeletingDependentsItem,
// orphanDependents) and pkg/controller/namespace/deletion.
#pragma once

#include <map>
#include <set>
#include <string>

#include "lab/controllers/controller.hpp"

namespace lab {

// Deletes objects whose owners are all gone, and carries out the finalizers foregroundDeletion and
// orphan.
class GarbageCollector final : public Controller {
public:
    std::string_view name() const override { return "garbage-collector-controller"; }
    std::vector<WorkItem> concerned(const Change& change, const Store& objects) const override;
    kubeclient::Result<std::optional<Duration>> sync(const WorkItem& item,
                                                     Cluster& cluster) override;

private:
    void catch_up(const Store& objects);
    kubeclient::Status collect(const WorkItem& item, const Json& object, Cluster& cluster);
    kubeclient::Status finish(const WorkItem& item, const Json& object, Cluster& cluster);

    std::uint64_t seen_ = 0;
    std::map<std::string, WorkItem> alive_{};                 // by uid
    std::map<std::string, std::set<WorkItem>> dependents_{};  // by the owner's uid
    std::map<WorkItem, std::set<std::string>> owners_{};      // uids
    std::set<WorkItem> affected_{};  // to look at because another object has gone
};

// Empties a namespace that is being deleted, then lets it go.
class NamespaceController final : public Controller {
public:
    std::string_view name() const override { return "namespace-controller"; }
    std::vector<WorkItem> concerned(const Change& change, const Store& objects) const override;
    kubeclient::Result<std::optional<Duration>> sync(const WorkItem& item,
                                                     Cluster& cluster) override;

private:
    void catch_up(const Store& objects);

    std::uint64_t seen_ = 0;
    std::map<std::string, std::set<WorkItem>> contents_{};
};

}  // namespace lab
