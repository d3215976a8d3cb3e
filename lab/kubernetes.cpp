#include "lab/kubernetes.hpp"

#include <utility>

#include "lab/controllers/garbage_collector.hpp"
#include "lab/controllers/node_lifecycle.hpp"
#include "lab/controllers/scheduler.hpp"
#include "lab/controllers/volume_binder.hpp"

namespace lab {

User component(std::string name) {
    return {std::move(name), {"system:masters", "system:authenticated"}};
}

User service_account(const std::string& ns, const std::string& name) {
    User user = component("system:serviceaccount:" + ns + ":" + name);
    user.groups.emplace_back("system:serviceaccounts");
    return user;
}

void add_kubernetes(World& world, const KubernetesTimes& times) {
    const User manager = component("system:kube-controller-manager");
    const User driver = service_account("kube-system", "csi");
    const auto add = [&](std::unique_ptr<Controller> controller, const User& user) {
        world.add(std::move(controller), user, times.reaction);
    };
    add(std::make_unique<Scheduler>(), component("system:kube-scheduler"));
    add(std::make_unique<NodeLifecycle>(), manager);
    add(std::make_unique<TaintEviction>(), manager);
    add(std::make_unique<PodGarbageCollector>(), manager);
    add(std::make_unique<AttachDetach>(), manager);
    add(std::make_unique<VolumeBinder>(), manager);
    add(std::make_unique<GarbageCollector>(), manager);
    add(std::make_unique<NamespaceController>(), manager);
    add(std::make_unique<CsiAttacher>(times.attach), driver);
    add(std::make_unique<VolumeProvisioner>(times.provision), driver);
}

}  // namespace lab
