// What each scenario puts into a world. Private to lab/scenario*.cpp.
#pragma once

#include "lab/scenarios.hpp"

namespace lab {

void build_healthy(Simulation& simulation, const ClusterSize& size);
void build_rwo_disk(Simulation& simulation, const ClusterSize& size);
void build_cpu_mismatch(Simulation& simulation, const ClusterSize& size);
void build_no_room(Simulation& simulation, const ClusterSize& size);
void build_bare(Simulation& simulation, const ClusterSize& size);

}  // namespace lab
