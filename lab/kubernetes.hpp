// The scheduler, kube-controller-manager and a generic CSI driver's side-cars, all at once.
#pragma once

#include <string>

#include "lab/controllers/attach_detach.hpp"
#include "lab/world.hpp"

namespace lab {

struct KubernetesTimes {
    AttachTimes attach{};
    Duration provision = std::chrono::seconds(1);
    Duration reaction{0};  // see World::add
};

void add_kubernetes(World& world, const KubernetesTimes& times = {});

// Who components are. They may do everything: whose rights a cluster lacks is not what the lab
// plays.
User component(std::string name);
User service_account(const std::string& ns, const std::string& name);

}  // namespace lab
