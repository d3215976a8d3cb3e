// The course of one migration, as told by what is in sight: a state machine without side effects.
// Each look says what has happened since the last one; at the end stands the outcome.
//
// Source of the order of things: kubevirt pkg/virt-controller/watch/migration/migration.go and
// pkg/virt-handler, v1.9, and recorded sessions with them. The VMIM's end is not the VMI's: which
// node runs the guest is taken from the VMI, and the end waits for it.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "recovery/follower.hpp"
#include "recovery/report.hpp"
#include "recovery/waiting.hpp"

namespace recovery {

// Whom it is about, known before it begins.
struct CourseOf {
    std::string ns{};
    std::string vmi{};
    std::string vmi_uid{};
    std::string vmim{};
    std::string vmim_uid{};
    std::string source_node{};           // that ran the guest before
    std::set<std::string> volumes{};     // PVs behind the claims of the VMI
    std::optional<std::int64_t> size{};  // bytes that KubeVirt's time limit is computed from
    std::optional<facts::Node> node{};   // the source node, as read before
    Limits limits{};
    bool cancelling = false;               // we have asked for its end
    std::string program = "virt-handoff";  // how the user calls it, for commands to paste
};

class Course {
public:
    explicit Course(CourseOf of);

    // One thread; `now` does not go back.
    std::vector<MigrationEvent> look(const Sight& sight, Instant now);

    bool over() const { return over_; }
    // Once over: the final word. Before: how far it is, with Ending::started.
    const Outcome& outcome() const { return outcome_; }
    const CourseOf& of() const { return of_; }
    const std::optional<Progress>& progress() const { return progress_; }
    const std::vector<Cause>& causes() const { return causes_; }
    // What the follower is to read for it.
    std::optional<Copying> copying() const;
    bool wants_queue() const { return wants_queue_; }
    bool wants_attachments() const { return end_seen_.has_value() && !over_; }
    // From now on its end is wanted.
    void cancel() { of_.cancelling = true; }
    // Whether the abort has no chance to get through; in words.
    const std::string& abort_trouble() const { return abort_trouble_; }
    // The VMIM as last seen; nullptr before it was.
    const facts::Migration* migration() const { return last_ ? &*last_ : nullptr; }

private:
    void take_phase(const Sight& sight, Instant now);
    void tell_phase(const Sight& sight, Instant now);
    bool phase_words_known(const Sight& sight) const;
    void take_progress(const Sight& sight, Instant now);
    void take_causes(const Sight& sight, Instant now);
    void take_end(const Sight& sight, Instant now);
    void learn(const Sight& sight);
    bool confirmed(const Sight& sight) const;
    bool let_go(const Sight& sight);
    void conclude(const Sight& sight);
    void conclude_failure(const Sight& sight);
    void lose_sight(const std::string& why, Instant now);
    std::string phase_words(const Sight& sight) const;
    std::optional<std::chrono::sys_seconds> deadline() const;
    MigrationEvent& tell(MigrationEvent::Type type, Instant now, std::string message);

    CourseOf of_;
    Outcome outcome_{};
    std::vector<MigrationEvent> told_{};
    std::optional<facts::Migration> last_{};
    std::optional<facts::MigrationState> state_{};  // of this migration, as last seen
    std::optional<facts::Pod> target_{};            // likewise; its end may come before the VMIM's
    const facts::Vmi* vmi_ = nullptr;               // during a look
    bool instance_gone_ = false;                    // the VMI with this uid
    std::optional<Progress> progress_{};
    std::vector<Cause> causes_{};
    std::string abort_trouble_{};
    std::string progress_gap_{};
    std::string phase_{};  // as last seen; told_phase_ follows once its words are known
    std::string told_phase_{};
    Instant phase_since_{};
    Instant quiet_since_{};  // somebody has asked for its end
    bool deleting_ = false;
    std::optional<Instant> end_seen_{};
    std::optional<Instant> confirmed_at_{};
    bool wants_queue_ = false;
    bool gone_ = false;  // the VMIM
    bool over_ = false;
};

}  // namespace recovery
