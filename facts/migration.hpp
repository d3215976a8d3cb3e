// A migration as Kubernetes objects tell it: the VirtualMachineInstanceMigration (VMIM), and what
// the VMI's status says of the last migration it took part in. Values only.
// Source of the fields: KubeVirt staging/src/kubevirt.io/api/core/v1/types.go, v1.9.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "facts/meta.hpp"

namespace facts {

// spec.configuration.migrations of the KubeVirt CR, a MigrationPolicy, or what a running migration
// was given: nullopt where not set. Durations are seconds.
struct MigrationSettings {
    std::optional<std::int64_t> bandwidth{};  // bytes per second; 0 is unlimited
    std::optional<std::int64_t> completion_timeout_per_gib{};
    std::optional<std::int64_t> progress_timeout{};
    std::optional<std::int64_t> parallel_per_cluster{};        // of the KubeVirt CR only
    std::optional<std::int64_t> parallel_outbound_per_node{};  // likewise
    std::optional<bool> allow_auto_converge{};
    std::optional<bool> allow_post_copy{};
    std::optional<bool> allow_workload_disruption{};
    std::optional<bool> unsafe_override{};
    std::optional<bool> disable_tls{};
    std::optional<bool> match_selinux_level{};
    std::optional<std::string> network{};

    bool operator==(const MigrationSettings&) const = default;
};

// vmi.status.migrationState. It stays until the next migration: `migration_uid` says which VMIM it
// is about.
struct MigrationState {
    std::string migration_uid{};
    std::string mode{};  // PreCopy, PostCopy, Paused; empty before memory is copied
    std::string source_node{};
    std::string target_node{};
    std::string source_pod{};
    std::string target_pod{};
    std::optional<std::chrono::sys_seconds> started{};
    std::optional<std::chrono::sys_seconds> ended{};
    std::optional<std::chrono::sys_seconds> target_ready{};  // targetNodeDomainReadyTimestamp
    bool completed = false;  // the hand-off is over, for better or worse
    bool failed = false;
    bool abort_requested = false;
    std::string abort_status{};  // Aborting, Succeeded, Failed
    std::string failure_reason{};
    std::string policy{};          // migrationPolicyName
    MigrationSettings settings{};  // migrationConfiguration: all values resolved

    bool operator==(const MigrationState&) const = default;
};

struct Migration {
    Meta meta{};
    std::string vmi{};
    std::string phase{};  // empty until virt-controller has seen it
    std::vector<Condition> conditions{};
    Labels added_node_selector{};
    std::string source_pod{};  // status.migrationState.sourcePod: known from Pending on
    std::map<std::string, std::chrono::sys_seconds> phase_times{};  // phaseTransitionTimestamps
    // status.migrationState, whole only after the end.
    std::optional<MigrationState> state{};

    bool finished() const { return phase == "Succeeded" || phase == "Failed"; }
    bool operator==(const Migration&) const = default;
};

// One measurement of a running migration. Sizes are bytes, rates bytes per second.
struct Transfer {
    enum class Source { launcher_log, handler_metrics };
    Source source = Source::launcher_log;
    std::chrono::sys_time<std::chrono::milliseconds> at{};
    std::int64_t processed = 0;  // grows past the total when memory is sent again
    std::int64_t remaining = 0;
    std::int64_t total = 0;
    std::int64_t rate = 0;
    std::int64_t dirty_rate = 0;
    std::optional<int> pass{};  // the log's Iteration; metrics do not tell
    std::optional<std::chrono::milliseconds> elapsed{};
    std::optional<std::chrono::milliseconds> downtime{};  // the guest's pause, known at the end

    bool operator==(const Transfer&) const = default;
};

}  // namespace facts
