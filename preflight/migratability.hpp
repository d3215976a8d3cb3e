// KubeVirt's own decision, recomputed: the conditions LiveMigratable and StorageLiveMigratable and
// the migration method that virt-handler would publish, release by release. Pure.
//
// Source: kubevirt pkg/virt-handler/vm.go (calculateLiveMigrationCondition,
// calculateLiveStorageMigrationCondition, checkVolumesForMigration), pkg/network/vmispec
// (VerifyVMIMigratable), pkg/virt-controller/watch/topology/tsc.go; v1.4.1, v1.5.3, v1.6.6, v1.7.4,
// v1.8.4, v1.9.0.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "preflight/judged.hpp"
#include "preflight/report.hpp"
#include "preflight/rules.hpp"

namespace preflight {

enum class Rule {
    disks,
    interfaces,
    host_model,
    virtiofs,
    host_devices,
    sev,
    tdx,
    secure_execution,
    reservation,
    tsc,
    hyperv_passthrough,
};

struct Obstacle {
    std::string reason{};   // KubeVirt's constant
    std::string message{};  // KubeVirt's sentence
    std::string subject{};  // the volume, interface, network or device; may be empty

    bool operator==(const Obstacle&) const = default;
};

// Neither obstacles nor gaps: the rule lets it pass. Gaps: facts that could still stop it.
struct RuleOutcome {
    std::vector<Obstacle> obstacles{};
    std::vector<std::string> gaps{};

    bool operator==(const RuleOutcome&) const = default;
};

struct Migratability {
    std::map<Rule, RuleOutcome> outcomes{};  // of the rules that exist in this release
    // The rule is asked, but it decides StorageLiveMigratable only (SCSI reservations since 1.9).
    bool reservation_blocks = false;
    // Nothing that was unread stands before the first obstacle, so the reason is KubeVirt's, too.
    bool reason_settled = true;
    Recomputed answer{};

    bool operator==(const Migratability&) const = default;
};

// `kubevirt` may be nullptr: then what hangs on the CR is unknown by the gap `kubevirt_gap`.
Migratability recompute(const Judged& judged, const facts::KubeVirt* kubevirt,
                        const std::string& kubevirt_gap, RuleSet set);

}  // namespace preflight
