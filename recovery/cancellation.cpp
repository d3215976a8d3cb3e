#include "recovery/cancellation.hpp"

#include <algorithm>
#include <utility>

#include "preflight/question.hpp"

namespace recovery {

using preflight::command;

namespace {

bool is_open(const facts::Migration* migration) {
    return migration != nullptr && !migration->finished();
}

const facts::MigrationState* state_of(const Cancelled& cancelled) {
    if (!is_open(cancelled.migration)) return nullptr;
    return recovery::state_of(cancelled.vmi, cancelled.migration->meta.uid);
}

bool is_marked(const Cancelled& cancelled) {
    return cancelled.vmi != nullptr && !cancelled.vmi->evacuation_node.empty();
}

// The guest runs on the target, or the migration failed: the VMIM only has to notice.
bool is_decided(const facts::MigrationState* state) {
    return state != nullptr && (state->completed || state->failed || state->target_ready);
}

// Unread is not absent: the mode could be post-copy, and a mark could be there.
std::optional<Refusal> refuse_unread(const Cancelled& cancelled) {
    if (cancelled.vmi != nullptr || cancelled.vmi_gap.empty()) return std::nullopt;
    const auto seen = "could not be read: " + cancelled.vmi_gap;
    if (!is_open(cancelled.migration)) {
        return Refusal{"vmi-unread", "the VMI " + seen,
                       "its status, which tells whether it is marked for evacuation",
                       "kubectl auth can-i get virtualmachineinstances.kubevirt.io"};
    }
    const auto& migration = *cancelled.migration;
    if (migration.phase != "Running" || migration.meta.deleting) return std::nullopt;
    return Refusal{"vmi-unread", "VMI " + migration.vmi + " " + seen,
                   "its status: in post-copy an abort loses the guest",
                   command("kubectl get vmi ", migration.vmi, " -n ", migration.meta.ns)};
}

std::optional<Refusal> refuse_post_copy(const Cancelled& cancelled) {
    const auto* state = state_of(cancelled);
    if (state == nullptr || state->mode != "PostCopy") return std::nullopt;
    // The target counts as ready as soon as the guest runs there, long before it has its memory.
    if (state->completed || state->failed) return std::nullopt;
    const auto& meta = cancelled.migration->meta;
    return Refusal{"post-copy",
                   "migration " + meta.name + " is in post-copy: the guest runs on node " +
                       state->target_node + ", and a part of its memory is still on node " +
                       state->source_node + " only",
                   "a migration that is not in post-copy: with the memory on both sides, an abort "
                   "loses the guest",
                   command("kubectl get vmim ", meta.name, " -n ", meta.ns, " --watch")};
}

// virt-api compares key and effect (Taint.MatchTaint).
std::optional<Refusal> refuse_tainted(const Cancelled& cancelled) {
    if (!is_marked(cancelled) || cancelled.marked_node == nullptr) return std::nullopt;
    const auto& node = *cancelled.marked_node;
    const bool tainted =
        std::any_of(node.taints.begin(), node.taints.end(), [&](const facts::Taint& taint) {
            return taint.key == cancelled.drain_taint && taint.effect == "NoSchedule";
        });
    if (!tainted) return std::nullopt;
    const auto taint = cancelled.drain_taint + ":NoSchedule";
    return Refusal{"drain-taint", "node " + node.meta.name + " has the taint " + taint,
                   "the node without it: KubeVirt does not take the mark back before, and makes "
                   "the migration anew",
                   command("kubectl taint node ", node.meta.name, " ", taint + "-")};
}

std::string stays_on(const Cancelled& cancelled) {
    const bool known = cancelled.vmi != nullptr && !cancelled.vmi->node.empty();
    return known ? "; the VM stays on node " + cancelled.vmi->node : std::string("; the VM stays");
}

std::string effect_of_abort(const Cancelled& cancelled, const facts::MigrationState* state) {
    const bool known = state != nullptr && !state->source_node.empty();
    return (known ? "virt-handler on node " + state->source_node : std::string("virt-handler")) +
           " aborts the copying of memory, for which libvirt has 30s" + stays_on(cancelled);
}

// What a deletion of the VMIM does in its phase.
std::string effect_of_deletion(const Cancelled& cancelled) {
    const auto& phase = cancelled.migration->phase;
    const auto* state = state_of(cancelled);
    if (cancelled.vmi == nullptr && cancelled.vmi_gap.empty()) {
        return "the VMI is gone, and KubeVirt removes the migration";
    }
    if (phase == "Running") return effect_of_abort(cancelled, state);
    if (phase == "PreparingTarget" || phase == "TargetReady" || state != nullptr) {
        return "KubeVirt aborts the migration once it copies memory, and stops nothing before" +
               stays_on(cancelled);
    }
    if (phase.empty()) return "KubeVirt ends the migration before it has begun";
    return "KubeVirt deletes the target pod, if there is one, and ends the migration" +
           stays_on(cancelled);
}

void add_effect(CancelPlan& plan, const std::string& effect) {
    plan.effect += (plan.effect.empty() ? "" : "; ") + effect;
}

void plan_mark(CancelPlan& plan, const Cancelled& cancelled) {
    if (!is_marked(cancelled)) return;
    const auto& node = cancelled.vmi->evacuation_node;
    plan.actions.push_back(CancelAction::take_back_mark);
    add_effect(plan, "KubeVirt makes no more migrations of the VM to empty node " + node);
    plan.notes.push_back("a kubectl drain that still runs will mark it again within seconds");
    if (cancelled.marked_node == nullptr) {
        plan.notes.push_back("whether node " + node + " has the taint " + cancelled.drain_taint +
                             ":NoSchedule is not known; with it, the server refuses to take the "
                             "mark back");
    }
}

// Who made it, and so makes it anew.
void note_maker(CancelPlan& plan, const Cancelled& cancelled) {
    if (cancelled.vmi == nullptr && cancelled.vmi_gap.empty()) return;
    const auto& annotations = cancelled.migration->meta.annotations;
    const auto evacuated = annotations.find("kubevirt.io/evacuationMigration");
    if (evacuated != annotations.end()) {
        const auto node =
            evacuated->second.empty() ? std::string("its node") : "node " + evacuated->second;
        if (cancelled.vmi == nullptr) {
            plan.notes.push_back("made to empty " + node +
                                 "; whether the VMI is still marked for that is not known (" +
                                 cancelled.vmi_gap + "), and if so, KubeVirt makes it anew");
        } else if (!is_marked(cancelled)) {
            plan.notes.push_back("made to empty " + node + "; KubeVirt makes it anew as long as " +
                                 "the node has the taint " + cancelled.drain_taint + ":NoSchedule");
        }
    }
    if (annotations.contains("kubevirt.io/workloadUpdateMigration")) {
        plan.notes.push_back(
            "made by KubeVirt's workload update, which makes it anew as long as the VM is out of "
            "date");
    }
}

void plan_migration(CancelPlan& plan, const Cancelled& cancelled) {
    if (!is_open(cancelled.migration)) return;
    const auto* state = state_of(cancelled);
    if (is_decided(state)) {
        add_effect(plan, state->failed ? "the migration has failed already, and ends by itself"
                                       : "the guest has moved to node " + state->target_node +
                                             " already, and the migration ends by itself");
        return;
    }
    const bool deleting = cancelled.migration->meta.deleting;
    if (!deleting) plan.actions.push_back(CancelAction::delete_migration);
    add_effect(plan, (deleting ? "the migration is being deleted already: " : "") +
                         effect_of_deletion(cancelled));
    note_maker(plan, cancelled);
}

}  // namespace

CancelPlan plan_cancel(const Cancelled& cancelled) {
    CancelPlan plan;
    for (const auto refuse : {refuse_post_copy, refuse_unread, refuse_tainted}) {
        plan.refusal = refuse(cancelled);
        if (plan.refusal) return plan;
    }
    plan_mark(plan, cancelled);
    plan_migration(plan, cancelled);
    return plan;
}

bool hangs(const Sight& sight, const facts::Migration& migration, const facts::Vmi* vmi) {
    if (!migration.meta.deleting || migration.finished() || migration.phase == "Running") {
        return false;
    }
    // Before the hand-over, a deletion takes effect at once.
    const auto* state = state_of(vmi, migration.meta.uid);
    if (state == nullptr || state->started || !state->mode.empty() || is_decided(state)) {
        return false;
    }
    const auto* target = target_pod(sight, migration.meta.uid);
    if (target == nullptr) return !sight.launchers.complete;
    return !target->meta.deleting && !target->finished();
}

std::string abort_trouble(const Sight& sight, const facts::Migration& migration) {
    if (!migration.meta.deleting || migration.finished()) return {};
    const auto* vmi = sight.vmis.find({migration.meta.ns, migration.vmi});
    const auto* state = state_of(vmi, migration.meta.uid);
    if (state != nullptr && (state->abort_requested || is_decided(state))) return {};
    std::int64_t count = 0;
    std::string words;
    for (const auto* warning : warnings_about(sight, migration.meta.uid)) {
        if (warning->reason != "FailedAbortMigration") continue;
        count += warning->count;
        words = warning->message;
    }
    // Once may be a lost race, which the next try wins.
    if (count < 2) return {};
    auto trouble = "virt-controller failed " + std::to_string(count) +
                   " times to have the migration aborted: " + words;
    if (words.find("the server rejected our request") != std::string::npos) {
        trouble +=
            "; its patch tests the VMI's whole status, which holds something that it would write "
            "differently";
    }
    return trouble;
}

}  // namespace recovery
