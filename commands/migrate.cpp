#include "commands/migrate.hpp"

#include <algorithm>
#include <map>

#include "commands/errors.hpp"
#include "commands/hanging_cancels.hpp"
#include "commands/migration_session.hpp"
#include "commands/migration_talk.hpp"
#include "commands/selecting.hpp"
#include "commands/text.hpp"
#include "kubeclient/shell_word.hpp"
#include "preflight/collect.hpp"
#include "preflight/judge.hpp"
#include "preflight/judged.hpp"
#include "recovery/batch.hpp"
#include "recovery/course_words.hpp"

namespace commands {
namespace {

using kubeclient::DryRun;
using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Result;
using kubeclient::Status;
using recovery::Batch;
using recovery::Ending;
using recovery::Instant;
using recovery::Member;
using recovery::MigrationReport;
using recovery::Outcome;
using std::chrono::milliseconds;

// After a time limit or an interruption: how long what we cancel may take to end.
constexpr std::chrono::seconds kCancelling{120};

// The server has judged, and said no. Anything else is an error that says nothing of the VM.
bool is_verdict(ErrorKind kind) {
    return kind == ErrorKind::invalid || kind == ErrorKind::forbidden ||
           kind == ErrorKind::conflict || kind == ErrorKind::not_found ||
           kind == ErrorKind::not_served || kind == ErrorKind::protocol;
}

class Migrate {
public:
    Migrate(const MigrateOptions& options, Environment& environment)
        : options_(options),
          environment_(environment),
          session_(options.connection, environment),
          talk_(make_talk(options.output, environment)) {}

    ExitCode run() {
        report_.verb = "migrate";
        const auto done = work();
        return close_report(report_, done, exit_code_for_items(), *talk_, environment_);
    }

private:
    int exit_code_for_items() const {
        const int verdict = recovery::exit_code_of(report_.items);
        // Whoever interrupted a create has to know that nobody knows.
        const bool unknown = verdict == static_cast<int>(ExitCode::outcome_unknown);
        return interruption_ && !unknown ? static_cast<int>(*interruption_) : verdict;
    }

    Status work() {
        TRY(session_.open());
        report_.source = describe_cluster(session_.target());
        TRY_ASSIGN(members, enlist());
        hold_back(members);
        const bool to_do = std::any_of(members.begin(), members.end(),
                                       [](const Member& each) { return !each.settled; });
        for (const auto& member : members) tell_settled(member);
        Batch batch(std::move(members),
                    {options_.max_parallel, options_.max_failures,
                     options_.wait && options_.dry_run == DryRunMode::none, options_.skip_blocked});
        Status done = kubeclient::Done{};
        if (to_do) done = options_.dry_run == DryRunMode::none ? carry_out(batch) : rehearse(batch);
        report_.items = batch.outcomes();
        const int verdict = recovery::exit_code_of(report_.items);
        const bool graver = verdict == static_cast<int>(ExitCode::outcome_unknown) ||
                            verdict == static_cast<int>(ExitCode::failed_at_server) ||
                            verdict == static_cast<int>(ExitCode::timed_out);
        if (done.ok() && broken_ && !graver) return *broken_;
        return done;
    }

    // Facts are read, judged, and made into a plan.
    Result<std::vector<Member>> enlist() {
        const SelectionWords words{options_.targets, options_.selector, options_.all_namespaces,
                                   options_.node, options_.connection.ns.value_or("")};
        TRY_ASSIGN(selection, select_machines(words));
        in_namespace(selection, words, session_.target());
        scope_ = selection.ns;
        TRY_ASSIGN(snapshot,
                   preflight::collect(session_.api(), selection, report_.source,
                                      std::chrono::floor<std::chrono::seconds>(session_.now())));
        if (session_.interrupted()) return Error{ErrorKind::canceled, "interrupted"};
        preflight::Terms terms;
        for (const auto& waiver : options_.ignore) {
            terms.waivers.push_back({waiver.check, waiver.target});
        }
        const auto judged = preflight::judge(snapshot, selection, terms);
        if (judged.error) {
            return Error{ErrorKind::not_found, judged.error->message, judged.error->hint};
        }
        if (judged.items.empty()) {
            talk_->say(no_resources(scope_));
        }
        if (const auto* kubevirt = preflight::kubevirt_of(snapshot)) {
            kubevirt_ns_ = kubevirt->meta.ns;
        }
        recovery::StartTerms start;
        start.to = options_.to;
        start.node_selector = options_.node_selector;
        start.join = options_.join;
        start.program = environment_.program;
        start.unique = environment_.unique;
        return recovery::plan_start(snapshot, judged, start);
    }

    // In a batch one that is blocked holds back the others, unless it is to be skipped.
    void hold_back(std::vector<Member>& members) const {
        const bool blocked = std::any_of(members.begin(), members.end(), [](const Member& each) {
            return each.settled && each.settled->ending == Ending::blocked;
        });
        if (!blocked || options_.skip_blocked) return;
        for (auto& member : members) {
            if (member.settled) continue;
            member.settled = recovery::not_started(member.of, "another VM of the batch is blocked",
                                                   "the same command with --skip-blocked");
        }
    }

    void tell_settled(const Member& member) {
        recovery::MigrationEvent event;
        event.ns = member.of.ns;
        event.vmi = member.of.vmi;
        event.vmim = member.of.vmim;
        event.at = session_.now();
        if (member.settled) {
            event.type = recovery::MigrationEvent::Type::end;
            event.outcome = member.settled;
            event.vmim = member.settled->vmim;
            event.next = member.settled->next;
            talk_->tell(event);
        } else if (member.joined) {
            event.type = recovery::MigrationEvent::Type::joined;
            event.message = "joins migration " + member.of.vmim;
            talk_->tell(event);
        }
    }

    // Nothing is kept: at the server, or nothing is even asked.
    Status rehearse(Batch& batch) {
        const bool server = options_.dry_run == DryRunMode::server;
        for (auto due = batch.due(); !due.empty(); due = batch.due()) {
            const auto number = due.front();
            const auto& order = *batch.member(number).order;
            facts::Migration migration;
            migration.meta.name = order.name;
            if (server) {
                auto asked = session_.executor().create(order, DryRun::server);
                if (!asked.ok()) {
                    talk_->tell(
                        batch.refused(number, refusal(order, asked.error()), session_.now()));
                    continue;
                }
                migration = std::move(asked).value();
            }
            auto event = batch.created(number, migration, session_.now());
            event.message += server ? " (server dry run)" : " (dry run)";
            talk_->tell(event);
        }
        return kubeclient::Done{};
    }

    Status carry_out(Batch& batch) {
        if (options_.wait) TRY(session_.follow(scope_, kubevirt_ns_));
        if (options_.timeout.count() > 0) deadline_ = session_.now() + options_.timeout;
        while (!batch.over()) {
            if (session_.interrupted()) return interrupt(batch);
            if (deadline_ && session_.now() >= *deadline_) return time_out(batch);
            create_due(batch);
            if (options_.wait) watch(batch);
        }
        return kubeclient::Done{};
    }

    // One at a time: what the server refuses can hold back the rest.
    void create_due(Batch& batch) {
        for (auto due = batch.due(); !due.empty(); due = batch.due()) {
            const auto number = due.front();
            const auto& order = *batch.member(number).order;
            auto migration = session_.executor().create(order, DryRun::none);
            if (!migration.ok() && migration.error().kind == ErrorKind::canceled) return;
            talk_->tell(migration.ok() ? batch.created(number, *migration, session_.now())
                                       : batch.refused(number, refusal(order, migration.error()),
                                                       session_.now()));
        }
    }

    // Why nothing was created, or that nobody knows.
    Outcome refusal(const recovery::Order& order, const Error& error) {
        Outcome outcome;
        const bool unknown = error.kind == ErrorKind::unknown_outcome;
        outcome.ending = is_verdict(error.kind) ? Ending::blocked : Ending::not_started;
        if (unknown) outcome.ending = Ending::unknown;
        if (outcome.ending == Ending::not_started) broken_ = error;
        outcome.vmim = unknown ? order.name : "";
        if (!unknown) outcome.vm_running = true;
        outcome.cause = error.message;
        const std::string in_ns = " -n " + kubeclient::shell_word(order.ns);
        outcome.next = hint_of(error);
        if (unknown)
            outcome.next = "kubectl get vmim " + kubeclient::shell_word(order.name) + in_ns;
        // Somebody was faster (kubevirt migration-create-admitter.go, v1.9).
        if (error.message.find("in-flight migration detected") != std::string::npos) {
            outcome.next =
                recovery::vm_command(environment_.program, "migrate", order.ns, order.vmi) +
                " --join";
        }
        return outcome;
    }

    void watch(Batch& batch) {
        auto& follower = session_.follower();
        follower.read_progress(batch.copying());
        follower.count_queue(batch.wants_queue());
        if (batch.wants_attachments()) follower.watch_attachments();
        follower.wait(milliseconds(200));
        session_.speak_of_trouble(*talk_);
        for (const auto& event : batch.look(follower.sight(), session_.now())) talk_->tell(event);
        talk_->stand(batch.courses(), session_.now());
    }

    // Work goes on at the server, unless it is to be cancelled.
    Status interrupt(Batch& batch) {
        interruption_ = environment_.interruption();
        if (!options_.cancel_on_interrupt) {
            leave(batch, Ending::detached, "interrupted");
            return kubeclient::Done{};
        }
        TRY(session_.open_in_spite_of_interruption());
        talk_->say("interrupted: cancelling what was begun; a second time leaves at once");
        TRY(session_.follow(scope_, kubevirt_ns_));
        return cancel_all(batch);
    }

    Status time_out(Batch& batch) {
        if (options_.cancel_on_timeout) {
            talk_->say("the time given is over: cancelling what was begun");
            return cancel_all(batch);
        }
        leave(batch, Ending::timed_out, "the time given is over");
        return kubeclient::Done{};
    }

    Status cancel_all(Batch& batch) {
        for (const auto* course : batch.courses()) {
            const auto* known = course->migration();
            facts::Meta meta = known != nullptr ? known->meta : facts::Meta{};
            meta.ns = course->of().ns;
            meta.name = course->of().vmim;
            meta.uid = course->of().vmim_uid;
            const auto removed = session_.executor().remove(meta, DryRun::none);
            if (!removed.ok()) talk_->say("error: " + removed.error().message);
        }
        batch.cancel();
        const auto end = session_.now() + kCancelling;
        HangingCancels hanging(session_);
        while (!batch.over() && session_.now() < end) {
            watch(batch);
            hanging.look(batch.courses(), *talk_);
        }
        if (!batch.over()) leave(batch, Ending::timed_out, "cancelling takes longer");
        return kubeclient::Done{};
    }

    void leave(Batch& batch, Ending ending, const std::string& why) {
        const auto courses = batch.courses();
        std::vector<recovery::CourseOf> left;
        for (const auto* course : courses) left.push_back(course->of());
        for (const auto& event : batch.leave(ending, session_.now())) talk_->tell(event);
        std::map<std::string, std::string> by_namespace;
        for (const auto& of : left) by_namespace[of.ns] += " " + kubeclient::shell_word(of.vmi);
        for (const auto& [ns, names] : by_namespace) {
            const std::string rest = names + " -n " + kubeclient::shell_word(ns);
            talk_->say(why + "; the work goes on at the server. To follow it again:\n  " +
                       environment_.program + " migrate" + rest + " --join\nTo cancel it:\n  " +
                       environment_.program + " cancel" + rest);
        }
    }

    const MigrateOptions& options_;
    Environment& environment_;
    MigrationSession session_;
    std::unique_ptr<MigrationTalk> talk_;
    MigrationReport report_{};
    std::string scope_{};
    std::string kubevirt_ns_{};
    std::optional<Instant> deadline_{};
    std::optional<ExitCode> interruption_{};
    std::optional<Error> broken_{};  // of a create that had no effect
};

}  // namespace

ExitCode run_migrate(const MigrateOptions& options, Environment& environment) {
    return Migrate(options, environment).run();
}

}  // namespace commands
