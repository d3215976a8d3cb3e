// Why a migration failed, in words for whoever has to act. Pure.
//
// Sources: kubevirt pkg/virt-controller/watch/migration/migration.go (events FailedMigration),
// pkg/virt-handler and virt-launcher (failureReason), public issues of KubeVirt for libvirt's
// texts.
#pragma once

#include <string>

#include "recovery/sight.hpp"

namespace recovery {

struct Explanation {
    std::string
        cause{};  // one sentence without full stop, with the original text where there is one
    std::string next{};  // a command, or empty where the caller has to choose one

    bool operator==(const Explanation&) const = default;
};

// What is known of one failure. Pointers may be null.
struct Failed {
    const facts::Migration* migration = nullptr;
    const facts::MigrationState* state = nullptr;  // of this migration: failureReason, abortStatus
    const facts::Vmi* vmi = nullptr;
    const facts::Pod* target = nullptr;             // its own status: OOM, image, unschedulable
    std::vector<const facts::Warning*> warnings{};  // about the VMIM, the VMI and the target pod
    bool we_cancelled = false;                      // by this run of the tool
    bool vmi_gone = false;                          // known to be; else a null `vmi` is not read
    std::string program = "virt-handoff";           // how the user calls it, for `next`
};

Explanation explain_failure(const Failed& failed);

// Whether the migration ended because somebody asked for it: an abort, or a VMIM that was deleted.
bool was_cancelled(const Failed& failed);

}  // namespace recovery
