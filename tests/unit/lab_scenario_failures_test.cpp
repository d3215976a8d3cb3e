// What the scenarios' pages promise: what the API says, what is really so, and how it ends.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
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

namespace {

const lab::ResourceId kMigrations{"kubevirt.io", "virtualmachineinstancemigrations"};
const std::string kMigrationsPath =
    "/apis/kubevirt.io/v1/namespaces/prod/virtualmachineinstancemigrations";

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

    lab::Object migration(const std::string& name = "migrate-vm-1") {
        return world.objects().get(kMigrations, {"prod", name});
    }
    std::string phase(const std::string& name = "migrate-vm-1") {
        const auto object = migration(name);
        return object ? text_at(*object, {"status", "phase"}).value_or("") : "gone";
    }
    std::string vmi(std::initializer_list<std::string_view> field,
                    const std::string& name = "vm-1") {
        const auto object = world.objects().get(lab::kVmis, {"prod", name});
        return object ? text_at(*object, field).value_or("") : "gone";
    }
    std::string state(std::string_view field) { return vmi({"status", "migrationState", field}); }
    std::string condition(const lab::ResourceId& resource, const lab::ObjectKey& key,
                          std::string_view type) {
        const auto object = world.objects().get(resource, key);
        if (!object) return "gone";
        for (const Json& each : kubeclient::items_at(*object, {"status", "conditions"})) {
            if (text_at(each, {"type"}) == type) return text_at(each, {"status"}).value_or("");
        }
        return "";
    }
    // Of vm-1's launchers there the newest; null: none.
    lab::Object pod(const std::string& node) {
        lab::Object found;
        for (const auto& [key, each] : world.objects().all(lab::kPods)) {
            const bool own = text_at(*each, {"metadata", "labels", "vm.kubevirt.io/name"}) ==
                             std::optional<std::string>("vm-1");
            if (own && lab::is_launcher(*each) && text_at(*each, {"spec", "nodeName"}) == node) {
                found = each;
            }
        }
        return found;
    }
    std::string pod_phase(const std::string& node) {
        const auto object = pod(node);
        if (!object) return "gone";
        return text_at(*object, {"status", "phase"}).value_or("") +
               (text_at(*object, {"metadata", "deletionTimestamp"}) ? " Terminating" : "");
    }
    void force_delete(const std::string& node) {
        kubeclient::DeleteOptions options;
        options.grace_seconds = 0;
        api.remove("/api/v1/namespaces/prod/pods/" +
                       text_at(*pod(node), {"metadata", "name"}).value_or(""),
                   options)
            .value();
    }
    // Where vm-1's disk is attached, by node.
    std::vector<std::string> attached() {
        const auto claim =
            world.objects().get({"", "persistentvolumeclaims"}, {"prod", "vm-1-disk"});
        const auto volume = text_at(*claim, {"spec", "volumeName"});
        std::vector<std::string> nodes;
        for (const auto& [key, each] :
             world.objects().all({"storage.k8s.io", "volumeattachments"})) {
            if (text_at(*each, {"spec", "source", "persistentVolumeName"}) == volume) {
                nodes.push_back(text_at(*each, {"spec", "nodeName"}).value_or(""));
            }
        }
        std::sort(nodes.begin(), nodes.end());
        return nodes;
    }
    // Who writes vm-1's disk at this moment.
    std::vector<std::string> writers() {
        std::vector<std::string> nodes;
        for (const auto& writing : hardware.ledger().writings()) {
            if (writing.vmi == "prod/vm-1" && !writing.until) nodes.push_back(writing.node);
        }
        return nodes;
    }
    bool two_writers() { return !hardware.ledger().two_writers().empty(); }
    bool lost() { return hardware.ledger().lost("prod/vm-1").has_value(); }
    kubeclient::Result<Json> migrate(const std::string& vm, const std::string& name) {
        return api.create(kMigrationsPath,
                          {{"apiVersion", "kubevirt.io/v1"},
                           {"kind", "VirtualMachineInstanceMigration"},
                           {"metadata", {{"name", name}}},
                           {"spec", {{"vmiName", vm}}}},
                          DryRun::none);
    }
};

using Nodes = std::vector<std::string>;

}  // namespace

TEST_CASE("in every scenario the other machines run on, and move where there is room") {
    for (const auto& scenario : lab::all_scenarios()) {
        CAPTURE(scenario.name);
        Played played(scenario.name);
        played.world.advance(15min);
        // vm-2 is on the node that these two lose.
        const bool node_2_lost =
            scenario.name == "target-node-lost" || scenario.name == "stuck-terminating";
        const std::string vm = node_2_lost ? "vm-3" : "vm-2";
        CHECK_FALSE(played.hardware.ledger().lost("prod/" + vm));
        CHECK_FALSE(played.two_writers());
        const std::set<std::string_view> none_moves{"no-room", "cpu-mismatch", "quota", "bare"};
        if (none_moves.contains(scenario.name)) continue;
        const auto before = played.vmi({"status", "nodeName"}, vm);
        REQUIRE(played.migrate(vm, "another").ok());
        played.world.advance(2min);
        CHECK(played.phase("another") == "Succeeded");
        CHECK(played.vmi({"status", "nodeName"}, vm) != before);
    }
}

TEST_CASE("every scenario is the same each time") {
    for (const auto& scenario : lab::all_scenarios()) {
        CAPTURE(scenario.name);
        Played once(scenario.name);
        Played again(scenario.name);
        CHECK(once.world.objects().revision() == again.world.objects().revision());
        CHECK(once.hardware.ledger().facts() == again.hardware.ledger().facts());
        for (const auto& [key, object] : once.world.objects().all(kMigrations)) {
            const auto other = again.world.objects().get(kMigrations, key);
            REQUIRE(other);
            CHECK(*object == *other);
        }
    }
}

TEST_CASE("slow-network runs into KubeVirt's timeout, and the guest stays") {
    Played played("slow-network");
    CHECK(played.phase() == "Running");
    CHECK(played.state("mode") == "PreCopy");
    CHECK(played.writers() == Nodes{"node-1"});
    played.world.advance(6min);
    CHECK(played.phase() == "Running");
    played.world.advance(1min);
    CHECK(played.phase() == "Failed");
    CHECK(played.state("failureReason") ==
          "Live migration is not completed after 450 seconds and has been aborted");
    CHECK(played.vmi({"status", "nodeName"}) == "node-1");
    CHECK(played.writers() == Nodes{"node-1"});
    CHECK(played.attached() == Nodes{"node-1"});
    CHECK_FALSE(played.lost());
}

TEST_CASE(
    "source-node-lost leaves a VMI that runs in the API alone, until the node is called out") {
    Played played("source-node-lost");
    CHECK(played.condition(lab::kNodes, {"", "node-1"}, "Ready") == "Unknown");
    CHECK(played.phase() == "Failed");
    CHECK(played.condition(lab::kVmis, {"prod", "vm-1"}, "Ready") == "False");
    for (const auto passed : {0min, 10min, 120min}) {
        played.world.advance(passed);
        CHECK(played.vmi({"status", "phase"}) == "Running");
        CHECK(played.vmi({"status", "nodeName"}) == "node-1");
        CHECK(played.attached() == Nodes{"node-1"});
        CHECK(played.writers().empty());
        CHECK(played.lost());
    }
    CHECK(played.pod_phase("node-1") == "Running Terminating");
    const Json taint{{"key", "node.kubernetes.io/out-of-service"},
                     {"value", "nodeshutdown"},
                     {"effect", "NoExecute"}};
    played.api
        .patch("/api/v1/nodes/node-1", kubeclient::PatchKind::strategic,
               {{"spec", {{"taints", {taint}}}}}, DryRun::none)
        .value();
    played.world.advance(5min);
    CHECK(played.vmi({"status", "phase"}) == "Running");
    CHECK(played.vmi({"status", "nodeName"}) != "node-1");
    CHECK(played.writers().size() == 1);
    CHECK_FALSE(played.two_writers());
}

TEST_CASE("target-node-lost leaves the guest alone, and a launcher that blocks the next try") {
    Played played("target-node-lost");
    const std::string target = played.state("targetNode");
    CHECK(played.condition(lab::kNodes, {"", target}, "Ready") == "Unknown");
    CHECK(played.phase() == "Failed");
    CHECK(played.state("failureReason").find("Lost connection to destination host") !=
          std::string::npos);
    CHECK(played.writers() == Nodes{"node-1"});
    REQUIRE(played.migrate("vm-1", "next").ok());
    played.world.advance(2h);
    CHECK(played.phase("next") == "Pending");
    CHECK(played.pod_phase(target) == "Running Terminating");
    played.force_delete(target);
    played.world.advance(2min);
    CHECK(played.phase("next") == "Succeeded");
    CHECK_FALSE(played.lost());
    CHECK_FALSE(played.two_writers());
}

TEST_CASE("interrupted-handoff shows two owners where one node writes") {
    Played played("interrupted-handoff");
    const std::string target = played.state("targetNode");
    CHECK(played.phase() == "Running");
    CHECK(played.vmi({"status", "phase"}) == "Running");
    CHECK(played.attached() == Nodes{"node-1", target});
    CHECK(played.writers() == Nodes{"node-1"});
    CHECK(
        played.hardware.launcher(text_at(*played.pod(target), {"metadata", "uid"}).value())->qemu ==
        lab::QemuState::none);
    CHECK_FALSE(played.lost());
    const std::string frozen = played.vmi({"metadata", "resourceVersion"});
    played.world.advance(30s);
    CHECK(played.vmi({"metadata", "resourceVersion"}) == frozen);
    played.world.advance(2h);
    CHECK(played.phase() == "Failed");
    CHECK(played.vmi({"status", "nodeName"}) == "node-1");
    CHECK(played.pod_phase("node-1") == "Running Terminating");
    CHECK(played.writers() == Nodes{"node-1"});
    CHECK_FALSE(played.two_writers());
}

TEST_CASE("interrupted-handoff becomes two writers when the pod goes before the power") {
    for (const bool fenced : {true, false}) {
        CAPTURE(fenced);
        Played played("interrupted-handoff");
        played.world.advance(10min);
        if (fenced) played.hardware.power_off("node-1");
        played.force_delete("node-1");
        played.world.advance(15min);
        CHECK(played.vmi({"status", "phase"}) == "Running");
        CHECK(played.vmi({"status", "nodeName"}) != "node-1");
        CHECK(played.two_writers() == !fenced);
        CHECK(played.writers().size() == (fenced ? 1 : 2));
    }
}

TEST_CASE("stuck-terminating hangs until the empty target pod is removed") {
    Played played("stuck-terminating");
    const std::string target = played.state("targetNode");
    for (const auto passed : {0h, 2h}) {
        played.world.advance(passed);
        CHECK(played.phase() == "PreparingTarget");
        REQUIRE(played.migration());
        CHECK(text_at(*played.migration(), {"metadata", "deletionTimestamp"}));
        CHECK(played.condition(kMigrations, {"prod", "migrate-vm-1"}, "migrationAbortRequested") ==
              "True");
        CHECK(played.state("startTimestamp").empty());
        CHECK(played.writers() == Nodes{"node-1"});
    }
    const auto refused = played.migrate("vm-1", "next");
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().message.find("in-flight migration detected") != std::string::npos);
    played.force_delete(target);
    played.world.advance(10s);
    CHECK(played.phase() == "gone");
    CHECK(played.state("failureReason") == "Target pod is down");
    CHECK(played.writers() == Nodes{"node-1"});
    CHECK(played.migrate("vm-1", "next").ok());
    played.world.advance(2min);
    CHECK(played.phase("next") == "Succeeded");
    CHECK_FALSE(played.lost());
    CHECK_FALSE(played.two_writers());
}

TEST_CASE("two-launchers waits without a word until the empty launcher is gone") {
    Played played("two-launchers");
    const std::string now_on = played.vmi({"status", "nodeName"});
    CHECK(now_on != "node-1");
    CHECK(played.phase() == "Succeeded");
    for (const auto passed : {0h, 2h}) {
        played.world.advance(passed);
        const auto waiting = played.migration("migrate-vm-1-again");
        CHECK(played.phase("migrate-vm-1-again") == "Pending");
        CHECK(kubeclient::items_at(*waiting, {"status", "conditions"}).empty());
        for (const auto& [key, event] : played.world.objects().all({"", "events"})) {
            CHECK(text_at(*event, {"involvedObject", "name"}) != "migrate-vm-1-again");
        }
        CHECK(played.pod_phase("node-1") == "Running");
        CHECK(played.attached() == Nodes{"node-1", now_on});
        CHECK(played.writers() == Nodes{now_on});
    }
    played.api
        .remove("/api/v1/namespaces/prod/pods/" +
                text_at(*played.pod("node-1"), {"metadata", "name"}).value())
        .value();
    played.world.advance(2min);
    CHECK(played.phase("migrate-vm-1-again") == "Succeeded");
    CHECK_FALSE(played.lost());
    CHECK_FALSE(played.two_writers());
}

TEST_CASE("drain-blocked moves all but vm-1, two at a time, and refuses vm-1 for ever") {
    Played played("drain-blocked");
    std::map<std::string, int> phases;
    for (const auto& [key, migration] : played.world.objects().all(kMigrations)) {
        ++phases[text_at(*migration, {"status", "phase"}).value_or("")];
    }
    CHECK(phases == std::map<std::string, int>{{"Pending", 3}, {"Running", 2}});
    played.world.advance(2h);
    for (int number = 2; number <= 6; ++number) {
        const std::string name = "vm-" + std::to_string(number);
        CHECK(played.vmi({"status", "nodeName"}, name) != "node-1");
    }
    CHECK(played.vmi({"status", "nodeName"}) == "node-1");
    CHECK(played.condition(lab::kVmis, {"prod", "vm-1"}, "LiveMigratable") == "False");
    const std::string name = text_at(*played.pod("node-1"), {"metadata", "name"}).value();
    const auto refused = played.api.create("/api/v1/namespaces/prod/pods/" + name + "/eviction",
                                           {{"apiVersion", "policy/v1"},
                                            {"kind", "Eviction"},
                                            {"metadata", {{"name", name}, {"namespace", "prod"}}}},
                                           DryRun::none);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().http_status == 429);
    CHECK(refused.error().message.find("is configured with an eviction strategy but is not "
                                       "live-migratable") != std::string::npos);
    CHECK_FALSE(played.two_writers());
}

TEST_CASE("no-room: a migration waits for a place and is given up after five minutes") {
    Played played("no-room");
    REQUIRE(played.migrate("vm-1", "m").ok());
    played.world.advance(4min);
    CHECK(played.phase("m") == "Scheduling");
    played.world.advance(2min);
    CHECK(played.phase("m") == "Failed");
    CHECK(played.writers() == Nodes{"node-1"});
}
