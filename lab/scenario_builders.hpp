// What each scenario puts into a world, and its page of the manual. Private to lab/scenario*.cpp.
#pragma once

#include <functional>

#include "lab/scenarios.hpp"

namespace lab {

void build_healthy(Simulation& simulation, const ClusterSize& size);
void build_rwo_disk(Simulation& simulation, const ClusterSize& size);
void build_cpu_mismatch(Simulation& simulation, const ClusterSize& size);
void build_no_room(Simulation& simulation, const ClusterSize& size);

void build_slow_network(Simulation& simulation, const ClusterSize& size);
void build_source_node_lost(Simulation& simulation, const ClusterSize& size);
void build_target_node_lost(Simulation& simulation, const ClusterSize& size);
void build_interrupted_handoff(Simulation& simulation, const ClusterSize& size);
void build_stuck_terminating(Simulation& simulation, const ClusterSize& size);
void build_two_launchers(Simulation& simulation, const ClusterSize& size);
void build_drain_blocked(Simulation& simulation, const ClusterSize& size);

void build_post_copy(Simulation& simulation, const ClusterSize& size);
void build_paused_guest(Simulation& simulation, const ClusterSize& size);
void build_queue(Simulation& simulation, const ClusterSize& size);
void build_quota(Simulation& simulation, const ClusterSize& size);

void build_bare(Simulation& simulation, const ClusterSize& size);

// Paragraphs are separated by empty lines; an indented line is something to type. "@" is the
// program.
extern const char* const kHealthyPage;
extern const char* const kRwoDiskPage;
extern const char* const kCpuMismatchPage;
extern const char* const kNoRoomPage;
extern const char* const kSlowNetworkPage;
extern const char* const kPostCopyPage;
extern const char* const kPausedGuestPage;
extern const char* const kQueuePage;
extern const char* const kQuotaPage;
extern const char* const kSourceNodeLostPage;
extern const char* const kTargetNodeLostPage;
extern const char* const kInterruptedHandoffPage;
extern const char* const kStuckTerminatingPage;
extern const char* const kTwoLaunchersPage;
extern const char* const kDrainBlockedPage;
extern const char* const kBarePage;

// What a scenario has other than healthy, by the node's or machine's number from 1.
struct Furnishing {
    std::function<void(int number, NodeShape& shape)> node = [](int, NodeShape&) {};
    std::function<void(int number, MachineShape& shape)> machine = [](int, MachineShape&) {};
};

std::string node_name(int number);

// Nodes node-1, node-2, …, on them round robin the machines vm-1, vm-2, …
void furnish(Simulation& simulation, const ClusterSize& size, const Furnishing& furnishing = {});
// And everything works on them.
void furnish_and_start(Simulation& simulation, const ClusterSize& size,
                       const Furnishing& furnishing = {});

}  // namespace lab
