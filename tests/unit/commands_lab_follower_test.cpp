// The follower that tests of commands use, held to what they take for granted.
#include "tests/unit/support/lab_follower.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "commands/preflight.hpp"

using namespace std::chrono_literals;
using support::LabCluster;
using support::LabFollower;
using Texts = std::vector<std::string>;

namespace {

const recovery::NamedIn kVm{"prod", "vm-1"};
const recovery::NamedIn kMigration{"prod", "m"};

struct Following {
    LabCluster cluster{};
    LabFollower follower{cluster};

    Following() { REQUIRE(follower.wait(0ms)); }

    const recovery::Sight& sight() const { return follower.sight(); }
    const facts::Migration* migration() const { return sight().migrations.find(kMigration); }
    // "gone" where it is not there.
    std::string phase() const {
        if (migration() == nullptr) return "gone";
        return migration()->phase + (migration()->meta.deleting ? " Terminating" : "");
    }
    // The phases that m goes through, up to `last`.
    Texts phases(const std::string& last) {
        Texts seen;
        for (int waits = 0; waits < 1000; ++waits) {
            if (seen.empty() || seen.back() != phase()) seen.push_back(phase());
            if (seen.back() == last) break;
            follower.wait(1s);
        }
        return seen;
    }
    void until_phase(const std::string& wanted) { REQUIRE(phases(wanted).back() == wanted); }
    recovery::Copying copying() const {
        const auto* state = recovery::state_of(sight().vmis.find(kVm), migration()->meta.uid);
        REQUIRE(state != nullptr);
        return {migration()->meta.uid, "prod", "vm-1", state->source_pod, state->source_node};
    }
};

}  // namespace

TEST_CASE("the lists come with the first wait, and all at once") {
    LabCluster cluster;
    LabFollower follower(cluster);
    CHECK_FALSE(follower.sight().migrations.complete);
    CHECK(follower.sight().vmis.items.empty());
    const auto before = follower.now();
    REQUIRE(follower.wait(1min));
    CHECK(follower.now() == before);
    CHECK(follower.sight().vmis.items.size() == 6);
    CHECK(follower.sight().launchers.items.size() == 6);
    CHECK(follower.sight().migrations.complete);
    CHECK(follower.sight().warnings.complete);
    CHECK_FALSE(follower.sight().attachments.complete);
    follower.watch_attachments();
    CHECK(follower.sight().attachments.items.empty());
    REQUIRE(follower.wait(1min));
    CHECK(follower.sight().attachments.complete);
    CHECK(follower.sight().attachments.items.size() == 6);
}

TEST_CASE("a namespace that is followed hides the others") {
    LabCluster cluster;
    LabFollower follower(cluster, "kubevirt");
    REQUIRE(follower.wait(0ms));
    CHECK(follower.sight().vmis.complete);
    CHECK(follower.sight().vmis.items.empty());
}

TEST_CASE("patience is of the lab's time, and nothing is seen where nothing happens") {
    Following following;
    const auto before = following.follower.now();
    CHECK_FALSE(following.follower.wait(90s));
    CHECK(following.follower.now() == before + 90s);
}

TEST_CASE("a success is seen phase by phase, and with its figures") {
    Following following;
    following.cluster.turn("vm-1", "sim/seconds", "10");
    following.cluster.migrate("vm-1", "m");
    CHECK(following.phases("Running") == Texts{"gone", "", "Pending", "Scheduling", "Scheduled",
                                               "PreparingTarget", "TargetReady", "Running"});
    const auto copying = following.copying();
    following.follower.read_progress({copying});
    std::vector<std::int64_t> processed;
    while (following.phase() == "Running") {
        following.follower.wait(1s);
        const auto& transfers = following.sight().transfers;
        const auto found = transfers.find(copying.migration_uid);
        if (found == transfers.end()) continue;
        if (processed.empty() || processed.back() != found->second.processed) {
            processed.push_back(found->second.processed);
        }
    }
    CHECK(following.phase() == "Succeeded");
    // After 4 s, 8 s and at the end, which came before the status did.
    REQUIRE(processed.size() == 3);
    CHECK(processed[0] < processed[1]);
    CHECK(processed[2] == std::int64_t{2} << 30);
    CHECK(following.sight().progress_gaps.empty());
    const auto* vmi = following.sight().vmis.find(kVm);
    CHECK(recovery::state_of(vmi, copying.migration_uid)->completed);
}

TEST_CASE("a cancel is seen phase by phase, at the time it was planned for") {
    Following following;
    following.cluster.turn("vm-1", "sim/hold", "Running");
    following.cluster.migrate("vm-1", "m");
    const auto start = following.follower.now();
    recovery::Instant cancelled{};
    following.cluster.at(100s, [&] {
        cancelled = following.follower.now();
        following.cluster.cancel("m");
    });
    following.until_phase("Running");
    CHECK(following.phases("gone") ==
          Texts{"Running", "Running Terminating", "Failed Terminating", "gone"});
    CHECK(cancelled == start + 100s);
    const auto* vmi = following.sight().vmis.find(kVm);
    CHECK(vmi->node == "node-1");
    CHECK(vmi->migration->abort_status == "Succeeded");
}

TEST_CASE("a log that may not be read leaves a gap, until it may be read") {
    Following following;
    following.cluster.turn("vm-1", "sim/seconds", "30");
    following.cluster.forbid("pods/log");
    following.cluster.migrate("vm-1", "m");
    following.until_phase("Running");
    const auto copying = following.copying();
    following.follower.read_progress({copying});
    const auto& gaps = following.sight().progress_gaps;
    while (gaps.empty()) REQUIRE(following.follower.wait(10s));
    CHECK(gaps.at(copying.migration_uid).find("cannot get resource \"pods/log\"") !=
          std::string::npos);
    following.cluster.forbid_nothing();
    while (following.sight().transfers.empty()) REQUIRE(following.follower.wait(10s));
    CHECK(gaps.empty());
}

TEST_CASE("the queue is counted as virt-controller counts it") {
    Following following;
    following.follower.wait(1s);
    CHECK_FALSE(following.sight().queue);
    for (const char* vm : {"vm-1", "vm-4", "vm-2"}) {
        following.cluster.turn(vm, "sim/hold", "Running");
        following.cluster.migrate(vm, std::string("move-") + vm);
    }
    following.follower.count_queue(true);
    for (int waits = 0; waits < 200; ++waits) following.follower.wait(1s);
    REQUIRE(following.sight().queue);
    CHECK(following.sight().queue->running == 3);
    CHECK(following.sight().queue->outbound ==
          std::map<std::string, int>{{"node-1", 2}, {"node-2", 1}});
    CHECK(following.sight().queue->gap.empty());
    following.cluster.forbid("pods");
    for (int waits = 0; waits < 5; ++waits) following.follower.wait(1s);
    CHECK(following.sight().queue->gap.find("cannot list resource \"pods\"") != std::string::npos);
    CHECK(following.sight().queue->running == 0);
}

TEST_CASE("a right that is taken away makes what it shows incomplete, and comes back whole") {
    Following following;
    following.cluster.at(10s, [&] { following.cluster.forbid("virtualmachineinstances", "list"); });
    REQUIRE(following.follower.wait(1min));
    CHECK_FALSE(following.sight().vmis.complete);
    CHECK(following.sight().vmis.gap.find("cannot list") != std::string::npos);
    CHECK(following.sight().migrations.complete);
    following.cluster.turn("vm-1", "sim/hold", "Running");
    CHECK_FALSE(following.follower.wait(1min));
    following.cluster.forbid_nothing();
    REQUIRE(following.follower.wait(1min));
    CHECK(following.sight().vmis.complete);
    CHECK(following.sight().vmis.gap.empty());
    CHECK(following.sight().vmis.find(kVm)->meta.annotations.contains("sim/hold"));
}

TEST_CASE("a server that is away is trouble, and what happened meanwhile is seen after it") {
    Following following;
    following.cluster.unreachable("connection refused");
    REQUIRE(following.follower.wait(1min));
    CHECK(following.sight().trouble == "connection refused");
    CHECK_FALSE(following.cluster.transport()->send({}).ok());
    following.cluster.migrate("vm-1", "m");
    CHECK_FALSE(following.follower.wait(1min));
    CHECK(following.phase() == "gone");
    following.cluster.unreachable("");
    REQUIRE(following.follower.wait(1min));
    CHECK(following.sight().trouble.empty());
    following.until_phase("Succeeded");
}

TEST_CASE("warnings come into sight, and each wait can do something first") {
    Following following;
    int waits = 0;
    following.cluster.each_wait([&] { ++waits; });
    following.cluster.turn("vm-1", "sim/fail", "no luck");
    following.cluster.migrate("vm-1", "m");
    following.until_phase("Failed");
    while (following.follower.wait(1s)) {
    }
    CHECK(waits > 8);
    CHECK_FALSE(
        recovery::warnings_about(following.sight(), following.migration()->meta.uid).empty());
}

TEST_CASE("a command reaches the lab through its environment") {
    LabCluster cluster;
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    commands::Environment environment{commands::Streams{in, out, err}};
    environment.system.now = [&] { return std::chrono::system_clock::time_point(cluster.now()); };
    environment.connect = [&](const auto&) { return cluster.connect(); };
    commands::PreflightOptions options;
    options.targets = {"vm-1"};
    CHECK(commands::run_preflight(options, environment) == commands::ExitCode::done);
    CHECK(out.str().find("vm-1") != std::string::npos);
    cluster.unreachable("connection refused");
    CHECK(commands::run_preflight(options, environment) == commands::ExitCode::error);
}
