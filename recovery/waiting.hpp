// Why a migration does not go on. KubeVirt tells the least of it: most causes leave no event and no
// condition, and have to be counted. Pure.
//
// Sources: kubevirt pkg/virt-controller/watch/migration/migration.go (canMigrateVMI,
// handleTargetPodCreation, handleMigrationBackoff), v1.9, and recorded sessions with it.
#pragma once

#include <string>
#include <vector>

#include "recovery/sight.hpp"

namespace recovery {

struct Cause {
    std::string code{};  // "cluster-limit": stable, for scripts
    std::string text{};  // a sentence without full stop, with what was counted
    std::string next{};  // a command, or empty where waiting is all there is to do

    bool operator==(const Cause&) const = default;
};

// KubeVirt's limits, resolved: virt-config.go's defaults where the CR says nothing.
struct Limits {
    std::int64_t per_cluster = 5;
    std::int64_t outbound_per_node = 2;
    std::string gap{};  // why the KubeVirt CR could not be read; then these are the defaults
};

struct WaitingFor {
    const facts::Migration* migration = nullptr;  // never null, unfinished
    const facts::Vmi* vmi = nullptr;              // null: not read
    const facts::Node* source_node = nullptr;     // null: not read
    Limits limits{};
    Instant now{};
    std::string program = "virt-handoff";  // how the user calls it, for commands in `next`
};

// Everything that can be known to hold it up, most certain first; empty while nothing is, or
// nothing may be known. A cause is only named where it was seen. A migration that stays Pending for
// 15 s without one gets those that are "possible", and what could not be read ("limits-unread").
std::vector<Cause> why_waiting(const Sight& sight, const WaitingFor& waiting);

// Whether the queue has to be counted to know more: the migration is Pending, and nothing that was
// seen explains it.
bool needs_queue(const Sight& sight, const WaitingFor& waiting);

}  // namespace recovery
