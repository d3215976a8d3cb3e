// What the pages of the scenarios in which nothing fails promise.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "kubeclient/api.hpp"
#include "lab/controllers/node_knobs.hpp"
#include "lab/scenarios.hpp"

using namespace std::chrono_literals;
using kubeclient::DryRun;
using kubeclient::Json;
using kubeclient::text_at;
using Nodes = std::vector<std::string>;

namespace {

const lab::ResourceId kMigrations{"kubevirt.io", "virtualmachineinstancemigrations"};
const std::string kProd = "/apis/kubevirt.io/v1/namespaces/prod/";

struct Played {
    lab::Simulation simulation{
        {.world = {1, kubeclient::parse_time("2026-11-21T04:00:00Z").value()}}};
    lab::World& world = simulation.world();
    lab::Hardware& hardware = simulation.hardware();
    std::unique_ptr<kubeclient::Transport> transport = lab::transport_as(
        simulation.world().server(), {"admin", {"system:masters", "system:authenticated"}});
    kubeclient::Api api{*transport};

    explicit Played(std::string_view scenario, const lab::ClusterSize& size = {}) {
        lab::find_scenario(scenario)->build(simulation, size);
    }

    void migrate(const std::string& vm, const std::string& name) {
        api.create(kProd + "virtualmachineinstancemigrations",
                   {{"apiVersion", "kubevirt.io/v1"},
                    {"kind", "VirtualMachineInstanceMigration"},
                    {"metadata", {{"name", name}}},
                    {"spec", {{"vmiName", vm}}}},
                   DryRun::none)
            .value();
    }
    std::string phase(const std::string& name) {
        const auto object = world.objects().get(kMigrations, {"prod", name});
        return object ? text_at(*object, {"status", "phase"}).value_or("") : "gone";
    }
    std::string vmi(std::initializer_list<std::string_view> field) {
        return text_at(*world.objects().get(lab::kVmis, {"prod", "vm-1"}), field).value_or("");
    }
    std::string mode() { return vmi({"status", "migrationState", "mode"}); }
    // Types of the migration's conditions, and reasons of events about it.
    std::set<std::string> told(const std::string& name) {
        std::set<std::string> words;
        const auto object = world.objects().get(kMigrations, {"prod", name});
        for (const Json& each : kubeclient::items_at(*object, {"status", "conditions"})) {
            words.insert(text_at(each, {"type"}).value_or(""));
        }
        for (const auto& [key, event] : world.objects().all({"", "events"})) {
            if (text_at(*event, {"involvedObject", "name"}) != name) continue;
            words.insert(text_at(*event, {"reason"}).value_or(""));
        }
        return words;
    }
    Nodes writers() {
        Nodes nodes;
        for (const auto& writing : hardware.ledger().writings()) {
            if (writing.vmi == "prod/vm-1" && !writing.until) nodes.push_back(writing.node);
        }
        return nodes;
    }
    bool disks_are_safe() {
        return hardware.ledger().two_writers().empty() && !hardware.ledger().lost("prod/vm-1");
    }
};

}  // namespace

TEST_CASE("post-copy goes over after a minute, cannot be taken back, and succeeds") {
    Played played("post-copy");
    played.migrate("vm-1", "m");
    played.world.advance(55s);
    CHECK(played.mode() == "PreCopy");
    CHECK(played.writers() == Nodes{"node-1"});
    played.world.advance(15s);
    CHECK(played.mode() == "PostCopy");
    CHECK(played.phase("m") == "Running");
    const std::string target = played.vmi({"status", "migrationState", "targetNode"});
    CHECK(played.writers() == Nodes{target});
    played.world.advance(25s);
    CHECK(played.phase("m") == "Succeeded");
    CHECK(played.vmi({"status", "nodeName"}) == target);
    CHECK(played.disks_are_safe());
}

TEST_CASE("post-copy loses the guest, and not its disk, where a node fails in between") {
    Played played("post-copy");
    played.migrate("vm-1", "m");
    played.world.advance(70s);
    REQUIRE(played.mode() == "PostCopy");
    played.hardware.power_off("node-1");
    played.world.advance(1s);
    CHECK(played.hardware.ledger().lost("prod/vm-1"));
    CHECK(played.hardware.ledger().two_writers().empty());
}

TEST_CASE("paused-guest pauses once, on the source, and the guest goes on on the target") {
    Played played("paused-guest");
    played.migrate("vm-1", "m");
    played.world.advance(55s);
    CHECK(played.mode() == "PreCopy");
    CHECK(played.hardware.ledger().pauses("prod/vm-1").empty());
    played.world.advance(15s);
    CHECK(played.mode() == "Paused");
    CHECK(played.phase("m") == "Running");
    CHECK(played.writers().empty());
    played.world.advance(25s);
    CHECK(played.phase("m") == "Succeeded");
    CHECK(played.vmi({"status", "nodeName"}) != "node-1");
    const auto pauses = played.hardware.ledger().pauses("prod/vm-1");
    REQUIRE(pauses.size() == 1);
    REQUIRE(pauses.front().until);
    CHECK(*pauses.front().until - pauses.front().from > 10s);
    CHECK(*pauses.front().until - pauses.front().from < 25s);
    CHECK(played.disks_are_safe());
}

TEST_CASE("paused-guest runs on where it was when the migration is canceled meanwhile") {
    Played played("paused-guest");
    played.migrate("vm-1", "m");
    played.world.advance(70s);
    REQUIRE(played.mode() == "Paused");
    played.api.remove(kProd + "virtualmachineinstancemigrations/m").value();
    played.world.advance(5s);
    CHECK(played.phase("m") == "gone");
    CHECK(played.writers() == Nodes{"node-1"});
    CHECK(played.disks_are_safe());
}

TEST_CASE("queue keeps the third one waiting without a word, until one has left") {
    Played played("queue");
    CHECK(played.phase("migrate-vm-1") == "Running");
    CHECK(played.phase("migrate-vm-2") == "Running");
    for (const auto passed : {0s, 60s}) {
        played.world.advance(passed);
        CHECK(played.phase("migrate-vm-3") == "Pending");
        CHECK(played.told("migrate-vm-3").empty());
    }
    played.world.advance(60s);
    CHECK(played.phase("migrate-vm-1") == "Succeeded");
    CHECK(played.phase("migrate-vm-2") == "Succeeded");
    CHECK(played.phase("migrate-vm-3") == "Running");
    played.world.advance(120s);
    CHECK(played.phase("migrate-vm-3") == "Succeeded");
    CHECK(played.disks_are_safe());
    CHECK_NOTHROW(Played("queue", {3, 1}));
}

TEST_CASE("quota refuses the target for as long as it has no room") {
    Played played("quota");
    played.migrate("vm-1", "m");
    for (const auto passed : {5s, 3600s}) {
        played.world.advance(passed);
        CHECK(played.phase("m") == "Pending");
        CHECK(played.told("m").contains("migrationRejectedByResourceQuota"));
        CHECK(played.writers() == Nodes{"node-1"});
    }
    played.api
        .patch("/api/v1/namespaces/prod/resourcequotas/memory", kubeclient::PatchKind::merge,
               {{"spec", {{"hard", {{"requests.memory", "64Gi"}}}}}}, DryRun::none)
        .value();
    played.world.advance(60s);
    CHECK(played.phase("m") == "Succeeded");
    CHECK(played.disks_are_safe());
}
