// Several migrations at once: which are begun when, what happens, and what becomes of all of them.
// A state machine without side effects; whoever drives it creates what is due.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "recovery/course.hpp"
#include "recovery/start.hpp"

namespace recovery {

struct BatchTerms {
    int max_parallel = 0;       // 0: as many as there are; the cluster's own limits hold
    int max_failures = 0;       // after more than these no more are begun
    bool wait = true;           // false: what is begun is not followed
    bool skip_blocked = false;  // go on after an order that the server refuses
};

class Batch {
public:
    Batch(std::vector<Member> members, const BatchTerms& terms);

    // Orders to be created now, by their member's number.
    std::vector<std::size_t> due() const;
    const Member& member(std::size_t number) const { return entries_.at(number).member; }
    // What became of an order. The event tells of it.
    MigrationEvent created(std::size_t number, const facts::Migration& migration, Instant now);
    // It was refused, or whether it exists is not known: the outcome says so.
    MigrationEvent refused(std::size_t number, Outcome outcome, Instant now);

    std::vector<MigrationEvent> look(const Sight& sight, Instant now);
    bool over() const;

    // What goes on is left to itself (timed_out, detached, unknown), what has not begun never does.
    std::vector<MigrationEvent> leave(Ending ending, Instant now);
    // Their end is wanted from now on; nothing more is begun.
    void cancel();

    std::vector<const Course*> courses() const;  // of those that have begun and are not over
    std::vector<Outcome> outcomes() const;       // in the order of the members
    std::set<Copying> copying() const;
    bool wants_queue() const;
    bool wants_attachments() const;

private:
    struct Entry {
        Member member{};
        std::optional<Course> course{};    // once it exists
        std::optional<Outcome> settled{};  // the final word
    };

    int failures() const;
    int under_way() const;
    bool halted() const;
    void settle_rest();

    std::vector<Entry> entries_;
    const BatchTerms terms_;
    bool cancelling_ = false;
};

}  // namespace recovery
