#include "lab/kubernetes.hpp"

#include "lab/controllers/garbage_collector.hpp"
#include "lab/controllers/node_lifecycle.hpp"
#include "lab/controllers/quota.hpp"
#include "lab/controllers/scheduler.hpp"
#include "lab/controllers/volume_binder.hpp"

namespace lab {

std::unique_ptr<Extension> add_kubernetes(World& world, const KubernetesTimes& times) {
    auto extension = std::make_unique<QuotaAdmission>(world.objects());
    world.server().extend(*extension);
    // Rights are not what is played here: with RBAC on, these users may do everything.
    const User scheduler{"system:kube-scheduler", {"system:masters", "system:authenticated"}};
    const User manager{"system:kube-controller-manager", scheduler.groups};
    const User driver{"system:serviceaccount:kube-system:csi", scheduler.groups};
    world.add(std::make_unique<Scheduler>(), scheduler);
    world.add(std::make_unique<NodeLifecycle>(), manager);
    world.add(std::make_unique<TaintEviction>(), manager);
    world.add(std::make_unique<PodGarbageCollector>(), manager);
    world.add(std::make_unique<AttachDetach>(), manager);
    world.add(std::make_unique<VolumeBinder>(), manager);
    world.add(std::make_unique<GarbageCollector>(), manager);
    world.add(std::make_unique<NamespaceController>(), manager);
    world.add(std::make_unique<QuotaController>(), manager);
    world.add(std::make_unique<CsiAttacher>(times.attach), driver);
    world.add(std::make_unique<VolumeProvisioner>(times.provision), driver);
    return extension;
}

}  // namespace lab
