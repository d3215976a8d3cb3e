// Claims and volumes find each other: the binder of kube-controller-manager, and a CSI driver's
// provisioner. Source: kubernetes v1.36 pkg/controller/volume/persistentvolume/pv_controller.go;
// kubernetes-csi/external-provisioner (sig-storage-lib-external-provisioner controller.go).
#pragma once

#include <map>
#include <string>

#include "lab/controllers/controller.hpp"

namespace lab {

// Binds claims to the volumes they name, that name them, or that suit them best; asks a provisioner
// where there is none. Volumes of claims that are gone become Released.
class VolumeBinder final : public Controller {
public:
    std::string_view name() const override { return "persistentvolume-controller"; }
    std::vector<WorkItem> concerned(const Change& change, const Store& objects) const override;
    kubeclient::Result<std::optional<Duration>> sync(const WorkItem& item,
                                                     Cluster& cluster) override;

private:
    kubeclient::Status sync_claim(const Json& claim, Cluster& cluster) const;
    kubeclient::Status sync_volume(const Json& volume, Cluster& cluster) const;
};

// The provisioner of every CSI driver: a claim that asks for a volume gets one of its size that any
// node can reach; a Released volume with the reclaim policy Delete goes.
class VolumeProvisioner final : public Controller {
public:
    explicit VolumeProvisioner(Duration takes = std::chrono::seconds(1)) : takes_(takes) {}

    std::string_view name() const override { return "csi-provisioner"; }
    std::vector<WorkItem> concerned(const Change& change, const Store& objects) const override;
    kubeclient::Result<std::optional<Duration>> sync(const WorkItem& item,
                                                     Cluster& cluster) override;

private:
    kubeclient::Result<std::optional<Duration>> provision(const Json& claim, Cluster& cluster);

    Duration takes_;
    std::map<std::string, kubeclient::Instant> begun_{};  // by the claim's uid
};

}  // namespace lab
