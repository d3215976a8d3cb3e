// Everything that was read, at one moment, about the virtual machines in question. Values only: it
// can be built by hand, copied and compared. What could not be read is a Gap, never an absence.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "facts/cluster.hpp"
#include "facts/kubevirt.hpp"

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

    // The gap that keeps something unknown; `resource` where a part was read, but not all.
    std::string gap_or(std::string resource) const {
        return gap.empty() ? std::move(resource) : gap;
    }

    bool operator==(const Coverage&) const = default;
};

// The items are facts in any case.
template <class T>
struct Reading : Coverage {
    std::vector<T> items{};

    // By namespace and name; logarithmic after sort().
    const T* find(std::string_view ns, std::string_view name) const {
        const auto key = std::pair(ns, name);
        const auto found =
            sorted_ ? std::lower_bound(
                          items.begin(), items.end(), key,
                          [](const T& item, const auto& wanted) { return key_of(item) < wanted; })
                    : std::find_if(items.begin(), items.end(),
                                   [&](const T& item) { return key_of(item) == key; });
        return found == items.end() || key_of(*found) != key ? nullptr : &*found;
    }

    // Whether what is not among the items of this namespace can be taken for absent. Files are
    // taken to hold all objects of a kind in a namespace where they hold one of them.
    bool covers(std::string_view ns) const {
        return complete ||
               (gap.empty() && std::any_of(items.begin(), items.end(),
                                           [&](const T& item) { return item.meta.ns == ns; }));
    }

    void sort() {
        std::stable_sort(items.begin(), items.end(), [](const T& left, const T& right) {
            return key_of(left) < key_of(right);
        });
        sorted_ = true;
    }

    bool operator==(const Reading&) const = default;

private:
    static std::pair<std::string_view, std::string_view> key_of(const T& item) {
        return {item.meta.ns, item.meta.name};
    }

    bool sorted_ = false;
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

// Makes every later find() fast. Pointers to items end here.
inline void sort_readings(Snapshot& all) {
    const auto sort = [](auto&... readings) { (readings.sort(), ...); };
    sort(all.vms, all.vmis, all.kubevirts, all.nodes, all.claims, all.data_volumes, all.volumes,
         all.storage_classes, all.namespaces, all.attachments, all.opinions);
}

}  // namespace facts
