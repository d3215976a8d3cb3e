#include "recovery/course.hpp"

#include <algorithm>

#include "kubeclient/time.hpp"
#include "preflight/migration_config.hpp"
#include "recovery/cancellation.hpp"
#include "recovery/course_words.hpp"
#include "recovery/failure.hpp"

namespace recovery {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What is ordinary needs no explanation for so long.
constexpr seconds kGrace{3};
constexpr seconds kOtherWatches{1};
// How long the VMI may lag behind the VMIM's end: some 70 ms were recorded.
constexpr seconds kConfirmation{10};
// How long the source may take to let go of launcher and disks after a success.
constexpr seconds kLettingGo{60};

bool before_copying(const std::string& phase) {
    return phase != "Running" && phase != "Succeeded" && phase != "Failed";
}

bool same_codes(const std::vector<Cause>& left, const std::vector<Cause>& right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [](const Cause& a, const Cause& b) { return a.code == b.code; });
}

}  // namespace

Course::Course(CourseOf of) : of_(std::move(of)) {
    outcome_.ns = of_.ns;
    outcome_.vmi = of_.vmi;
    outcome_.vmim = of_.vmim;
    outcome_.ending = Ending::started;
    outcome_.source_node = of_.source_node;
    outcome_.runs_on = of_.source_node;
}

MigrationEvent& Course::tell(MigrationEvent::Type type, Instant now, std::string message) {
    MigrationEvent event;
    event.type = type;
    event.at = now;
    event.ns = of_.ns;
    event.vmi = of_.vmi;
    event.vmim = of_.vmim;
    event.phase = outcome_.phase;
    event.message = std::move(message);
    told_.push_back(std::move(event));
    return told_.back();
}

std::vector<MigrationEvent> Course::look(const Sight& sight, Instant now) {
    told_.clear();
    if (over_) return {};
    learn(sight);
    take_phase(sight, now);
    if (over_) return std::exchange(told_, {});
    if (!end_seen_) {
        take_progress(sight, now);
        take_causes(sight, now);
    } else {
        take_end(sight, now);
    }
    vmi_ = nullptr;
    return std::exchange(told_, {});
}

// What the objects say of this migration now.
void Course::learn(const Sight& sight) {
    const auto* vmi = sight.vmis.find({of_.ns, of_.vmi});
    vmi_ = vmi;
    const bool other = vmi != nullptr && !of_.vmi_uid.empty() && vmi->meta.uid != of_.vmi_uid;
    instance_gone_ = other || (vmi == nullptr && sight.vmis.complete);
    if (const auto* state = state_of(other ? nullptr : vmi, of_.vmim_uid)) state_ = *state;
    const auto* found = migration_of(sight, {of_.ns, of_.vmim}, of_.vmim_uid);
    if (found != nullptr) {
        last_ = *found;
        if (found->state && found->state->migration_uid == of_.vmim_uid && !state_) {
            state_ = found->state;
        }
    }
    gone_ = found == nullptr && last_.has_value() && sight.migrations.complete;
    if (state_) {
        if (!state_->source_node.empty()) outcome_.source_node = state_->source_node;
        outcome_.target_node = state_->target_node;
        outcome_.started = state_->started;
    }
    if (const auto* pod = target_pod(sight, of_.vmim_uid)) target_ = *pod;
    if (outcome_.target_node.empty() && target_) outcome_.target_node = target_->node;
    if (!sight.vmis.gap.empty()) {
        outcome_.vm_running.reset();
        outcome_.runs_on.clear();
    } else if (vmi != nullptr) {
        outcome_.vm_running = vmi->phase == "Running" && !vmi->meta.deleting;
        outcome_.runs_on = *outcome_.vm_running ? vmi->node : "";
    } else if (sight.vmis.complete) {
        outcome_.vm_running = false;
        outcome_.runs_on.clear();
    }
}

void Course::take_phase(const Sight& sight, Instant now) {
    if (!sight.migrations.gap.empty()) return lose_sight(sight.migrations.gap, now);
    const auto unclear = sight.migrations.unclear.find({of_.ns, of_.vmim});
    if (unclear != sight.migrations.unclear.end()) return lose_sight(unclear->second, now);
    if (gone_ && !end_seen_) {
        end_seen_ = now;
        if (!last_->finished()) tell(MigrationEvent::Type::note, now, "the migration was deleted");
        return;
    }
    if (!last_) return;
    if (last_->phase != phase_) {
        tell_phase(sight, now);
        phase_ = last_->phase;
        phase_since_ = now;
        outcome_.phase = phase_;
        causes_.clear();
    }
    // What the VMI and the pod say of it comes by other watches, a moment earlier or later.
    if (phase_words_known(sight) || now - phase_since_ >= kOtherWatches) tell_phase(sight, now);
    if (last_->finished()) end_seen_ = end_seen_.value_or(now);
}

void Course::tell_phase(const Sight& sight, Instant now) {
    if (std::exchange(told_phase_, phase_) == phase_) return;
    tell(MigrationEvent::Type::phase, now, phase_words(sight));
}

bool Course::phase_words_known(const Sight& sight) const {
    if (phase_ == "Scheduling") return target_pod(sight, of_.vmim_uid) != nullptr;
    if (phase_ == "Running") return state_ && state_->started;
    const bool placed =
        phase_ == "Scheduled" || phase_ == "PreparingTarget" || phase_ == "TargetReady";
    return !placed || !outcome_.target_node.empty();
}

std::string Course::phase_words(const Sight& sight) const {
    const auto* pod = target_pod(sight, of_.vmim_uid);
    PhaseFacts facts{phase_,
                     outcome_.source_node,
                     outcome_.target_node,
                     pod == nullptr ? "" : pod->meta.name,
                     deadline(),
                     state_ ? at_deadline(state_->settings) : ""};
    return describe_phase(facts);
}

std::optional<std::chrono::sys_seconds> Course::deadline() const {
    if (!state_ || !state_->started || !of_.size) return std::nullopt;
    preflight::MigrationConfig config;
    const auto& per_gib = state_->settings.completion_timeout_per_gib;
    if (!per_gib) return std::nullopt;
    config.completion_timeout_per_gib = *per_gib;
    const auto limit = preflight::completion_timeout(config, *of_.size);
    if (limit <= 0) return std::nullopt;
    const bool doubled = state_->mode == "Paused";
    return *state_->started + seconds(limit) * (doubled ? 2 : 1);
}

std::optional<Copying> Course::copying() const {
    if (over_ || !last_ || before_copying(last_->phase)) return std::nullopt;
    if (end_seen_ && confirmed_at_) return std::nullopt;
    const std::string pod =
        state_ && !state_->source_pod.empty() ? state_->source_pod : last_->source_pod;
    if (pod.empty()) return std::nullopt;
    return Copying{of_.vmim_uid, of_.ns, of_.vmi, pod, outcome_.source_node};
}

void Course::take_progress(const Sight& sight, Instant now) {
    const auto gap = sight.progress_gaps.find(of_.vmim_uid);
    if (gap != sight.progress_gaps.end() && gap->second != progress_gap_) {
        progress_gap_ = gap->second;
        const bool metrics = progress_gap_.find(';') == std::string::npos;
        tell(MigrationEvent::Type::note, now,
             (metrics ? "progress is read from virt-handler's metrics, not from the log: "
                      : "progress is shown by phases alone: ") +
                 progress_gap_);
    }
    const auto newest = sight.transfers.find(of_.vmim_uid);
    if (newest == sight.transfers.end()) return;
    const auto& transfer = newest->second;
    outcome_.bytes = std::max(outcome_.bytes.value_or(0), transfer.processed);
    if (transfer.downtime) outcome_.downtime = transfer.downtime;
    if (progress_ && progress_->transfer == transfer) return;
    progress_ = progress_after(
        progress_, transfer,
        {state_ ? state_->mode : "", deadline(), state_ ? at_deadline(state_->settings) : ""});
    tell(MigrationEvent::Type::progress, now, describe_progress(*progress_)).progress = progress_;
}

void Course::take_causes(const Sight& sight, Instant now) {
    wants_queue_ = false;
    if (!last_ || instance_gone_) return;
    WaitingFor waiting;
    waiting.migration = &*last_;
    waiting.vmi = vmi_;
    waiting.source_node = of_.node ? &*of_.node : nullptr;
    waiting.limits = of_.limits;
    waiting.now = now;
    waiting.program = of_.program;
    wants_queue_ = needs_queue(sight, waiting);
    abort_trouble_ = recovery::abort_trouble(sight, *last_);
    if (std::exchange(deleting_, last_->meta.deleting) != last_->meta.deleting) quiet_since_ = now;
    if (now - std::max(phase_since_, quiet_since_) < kGrace) return;
    auto causes = why_waiting(sight, waiting);
    const bool news = !same_codes(causes, causes_);
    causes_ = std::move(causes);
    if (!news) return;
    for (const auto& cause : causes_) {
        tell(MigrationEvent::Type::waiting, now, cause.text).next = cause.next;
    }
}

// The VMI has caught up with what the VMIM says.
bool Course::confirmed(const Sight& sight) const {
    if (!sight.vmis.complete || instance_gone_) return true;
    if (outcome_.phase == "Succeeded") {
        return state_ && state_->completed && vmi_ != nullptr &&
               (state_->failed || vmi_->node == state_->target_node);
    }
    // Not handed over: the VMI knows nothing of it.
    return !state_ || state_->completed;
}

// Whether nothing of the old side is left: its launcher, and the attachments of its disks. What may
// not be read is noted, and not waited for.
bool Course::let_go(const Sight& sight) {
    outcome_.notes.clear();
    const auto& source = outcome_.source_node;
    if (outcome_.phase != "Succeeded" || instance_gone_ || source == outcome_.target_node)
        return true;
    bool clean = true;
    if (sight.launchers.complete && vmi_ != nullptr) {
        for (const auto* pod : live_launchers(sight, *vmi_)) {
            if (pod->node != source) continue;
            clean = false;
            outcome_.notes.push_back("the old launcher " + pod->meta.name + " on " + source +
                                     " has not ended");
        }
    } else {
        clean = !sight.launchers.gap.empty() || !sight.vmis.gap.empty();
        outcome_.notes.push_back("whether the old launcher has ended could not be read");
    }
    if (of_.volumes.empty()) return clean;
    const auto& attachments = sight.attachments;
    if (!attachments.complete) {
        clean = clean && !attachments.gap.empty();
        outcome_.notes.push_back("whether " + source +
                                 " has let go of the disks could not be read" +
                                 (attachments.gap.empty() ? "" : ": " + attachments.gap));
        return clean;
    }
    for (const auto& [name, attachment] : attachments.items) {
        if (attachment.node != source || of_.volumes.count(attachment.volume) == 0) continue;
        clean = false;
        outcome_.notes.push_back("volume " + attachment.volume + " is still attached to " + source +
                                 (attachment.error.empty() ? "" : ": " + attachment.error));
    }
    return clean;
}

void Course::take_end(const Sight& sight, Instant now) {
    take_progress(sight, now);
    if (!confirmed_at_) {
        if (!confirmed(sight) && now - *end_seen_ < kConfirmation) return;
        confirmed_at_ = now;
    }
    if (!let_go(sight) && now - *confirmed_at_ < kLettingGo) return;
    conclude(sight);
    over_ = true;
    tell(MigrationEvent::Type::end, now, describe_end(outcome_)).outcome = outcome_;
    told_.back().next = outcome_.next;
}

void Course::conclude(const Sight& sight) {
    const bool said_success =
        last_->phase == "Succeeded" || (gone_ && state_ && state_->completed && !state_->failed);
    const auto at = last_->phase_times.find(last_->phase);
    if (state_ && state_->ended) {
        outcome_.ended = state_->ended;
    } else if (at != last_->phase_times.end() && last_->finished()) {
        outcome_.ended = at->second;
    }
    if (!said_success) return conclude_failure(sight);
    const bool agrees = confirmed(sight) && (!state_ || !state_->failed);
    outcome_.ending = agrees ? Ending::succeeded : Ending::unknown;
    if (agrees && !instance_gone_) {
        if (!outcome_.notes.empty()) {
            outcome_.next = "kubectl get pods,volumeattachments -A -o wide";
        }
        if (!sight.vmis.gap.empty()) {
            outcome_.notes.push_back("whether the VMI says the same could not be read: " +
                                     sight.vmis.gap);
            outcome_.next = describe_command(of_.ns, of_.vmi);
        }
        return;
    }
    if (instance_gone_ && agrees) {
        outcome_.notes.push_back("the guest has ended since");
        return;
    }
    outcome_.cause = "the migration reports success, the VMI does not: " +
                     (state_ && state_->failed ? "failed, " + state_->failure_reason
                                               : std::string("it does not name the target node"));
    outcome_.next = describe_command(of_.ns, of_.vmi);
}

void Course::conclude_failure(const Sight& sight) {
    Failed failed;
    failed.migration = &*last_;
    failed.state = state_ ? &*state_ : nullptr;
    failed.vmi = instance_gone_ ? nullptr : vmi_;
    failed.target = target_ ? &*target_ : nullptr;
    failed.we_cancelled = of_.cancelling;
    failed.vmi_gone = instance_gone_;
    failed.program = of_.program;
    failed.warnings = warnings_about(sight, of_.vmim_uid);
    const auto of_vmi = warnings_about(sight, of_.vmi_uid);
    failed.warnings.insert(failed.warnings.end(), of_vmi.begin(), of_vmi.end());
    if (failed.target != nullptr) {
        const auto of_pod = warnings_about(sight, failed.target->meta.uid);
        failed.warnings.insert(failed.warnings.end(), of_pod.begin(), of_pod.end());
    }
    outcome_.ending = was_cancelled(failed) || (gone_ && !last_->finished() && !instance_gone_)
                          ? Ending::cancelled
                          : Ending::failed;
    const auto explanation = explain_failure(failed);
    outcome_.cause = explanation.cause;
    outcome_.next = explanation.next;
    const bool settled = !state_ || state_->completed || instance_gone_;
    if (!settled) {
        outcome_.ending = Ending::unknown;
        outcome_.cause =
            "the migration is over, and the VMI still tells of it as running; " + outcome_.cause;
    }
    for (const auto* gap : {&sight.warnings.gap, &sight.launchers.gap}) {
        if (!gap->empty())
            outcome_.notes.push_back("may tell more, but could not be read: " + *gap);
    }
    if (outcome_.next.empty() || !settled) outcome_.next = describe_command(of_.ns, of_.vmi);
}

void Course::lose_sight(const std::string& why, Instant now) {
    outcome_.ending = Ending::unknown;
    outcome_.cause = "the migration is no longer in sight: " + why;
    outcome_.next = vm_command(of_.program, "migrate", of_.ns, of_.vmi) + " --join";
    over_ = true;
    tell(MigrationEvent::Type::end, now, outcome_.cause).outcome = outcome_;
    told_.back().next = outcome_.next;
}

}  // namespace recovery
