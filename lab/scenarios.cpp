#include "lab/scenarios.hpp"

#include <algorithm>
#include <array>

#include "lab/scenario_builders.hpp"

namespace lab {

namespace {

constexpr std::array kScenarios{
    Scenario{"healthy", "Everything works: every virtual machine can move",
             "Nodes of one kind, virtual machines on shared block disks, KubeVirt v1.9.0. The "
             "place to learn what normal looks like, and to try scripts on.",
             build_healthy},
    Scenario{"rwo-disk", "One virtual machine's disk may be attached to one node only",
             "The claim of vm-1 is ReadWriteOnce, so KubeVirt refuses to migrate it. Nothing is "
             "broken; the answer is a shared claim. Look for DISK-001.",
             build_rwo_disk},
    Scenario{"cpu-mismatch", "One node has an older CPU than the others",
             "node-1 has the newest CPU, all others an older one. What runs on node-1 with the "
             "model of its host cannot leave it: no other node offers that CPU. Look for CPU-003 "
             "and NODE-001.",
             build_cpu_mismatch},
    Scenario{"no-room", "The other nodes are full",
             "Every node is as full as its memory allows. preflight passes, because it does not "
             "count what runs on the nodes; the target pod of a migration then stays Pending with "
             "Insufficient memory, and the migration fails after five minutes.",
             build_no_room},
    Scenario{"bare", "An API server alone: nothing happens by itself",
             "The objects of a healthy cluster, but no controller, webhook or node looks at them: "
             "pods are not scheduled, migrations stay without a phase, deleted namespaces stay "
             "Terminating. The place to try requests without consequences.",
             build_bare},
};

}  // namespace

std::span<const Scenario> all_scenarios() {
    return kScenarios;
}

const Scenario* find_scenario(std::string_view name) {
    const auto found = std::find_if(kScenarios.begin(), kScenarios.end(),
                                    [&](const Scenario& each) { return each.name == name; });
    return found == kScenarios.end() ? nullptr : &*found;
}

int nodes_for(int machines) {
    return std::max(3, (machines + kMachinesPerNode - 1) / kMachinesPerNode);
}

}  // namespace lab
