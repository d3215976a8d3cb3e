#include "lab/simulation.hpp"

#include <string>

#include "lab/controllers/garbage_collector.hpp"
#include "lab/controllers/kubelet.hpp"
#include "lab/controllers/node_lifecycle.hpp"
#include "lab/controllers/scheduler.hpp"
#include "lab/controllers/virt_api.hpp"
#include "lab/controllers/virt_controllers.hpp"
#include "lab/controllers/virt_handler.hpp"
#include "lab/controllers/volume_binder.hpp"

namespace lab {

namespace {

// Components may do everything: whose rights a cluster lacks is not what the lab plays.
User component(std::string name) {
    return {std::move(name), {"system:masters", "system:authenticated"}};
}

User service_account(const std::string& ns, const std::string& name) {
    User user = component("system:serviceaccount:" + ns + ":" + name);
    user.groups.emplace_back("system:serviceaccounts");
    return user;
}

}  // namespace

Simulation::Simulation(const SimulationOptions& options)
    : options_(options),
      world_(options.world),
      hardware_([this] { return world_.now(); }),
      endpoints_(world_.objects(), hardware_, [this] { return world_.now(); }),
      virt_api_(make_virt_api(world_.server(), world_.objects(),
                              service_account("kubevirt", "kubevirt-apiserver"),
                              [this] { return world_.now(); })) {
    world_.server().extend(endpoints_);
    world_.server().extend(*virt_api_);
}

void Simulation::start() {
    start_kubevirt();
    start_kubernetes();
}

void Simulation::start_kubernetes() {
    const Duration reaction = options_.control_plane;
    const User manager = component("system:kube-controller-manager");
    const User driver = service_account("kube-system", "csi");
    world_.add(std::make_unique<Scheduler>(), component("system:kube-scheduler"), reaction);
    world_.add(std::make_unique<NodeLifecycle>(), manager, reaction);
    world_.add(std::make_unique<TaintEviction>(), manager, reaction);
    world_.add(std::make_unique<PodGarbageCollector>(), manager, reaction);
    world_.add(std::make_unique<AttachDetach>(), manager, reaction);
    world_.add(std::make_unique<VolumeBinder>(), manager, reaction);
    world_.add(std::make_unique<GarbageCollector>(), manager, reaction);
    world_.add(std::make_unique<NamespaceController>(), manager, reaction);
    world_.add(std::make_unique<CsiAttacher>(options_.attach), driver, reaction);
    world_.add(std::make_unique<VolumeProvisioner>(options_.provision), driver, reaction);
    world_.add(std::make_unique<Kubelet>(hardware_), component("system:node"), options_.node_side);
}

void Simulation::start_kubevirt() {
    const Duration reaction = options_.control_plane;
    const User controller = component(std::string(kVirtControllerUser));
    world_.add(make_vm_controller(), controller, reaction);
    world_.add(make_vmi_controller(), controller, reaction);
    world_.add(make_migration_controller(), controller, reaction);
    world_.add(make_evacuation_controller(), controller, reaction);
    world_.add(make_node_controller(), controller, reaction);
    world_.add(std::make_unique<VirtHandler>(hardware_),
               service_account("kubevirt", "kubevirt-handler"), options_.node_side);
}

}  // namespace lab
