// What really is, as against what the API says: machines and the wires between them. The node side
// of the lab (kubelet, virt-handler) acts on it; the ledger is written from it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace lab {

using Instant = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::microseconds;

// One node's hardware and the agents on it. All work by default.
struct Machine {
    std::string name{};
    std::string boot_id{};  // another one after each start
    bool powered = true;
    bool api_reachable = true;  // the agents' way to the API server, and its way to them
    bool kubelet_runs = true;   // and posts the node's status
    bool handler_runs = true;   // virt-handler

    bool kubelet_works() const { return powered && api_reachable && kubelet_runs; }
    bool handler_works() const { return powered && api_reachable && handler_runs; }
};

// Between two machines. What is changed here counts for migrations that start later.
struct Link {
    std::int64_t bandwidth = 1'250'000'000;  // bytes/s: 10 Gbit/s; 0: nothing gets through

    bool operator==(const Link&) const = default;
};

}  // namespace lab
