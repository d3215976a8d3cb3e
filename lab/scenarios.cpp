#include "lab/scenarios.hpp"

#include <algorithm>
#include <array>

#include "lab/scenario_builders.hpp"

namespace lab {

std::span<const Scenario> all_scenarios() {
    static const std::array scenarios{
        Scenario{"healthy", "Everything works: every virtual machine can move", kHealthyPage,
                 build_healthy},
        Scenario{"rwo-disk", "One disk may be attached to one node only", kRwoDiskPage,
                 build_rwo_disk},
        Scenario{"cpu-mismatch", "One node has a newer CPU than the others", kCpuMismatchPage,
                 build_cpu_mismatch},
        Scenario{"no-room", "The other nodes are full", kNoRoomPage, build_no_room},
        Scenario{"slow-network", "A guest dirties memory faster than the network carries it",
                 kSlowNetworkPage, build_slow_network},
        Scenario{"post-copy", "A busy guest goes over first, and its memory follows", kPostCopyPage,
                 build_post_copy},
        Scenario{"paused-guest", "A busy guest is paused so that its memory can be sent",
                 kPausedGuestPage, build_paused_guest},
        Scenario{"queue", "Three leave a node where two may at a time, and one waits", kQueuePage,
                 build_queue},
        Scenario{"quota", "A quota leaves no room for a second launcher", kQuotaPage, build_quota},
        Scenario{"source-node-lost", "The node that runs the guest loses power in mid-migration",
                 kSourceNodeLostPage, build_source_node_lost},
        Scenario{"target-node-lost", "The node that a migration goes to loses power",
                 kTargetNodeLostPage, build_target_node_lost},
        Scenario{"interrupted-handoff", "Cut off at the switch-over: two nodes seem to own a disk",
                 kInterruptedHandoffPage, build_interrupted_handoff},
        Scenario{"stuck-terminating", "A canceled migration never goes away", kStuckTerminatingPage,
                 build_stuck_terminating},
        Scenario{"two-launchers", "An old launcher never ended, and the next migration waits",
                 kTwoLaunchersPage, build_two_launchers},
        Scenario{"drain-blocked", "A node is drained, and one guest on it cannot leave",
                 kDrainBlockedPage, build_drain_blocked},
        Scenario{"bare", "An API server alone: nothing happens by itself", kBarePage, build_bare},
    };
    return scenarios;
}

const Scenario* find_scenario(std::string_view name) {
    const auto scenarios = all_scenarios();
    const auto found = std::find_if(scenarios.begin(), scenarios.end(),
                                    [&](const Scenario& each) { return each.name == name; });
    return found == scenarios.end() ? nullptr : &*found;
}

int nodes_for(int machines) {
    return std::max(3, (machines + kMachinesPerNode - 1) / kMachinesPerNode);
}

}  // namespace lab
