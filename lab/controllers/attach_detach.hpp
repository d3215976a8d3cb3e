// Which volumes are attached where: the attach/detach controller makes and deletes
// VolumeAttachments, and a CSI driver's external-attacher carries them out.
// Source: kubernetes v1.36 pkg/controller/volume/attachdetach (reconciler, statusupdater),
// pkg/volume/csi/csi_attacher.go; kubernetes-csi/external-attacher pkg/controller.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lab/controllers/controller.hpp"

namespace lab {

class AttachDetach final : public Controller {
public:
    // How long a volume that a silent node still reports in use is left to it.
    static constexpr Duration kMaxWaitForUnmount = std::chrono::minutes(6);

    std::string_view name() const override { return "attachdetach-controller"; }
    std::vector<WorkItem> concerned(const Change& change, const Store& objects) const override;
    // One PersistentVolume, or all that are attached to one node.
    kubeclient::Result<std::optional<Duration>> sync(const WorkItem& item,
                                                     Cluster& cluster) override;

private:
    using VolumeOnNode = std::pair<std::string, std::string>;
    struct Wanted;

    void catch_up(const Store& objects);
    void note(const Change& change);
    kubeclient::Result<std::optional<Duration>> reconcile(const std::string& volume,
                                                          Cluster& cluster);
    Wanted wanted(const Json& volume, const Store& objects) const;
    std::vector<Object> attachments_of(const std::string& volume, const Store& objects) const;
    void tell_attached(const Json& volume, const std::string& node, const Wanted& wanted,
                       Cluster& cluster);
    kubeclient::Result<std::optional<Duration>> detach(const Json& volume, const Json& attachment,
                                                       Cluster& cluster);
    kubeclient::Status attach(const Json& volume, const Wanted& wanted, Cluster& cluster);
    void refuse(const Json& volume, const std::string& node, const Wanted& wanted,
                Cluster& cluster);

    std::uint64_t seen_ = 0;
    std::map<ObjectKey, std::set<ObjectKey>> users_{};  // claim: pods that are assigned to a node
    std::map<std::string, std::set<std::string>> by_volume_{};  // attachments
    std::map<std::string, std::set<std::string>> on_node_{};    // volumes
    std::map<VolumeOnNode, kubeclient::Instant> detach_asked_{};
    std::set<VolumeOnNode> attaching_{};
    std::set<VolumeOnNode> refused_{};  // told once; as long as the pod is there
};

struct AttachTimes {
    Duration attach = std::chrono::milliseconds(300);
    Duration detach = std::chrono::milliseconds(300);
};

// The external-attacher of every CSI driver whose volumes any node can have.
class CsiAttacher final : public Controller {
public:
    explicit CsiAttacher(AttachTimes times = {}) : times_(times) {}

    std::string_view name() const override { return "csi-attacher"; }
    std::vector<WorkItem> concerned(const Change& change, const Store& objects) const override;
    kubeclient::Result<std::optional<Duration>> sync(const WorkItem& item,
                                                     Cluster& cluster) override;

private:
    // When what was begun will be done; nullopt: it is done.
    std::optional<Duration> left(const std::string& work, Duration takes, kubeclient::Instant now);

    AttachTimes times_;
    std::map<std::string, kubeclient::Instant> begun_{};
};

}  // namespace lab
