// The parts of one look at one VMIM; see virt_controller_migration.cpp.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "kubeclient/result.hpp"
#include "lab/controllers/controller.hpp"

namespace lab::virt {

// The objects as they were when the look began: KubeVirt decides on its cache for the whole of it,
// although its own writes are already out, and what it writes next shows that.
struct MigrationStep {
    Cluster& cluster;
    Object migration{};
    Object vmi{};
    Object target{};  // the target pod; null: none
    std::optional<Duration> again{};

    void look_again(Duration after) { again = again ? std::min(*again, after) : after; }
    void tell(std::string_view type, std::string_view reason, const std::string& message) const {
        cluster.events.record(*migration, type, reason, message);
    }
};

// status.migrationState is this migration's.
bool is_handed_over(const MigrationStep& step);
// Neither another VMIM's, unless that is gone or at its end.
bool may_migrate(const MigrationStep& step);
// A backup or utility volumes hold the guest; it waits in Pending.
bool has_utility_volumes(const Json& vmi);
bool has_running_backup(const Json& vmi);
// When waiting for them ends in failure.
kubeclient::Instant utility_volumes_deadline(const MigrationStep& step);
// The pods of this VMIM.
std::vector<Object> target_pods(const Store& objects, const Json& vmi, const Json& migration);

// What has to be done in this phase. An error is told to update_migration_status.
kubeclient::Status act_on_migration(MigrationStep& step);
kubeclient::Status update_migration_status(MigrationStep& step, const kubeclient::Status& acted);

// Pending: limits, order, and the target pod.
kubeclient::Status start_target(MigrationStep& step);
// Evacuations that failed before wait: how much longer.
std::optional<Duration> backoff_left(const MigrationStep& step);
// The target pod does not come up: says so, and gives up in time.
kubeclient::Status watch_pending_target(MigrationStep& step);
// Scheduled: virt-handler takes over.
kubeclient::Status hand_over(MigrationStep& step);
// Running, and the VMIM is deleted.
kubeclient::Status request_abort(MigrationStep& step);
// The target pod ended before virt-handler could say how the migration went.
kubeclient::Status mark_failed_on_vmi(MigrationStep& step);
// A VMIM that is deleted before the hand-over takes its pod with it.
kubeclient::Status delete_target(MigrationStep& step, const std::string& why,
                                 const std::string& on_failure);

}  // namespace lab::virt
