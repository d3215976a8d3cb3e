// Everything that was read, at one moment, about the virtual machines in question. Values only: it
// can be built by hand, copied and compared. What could not be read is a Gap, never an absence.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "facts/cluster.hpp"

namespace facts {

struct Gap {
    std::string id{};        // unique: "nodes", "persistentvolumeclaims/prod/data"
    std::string verb{};      // get, list, create
    std::string resource{};  // with the API group: "kubevirts.kubevirt.io"
    std::string reason{};

    bool operator==(const Gap&) const = default;
};

// How much of one kind of object was read. `complete`: what is not among the items does not exist.
// Else what is missing is unknown, for the reason of the gap with the id `gap`.
struct Coverage {
    bool complete = false;
    std::string gap{};

    bool operator==(const Coverage&) const = default;
};

// The items are facts in any case.
template <class T>
struct Reading : Coverage {
    std::vector<T> items{};

    const T* find(std::string_view ns, std::string_view name) const {
        const auto found = std::find_if(items.begin(), items.end(), [&](const T& item) {
            return item.meta.name == name && item.meta.ns == ns;
        });
        return found == items.end() ? nullptr : &*found;
    }
    bool operator==(const Reading&) const = default;
};

// What the server said to a create of the migration with dryRun=All.
struct ServerOpinion {
    Meta meta{};  // of the VMI
    bool accepted = false;
    std::string message{};

    bool operator==(const ServerOpinion&) const = default;
};

struct Snapshot {
    std::chrono::sys_seconds taken_at{};
    std::string source{};
    bool live = false;  // read from a cluster just now; files are of unknown age
    Reading<Vm> vms{};
    Reading<Vmi> vmis{};
    Reading<Migration> migrations{};
    Reading<KubeVirt> kubevirts{};
    Reading<MigrationPolicy> policies{};
    Reading<Node> nodes{};
    Reading<Pod> launchers{};  // virt-launcher pods
    Reading<Pod> handlers{};   // virt-handler pods
    Reading<HandlerDaemonSet> handler_sets{};
    Reading<NetworkPolicy> network_policies{};  // of KubeVirt's own namespace
    Reading<NetworkAttachment> attachments{};
    Reading<Claim> claims{};
    Reading<DataVolume> data_volumes{};
    Reading<PersistentVolume> volumes{};
    Reading<StorageClass> storage_classes{};
    Reading<Namespace> namespaces{};
    Reading<ResourceQuota> quotas{};
    Reading<ServerOpinion> opinions{};
    std::vector<Gap> gaps{};

    bool operator==(const Snapshot&) const = default;
};

}  // namespace facts
