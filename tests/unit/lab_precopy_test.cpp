#include <doctest/doctest.h>

#include "lab/hardware/precopy.hpp"

using namespace std::chrono_literals;

namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

// Converges: 1 GiB/s against 100 MB/s.
lab::PrecopySettings calm() {
    lab::PrecopySettings settings;
    settings.memory = 4 * kGiB;
    settings.working_set = kGiB;
    settings.dirty_rate = 100'000'000;
    settings.bandwidth = kGiB;
    settings.completion_timeout = 150s * 5;
    settings.progress_timeout = 150s;
    return settings;
}

// Dirties faster than the network carries.
lab::PrecopySettings busy() {
    lab::PrecopySettings settings = calm();
    settings.dirty_rate = 2 * kGiB;
    return settings;
}

}  // namespace

TEST_CASE("the completion timeout counts decimal gigabytes, rounded up") {
    CHECK(lab::completion_timeout(150s, kGiB) == 300s);
    CHECK(lab::completion_timeout(150s, 8 * kGiB) == 1350s);
    CHECK(lab::completion_timeout(150s, 1'000'000'000) == 150s);
    CHECK(lab::completion_timeout(0s, 8 * kGiB) == 0s);
}

TEST_CASE("a bandwidth limit holds, and no limit is below a mebibyte per second") {
    CHECK(lab::migration_bandwidth(1000 << 20, 0) == 1000 << 20);
    CHECK(lab::migration_bandwidth(1000 << 20, 64 << 20) == 64 << 20);
    CHECK(lab::migration_bandwidth(10 << 20, 64 << 20) == 10 << 20);
    CHECK(lab::migration_bandwidth(1000 << 20, 1000) == 1 << 20);
}

TEST_CASE("a calm guest is moved in a few rounds, each shorter than the one before") {
    const lab::Course course = lab::precopy(calm());
    CHECK(course.end == lab::CourseEnd::completed);
    CHECK_FALSE(course.post_copy);
    CHECK_FALSE(course.paused);
    REQUIRE(course.segments.size() >= 2);
    // 4 s for all of it, then 0.4 s worth of dirty pages: 38 ms to stop the guest for those.
    CHECK(course.segments.front().bytes == 4 * kGiB);
    CHECK(course.segments.back().stage == lab::Stage::switch_over);
    CHECK(course.ended > 4s);
    CHECK(course.ended < 5s);
    CHECK(course.downtime <= 310ms + 11ms);
    CHECK(course.downtime > course.downtime_net);
}

TEST_CASE("a guest that writes faster than the network carries never converges and times out") {
    const lab::Course course = lab::precopy(busy());
    CHECK(course.end == lab::CourseEnd::timed_out);
    CHECK(course.limit == 750s);
    // The first look after more than 750 whole seconds.
    CHECK(course.ended == 751'200ms);
}

TEST_CASE("without a timeout a busy guest is copied for ever") {
    lab::PrecopySettings settings = busy();
    settings.completion_timeout = 0s;
    const lab::Course course = lab::precopy(settings, 2h);
    CHECK(course.end == lab::CourseEnd::open);
    CHECK(course.ended == 2h);
}

TEST_CASE("post-copy moves the guest at the timeout and is then never timed out") {
    lab::PrecopySettings settings = busy();
    settings.allow_post_copy = true;
    settings.allow_workload_disruption = true;
    const lab::Course course = lab::precopy(settings);
    REQUIRE(course.post_copy);
    CHECK(*course.post_copy == 751'200ms);
    CHECK(course.end == lab::CourseEnd::completed);
    CHECK(course.ended > *course.post_copy);
    CHECK(course.downtime < 1s);
}

TEST_CASE("without post-copy a disruption pauses the guest, and the downtime counts from there") {
    lab::PrecopySettings settings = busy();
    settings.allow_workload_disruption = true;
    const lab::Course course = lab::precopy(settings);
    REQUIRE(course.paused);
    CHECK(*course.paused == 751'200ms);
    CHECK(course.end == lab::CourseEnd::completed);
    CHECK(course.downtime == course.ended - *course.paused);
}

TEST_CASE("auto-converge throttles the guest until it converges") {
    lab::PrecopySettings settings = busy();
    settings.auto_converge = true;
    const lab::Course course = lab::precopy(settings);
    CHECK(course.end == lab::CourseEnd::completed);
    CHECK(course.segments.front().dirty_rate == 2 * kGiB);
    CHECK(course.segments[course.segments.size() - 2].dirty_rate < kGiB);
}

TEST_CASE("a migration of which nothing gets through is stuck after the progress timeout") {
    lab::PrecopySettings settings = calm();
    settings.bandwidth = 0;
    const lab::Course course = lab::precopy(settings);
    CHECK(course.end == lab::CourseEnd::stuck);
    CHECK(course.limit == 151s);
    // The first look counts as progress.
    CHECK(course.ended == 151'600ms);
}

TEST_CASE("local disks are copied first and count into the totals") {
    lab::PrecopySettings settings = calm();
    settings.disk = 2 * kGiB;
    const lab::Course course = lab::precopy(settings);
    const lab::Progress early = lab::progress_at(course, 1s);
    CHECK(early.disk_processed == kGiB);
    CHECK(early.disk_remaining == kGiB);
    CHECK(early.memory_processed == 0);
    CHECK(early.total() == 6 * kGiB);
    CHECK(early.disk_rate == kGiB);
    const lab::Progress later = lab::progress_at(course, 3s);
    CHECK(later.disk_processed == 2 * kGiB);
    CHECK(later.memory_processed == kGiB);
    CHECK(later.iteration == 1);
}

TEST_CASE("the figures add up at every moment, and what was sent never shrinks") {
    for (const lab::PrecopySettings& settings : {calm(), busy()}) {
        const lab::Course course = lab::precopy(settings);
        lab::Progress before;
        for (lab::Duration at{}; at <= course.ended + 1s; at += 333ms) {
            const lab::Progress now = lab::progress_at(course, at);
            CHECK(now.processed() + now.remaining() == now.total());
            CHECK(now.remaining() >= 0);
            CHECK(now.processed() >= before.processed());
            CHECK(now.iteration >= before.iteration);
            before = now;
        }
    }
}

TEST_CASE("after the end the figures are those of the end") {
    const lab::Course course = lab::precopy(calm());
    const lab::Progress end = lab::progress_at(course, course.ended);
    CHECK(lab::progress_at(course, course.ended + 1h) == end);
    CHECK(end.remaining() == 0);
    CHECK(end.elapsed == course.ended);
}

TEST_CASE("a longer horizon changes nothing of a course that has ended") {
    CHECK(lab::precopy(calm(), 1h) == lab::precopy(calm(), 9h));
}
