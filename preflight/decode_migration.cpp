// Migrations, and what is seen of them while they run: their pods' state is in decode_cluster.cpp.
#include "preflight/decode.hpp"

namespace preflight {

facts::MigrationState decode_migration_state(const Fields& state) {
    facts::MigrationState result;
    result.migration_uid = state.text("migrationUid");
    result.mode = state.text("mode");
    result.source_node = state.text("sourceNode");
    result.target_node = state.text("targetNode");
    result.source_pod = state.text("sourcePod");
    result.target_pod = state.text("targetPod");
    result.started = state.maybe_time("startTimestamp");
    result.ended = state.maybe_time("endTimestamp");
    result.target_ready = state.maybe_time("targetNodeDomainReadyTimestamp");
    result.completed = state.flag("completed");
    result.failed = state.flag("failed");
    result.abort_requested = state.flag("abortRequested");
    result.abort_status = state.text("abortStatus");
    result.failure_reason = state.text("failureReason");
    result.policy = state.text("migrationPolicyName");
    result.settings = decode_migration_settings(state.at("migrationConfiguration"));
    return result;
}

facts::Migration decode_migration(const Fields& object) {
    facts::Migration migration;
    migration.meta = decode_meta(object);
    const auto spec = object.at("spec");
    const auto status = object.at("status");
    migration.vmi = spec.text("vmiName");
    migration.added_node_selector = spec.labels("addedNodeSelector");
    migration.phase = status.text("phase");
    migration.conditions = decode_conditions(status);
    for (const auto& transition : status.list("phaseTransitionTimestamps")) {
        const auto at = transition.maybe_time("phaseTransitionTimestamp");
        if (at) migration.phase_times[transition.text("phase")] = *at;
    }
    if (status.has("migrationState")) {
        migration.state = decode_migration_state(status.at("migrationState"));
        migration.source_pod = migration.state->source_pod;
    }
    return migration;
}

facts::VolumeAttachment decode_volume_attachment(const Fields& object) {
    facts::VolumeAttachment attachment;
    attachment.meta = decode_meta(object);
    const auto spec = object.at("spec");
    const auto status = object.at("status");
    attachment.volume = spec.at("source").text("persistentVolumeName");
    attachment.node = spec.text("nodeName");
    attachment.attacher = spec.text("attacher");
    attachment.attached = status.flag("attached");
    attachment.error = status.at("detachError").text("message");
    if (attachment.error.empty()) attachment.error = status.at("attachError").text("message");
    return attachment;
}

// core/v1 Event. What came many times is counted in `count`, or in `series`.
facts::Warning decode_warning(const Fields& object) {
    facts::Warning warning;
    warning.uid = object.at("metadata").text("uid");
    const auto involved = object.at("involvedObject");
    warning.kind = involved.text("kind");
    warning.ns = involved.text("namespace");
    warning.name = involved.text("name");
    warning.object_uid = involved.text("uid");
    warning.reason = object.text("reason");
    warning.message = object.text("message");
    const auto series = object.at("series");
    warning.count =
        series.maybe_integer("count").value_or(object.maybe_integer("count").value_or(1));
    warning.last = series.maybe_time("lastObservedTime");
    if (!warning.last) warning.last = object.maybe_time("lastTimestamp");
    if (!warning.last) warning.last = object.maybe_time("eventTime");
    return warning;
}

}  // namespace preflight
