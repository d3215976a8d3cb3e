// The situations that `virt-handoff lab` can play: a row each, from which help, manual and tests
// are made.
#pragma once

#include <span>
#include <string_view>

#include "lab/cluster_builder.hpp"
#include "lab/simulation.hpp"

namespace lab {

struct ClusterSize {
    int nodes = 3;
    int machines = 6;
};

// So many virtual machines that there is room to move them.
inline constexpr int kMachinesPerNode = 90;

struct Scenario {
    std::string_view name;
    std::string_view summary;  // one line
    std::string_view page;     // paragraphs for the manual: what is wrong, what to try
    void (*build)(Simulation& simulation, const ClusterSize& size);
};

// The first one is played when none is named.
std::span<const Scenario> all_scenarios();
const Scenario* find_scenario(std::string_view name);  // nullptr: there is none

// The fewest nodes that carry so many machines, three at least.
int nodes_for(int machines);

}  // namespace lab
