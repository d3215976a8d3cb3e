// What virt-controller writes into a VMI's status.migrationState.
// Source: kubevirt pkg/virt-controller/watch/migration/migration.go (handleTargetPodHandoff,
// markMigrationAbortInVmiStatus, handleMarkMigrationFailedOnVMI, patchVMI); v1.9.
#include <nlohmann/json.hpp>
#include <utility>

#include "kubeclient/json.hpp"
#include "lab/controllers/virt_configuration.hpp"
#include "lab/controllers/virt_launcher_pod.hpp"
#include "lab/controllers/virt_migration_step.hpp"
#include "lab/controllers/virt_objects.hpp"

namespace lab::virt {

using kubeclient::Done;
using kubeclient::Error;
using kubeclient::find;
using kubeclient::Status;

namespace {

// Replaces it on condition that it is as it was.
void swap_member(Json& operations, const std::string& path, const Json* before, const Json& after) {
    if (before != nullptr ? *before == after : after.empty()) return;
    if (before == nullptr) {
        operations.push_back(operation("add", path, after));
        return;
    }
    operations.push_back(operation("test", path, *before));
    operations.push_back(operation("replace", path, after));
}

Status write_state(MigrationStep& step, const Json& state, const Json& labels) {
    Json operations = Json::array();
    swap_member(operations, "/status/migrationState", find(*step.vmi, {"status", "migrationState"}),
                state);
    swap_member(operations, "/metadata/labels", find(*step.vmi, {"metadata", "labels"}), labels);
    if (operations.empty()) return Done{};
    TRY(json_patch(step.cluster, kInstances, key_of(*step.vmi), operations));
    return Done{};
}

Json labels_of(const Json& vmi) {
    const Json* labels = find(vmi, {"metadata", "labels"});
    return labels != nullptr ? *labels : Json::object();
}

Json new_state(const MigrationStep& step) {
    const Json& vmi = *step.vmi;
    Json state{{"migrationUid", uid_of(*step.migration)},
               {"targetNode", text(*step.target, {"spec", "nodeName"})},
               {"targetPod", name_of(*step.target)},
               {"sourceNode", text(vmi, {"status", "nodeName"})},
               {"targetMemoryOverhead", memory_overhead_text(vmi)}};
    const auto source = text(*step.migration, {"status", "migrationState", "sourcePod"});
    if (!source.empty()) state["sourcePod"] = source;
    const auto config = migration_configuration_of(step.cluster.objects, vmi);
    if (!config.policy.empty()) state["migrationPolicyName"] = config.policy;
    state["migrationConfiguration"] = *config.values;
    return state;
}

// A status as Go writes it back: times that are not known become null, empty maps vanish.
Json written_back(Json status) {
    if (status.contains("conditions") && status["conditions"].is_array()) {
        for (Json& one : status["conditions"]) {
            for (const char* time : {"lastProbeTime", "lastTransitionTime"}) {
                if (!one.contains(time)) one[time] = nullptr;
            }
        }
    }
    const auto empty = status.find("activePods");
    if (empty != status.end() && empty->empty()) status.erase(empty);
    return status;
}

}  // namespace

Status hand_over(MigrationStep& step) {
    if (is_handed_over(step)) return Done{};
    Json labels = labels_of(*step.vmi);
    labels["kubevirt.io/migrationTargetNodeName"] = text(*step.target, {"spec", "nodeName"});
    const auto done = write_state(step, new_state(step), labels);
    if (!done.ok()) {
        step.tell("Warning", "FailedHandOver",
                  "Failed to set MigrationStat in VMI status. :" + server_words(done.error()));
        return done;
    }
    step.tell("Normal", "SuccessfulHandOver",
              "Migration target pod is ready for preparation by virt-handler.");
    return Done{};
}

Status request_abort(MigrationStep& step) {
    const Json* state = find(*step.vmi, {"status", "migrationState"});
    if (state == nullptr || kubeclient::bool_at(*state, {"abortRequested"}).value_or(false)) {
        return Done{};
    }
    // The whole status, and not as it is stored: where Go would not write it like that, the test
    // fails every time.
    const Json before = written_back(step.vmi->at("status"));
    Json after = before;
    after["migrationState"]["abortRequested"] = true;
    const Json operations{operation("test", "/status", before),
                          operation("replace", "/status", after)};
    const auto done = json_patch(step.cluster, kInstances, key_of(*step.vmi), operations);
    if (!done.ok()) {
        const auto why =
            "failed to set MigrationState in VMI status. :" + server_words(done.error());
        step.tell("Warning", "FailedAbortMigration", why);
        return Error{done.error().kind, why, ""};
    }
    step.tell("Normal", "SuccessfulAbortMigration",
              "Migration is ready to be canceled by virt-handler.");
    return Done{};
}

Status mark_failed_on_vmi(MigrationStep& step) {
    constexpr const char* kReason = "Target pod is down";
    Json state = step.vmi->at("status").at("migrationState");
    const auto now = seconds_text(step.cluster.now);
    if (text(state, {"startTimestamp"}).empty()) state["startTimestamp"] = now;
    state["endTimestamp"] = now;
    state["failed"] = true;
    state["completed"] = true;
    if (text(state, {"failureReason"}).empty()) state["failureReason"] = kReason;
    TRY(write_state(step, state, labels_of(*step.vmi)));
    step.cluster.events.record(*step.vmi, "Warning", "FailedMigration",
                               "VirtualMachineInstance migration uid " + uid_of(*step.migration) +
                                   " failed. reason: " + kReason);
    return Done{};
}

}  // namespace lab::virt
