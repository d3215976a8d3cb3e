// The part of kube-controller-manager that binds claims to volumes that are there: a volume whose
// claimRef names the claim. Nothing is provisioned, chosen or reclaimed.
// Source: kubernetes v1.36 pkg/controller/volume/persistentvolume (pv_controller.go: bind,
// bindVolumeToClaim, bindClaimToVolume).
#pragma once

#include "lab/controllers/controller.hpp"

namespace lab {

class VolumeBinder final : public Controller {
public:
    std::string_view name() const override { return "persistentvolume-binder"; }
    std::vector<WorkItem> concerned(const Change& change, const Store& objects) const override;
    kubeclient::Result<std::optional<Duration>> sync(const WorkItem& item,
                                                     Cluster& cluster) override;
};

}  // namespace lab
