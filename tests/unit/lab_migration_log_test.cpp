#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "kubeclient/json.hpp"
#include "lab/controllers/migration_log.hpp"

using namespace std::chrono_literals;

namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;
const lab::Instant kStart{std::chrono::hours(500'000)};

// 10 GiB at 1 GiB/s, hardly written to.
lab::MigrationJob job() {
    lab::PrecopySettings settings;
    settings.memory = 10 * kGiB;
    settings.dirty_rate = 8 << 20;
    settings.bandwidth = kGiB;
    lab::MigrationJob job{"uid-of-vmim", "source", "target", kStart};
    job.course = lab::precopy(settings);
    return job;
}

std::string message(const lab::LogLine& line) {
    return kubeclient::Json::parse(line.text).at("msg").get<std::string>();
}

}  // namespace

TEST_CASE("a migration's figures are logged in libvirt's units and KubeVirt's order") {
    CHECK(lab::migration_info(job(), kStart + 4s) ==
          "Migration info for uid-of-vmim: TimeElapsed:4000ms DataProcessed:4096MiB "
          "DataRemaining:6144MiB DataTotal:10240MiB MemoryProcessed:4096MiB "
          "MemoryRemaining:6144MiB MemoryTotal:10240MiB MemoryBandwidth:8589Mbps DirtyRate:67Mbps "
          "Iteration:1 PostcopyRequests:0 ConstantPages:0 NormalPages:1048576 "
          "NormalData:4096MiB ExpectedDowntime:6000ms DiskMbps:0");
}

TEST_CASE("a line comes every four seconds and one at the end, with the downtime") {
    lab::MigrationJob moved = job();
    const lab::LogSubject about{"prod", "a", "uid-of-vmi"};
    CHECK(lab::migration_log(moved, about, kStart + 3999ms).empty());
    CHECK(lab::migration_log(moved, about, kStart + 9s).size() == 2);
    moved.state = lab::JobState::completed;
    moved.ended = kStart + moved.course.ended;
    const auto lines = lab::migration_log(moved, about, kStart + 1min);
    REQUIRE(lines.size() == 3);
    CHECK(message(lines.back()).find(" Downtime:") != std::string::npos);
    CHECK(message(lines.back()).find("DowntimeNet:") != std::string::npos);
    CHECK(message(lines.back()).find("Remaining:0MiB") != std::string::npos);
    const auto json = kubeclient::Json::parse(lines.front().text);
    CHECK(json.at("component") == "virt-launcher");
    CHECK(json.at("name") == "a");
    CHECK(json.at("namespace") == "prod");
    CHECK(json.at("uid") == "uid-of-vmi");
    CHECK(json.at("level") == "info");
}

TEST_CASE("an abort by the monitor and a failure end the log in their own words") {
    lab::MigrationJob broken = job();
    broken.state = lab::JobState::failed;
    broken.ended = kStart + 2s;
    broken.failure = "no luck";
    CHECK(message(lab::migration_log(broken, {}, kStart + 1min).back()) == "no luck");
    broken.aborted = true;
    CHECK(message(lab::migration_log(broken, {}, kStart + 1min).back()) ==
          "Live migration abort detected with reason: no luck");
}

TEST_CASE("metrics hold the newest ten samples, and none after the end") {
    lab::MigrationJob slow = job();
    slow.course = lab::precopy([] {
        lab::PrecopySettings settings;
        settings.memory = 10 * kGiB;
        settings.bandwidth = 10 << 20;
        return settings;
    }());
    CHECK(lab::migration_samples(slow, kStart + 4s).empty());
    CHECK(lab::migration_samples(slow, kStart + 12s).size() == 2);
    const auto samples = lab::migration_samples(slow, kStart + 101s);
    REQUIRE(samples.size() == 10);
    CHECK(samples.front().at == kStart + 55s);
    CHECK(samples.back().at == kStart + 100s);
    CHECK(samples.back().progress.memory_processed == 100 * (10 << 20));
    slow.state = lab::JobState::failed;
    slow.ended = kStart + 102s;
    CHECK(lab::migration_samples(slow, kStart + 103s).empty());
}
