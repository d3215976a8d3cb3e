#include "recovery/batch.hpp"

#include <algorithm>

#include "recovery/course_words.hpp"

namespace recovery {
namespace {

bool is_failure(Ending ending) {
    return ending == Ending::failed || ending == Ending::cancelled || ending == Ending::unknown;
}

std::string how_it_stands(const Course& course) {
    if (!course.causes().empty()) return course.causes().front().text;
    if (course.progress()) return describe_progress(*course.progress());
    return "the migration has not ended yet";
}

MigrationEvent event_of(MigrationEvent::Type type, const Outcome& outcome, Instant now) {
    MigrationEvent event;
    event.type = type;
    event.at = now;
    event.ns = outcome.ns;
    event.vmi = outcome.vmi;
    event.vmim = outcome.vmim;
    event.phase = outcome.phase;
    event.message = outcome.cause;
    event.next = outcome.next;
    if (type == MigrationEvent::Type::end) event.outcome = outcome;
    return event;
}

}  // namespace

Batch::Batch(std::vector<Member> members, const BatchTerms& terms) : terms_(terms) {
    for (auto& member : members) {
        Entry entry;
        entry.settled = member.settled;
        if (member.joined) entry.course.emplace(member.of);
        entry.member = std::move(member);
        entries_.push_back(std::move(entry));
    }
}

int Batch::failures() const {
    return static_cast<int>(std::count_if(entries_.begin(), entries_.end(), [](const Entry& entry) {
        const bool begun = entry.course.has_value() || entry.member.order.has_value();
        return begun && entry.settled && is_failure(entry.settled->ending);
    }));
}

int Batch::under_way() const {
    return static_cast<int>(std::count_if(entries_.begin(), entries_.end(), [](const Entry& entry) {
        return entry.course.has_value() && !entry.settled;
    }));
}

bool Batch::halted() const {
    if (cancelling_ || failures() > terms_.max_failures) return true;
    return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        if (!entry.member.order || !entry.settled) return false;
        const auto ending = entry.settled->ending;
        return ending == Ending::not_started || (ending == Ending::blocked && !terms_.skip_blocked);
    });
}

std::vector<std::size_t> Batch::due() const {
    std::vector<std::size_t> numbers;
    if (halted()) return numbers;
    const int room = terms_.max_parallel == 0 ? static_cast<int>(entries_.size())
                                              : terms_.max_parallel - under_way();
    for (std::size_t number = 0; number < entries_.size(); ++number) {
        const auto& entry = entries_[number];
        const bool waits = entry.member.order && !entry.course && !entry.settled;
        if (waits && static_cast<int>(numbers.size()) < room) numbers.push_back(number);
    }
    return numbers;
}

MigrationEvent Batch::created(std::size_t number, const facts::Migration& migration, Instant now) {
    auto& entry = entries_.at(number);
    entry.member.of.vmim = migration.meta.name;
    entry.member.of.vmim_uid = migration.meta.uid;
    entry.course.emplace(entry.member.of);
    auto outcome = entry.course->outcome();
    if (!terms_.wait) entry.settled = outcome;
    auto event = event_of(MigrationEvent::Type::created, outcome, now);
    event.message = "migration " + outcome.vmim + " created";
    return event;
}

MigrationEvent Batch::refused(std::size_t number, Outcome outcome, Instant now) {
    auto& entry = entries_.at(number);
    const auto& of = entry.member.of;
    outcome.ns = of.ns;
    outcome.vmi = of.vmi;
    outcome.source_node = outcome.runs_on = of.source_node;
    entry.settled = outcome;
    settle_rest();
    return event_of(MigrationEvent::Type::end, outcome, now);
}

std::vector<MigrationEvent> Batch::look(const Sight& sight, Instant now) {
    std::vector<MigrationEvent> told;
    for (auto& entry : entries_) {
        if (!entry.course || entry.settled) continue;
        auto events = entry.course->look(sight, now);
        told.insert(told.end(), std::make_move_iterator(events.begin()),
                    std::make_move_iterator(events.end()));
        if (entry.course->over()) entry.settled = entry.course->outcome();
    }
    settle_rest();
    return told;
}

// Those that will not be begun any more, once that is certain.
void Batch::settle_rest() {
    if (!halted()) return;
    for (auto& entry : entries_) {
        if (!entry.member.order || entry.course || entry.settled) continue;
        const auto& of = entry.member.of;
        entry.settled = not_started(of,
                                    cancelling_ ? "the batch was ended before its turn"
                                                : "another VM of the batch did not get through",
                                    vm_command(of.program, "migrate", of.ns, of.vmi));
    }
}

bool Batch::over() const {
    return std::all_of(entries_.begin(), entries_.end(),
                       [](const Entry& entry) { return entry.settled.has_value(); });
}

std::vector<MigrationEvent> Batch::leave(Ending ending, Instant now) {
    cancelling_ = true;
    std::vector<MigrationEvent> told;
    for (auto& entry : entries_) {
        if (!entry.course || entry.settled) continue;
        auto outcome = entry.course->outcome();
        outcome.ending = ending;
        const auto& of = entry.member.of;
        outcome.next = vm_command(of.program, "migrate", of.ns, of.vmi) + " --join";
        outcome.cause = how_it_stands(*entry.course);
        entry.settled = outcome;
        told.push_back(event_of(MigrationEvent::Type::end, outcome, now));
    }
    settle_rest();
    return told;
}

void Batch::cancel() {
    cancelling_ = true;
    for (auto& entry : entries_) {
        if (entry.course) entry.course->cancel();
    }
    settle_rest();
}

std::vector<const Course*> Batch::courses() const {
    std::vector<const Course*> result;
    for (const auto& entry : entries_) {
        if (entry.course && !entry.settled) result.push_back(&*entry.course);
    }
    return result;
}

std::vector<Outcome> Batch::outcomes() const {
    std::vector<Outcome> result;
    for (const auto& entry : entries_) {
        if (entry.settled) {
            result.push_back(*entry.settled);
        } else if (entry.course) {
            result.push_back(entry.course->outcome());
        }
    }
    return result;
}

std::set<Copying> Batch::copying() const {
    std::set<Copying> result;
    for (const auto* course : courses()) {
        if (const auto of = course->copying()) result.insert(*of);
    }
    return result;
}

bool Batch::wants_queue() const {
    const auto all = courses();
    return std::any_of(all.begin(), all.end(),
                       [](const auto* each) { return each->wants_queue(); });
}

bool Batch::wants_attachments() const {
    const auto all = courses();
    return std::any_of(all.begin(), all.end(),
                       [](const auto* each) { return each->wants_attachments(); });
}

}  // namespace recovery
