// The source's side of a migration.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "kubeclient/quantity.hpp"
#include "lab/controllers/node_knobs.hpp"
#include "lab/controllers/virt_handler_steps.hpp"

namespace lab {

using kubeclient::bool_at;
using kubeclient::find;
using kubeclient::integer_at;
using kubeclient::items_at;
using kubeclient::text_at;

namespace {

std::int64_t bytes(const std::optional<std::string>& quantity) {
    if (!quantity) return 0;
    const auto parsed = kubeclient::parse_bytes(*quantity);
    return parsed.ok() ? *parsed : 0;
}

std::int64_t guest_memory(const Json& vmi) {
    if (auto guest = text_at(vmi, {"spec", "domain", "memory", "guest"})) return bytes(guest);
    return bytes(text_at(vmi, {"spec", "domain", "resources", "requests", "memory"}));
}

// What a block migration copies of disks: the volumes that move, and local ones.
std::int64_t disk_bytes(const Json& vmi, const Load& load) {
    std::int64_t sum = 0;
    for (const Json& volume : items_at(vmi, {"status", "migratedVolumes"})) {
        sum += bytes(text_at(volume, {"sourcePVCInfo", "capacity", "storage"}));
    }
    const bool block = text_at(vmi, {"status", "migrationMethod"}) == "BlockMigration";
    return block && sum == 0 ? load.local_disk : sum;
}

PrecopySettings settings_of(const Json& vmi, const Json& state, const Hardware& hardware) {
    static const Json none = Json::object();
    const Json* found = find(state, "migrationConfiguration");
    const Json& how = found != nullptr ? *found : none;
    const auto seconds = [&](const char* field, std::int64_t otherwise) {
        return std::chrono::seconds(integer_at(how, {field}).value_or(otherwise));
    };
    const auto flag = [&](const char* field) { return bool_at(how, {field}).value_or(false); };
    const Load load = hardware.load(vmi_name(vmi));
    const Link link = hardware.link(text_at(state, {"sourceNode"}).value_or(""),
                                    text_at(state, {"targetNode"}).value_or(""));
    PrecopySettings settings;
    settings.memory = guest_memory(vmi);
    settings.working_set = load.working_set;
    settings.dirty_rate = load.dirty_rate;
    settings.disk = disk_bytes(vmi, load);
    settings.bandwidth =
        migration_bandwidth(link.bandwidth, bytes(text_at(how, {"bandwidthPerMigration"})));
    settings.completion_timeout = completion_timeout(seconds("completionTimeoutPerGiB", 150),
                                                     settings.memory + settings.disk);
    settings.progress_timeout = seconds("progressTimeout", 150);
    if (const auto downtime = integer_at(how, {"maxDowntimeMs"})) {
        settings.max_downtime = std::chrono::milliseconds(*downtime);
    }
    settings.auto_converge = flag("allowAutoConverge");
    settings.allow_post_copy = flag("allowPostCopy");
    settings.allow_workload_disruption = flag("allowWorkloadDisruption");
    return settings;
}

struct Migration {
    const Json& vmi;
    const Json& state;
    const Surroundings& around;
    std::string uid = text_at(state, {"migrationUid"}).value_or("");
    NodeKnobs knobs = knobs_of(vmi);

    bool requested_abort() const { return bool_at(state, {"abortRequested"}).value_or(false); }
    HandlerStep write(const Json& changes) const {
        HandlerStep step;
        step.vmi = std::make_shared<Json>(vmi);
        (*step.vmi)["status"]["migrationState"].update(changes);
        return step;
    }
};

HandlerStep start(const Migration& migration) {
    const auto& [vmi, state, around, uid, knobs] = migration;
    // A target that is not ready has no address; an abort before the start only prevents it.
    if (!text_at(state, {"targetNodeAddress"}) || migration.requested_abort()) return {};
    if (knobs.hold == "TargetReady") return {};
    const std::string source = around.pod_uid(vmi, text_at(state, {"sourcePod"}).value_or(""));
    const std::string target = around.pod_uid(vmi, text_at(state, {"targetPod"}).value_or(""));
    around.hardware.migrate(uid, source, target, settings_of(vmi, state, around.hardware),
                            {knobs.copying, knobs.fail, knobs.hold == "Running"});
    if (around.hardware.job(uid) == nullptr) {
        HandlerStep later;
        later.again = kHandlerPoll;
        return later;
    }
    HandlerStep step = migration.write({{"startTimestamp", around.time()}, {"mode", "PreCopy"}});
    step.before.push_back({"Normal", "Migrating", "VirtualMachineInstance is migrating."});
    return step;
}

HandlerStep failed(const Migration& migration, const std::string& reason, bool aborted) {
    Json changes{{"failed", true},
                 {"completed", true},
                 {"endTimestamp", migration.around.time()},
                 {"failureReason", reason}};
    if (aborted) changes["abortStatus"] = "Succeeded";
    HandlerStep step = migration.write(changes);
    step.after.push_back(
        {"Warning", "Migrated",
         "VirtualMachineInstance migration uid " + migration.uid + " failed. reason:" + reason});
    return step;
}

// The guest is on neither side any more.
HandlerStep split(const Migration& migration, const MigrationJob& job) {
    HandlerStep step = failed(migration, job.failure, false);
    (*step.vmi)["status"]["phase"] = "Failed";
    migration.around.hardware.end_launcher(job.source_pod, 1);
    return step;
}

std::optional<HandlerStep> abort(const Migration& migration) {
    if (!migration.requested_abort()) return std::nullopt;
    const auto status = text_at(migration.state, {"abortStatus"});
    if (!status) {
        HandlerStep step = migration.write({{"abortStatus", "Aborting"}});
        step.before.push_back(
            {"Normal", "Migrating", "VirtualMachineInstance is aborting migration."});
        return step;
    }
    if (*status != "Aborting") return std::nullopt;
    Hardware& hardware = migration.around.hardware;
    const MigrationJob* job = hardware.job(migration.uid);
    if (job == nullptr || hardware.abort_migration(migration.uid)) {
        return failed(migration, "Live migration has been aborted", true);
    }
    if (job->state != JobState::running) return std::nullopt;
    return migration.write({{"abortStatus", "Failed"}});
}

// The guest is with the target, whose handler has to say so. Else nobody knows where it runs, and
// the VMI is given up. Source: kubevirt pkg/virt-handler/migration-source.go.
HandlerStep await_target(const Migration& migration, const MigrationJob& job) {
    constexpr Duration patience = std::chrono::seconds(60);
    HandlerStep step;
    if (text_at(migration.state, {"targetNodeDomainReadyTimestamp"})) return step;
    const Duration left = job.ended + patience - migration.around.now;
    if (left > Duration(0)) {
        step.again = left;
        return step;
    }
    step = migration.write(
        {{"failed", true}, {"completed", true}, {"endTimestamp", migration.around.time()}});
    (*step.vmi)["status"]["phase"] = "Failed";
    step.after.push_back({"Warning", "Migrated",
                          "The VirtualMachineInstance's domain was never observed on the target "
                          "after the migration completed within the timeout period."});
    return step;
}

std::string mode_of(const MigrationJob& job) {
    switch (job.mode) {
        case JobMode::pre_copy:
            return "PreCopy";
        case JobMode::paused:
            return "Paused";
        case JobMode::post_copy:
            return "PostCopy";
    }
    return "";
}

HandlerStep follow(const Migration& migration) {
    if (auto step = abort(migration)) return *step;
    const MigrationJob* job = migration.around.hardware.job(migration.uid);
    HandlerStep step;
    if (job == nullptr) return step;
    if (job->state == JobState::completed) return await_target(migration, *job);
    if (job->state == JobState::failed) {
        if (migration.knobs.hold == "Running" && !job->aborted) return step;
        if (job->mode == JobMode::post_copy) return split(migration, *job);
        return failed(migration, job->failure, job->aborted);
    }
    if (job->script.never_ends && migration.knobs.hold.empty()) {
        migration.around.hardware.let_go(migration.uid,
                                         migration.knobs.copying.value_or(std::chrono::seconds(1)));
    }
    if (text_at(migration.state, {"mode"}) != mode_of(*job)) {
        return migration.write({{"mode", mode_of(*job)}});
    }
    step.again = kHandlerPoll;
    if (job->course.end != CourseEnd::open) {
        const Duration left = job->started + job->course.ended - migration.around.now;
        // Past its end it waits for the other side, which is out of reach.
        if (left > Duration(0)) step.again = std::min(left, kHandlerPoll);
    }
    return step;
}

}  // namespace

HandlerStep send_guest(const Json& vmi, const Surroundings& around) {
    const Json* state = find(vmi, {"status", "migrationState"});
    HandlerStep step;
    if (state == nullptr || !text_at(*state, {"migrationUid"})) return step;
    const std::string node = text_at(*state, {"sourceNode"}).value_or("");
    const Migration migration{vmi, *state, around};
    const bool over = bool_at(*state, {"completed"}).value_or(false);
    if (over) {
        const bool success = !bool_at(*state, {"failed"}).value_or(false);
        const std::string source = around.pod_uid(vmi, text_at(*state, {"sourcePod"}).value_or(""));
        const Launcher* launcher = around.hardware.launcher(source);
        if (!success || launcher == nullptr || launcher->exit_code || !launcher->guest_left ||
            migration.knobs.source_kept) {
            return step;
        }
        if (around.handler_works(node)) {
            around.hardware.end_launcher(source, 0);
        } else {
            step.again = kHandlerPoll;
        }
        return step;
    }
    if (!around.handler_works(node)) {
        step.again = kHandlerPoll;
        return step;
    }
    if (!text_at(*state, {"startTimestamp"})) return start(migration);
    return follow(migration);
}

}  // namespace lab
