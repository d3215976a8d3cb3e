#include "recovery/course.hpp"

#include "tests/unit/recovery_sight_builders.hpp"

using namespace recovery;
using namespace recovery::builders;
using std::chrono::seconds;
using Type = MigrationEvent::Type;

namespace {

CourseOf subject() {
    CourseOf of;
    of.ns = "prod";
    of.vmi = "web";
    of.vmi_uid = "vmi-uid";
    of.vmim = "web-m";
    of.vmim_uid = "m-uid";
    of.source_node = "n1";
    of.size = std::int64_t{2} << 30;
    return of;
}

Instant at(int second) {
    return noon + seconds(second);
}

facts::Vmi moved() {
    auto vmi = handed_over("PreCopy");
    vmi.node = "n2";
    vmi.migration->ended = noon;
    vmi.migration->completed = true;
    return vmi;
}

facts::Pod ended(facts::Pod pod) {
    pod.phase = "Succeeded";
    return pod;
}

std::vector<Type> types(const std::vector<MigrationEvent>& events) {
    std::vector<Type> result;
    for (const auto& event : events) result.push_back(event.type);
    return result;
}

// Looks every second until it is over, at most `patience` seconds.
Outcome outcome_of(Course& course, const Sight& sight, int from, int patience) {
    for (int second = from; second <= from + patience && !course.over(); ++second) {
        static_cast<void>(course.look(sight, at(second)));
    }
    return course.outcome();
}

facts::VolumeAttachment attachment(const std::string& node) {
    facts::VolumeAttachment result;
    result.meta = meta("", "va-" + node, "va");
    result.volume = "pv-1";
    result.node = node;
    result.attached = true;
    return result;
}

}  // namespace

TEST_CASE("each phase is told once, with what it means here") {
    Course course(subject());
    auto scene = sight_with(migration("Pending"), vmi());
    auto events = course.look(scene, at(0));
    REQUIRE(events.size() == 1);
    CHECK(events[0].type == Type::phase);
    CHECK(events[0].phase == "Pending");
    CHECK(course.look(scene, at(1)).empty());
    scene = sight_with(migration("Scheduling"), vmi(), target("Pending"));
    events = course.look(scene, at(2));
    REQUIRE(events.size() == 1);
    CHECK(events[0].message == "target pod virt-launcher-web-tgt is being placed");
    scene = sight_with(migration("Running"), handed_over("PreCopy"), target());
    scene.vmis.items.begin()->second.migration->settings.completion_timeout_per_gib = 150;
    events = course.look(scene, at(3));
    REQUIRE(events.size() == 1);
    CHECK(events[0].message.starts_with("n1 -> n2, copying memory; at "));
    CHECK(events[0].message.ends_with("it is aborted"));
}

TEST_CASE("a success is the VMI's: it names the target, and the old side has let go") {
    Course course(subject());
    auto scene = sight_with(migration("Succeeded"), handed_over("PreCopy"), target());
    CHECK(types(course.look(scene, at(0))) == std::vector{Type::phase});
    CHECK(course.look(scene, at(1)).empty());
    CHECK_FALSE(course.over());
    scene = sight_with(migration("Succeeded"), moved(), target(), ended(launcher()));
    scene.attachments.complete = true;
    const auto events = course.look(scene, at(2));
    REQUIRE(types(events) == std::vector{Type::end});
    CHECK(course.outcome().ending == Ending::succeeded);
    CHECK(course.outcome().runs_on == "n2");
    CHECK(course.outcome().vm_running == true);
    CHECK(course.outcome().next.empty());
}

TEST_CASE("what the old side still holds is waited for a minute, and then said") {
    auto of = subject();
    of.volumes = {"pv-1"};
    Course course(of);
    auto scene = sight_with(migration("Succeeded"), moved(), target());
    scene.attachments.complete = true;
    scene.attachments.items["va"] = attachment("n1");
    scene.attachments.items["other"] = attachment("n2");
    CHECK(outcome_of(course, scene, 0, 55).ending == Ending::started);
    const auto outcome = outcome_of(course, scene, 56, 10);
    CHECK(outcome.ending == Ending::succeeded);
    CHECK(outcome.notes ==
          std::vector<std::string>{"the old launcher virt-launcher-web-src on n1 has not ended",
                                   "volume pv-1 is still attached to n1"});
    CHECK_FALSE(outcome.next.empty());
}

TEST_CASE("a success that the VMI contradicts is no success") {
    Course course(subject());
    auto denied = moved();
    denied.migration->failed = true;
    denied.migration->failure_reason = "libvirt says no";
    const auto outcome =
        outcome_of(course, sight_with(migration("Succeeded"), denied, target()), 0, 80);
    CHECK(outcome.ending == Ending::unknown);
    CHECK(outcome.cause.find("libvirt says no") != std::string::npos);
}

TEST_CASE("the VMIM may fail before the VMI knows: the end waits, but not for ever") {
    Course course(subject());
    const auto scene = sight_with(migration("Failed"), handed_over("PreCopy"));
    static_cast<void>(course.look(scene, at(0)));
    CHECK_FALSE(course.over());
    SUBCASE("it catches up") {
        auto failed = handed_over("PreCopy");
        failed.migration->completed = failed.migration->failed = true;
        failed.migration->failure_reason = "Target pod is down";
        const auto outcome = outcome_of(course, sight_with(migration("Failed"), failed), 1, 5);
        CHECK(outcome.ending == Ending::failed);
        CHECK(outcome.vm_running == true);
        CHECK(outcome.runs_on == "n1");
        CHECK_FALSE(outcome.next.empty());
    }
    SUBCASE("it never does") {
        const auto outcome = outcome_of(course, scene, 1, 20);
        CHECK(outcome.ending == Ending::unknown);
    }
}

TEST_CASE("a failure before the hand-over concerns no VMI") {
    Course course(subject());
    auto of_another = vmi();
    of_another.migration.emplace();
    of_another.migration->migration_uid = "of an earlier one";
    const auto outcome = outcome_of(course, sight_with(migration("Failed"), of_another), 0, 1);
    CHECK(outcome.ending == Ending::failed);
    CHECK(outcome.vm_running == true);
}

TEST_CASE("a guest that is gone does not run, whatever the migration says") {
    Course course(subject());
    auto scene = sight_with(migration("Running"), handed_over("PreCopy"), target());
    static_cast<void>(course.look(scene, at(0)));
    scene = sight_with(migration("Failed"));
    const auto outcome = outcome_of(course, scene, 1, 2);
    CHECK(outcome.ending == Ending::failed);
    CHECK(outcome.vm_running == false);
    CHECK(outcome.runs_on.empty());
}

TEST_CASE("a VMIM that is deleted before the hand-over was cancelled by somebody") {
    Course course(subject());
    static_cast<void>(course.look(sight_with(migration("Pending"), vmi()), at(0)));
    const auto events = course.look(sight_with(vmi()), at(1));
    REQUIRE_FALSE(events.empty());
    CHECK(events[0].message == "the migration was deleted");
    CHECK(outcome_of(course, sight_with(vmi()), 2, 2).ending == Ending::cancelled);
}

TEST_CASE("a migration of the same name and another uid is not ours") {
    Course course(subject());
    static_cast<void>(course.look(sight_with(migration("Pending"), vmi()), at(0)));
    auto other = migration("Succeeded");
    other.meta.uid = "another";
    CHECK(outcome_of(course, sight_with(other, vmi()), 1, 3).ending == Ending::cancelled);
}

TEST_CASE("what is not listed yet is not gone") {
    Course course(subject());
    auto scene = sight_with(vmi());
    scene.migrations.complete = false;
    CHECK(course.look(scene, at(0)).empty());
    CHECK_FALSE(course.over());
}

TEST_CASE("rights that are lost on the way leave the outcome unknown, with the way back") {
    Course course(subject());
    auto scene = sight_with(migration("Running"), handed_over("PreCopy"), target());
    static_cast<void>(course.look(scene, at(0)));
    scene.migrations.complete = false;
    scene.migrations.gap = "forbidden";
    const auto events = course.look(scene, at(1));
    REQUIRE(course.over());
    CHECK(events.back().type == Type::end);
    CHECK(course.outcome().ending == Ending::unknown);
    CHECK(course.outcome().next == "virt-handoff migrate web -n prod --join");
}

TEST_CASE("progress is read while memory is copied, from the pod that sends it") {
    Course course(subject());
    auto scene = sight_with(migration("TargetReady"), handed_over(), target());
    static_cast<void>(course.look(scene, at(0)));
    CHECK_FALSE(course.copying().has_value());
    auto running = migration("Running");
    running.source_pod = "virt-launcher-web-src";
    scene = sight_with(running, handed_over("PreCopy"), target());
    static_cast<void>(course.look(scene, at(1)));
    REQUIRE(course.copying().has_value());
    CHECK(course.copying()->source_pod == "virt-launcher-web-src");
    CHECK(course.copying()->source_node == "n1");
}

TEST_CASE("the percentage of the first pass never goes back") {
    Course course(subject());
    auto scene = sight_with(migration("Running"), handed_over("PreCopy"), target());
    static_cast<void>(course.look(scene, at(0)));
    auto& transfer = scene.transfers["m-uid"];
    transfer.total = 100;
    transfer.processed = 60;
    transfer.rate = 10;
    transfer.pass = 1;
    static_cast<void>(course.look(scene, at(1)));
    CHECK(course.progress()->percent == 60);
    CHECK(course.progress()->verdict == "first pass");
    transfer.processed = 50;
    static_cast<void>(course.look(scene, at(2)));
    CHECK(course.progress()->percent == 60);
    transfer.pass = 2;
    transfer.remaining = 50;
    transfer.dirty_rate = 20;
    static_cast<void>(course.look(scene, at(3)));
    CHECK(course.progress()->percent == 100);
    CHECK(course.progress()->verdict == "not converging");
}

TEST_CASE("what is ordinary is not explained at once") {
    Course course(subject());
    auto scene = sight_with(migration("Pending"), vmi(), launcher("old", "n3"));
    static_cast<void>(course.look(scene, at(0)));
    CHECK(course.look(scene, at(2)).empty());
    const auto events = course.look(scene, at(4));
    REQUIRE_FALSE(events.empty());
    CHECK(events[0].type == Type::waiting);
    CHECK(course.look(scene, at(5)).empty());
}
