// How a VMIM's status follows from what is seen.
// Source: kubevirt pkg/virt-controller/watch/migration/migration.go (updateStatus,
// processMigrationPhase) and pkg/controller/controller.go (SetSourcePod); v1.9.
#include <nlohmann/json.hpp>
#include <utility>

#include "kubeclient/json.hpp"
#include "lab/controllers/virt_configuration.hpp"
#include "lab/controllers/virt_migration_step.hpp"
#include "lab/controllers/virt_objects.hpp"

namespace lab::virt {

using kubeclient::Done;
using kubeclient::find;
using kubeclient::Status;

namespace {

constexpr std::string_view kFailed = "FailedMigration";

bool state_flag(const Json& vmi, std::string_view name) {
    return kubeclient::bool_at(vmi, {"status", "migrationState", name}).value_or(false);
}

bool is_one_of(const std::string& phase, std::initializer_list<std::string_view> phases) {
    return std::find(phases.begin(), phases.end(), phase) != phases.end();
}

bool target_is_created(const Json& migration) {
    return !is_one_of(phase_of(migration), {"", "Pending", "Succeeded", "Failed"});
}

bool target_is_handed_over(const Json& migration) {
    return is_one_of(phase_of(migration), {"PreparingTarget", "TargetReady", "Running"});
}

void add_condition(Json& copy, std::string_view type, std::string_view reason,
                   kubeclient::Instant now) {
    if (condition(copy, type) != nullptr) return;
    Json made{{"type", type},
              {"status", "True"},
              {"lastProbeTime", seconds_text(now)},
              {"lastTransitionTime", nullptr}};
    if (!reason.empty()) made["reason"] = reason;
    update_condition(copy, made);
}

void fail(const MigrationStep& step, Json& copy, const std::string& message) {
    copy["status"]["phase"] = "Failed";
    step.tell("Warning", kFailed, message);
}

// What ends a migration that is under way, most urgent first; false: nothing does.
bool fail_if_over(const MigrationStep& step, Json& copy) {
    const Json& migration = *step.migration;
    const auto uid = text(*step.vmi, {"status", "migrationState", "migrationUid"});
    if (is_final(*step.vmi)) {
        fail(step, copy, "Migration failed vmi shutdown during migration.");
    } else if (is_deleting(migration) && !is_handed_over(step)) {
        add_condition(copy, "migrationAbortRequested", "", step.cluster.now);
        fail(step, copy, "Migration failed due to being canceled");
    } else if (step.target && is_pod_down(*step.target)) {
        fail(step, copy, "Migration failed because target pod shutdown during migration");
    } else if (target_is_created(migration) && !step.target) {
        fail(step, copy, "Migration target pod was removed during active migration.");
    } else if (target_is_handed_over(migration) && uid.empty()) {
        fail(step, copy, "VMI's migration state was cleared during the active migration.");
    } else if (target_is_handed_over(migration) && uid != uid_of(migration)) {
        fail(step, copy,
             "VMI's migration state was taken over by another migration job during active "
             "migration.");
    } else if (uid == uid_of(migration) && state_flag(*step.vmi, "failed")) {
        fail(step, copy, "source node reported migration failed");
    } else {
        return false;
    }
    return true;
}

// True while the guest is held.
bool wait_for_volumes(MigrationStep& step, Json& copy) {
    constexpr std::string_view kUtility = "migrationBlockedByUtilityVolumes";
    constexpr std::string_view kBackup = "migrationBlockedByBackup";
    if (has_running_backup(*step.vmi)) {
        add_condition(copy, kBackup, "BackupInProgress", step.cluster.now);
        return true;
    }
    remove_condition(copy, kBackup);
    if (!has_utility_volumes(*step.vmi)) {
        remove_condition(copy, kUtility);
        return false;
    }
    const auto deadline = utility_volumes_deadline(step);
    if (step.cluster.now >= deadline) {
        const auto [ns, name] = key_of(*step.vmi);
        fail(step, copy,
             "Migration timeout waiting for utility volumes to detach from VMI [" + ns + "/" +
                 name + "].");
        return true;
    }
    add_condition(copy, kUtility, "UtilityVolumesPresent", step.cluster.now);
    step.look_again(deadline - step.cluster.now);
    return true;
}

void leave_pending(MigrationStep& step, Json& copy, const Status& acted) {
    if (wait_for_volumes(step, copy)) return;
    if (step.target) {
        copy["status"]["phase"] = "Scheduling";
    } else if (!acted.ok() && acted.error().message.find("exceeded quota") != std::string::npos) {
        add_condition(copy, "migrationRejectedByResourceQuota", "", step.cluster.now);
    }
}

// Go's time.Time.String() of a time without a fraction.
std::string go_time(const std::string& rfc3339) {
    auto spoken = rfc3339;
    if (spoken.size() < 20) return spoken;
    spoken[10] = ' ';
    return spoken.substr(0, 19) + " +0000 UTC";
}

// The target's pod learns that the guest runs there now.
Status note_target_ready(MigrationStep& step) {
    constexpr std::string_view kKey = "kubevirt.io/migration-target-ready-timestamp";
    const auto ready =
        text(*step.vmi, {"status", "migrationState", "targetNodeDomainReadyTimestamp"});
    if (ready.empty() || has_annotation(*step.target, kKey)) return Done{};
    const Json operations{
        operation("add", "/metadata/annotations/" + pointer_escaped(kKey), go_time(ready))};
    TRY(json_patch(step.cluster, kPods, key_of(*step.target), operations));
    return Done{};
}

Status leave_running(MigrationStep& step, Json& copy) {
    TRY(note_target_ready(step));
    const Json& vmi = *step.vmi;
    if (!state_flag(vmi, "completed") || condition(vmi, "HotVCPUChange") != nullptr ||
        has_condition(vmi, "HotMemoryChange", "True") ||
        has_condition(vmi, "MigrationRequired", "True")) {
        return Done{};
    }
    copy["status"]["phase"] = "Succeeded";
    step.tell("Normal", "SuccessfulMigration", "Source node reported migration succeeded");
    return Done{};
}

Status follow_phase(MigrationStep& step, Json& copy, const Status& acted) {
    const auto phase = phase_of(*step.migration);
    const auto state = [&](std::string_view field) {
        return text(*step.vmi, {"status", "migrationState", field});
    };
    Json& next = copy["status"]["phase"];
    if (phase.empty()) {
        if (may_migrate(step)) {
            next = "Pending";
        } else {
            fail(step, copy,
                 "VMI is not eligible for migration because another migration job is in "
                 "progress.");
        }
    } else if (phase == "Pending") {
        leave_pending(step, copy, acted);
    } else if (phase == "Scheduling") {
        remove_condition(copy, "migrationRejectedByResourceQuota");
        if (step.target && is_pod_ready(*step.target)) next = "Scheduled";
    } else if (phase == "Scheduled") {
        if (is_handed_over(step) && !state("targetNode").empty()) next = "PreparingTarget";
    } else if (phase == "PreparingTarget") {
        if (!state("targetNode").empty() && !state("targetNodeAddress").empty()) {
            next = "TargetReady";
        }
    } else if (phase == "TargetReady") {
        if (!state("startTimestamp").empty()) next = "Running";
    } else if (phase == "Running") {
        return leave_running(step, copy);
    }
    return Done{};
}

// While it waits, a VMIM names the pod that it starts from.
void note_source_pod(const MigrationStep& step, Json& copy) {
    if (phase_of(copy) != "Pending") return;
    const Object source = current_launcher(step.cluster.objects, *step.vmi);
    if (source) copy["status"]["migrationState"]["sourcePod"] = name_of(*source);
}

// KubeVirt's second write goes out with the resourceVersion from before the first, and is refused:
// a finalizer goes with the retry. But not where the VMI itself goes: here, where writes take no
// time, it would be gone before the retry, and a VMIM without VMI is not looked at again.
Status store(MigrationStep& step, Json copy) {
    const Json* before = find(*step.migration, "status");
    const Json& after = copy.at("status");
    const bool other_status = before == nullptr ? !after.empty() : *before != after;
    const bool other_finalizers =
        kubeclient::items_at(*step.migration, {"metadata", "finalizers"}) !=
        kubeclient::items_at(copy, {"metadata", "finalizers"});
    if (other_status) {
        TRY_ASSIGN(stored, replace(step.cluster, kMigrations, copy, "status"));
        if (!other_finalizers || !is_deleting(*step.vmi)) return Done{};
        copy["metadata"]["resourceVersion"] = text(stored, {"metadata", "resourceVersion"});
    }
    if (other_finalizers) TRY(replace(step.cluster, kMigrations, copy));
    return Done{};
}

}  // namespace

bool has_utility_volumes(const Json& vmi) {
    return !kubeclient::items_at(vmi, {"spec", "utilityVolumes"}).empty();
}

bool has_running_backup(const Json& vmi) {
    const Json* backup = find(vmi, {"status", "changedBlockTracking", "backupStatus"});
    return backup != nullptr && !kubeclient::bool_at(*backup, {"completed"}).value_or(false);
}

kubeclient::Instant utility_volumes_deadline(const MigrationStep& step) {
    const Json config = migration_configuration(step.cluster.objects);
    auto seconds = kubeclient::integer_at(config, {"utilityVolumesTimeout"}).value_or(150);
    const auto own =
        annotation(*step.migration, "kubevirt.io/migrationUtilityVolumesTimeoutSeconds");
    if (!own.empty() && own.find_first_not_of("0123456789") == std::string::npos &&
        own.size() < 10) {
        seconds = std::stoll(own);
    }
    return created_at(*step.migration) + std::chrono::seconds(seconds);
}

Status update_migration_status(MigrationStep& step, const Status& acted) {
    Json copy = *step.migration;
    if (!copy.contains("status") || !copy["status"].is_object()) copy["status"] = Json::object();
    if (is_final(copy)) {
        if (is_handed_over(step)) {
            copy["status"]["migrationState"] = step.vmi->at("status").at("migrationState");
        }
        remove_finalizer(copy, "kubevirt.io/migrationJobFinalize");
    } else if (!fail_if_over(step, copy)) {
        if (is_deleting(copy) && condition(copy, "migrationAbortRequested") == nullptr) {
            add_condition(copy, "migrationAbortRequested", "", step.cluster.now);
        } else {
            TRY(follow_phase(step, copy, acted));
        }
    }
    if (copy["status"].contains("phase") && copy["status"]["phase"].is_null()) {
        copy["status"].erase("phase");
    }
    note_phase_change(*step.migration, copy, step.cluster.now);
    note_source_pod(step, copy);
    return store(step, std::move(copy));
}

}  // namespace lab::virt
