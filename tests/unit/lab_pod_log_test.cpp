#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "kubeclient/time.hpp"
#include "lab/controllers/node_knobs.hpp"
#include "lab/controllers/pod_log.hpp"
#include "lab/scenarios.hpp"

using namespace std::chrono_literals;
using kubeclient::text_at;

namespace {

const lab::Instant kNow = kubeclient::parse_time("2026-11-21T04:00:10Z").value();
using Query = std::vector<std::pair<std::string, std::string>>;

std::string read(const Query& query, const std::vector<lab::LogLine>& lines) {
    kubeclient::Request request;
    request.query = query;
    return lab::LogReader(request, kNow).next(lines);
}

// vm-1 is copied, and never will be: a line comes every four seconds, the last one was just read.
struct Copying {
    lab::Simulation simulation{{.world = {1, kNow}}};
    lab::World& world = simulation.world();
    kubeclient::Request request{};

    Copying() {
        lab::find_scenario("slow-network")->build(simulation, {});
        for (const auto& [key, pod] : world.objects().all(lab::kPods)) {
            if (text_at(*pod, {"metadata", "labels", "vm.kubevirt.io/name"}) != "vm-1") continue;
            if (text_at(*pod, {"spec", "nodeName"}) == "node-1") request.path = path_of(key.name);
        }
        request.query = {{"container", "compute"}, {"follow", "true"}};
    }
    static std::string path_of(const std::string& pod) {
        return "/api/v1/namespaces/prod/pods/" + pod + "/log";
    }
    std::unique_ptr<lab::Stream> open() {
        return world.server().follow({"admin", {"system:masters"}}, request);
    }
};

std::ptrdiff_t lines_in(const std::string& text) {
    return std::count(text.begin(), text.end(), '\n');
}

}  // namespace

TEST_CASE("a log is read from a time or a number of lines on, stamped, and up to a size") {
    const std::vector<lab::LogLine> lines{
        {kNow - 9s, "one"}, {kNow - 5s, "two"}, {kNow - 1s, "three"}};
    CHECK(read({}, lines) == "one\ntwo\nthree\n");
    CHECK(read({{"sinceSeconds", "5"}}, lines) == "two\nthree\n");
    CHECK(read({{"sinceTime", "2026-11-21T04:00:06Z"}}, lines) == "three\n");
    CHECK(read({{"tailLines", "2"}}, lines) == "two\nthree\n");
    CHECK(read({{"tailLines", "2"}, {"sinceSeconds", "1"}}, lines) == "three\n");
    CHECK(read({{"tailLines", "0"}}, lines).empty());
    CHECK(read({{"timestamps", "true"}, {"tailLines", "1"}}, lines) ==
          "2026-11-21T04:00:09.000000Z three\n");
    CHECK(read({{"limitBytes", "6"}}, lines) == "one\ntw");
}

TEST_CASE("a reader gets each line once, and counts the tail at first only") {
    kubeclient::Request request;
    request.query = {{"tailLines", "1"}, {"limitBytes", "12"}};
    lab::LogReader reader(request, kNow);
    std::vector<lab::LogLine> lines{{kNow - 9s, "one"}, {kNow - 5s, "two"}};
    CHECK(reader.next(lines) == "two\n");
    CHECK(reader.next(lines).empty());
    lines.push_back({kNow, "three"});
    lines.push_back({kNow, "four"});
    CHECK_FALSE(reader.full());
    CHECK(reader.next(lines) == "three\nfo");
    CHECK(reader.full());
}

TEST_CASE("a line that was read stays in the log when the migration fails at its moment") {
    lab::PrecopySettings settings;
    settings.memory = std::int64_t{1} << 34;
    settings.bandwidth = 1 << 28;
    lab::MigrationJob job{"m", "source", "target", kNow};
    job.course = lab::precopy(settings);
    const auto before = lab::migration_log(job, {}, kNow + 4s);
    REQUIRE(before.size() == 1);
    job.state = lab::JobState::failed;
    job.ended = kNow + 4s;
    job.failure = "no luck";
    const auto after = lab::migration_log(job, {}, kNow + 4s);
    REQUIRE(after.size() == 2);
    CHECK(after.front() == before.front());
}

TEST_CASE("a log that is followed grows as time passes, and ends with its container") {
    Copying copying;
    auto log = copying.open();
    REQUIRE(log != nullptr);
    CHECK(lines_in(log->next()) == 15);
    CHECK(log->next().empty());
    copying.world.advance(4s);
    CHECK(lines_in(log->next()) == 1);
    CHECK_FALSE(log->ended());
    // The migration is aborted, and the guest, with its launcher, stays.
    copying.world.advance(10min);
    CHECK(log->next().find("has been aborted") != std::string::npos);
    CHECK_FALSE(log->ended());
    copying.simulation.hardware().power_off("node-1");
    copying.simulation.hardware().power_on("node-1");
    CHECK(log->next().empty());
    CHECK(log->ended());
}

TEST_CASE("what a reader asks for holds for what comes later, too") {
    Copying copying;
    copying.request.query.emplace_back("tailLines", "1");
    auto last = copying.open();
    copying.request.query.back() = {"sinceSeconds", "0"};
    auto later = copying.open();
    copying.request.query.back() = {"limitBytes", "5"};
    auto short_one = copying.open();
    CHECK(lines_in(last->next()) == 1);
    CHECK(later->next().empty());
    CHECK(short_one->next().size() == 5);
    CHECK(short_one->ended());
    copying.world.advance(8s);
    CHECK(lines_in(last->next()) == 2);
    CHECK(lines_in(later->next()) == 2);
}

TEST_CASE("a followed log hangs while its node is cut off, and ends with its kubelet") {
    Copying copying;
    auto log = copying.open();
    CHECK_FALSE(log->next().empty());
    copying.simulation.hardware().cut_from_api("node-1");
    copying.world.advance(8s);
    CHECK(log->next().empty());
    CHECK_FALSE(log->ended());
    CHECK(copying.open() == nullptr);
    copying.simulation.hardware().reconnect_to_api("node-1");
    CHECK(lines_in(log->next()) == 2);
    copying.simulation.hardware().stop_kubelet("node-1");
    log->next();
    CHECK(log->ended());
}

TEST_CASE("what cannot be followed is left to the answer that says why") {
    Copying copying;
    const std::string good = copying.request.path;
    copying.request.path = Copying::path_of("no-such-pod");
    CHECK(copying.open() == nullptr);
    copying.request.path = good.substr(0, good.rfind('/'));
    CHECK(copying.open() == nullptr);
    copying.request.path = good;
    CHECK(copying.open() != nullptr);
    copying.world.server().authorize_with([](const lab::User&, const lab::Attributes& asked) {
        CHECK(asked.subresource == "log");
        return std::optional<lab::Refusal>(lab::Refusal{});
    });
    CHECK(copying.open() == nullptr);
}
