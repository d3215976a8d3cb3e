#include "lab/simulation.hpp"

#include <string>

#include "lab/controllers/kubelet.hpp"
#include "lab/controllers/virt_api.hpp"
#include "lab/controllers/virt_controllers.hpp"
#include "lab/controllers/virt_handler.hpp"

namespace lab {

Simulation::Simulation(const SimulationOptions& options)
    : options_(options),
      world_(options.world),
      hardware_([this] { return world_.now(); }),
      endpoints_(world_.objects(), hardware_, [this] { return world_.now(); }),
      virt_api_(make_virt_api(world_.server(), world_.objects(),
                              service_account("kubevirt", "kubevirt-apiserver"),
                              [this] { return world_.now(); })) {}

void Simulation::start() {
    world_.server().extend(endpoints_);
    world_.server().extend(*virt_api_);
    const Duration reaction = options_.control_plane.reaction;
    const User controller = component(std::string(kVirtControllerUser));
    world_.add(make_vm_controller(), controller, reaction);
    world_.add(make_vmi_controller(), controller, reaction);
    world_.add(make_migration_controller(), controller, reaction);
    world_.add(make_evacuation_controller(), controller, reaction);
    world_.add(make_node_controller(), controller, reaction);
    add_kubernetes(world_, options_.control_plane);
    world_.add(std::make_unique<Kubelet>(hardware_), component("system:node"), options_.node_side);
    world_.add(std::make_unique<VirtHandler>(hardware_),
               service_account("kubevirt", "kubevirt-handler"), options_.node_side);
}

}  // namespace lab
