// What cancelling a migration takes, decided before anything is done. Pure.
//
// Sources: kubevirt pkg/virt-controller/watch/migration/migration.go (what deleting a VMIM does in
// each phase), pkg/virt-api/rest/evacuate_cancel.go (marks), v1.9, and recorded sessions with them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "recovery/sight.hpp"

namespace recovery {

// In the order in which they have to be done: a mark that is still there has the migration made
// anew at once.
enum class CancelAction : std::uint8_t {
    take_back_mark,    // PUT evacuate/cancel with the marked node
    delete_migration,  // DELETE the VMIM, by its uid
    delete_target,     // DELETE the target pod, by its uid: only while nothing has been copied
};

struct Refusal {
    std::string rule{};  // "post-copy"
    std::string seen{};
    std::string needed{};
    std::string next{};

    bool operator==(const Refusal&) const = default;
};

struct CancelPlan {
    std::vector<CancelAction> actions{};  // empty without refusal: nothing to cancel
    std::string effect{};                 // what will happen, one sentence without full stop
    std::vector<std::string> notes{};  // "a kubectl drain that still runs will mark it again …"
    std::optional<Refusal> refusal{};

    bool operator==(const CancelPlan&) const = default;
};

struct Cancelled {
    const facts::Vmi* vmi = nullptr;              // null: gone, or not read (see vmi_gap)
    const facts::Migration* migration = nullptr;  // unfinished; null: there is none
    const facts::Node* marked_node = nullptr;     // of evacuationNodeName; null: not read
    std::string drain_taint = "kubevirt.io/drain";
    // Why the VMI could not be read. Then only a migration that copies no memory yet is cancelled.
    std::string vmi_gap{};
};

CancelPlan plan_cancel(const Cancelled& cancelled);

// A VMIM whose deletion had no effect so far: KubeVirt applies it once memory is copied, and that
// may never begin. Deleting the target pod ends it, which is safe as long as no memory was copied.
// false as well while the VMI is not read, and when the target pod is on its way out or gone.
bool hangs(const Sight& sight, const facts::Migration& migration, const facts::Vmi* vmi);

// Why an abort does not get through, from events FailedAbortMigration that repeat; empty: it may.
std::string abort_trouble(const Sight& sight, const facts::Migration& migration);

}  // namespace recovery
