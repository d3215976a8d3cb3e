#include "commands/hanging_cancels.hpp"

#include <nlohmann/json.hpp>

#include "preflight/decode.hpp"
#include "recovery/cancellation.hpp"

namespace commands {

using kubeclient::DryRun;
using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Status;

namespace {

constexpr std::chrono::seconds kPatience{10};

}  // namespace

void HangingCancels::look(const std::vector<const recovery::Course*>& cancelled,
                          MigrationTalk& talk) {
    const auto& sight = session_.follower().sight();
    const auto now = session_.now();
    for (const auto* course : cancelled) {
        const auto& of = course->of();
        const auto* migration = course->migration();
        const auto* vmi = sight.vmis.find({of.ns, of.vmi});
        if (migration == nullptr || !recovery::hangs(sight, *migration, vmi)) {
            hanging_.erase(of.vmim_uid);
            continue;
        }
        auto& hanging = hanging_.try_emplace(of.vmim_uid, Hanging{now}).first->second;
        if (hanging.helped || now - hanging.since < kPatience) continue;
        hanging.helped = true;
        const auto done = remove_target(of, DryRun::none);
        if (!done.ok()) troubles_.insert_or_assign(of.vmim_uid, done.error());
        recovery::MigrationEvent event;
        event.at = now;
        event.ns = of.ns;
        event.vmi = of.vmi;
        event.message = done.ok()
                            ? "no memory is copied yet, and KubeVirt aborts only then: the target "
                              "pod is deleted, which ends the migration"
                            : "the target pod could not be deleted: " + done.error().message;
        talk.tell(event);
    }
}

// The VMI is read again right before: once memory is copied KubeVirt aborts by itself.
Status HangingCancels::remove_target(const recovery::CourseOf& of, DryRun dry_run) {
    const auto* pod = recovery::target_pod(session_.follower().sight(), of.vmim_uid);
    if (pod == nullptr) return kubeclient::Done{};
    TRY_ASSIGN(path, kubeclient::path_of(
                         {"kubevirt.io", "v1", "virtualmachineinstances", of.ns, of.vmi, ""}));
    TRY_ASSIGN(object, session_.api().get(path, "VirtualMachineInstance"));
    std::string problem;
    const auto vmi = preflight::decode_vmi(preflight::Fields(object, "", problem));
    if (!problem.empty()) return Error{ErrorKind::protocol, problem};
    const auto* state = recovery::state_of(&vmi, of.vmim_uid);
    if (state != nullptr && state->started) return kubeclient::Done{};
    return session_.executor().remove_target(pod->meta, dry_run);
}

const Error* HangingCancels::trouble(const recovery::CourseOf& of) const {
    const auto found = troubles_.find(of.vmim_uid);
    return found == troubles_.end() ? nullptr : &found->second;
}

}  // namespace commands
