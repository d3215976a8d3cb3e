// The check tables, one per area, in the order of the registry. Each table lives with its checks.
#pragma once

#include <span>

#include "preflight/check.hpp"

namespace preflight {

std::span<const Check> disk_checks();
std::span<const Check> volume_checks();
std::span<const Check> port_checks();
std::span<const Check> cpu_checks();
std::span<const Check> numa_checks();
std::span<const Check> bandwidth_checks();
std::span<const Check> network_checks();
std::span<const Check> device_checks();
std::span<const Check> machine_checks();
std::span<const Check> launcher_checks();
std::span<const Check> node_checks();
std::span<const Check> admission_checks();

}  // namespace preflight
