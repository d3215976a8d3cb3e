// The scheduler, kube-controller-manager and a generic CSI driver's side-cars, all at once.
#pragma once

#include <memory>

#include "lab/controllers/attach_detach.hpp"
#include "lab/world.hpp"

namespace lab {

struct KubernetesTimes {
    AttachTimes attach{};
    Duration provision = std::chrono::seconds(1);
};

// Adds the controllers and the API server's quota admission. The extension is the caller's, and has
// to outlive the world.
std::unique_ptr<Extension> add_kubernetes(World& world, const KubernetesTimes& times = {});

}  // namespace lab
