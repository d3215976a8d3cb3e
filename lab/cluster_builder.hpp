// A cluster's furniture, as it stands when nothing has gone wrong: nodes, KubeVirt, storage,
// rights, and virtual machines that run. Deterministic.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "lab/world.hpp"

namespace lab {

// Where KubeVirt is installed, and where virtual machines live.
inline constexpr const char* kKubeVirtNamespace = "kubevirt";
inline constexpr const char* kMachineNamespace = "prod";

// What a node has to offer. Quantities as Kubernetes writes them.
struct NodeShape {
    std::string name{};
    std::string cpu = "64";
    std::string memory = "256Gi";
    std::string pods = "110";
    std::string cpu_model = "Icelake-Server";  // libvirt's name
};

enum class DiskAccess { shared, single_node };

struct MachineShape {
    std::string name{};
    std::string node{};  // where it runs; must have been added
    int cores = 2;
    int memory_gib = 2;
    DiskAccess disk = DiskAccess::shared;
};

class ClusterBuilder {
public:
    // `world` outlives the builder.
    explicit ClusterBuilder(World& world, std::uint64_t seed = 1);

    // Namespaces, Roles, KubeVirt and its storage. To be called first.
    void add_system();
    // The node, its lease, CSINode and virt-handler.
    void add_node(const NodeShape& shape);
    // The VM, its instance, disk, attachment and launcher.
    void add_machine(const MachineShape& shape);
    // The DaemonSet of virt-handler; after the nodes, which it counts.
    void finish();

private:
    std::string uid();
    std::string suffix();
    std::string ago(std::chrono::seconds age) const;
    void seed_all(const std::vector<Json>& templates,
                  const std::map<std::string, std::string>& words);

    World& world_;
    std::mt19937_64 random_;
    std::string handler_uid_;
    int nodes_ = 0;
    int machines_ = 0;
};

// KubeVirt's overhead beside the guest's memory, in MiB.
int memory_overhead_mib(int cores, int memory_gib);

}  // namespace lab
