#include <doctest/doctest.h>

#include "lab/hardware/hardware.hpp"

using namespace std::chrono_literals;

namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

// VM prod/a on node-a, its target launcher on node-b, one shared disk.
struct Site {
    lab::Instant now{std::chrono::hours(500'000)};
    lab::Hardware hardware{[this] { return now; }};

    Site() {
        for (const char* node : {"node-a", "node-b"}) hardware.add_machine(node);
        hardware.start_launcher("source", "prod/a", "node-a");
        hardware.start_guest("source", {"disk"});
        hardware.start_launcher("target", "prod/a", "node-b");
        hardware.expect_guest("target", {"disk"});
    }

    static lab::PrecopySettings settings() {
        lab::PrecopySettings settings;
        settings.memory = 10 * kGiB;
        settings.dirty_rate = 1 << 20;
        settings.bandwidth = kGiB;
        return settings;
    }
    void migrate(const lab::PrecopySettings& how = settings(), const lab::JobScript& script = {}) {
        hardware.migrate("m", "source", "target", how, script);
    }
    lab::QemuState source() { return hardware.launcher("source")->qemu; }
    lab::QemuState target() { return hardware.launcher("target")->qemu; }
};

}  // namespace

TEST_CASE("a migration moves the guest, and its disk has one writer at any time") {
    Site site;
    site.migrate();
    site.now += 5s;
    REQUIRE(site.hardware.job("m")->state == lab::JobState::running);
    CHECK(lab::progress_of(*site.hardware.job("m"), site.now).memory_processed == 5 * kGiB);
    CHECK(site.source() == lab::QemuState::running);
    site.now += 10s;
    CHECK(site.hardware.job("m")->state == lab::JobState::completed);
    CHECK(site.source() == lab::QemuState::none);
    CHECK(site.target() == lab::QemuState::running);
    CHECK(site.hardware.launcher("source")->guest_left);
    CHECK(site.hardware.ledger().two_writers().empty());
    REQUIRE(site.hardware.ledger().writings().size() == 2);
    CHECK(*site.hardware.ledger().writings()[0].until < site.hardware.ledger().writings()[1].from);
    // The switch-over stops the guest for a moment.
    const auto pauses = site.hardware.ledger().pauses("prod/a");
    REQUIRE(pauses.size() == 1);
    CHECK(*pauses[0].until - pauses[0].from == site.hardware.job("m")->course.downtime);
}

TEST_CASE("two QEMUs on one disk are told with disk, nodes and times") {
    Site site;
    site.now += 1min;
    site.hardware.start_launcher("other", "prod/a", "node-b");
    site.hardware.start_guest("other", {"disk", "more"});
    site.now += 1min;
    site.hardware.power_off("node-a");
    const auto both = site.hardware.ledger().two_writers();
    REQUIRE(both.size() == 1);
    CHECK(both[0].first.disk == "disk");
    CHECK(both[0].first.node == "node-a");
    CHECK(both[0].second.node == "node-b");
    CHECK(both[0].from == site.now - 1min);
    CHECK(both[0].until == site.now);
}

TEST_CASE("a machine without power stops writing and loses its guests") {
    Site site;
    site.now += 1min;
    site.hardware.power_off("node-a");
    site.now += 1min;
    CHECK(site.hardware.ledger().writings()[0].until == site.now - 1min);
    CHECK(site.hardware.ledger().lost("prod/a") == site.now - 1min);
    CHECK(site.hardware.launcher("source")->exit_code == 137);
    const std::string before = site.hardware.machine("node-a")->boot_id;
    site.hardware.power_on("node-a");
    CHECK(site.hardware.machine("node-a")->boot_id != before);
}

TEST_CASE("a machine without network goes on writing") {
    Site site;
    site.hardware.isolate("node-a");
    site.now += 10min;
    CHECK_FALSE(site.hardware.ledger().writings()[0].until);
    CHECK_FALSE(site.hardware.ledger().lost("prod/a"));
    CHECK_FALSE(site.hardware.machine("node-a")->kubelet_works());
    site.hardware.rejoin("node-a");
    CHECK(site.hardware.machine("node-a")->kubelet_works());
}

TEST_CASE("a cut wire fails a pre-copy after the keep-alive, and the guest stays") {
    Site site;
    site.migrate();
    site.now += 2s;
    site.hardware.cut("node-a", "node-b");
    site.now += 29s;
    CHECK(site.hardware.job("m")->state == lab::JobState::running);
    site.now += 1s;
    CHECK(site.hardware.job("m")->state == lab::JobState::failed);
    CHECK(site.hardware.job("m")->failure.find("Lost connection to destination host") !=
          std::string::npos);
    CHECK(site.source() == lab::QemuState::running);
    CHECK(site.target() == lab::QemuState::none);
    CHECK_FALSE(site.hardware.ledger().lost("prod/a"));
}

TEST_CASE("a cut in post-copy loses the guest: its memory is on both sides") {
    Site site;
    auto settings = Site::settings();
    settings.dirty_rate = 4 * kGiB;
    settings.completion_timeout = 30s;
    settings.allow_post_copy = true;
    settings.allow_workload_disruption = true;
    site.migrate(settings);
    site.now += 33s;
    REQUIRE(site.hardware.job("m")->mode == lab::JobMode::post_copy);
    CHECK(site.target() == lab::QemuState::post_copy);
    CHECK_FALSE(site.hardware.abort_migration("m"));
    site.hardware.cut("node-a", "node-b");
    CHECK(site.hardware.job("m")->state == lab::JobState::failed);
    CHECK(site.hardware.ledger().lost("prod/a") == site.now);
    CHECK(site.target() == lab::QemuState::none);
    CHECK(site.hardware.ledger().two_writers().empty());
}

TEST_CASE("a source without power in pre-copy loses the guest, and the target's launcher ends") {
    Site site;
    site.migrate();
    site.now += 2s;
    site.hardware.power_off("node-a");
    CHECK(site.hardware.ledger().lost("prod/a") == site.now);
    site.now += 30s;
    CHECK(site.hardware.job("m")->state == lab::JobState::failed);
    CHECK(site.hardware.launcher("target")->exit_code == 1);
}

TEST_CASE("an abort leaves the guest where it is") {
    Site site;
    site.migrate();
    site.now += 2s;
    CHECK(site.hardware.abort_migration("m"));
    CHECK(site.hardware.job("m")->aborted);
    CHECK(site.source() == lab::QemuState::running);
    CHECK_FALSE(site.hardware.abort_migration("m"));
}

TEST_CASE("a paused migration that fails lets the guest go on") {
    Site site;
    auto settings = Site::settings();
    settings.dirty_rate = 4 * kGiB;
    settings.completion_timeout = 30s;
    settings.allow_workload_disruption = true;
    site.migrate(settings);
    site.now += 33s;
    REQUIRE(site.hardware.job("m")->mode == lab::JobMode::paused);
    CHECK(site.hardware.abort_migration("m"));
    const auto pauses = site.hardware.ledger().pauses("prod/a");
    REQUIRE(pauses.size() == 1);
    CHECK(pauses[0].until == site.now);
}

TEST_CASE("a script says how long memory is copied and how it ends") {
    Site site;
    SUBCASE("it lasts four seconds") {
        site.migrate(Site::settings(), {4s, "", false});
        site.now += 3999ms;
        CHECK(site.hardware.job("m")->state == lab::JobState::running);
        site.now += 1ms;
        CHECK(site.hardware.job("m")->state == lab::JobState::completed);
    }
    SUBCASE("it fails") {
        site.migrate(Site::settings(), {4s, "no luck", false});
        site.now += 4s;
        CHECK(site.hardware.job("m")->state == lab::JobState::failed);
        CHECK(site.hardware.job("m")->failure == "no luck");
        CHECK_FALSE(site.hardware.job("m")->aborted);
    }
    SUBCASE("it never ends") {
        site.migrate(Site::settings(), {std::nullopt, "", true});
        site.now += 100h;
        CHECK(site.hardware.job("m")->state == lab::JobState::running);
    }
}

TEST_CASE("a launcher to which no guest comes gives up, one that receives does not") {
    Site site;
    site.hardware.start_launcher("other", "prod/a", "node-b");
    auto slow = Site::settings();
    slow.bandwidth = 10 << 20;
    site.migrate(slow);
    site.now += 299s;
    CHECK_FALSE(site.hardware.launcher("other")->exit_code);
    site.now += 1s;
    CHECK(site.hardware.launcher("other")->exit_code == 1);
    CHECK_FALSE(site.hardware.launcher("target")->exit_code);
    CHECK_FALSE(site.hardware.launcher("source")->exit_code);
}

TEST_CASE("a launcher that ends breaks its migration at once") {
    Site site;
    site.migrate();
    site.now += 2s;
    site.hardware.end_launcher("target", 0);
    CHECK(site.hardware.job("m")->state == lab::JobState::failed);
    CHECK(site.hardware.job("m")->failure.find("client socket is closed") != std::string::npos);
    CHECK(site.source() == lab::QemuState::running);
}
