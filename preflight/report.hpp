// What a preflight found: one value that every renderer prints. No text here depends on the
// output format; the exit code is part of the value, so it is the same for every format.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "preflight/check.hpp"

namespace preflight {

// A condition as KubeVirt publishes it. status: True, False or Unknown; empty when there is none.
struct ReportedCondition {
    std::string status{};
    std::string reason{};
    std::string message{};
    std::string last_transition_time{};  // as the server wrote it; empty when null

    bool operator==(const ReportedCondition&) const = default;
};

struct Reported {
    std::optional<ReportedCondition> live_migratable{};
    std::optional<ReportedCondition> storage_live_migratable{};
    std::string migration_method{};  // empty when absent

    bool operator==(const Reported&) const = default;
};

// KubeVirt's answer, word for word, from the objects alone. Unknown hangs on a gap.
struct RecomputedCondition {
    std::string status = "Unknown";  // True, False, Unknown
    std::string reason{};
    std::string message{};

    bool operator==(const RecomputedCondition&) const = default;
};

struct Recomputed {
    RecomputedCondition live_migratable{};
    RecomputedCondition storage_live_migratable{};
    std::string migration_method{};      // LiveMigration, BlockMigration; empty when unknown
    std::vector<std::string> reasons{};  // each that alone makes LiveMigratable False

    bool operator==(const Recomputed&) const = default;
};

struct CheckResult {
    const Check* check = nullptr;  // never null; static storage
    Finding finding{};

    bool operator==(const CheckResult&) const = default;
};

// One VM: VirtualMachine and VirtualMachineInstance joined.
struct Item {
    std::string ns{};
    std::string name{};
    std::string kind{};  // VirtualMachine, or VirtualMachineInstance where no VM owns it
    std::string uid{};
    std::string node{};  // empty when it does not run
    Verdict verdict = Verdict::pass;
    Reported reported{};
    Recomputed recomputed{};
    // Whether reported and recomputed say the same; nullopt when nothing is reported or recomputed.
    std::optional<bool> agrees{};
    std::vector<std::string> differs{};  // what differs and the likely reason, a sentence each
    std::vector<CheckResult> checks{};

    bool operator==(const Item&) const = default;
};

// What could not be read. The id is unique within the report: "nodes", "pvc/prod/data".
struct ReportGap {
    std::string id{};
    std::string verb{};      // get, list, create
    std::string resource{};  // "persistentvolumeclaims", "nodes", "kubevirts.kubevirt.io"
    std::string reason{};

    bool operator==(const ReportGap&) const = default;
};

struct ReportError {
    std::string kind{};  // usage, config, not_found, …: the ErrorKind
    std::string message{};
    std::string hint{};

    bool operator==(const ReportError&) const = default;
};

struct Summary {
    int total = 0;
    int pass = 0;
    int warn = 0;
    int fail = 0;
    int unknown = 0;

    bool operator==(const Summary&) const = default;
};

struct PreflightReport {
    std::chrono::sys_seconds taken_at{};
    std::string source{};            // "cluster https://…" or "file DIR"
    std::string kubevirt_version{};  // as observed; empty when unknown
    std::string rules{};             // the rule set used, "1.9"
    bool rules_assumed = false;      // no set of the observed version's own
    std::string rules_note{};        // then a sentence that says so
    int exit_code = 0;
    std::vector<Item> items{};
    std::vector<ReportGap> gaps{};
    Summary summary{};
    std::optional<ReportError> error{};
    std::vector<std::string>
        notes{};  // said on standard error: "No resources found in x namespace."

    bool operator==(const PreflightReport&) const = default;
};

}  // namespace preflight
