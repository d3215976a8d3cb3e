#include "recovery/batch.hpp"

#include "tests/unit/recovery_sight_builders.hpp"

using namespace recovery;
using namespace recovery::builders;

namespace {

Member to_start(const std::string& name) {
    Member member;
    member.of.ns = "prod";
    member.of.vmi = name;
    member.of.vmi_uid = name + "-uid";
    member.of.source_node = "n1";
    member.order = Order{"prod", name, "handoff-" + name, {}};
    return member;
}

Member blocked(const std::string& name) {
    Member member;
    member.of.ns = "prod";
    member.of.vmi = name;
    member.settled.emplace();
    member.settled->ending = Ending::blocked;
    return member;
}

facts::Migration created(const std::string& name) {
    facts::Migration result;
    result.meta = meta("prod", "handoff-" + name, name + "-m");
    result.vmi = name;
    return result;
}

// The migration of this VM has failed before the hand-over.
Sight failed(const std::string& name) {
    auto one = created(name);
    one.phase = "Failed";
    auto guest = vmi();
    guest.meta = meta("prod", name, name + "-uid");
    return sight_with(one, guest);
}

std::vector<Ending> endings(const Batch& batch) {
    std::vector<Ending> result;
    for (const auto& outcome : batch.outcomes()) result.push_back(outcome.ending);
    return result;
}

}  // namespace

TEST_CASE("everything is due at once, unless that was limited") {
    CHECK(Batch({to_start("a"), to_start("b"), to_start("c")}, {}).due().size() == 3);
    Batch batch({to_start("a"), blocked("x"), to_start("b"), to_start("c")}, {.max_parallel = 2});
    CHECK(batch.due() == std::vector<std::size_t>{0, 2});
    batch.created(0, created("a"), noon);
    CHECK(batch.due() == std::vector<std::size_t>{2});
    batch.created(2, created("b"), noon);
    CHECK(batch.due().empty());
    CHECK_FALSE(batch.over());
}

TEST_CASE("after the first failure no more are begun, unless more are allowed") {
    for (const int allowed : {0, 1}) {
        CAPTURE(allowed);
        Batch batch({to_start("a"), to_start("b")}, {.max_parallel = 1, .max_failures = allowed});
        batch.created(0, created("a"), noon);
        for (int second = 0; second < 3; ++second) {
            static_cast<void>(batch.look(failed("a"), noon + std::chrono::seconds(second)));
        }
        CHECK(batch.over() == (allowed == 0));
        CHECK(batch.due().size() == static_cast<std::size_t>(allowed));
        if (allowed == 0) {
            CHECK(endings(batch) == std::vector{Ending::failed, Ending::not_started});
            CHECK(exit_code_of(batch.outcomes()) == 6);
        }
    }
}

TEST_CASE("an order that the server refuses ends the batch, unless blocked VMs are skipped") {
    for (const bool skip : {false, true}) {
        CAPTURE(skip);
        Batch batch({to_start("a"), to_start("b")}, {.max_parallel = 1, .skip_blocked = skip});
        Outcome outcome;
        outcome.ending = Ending::blocked;
        outcome.cause = "refused";
        const auto event = batch.refused(0, outcome, noon);
        CHECK(event.vmi == "a");
        CHECK(event.outcome->cause == "refused");
        CHECK(batch.over() == !skip);
        CHECK(batch.due().size() == (skip ? 1 : 0));
    }
}

TEST_CASE("an order that came to nothing for want of a server ends the batch in any case") {
    Batch batch({to_start("a"), to_start("b")}, {.max_parallel = 1, .skip_blocked = true});
    Outcome outcome;
    outcome.ending = Ending::not_started;
    batch.refused(0, outcome, noon);
    CHECK(batch.over());
    CHECK(exit_code_of(batch.outcomes()) == 3);
}

TEST_CASE("whether one exists is not known: nothing more is begun, and the code is 8") {
    Batch batch({to_start("a"), to_start("b")}, {.max_parallel = 1});
    Outcome outcome;
    outcome.ending = Ending::unknown;
    batch.refused(0, outcome, noon);
    CHECK(batch.over());
    CHECK(exit_code_of(batch.outcomes()) == 8);
}

TEST_CASE("what is not followed is over once it is created") {
    Batch batch({to_start("a")}, {.wait = false});
    batch.created(0, created("a"), noon);
    CHECK(batch.over());
    CHECK(endings(batch) == std::vector{Ending::started});
    CHECK(batch.outcomes()[0].vmim == "handoff-a");
}

TEST_CASE("who leaves says how each stands, and how to come back") {
    Batch batch({to_start("a"), to_start("b")}, {.max_parallel = 1});
    batch.created(0, created("a"), noon);
    const auto events = batch.leave(Ending::detached, noon);
    REQUIRE(events.size() == 1);
    CHECK(events[0].next == "virt-handoff migrate a -n prod --join");
    CHECK(endings(batch) == std::vector{Ending::detached, Ending::not_started});
    CHECK(batch.over());
}

TEST_CASE("the gravest of a batch is its exit code: 8, 6, 5, 7, 3") {
    const auto code = [](std::vector<Ending> endings) {
        std::vector<Outcome> items;
        for (const auto ending : endings) {
            items.emplace_back();
            items.back().ending = ending;
        }
        return exit_code_of(items);
    };
    using enum Ending;
    CHECK(code({}) == 0);
    CHECK(code({succeeded, nothing_to_do, started}) == 0);
    CHECK(code({blocked}) == 3);
    CHECK(code({blocked, not_started}) == 3);
    CHECK(code({succeeded, blocked}) == 7);
    CHECK(code({nothing_to_do, not_started}) == 7);
    CHECK(code({succeeded, blocked, timed_out}) == 5);
    CHECK(code({timed_out, failed, blocked}) == 6);
    CHECK(code({timed_out, cancelled}) == 6);
    CHECK(code({failed, unknown, timed_out}) == 8);
}
