#include "commands/cancel.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "commands/errors.hpp"
#include "commands/hanging_cancels.hpp"
#include "commands/migration_session.hpp"
#include "commands/migration_talk.hpp"
#include "commands/selecting.hpp"
#include "preflight/decode.hpp"
#include "recovery/cancellation.hpp"
#include "recovery/course.hpp"
#include "recovery/course_words.hpp"

namespace commands {
namespace {

using kubeclient::DryRun;
using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Result;
using kubeclient::Status;
using recovery::CancelAction;
using recovery::CancelPlan;
using recovery::Course;
using recovery::Ending;
using recovery::Instant;
using recovery::MigrationEvent;
using recovery::NamedIn;
using recovery::Outcome;
using std::chrono::milliseconds;

// How long a mark may take to go once the server has taken it back.
constexpr std::chrono::seconds kMarkPatience{15};

bool is_done(const Outcome& item) {
    const bool kept = item.ending == Ending::failed && item.vm_running.value_or(false);
    return kept || item.ending == Ending::cancelled || item.ending == Ending::nothing_to_do ||
           item.ending == Ending::started || item.ending == Ending::detached;
}

// As for migrate, but here an end without the guest's loss is what was asked for.
int cancel_exit_code(const std::vector<Outcome>& items) {
    const auto any = [&](Ending ending) {
        return std::any_of(items.begin(), items.end(),
                           [&](const Outcome& item) { return item.ending == ending; });
    };
    if (any(Ending::unknown)) return static_cast<int>(ExitCode::outcome_unknown);
    const bool missed =
        any(Ending::succeeded) || std::any_of(items.begin(), items.end(), [](const Outcome& item) {
            return item.ending == Ending::failed && !is_done(item);
        });
    if (missed) return static_cast<int>(ExitCode::failed_at_server);
    if (any(Ending::timed_out)) return static_cast<int>(ExitCode::timed_out);
    return static_cast<int>(any(Ending::blocked) ? ExitCode::blocked : ExitCode::done);
}

// One VM whose migration, or mark, is to go.
struct Subject {
    NamedIn name{};
    std::string vmi_uid{};
    std::string marked_node{};
    std::optional<Course> course{};  // of the migration that was deleted
    std::optional<Instant> mark_sent{};
    std::optional<Outcome> settled{};
};

class Cancel {
public:
    Cancel(const CancelOptions& options, Environment& environment)
        : options_(options),
          environment_(environment),
          session_(options.connection, environment),
          talk_(make_talk(options.output, environment)) {}

    ExitCode run() {
        report_.verb = "cancel";
        const auto done = work();
        for (const auto& subject : subjects_) {
            if (subject.settled) report_.items.push_back(*subject.settled);
        }
        const int code = session_.interrupted() ? static_cast<int>(environment_.interruption())
                                                : cancel_exit_code(report_.items);
        return close_report(report_, done, code, *talk_, environment_);
    }

private:
    Status work() {
        TRY(session_.open());
        report_.source = describe_cluster(session_.target());
        const SelectionWords words{options_.targets, options_.selector, options_.all_namespaces,
                                   options_.node, options_.connection.ns.value_or("")};
        TRY_ASSIGN(selection, select_machines(words));
        in_namespace(selection, words, session_.target());
        TRY(session_.follow(selection.ns, ""));
        TRY(find_subjects(selection));
        if (subjects_.empty()) {
            talk_->say(no_resources(selection.ns));
        }
        for (auto& subject : subjects_) begin(subject);
        if (options_.timeout.count() > 0) deadline_ = session_.now() + options_.timeout;
        while (!over()) {
            if (session_.interrupted()) return leave(Ending::detached);
            if (deadline_ && session_.now() >= *deadline_) return leave(Ending::timed_out);
            watch();
        }
        return kubeclient::Done{};
    }

    const recovery::Sight& sight() { return session_.follower().sight(); }

    Status find_subjects(const preflight::Selection& selection) {
        if (!selection.targets.empty()) {
            for (const auto& target : selection.targets) {
                TRY(must_exist(selection.ns, target.name));
                add_subject({selection.ns, target.name});
            }
            return kubeclient::Done{};
        }
        for (const auto& [name, vmi] : sight().vmis.items) {
            const bool here = selection.node.empty() || vmi.node == selection.node;
            if (here && selection.selector.matches(vmi.meta.labels)) add_subject(name);
        }
        if (sight().vmis.gap.empty()) return kubeclient::Done{};
        return Error{ErrorKind::forbidden, "VMIs cannot be listed: " + sight().vmis.gap,
                     "name the virtual machines instead"};
    }

    // A VM that is stopped has nothing to cancel; one that is not there is a mistake.
    Status must_exist(const std::string& ns, const std::string& name) {
        if (sight().vmis.find({ns, name}) != nullptr || migration_for({ns, name}) != nullptr) {
            return kubeclient::Done{};
        }
        TRY_ASSIGN(path,
                   kubeclient::path_of({"kubevirt.io", "v1", "virtualmachines", ns, name, {}}));
        const auto vm = session_.api().get(path);
        if (vm.ok()) return kubeclient::Done{};
        return vm.error();
    }

    void add_subject(const NamedIn& name) {
        Subject subject;
        subject.name = name;
        if (const auto* vmi = sight().vmis.find(name)) {
            subject.vmi_uid = vmi->meta.uid;
            subject.marked_node = vmi->evacuation_node;
        }
        subjects_.push_back(std::move(subject));
    }

    const facts::Migration* migration_for(const NamedIn& name) {
        for (const auto& [key, migration] : sight().migrations.items) {
            const bool its = key.first == name.first && migration.vmi == name.second;
            if (its && !migration.finished()) return &migration;
        }
        return nullptr;
    }

    CancelPlan plan(const Subject& subject, std::optional<facts::Node>& node) {
        recovery::Cancelled cancelled;
        cancelled.vmi = sight().vmis.find(subject.name);
        cancelled.migration = migration_for(subject.name);
        cancelled.vmi_gap = sight().vmis.gap;
        node = read_node(subject.marked_node);
        if (node) cancelled.marked_node = &*node;
        return recovery::plan_cancel(cancelled);
    }

    std::optional<facts::Node> read_node(const std::string& name) {
        if (name.empty()) return std::nullopt;
        const auto path = kubeclient::path_of({"", "v1", "nodes", "", name, {}});
        if (!path.ok()) return std::nullopt;
        const auto object = session_.api().get(*path);
        if (!object.ok()) return std::nullopt;
        std::string problem;
        auto node = preflight::decode_node(preflight::Fields(*object, "", problem));
        return problem.empty() ? std::optional(node) : std::nullopt;
    }

    Outcome outcome_for(const Subject& subject, Ending ending) {
        Outcome outcome;
        outcome.ns = subject.name.first;
        outcome.vmi = subject.name.second;
        outcome.ending = ending;
        if (const auto* vmi = sight().vmis.find(subject.name)) {
            outcome.vm_running = vmi->phase == "Running";
            outcome.runs_on = outcome.source_node = vmi->node;
        } else if (sight().vmis.complete) {
            outcome.vm_running = false;
        }
        if (const auto* migration = migration_for(subject.name)) {
            outcome.vmim = migration->meta.name;
            outcome.phase = migration->phase;
        }
        return outcome;
    }

    void settle(Subject& subject, Outcome outcome) {
        MigrationEvent event = event_of(subject, MigrationEvent::Type::end, "");
        event.vmim = outcome.vmim;
        event.phase = outcome.phase;
        event.next = outcome.next;
        event.outcome = outcome;
        talk_->tell(event);
        subject.settled = std::move(outcome);
    }

    std::string vm_command(const std::string& verb, const Subject& subject) const {
        return recovery::vm_command(environment_.program, verb, subject.name.first,
                                    subject.name.second);
    }

    MigrationEvent event_of(const Subject& subject, MigrationEvent::Type type, std::string text) {
        MigrationEvent event;
        event.type = type;
        event.at = session_.now();
        event.ns = subject.name.first;
        event.vmi = subject.name.second;
        event.message = std::move(text);
        return event;
    }

    void begin(Subject& subject) {
        std::optional<facts::Node> node;
        const auto plan = this->plan(subject, node);
        for (const auto& note : plan.notes) {
            talk_->tell(event_of(subject, MigrationEvent::Type::note, note));
        }
        if (plan.refusal) {
            auto outcome = outcome_for(subject, Ending::blocked);
            outcome.cause = plan.refusal->seen + "; needed: " + plan.refusal->needed;
            outcome.next = plan.refusal->next;
            return settle(subject, std::move(outcome));
        }
        const auto* migration = migration_for(subject.name);
        if (plan.actions.empty() && migration == nullptr) {
            auto outcome = outcome_for(subject, Ending::nothing_to_do);
            outcome.cause = "no migration is under way, and no evacuation is asked for";
            return settle(subject, std::move(outcome));
        }
        talk_->tell(event_of(subject, MigrationEvent::Type::note, plan.effect));
        if (migration != nullptr) follow_end(subject, *migration);
        carry_out(subject, plan);
    }

    void follow_end(Subject& subject, const facts::Migration& migration) {
        recovery::CourseOf of;
        of.ns = subject.name.first;
        of.vmi = subject.name.second;
        of.vmi_uid = subject.vmi_uid;
        of.vmim = migration.meta.name;
        of.vmim_uid = migration.meta.uid;
        const auto* vmi = sight().vmis.find(subject.name);
        if (vmi != nullptr) of.source_node = vmi->node;
        of.cancelling = true;
        of.limits.gap = "the KubeVirt object was not read";
        of.program = environment_.program;
        subject.course.emplace(std::move(of));
    }

    void carry_out(Subject& subject, const CancelPlan& plan) {
        const auto dry_run = options_.dry_run == DryRunMode::server ? DryRun::server : DryRun::none;
        for (const auto action : plan.actions) {
            if (options_.dry_run == DryRunMode::client) break;
            const auto done = act(subject, action, dry_run);
            if (done.ok()) continue;
            const bool unknown = done.error().kind == ErrorKind::unknown_outcome;
            auto outcome = outcome_for(subject, unknown ? Ending::unknown : Ending::blocked);
            outcome.cause = done.error().message;
            outcome.next = hint_of(done.error());
            return settle(subject, std::move(outcome));
        }
        if (options_.wait && options_.dry_run == DryRunMode::none) return;
        auto outcome = outcome_for(subject, Ending::started);
        outcome.cause = options_.dry_run == DryRunMode::client   ? "nothing was done (dry run)"
                        : options_.dry_run == DryRunMode::server ? "accepted (server dry run)"
                                                                 : "the server was asked to end it";
        settle(subject, std::move(outcome));
    }

    Status act(Subject& subject, CancelAction action, DryRun dry_run) {
        auto& executor = session_.executor();
        switch (action) {
            case CancelAction::take_back_mark:
                subject.mark_sent = session_.now();
                return executor.take_back_mark(subject.name.first, subject.name.second,
                                               subject.marked_node, dry_run);
            case CancelAction::delete_migration:
                if (const auto* migration = migration_for(subject.name)) {
                    return executor.remove(migration->meta, dry_run);
                }
                return kubeclient::Done{};
            case CancelAction::delete_target:
                return hanging_.remove_target(subject.course->of(), dry_run);
        }
        return kubeclient::Done{};
    }

    bool over() const {
        return std::all_of(subjects_.begin(), subjects_.end(),
                           [](const Subject& subject) { return subject.settled.has_value(); });
    }

    void watch() {
        auto& follower = session_.follower();
        follower.wait(milliseconds(200));
        session_.speak_of_trouble(*talk_);
        std::vector<const Course*> courses;
        for (auto& subject : subjects_) {
            if (subject.settled) continue;
            look(subject);
            if (subject.course && !subject.settled) courses.push_back(&*subject.course);
        }
        hanging_.look(courses, *talk_);
        talk_->stand(courses, session_.now());
    }

    void look(Subject& subject) {
        if (!subject.course) return look_at_mark(subject);
        auto& course = *subject.course;
        for (auto& event : course.look(sight(), session_.now())) {
            if (event.next.starts_with(environment_.program + " cancel ")) event.next.clear();
            if (event.type != MigrationEvent::Type::end) talk_->tell(event);
        }
        if (course.over()) {
            auto outcome = course.outcome();
            const bool kept = outcome.ending == Ending::failed && outcome.vm_running == true;
            if (kept || outcome.ending == Ending::cancelled) outcome.next.clear();
            return settle(subject, std::move(outcome));
        }
        if (!course.abort_trouble().empty()) {
            auto outcome = course.outcome();
            outcome.ending = Ending::timed_out;
            outcome.cause = course.abort_trouble();
            outcome.next = vm_command("migrate", subject) + " --join";
            return settle(subject, std::move(outcome));
        }
    }

    void look_at_mark(Subject& subject) {
        const auto* vmi = sight().vmis.find(subject.name);
        const bool gone = vmi == nullptr || vmi->evacuation_node != subject.marked_node;
        const bool late = session_.now() - subject.mark_sent.value_or(Instant{}) > kMarkPatience;
        if (!gone && !late) return;
        // KubeVirt may have made one of the mark before it was taken back.
        if (gone && migration_for(subject.name) != nullptr) {
            subject.marked_node.clear();
            return begin(subject);
        }
        auto outcome = outcome_for(subject, gone ? Ending::cancelled : Ending::timed_out);
        outcome.cause = gone ? "the evacuation mark of " + subject.marked_node + " was taken back"
                             : "the server took the mark back, and it is there again";
        settle(subject, std::move(outcome));
    }

    Status leave(Ending ending) {
        for (auto& subject : subjects_) {
            if (subject.settled) continue;
            auto outcome =
                subject.course ? subject.course->outcome() : outcome_for(subject, ending);
            outcome.ending = ending;
            outcome.next = vm_command("cancel", subject);
            const auto* trouble = subject.course ? hanging_.trouble(subject.course->of()) : nullptr;
            if (trouble != nullptr) {
                outcome.cause = "the target pod could not be deleted: " + trouble->message;
                outcome.next = hint_of(*trouble);
            } else if (subject.course && !subject.course->causes().empty()) {
                const auto& cause = subject.course->causes().front();
                outcome.cause = cause.text;
                const bool says_more = !cause.next.empty() &&
                                       !cause.next.starts_with(environment_.program + " cancel ");
                if (says_more) outcome.next = cause.next;
            }
            if (outcome.cause.empty()) outcome.cause = "the migration has not ended yet";
            settle(subject, std::move(outcome));
        }
        return kubeclient::Done{};
    }

    const CancelOptions& options_;
    Environment& environment_;
    MigrationSession session_;
    HangingCancels hanging_{session_};
    std::unique_ptr<MigrationTalk> talk_;
    recovery::MigrationReport report_{};
    std::vector<Subject> subjects_{};
    std::optional<Instant> deadline_{};
};

}  // namespace

ExitCode run_cancel(const CancelOptions& options, Environment& environment) {
    return Cancel(options, environment).run();
}

}  // namespace commands
