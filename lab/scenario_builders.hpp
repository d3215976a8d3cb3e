// What each scenario puts into a world. Private to lab/scenario*.cpp.
#pragma once

#include "lab/scenarios.hpp"

namespace lab {

void build_healthy(World& world, const ClusterSize& size);
void build_rwo_disk(World& world, const ClusterSize& size);
void build_cpu_mismatch(World& world, const ClusterSize& size);
void build_no_room(World& world, const ClusterSize& size);

}  // namespace lab
