#include "recovery/start.hpp"

#include "preflight/judge.hpp"
#include "tests/unit/preflight_builders.hpp"

using namespace recovery;
using facts::Snapshot;
using preflight::builders::healthy;
using preflight::builders::meta;
using preflight::builders::vmi_of;

namespace {

StartTerms terms() {
    StartTerms result;
    result.unique = [] { return std::string("abcdefgh"); };
    return result;
}

Member plan(const Snapshot& all, const StartTerms& how = terms()) {
    const auto members = plan_start(all, preflight::judge(all, {}, {}), how);
    REQUIRE(members.size() == 1);
    return members.front();
}

Snapshot labelled() {
    auto all = healthy();
    for (auto& node : all.nodes.items) {
        node.meta.labels["kubernetes.io/hostname"] = node.meta.name;
    }
    facts::sort_readings(all);
    return all;
}

facts::Migration migration(const std::string& name, const std::string& phase, int created) {
    facts::Migration result;
    result.meta = meta("prod", name);
    result.meta.uid = name + "-uid";
    result.meta.created = std::chrono::sys_seconds(std::chrono::seconds(created));
    result.vmi = "web";
    result.phase = phase;
    return result;
}

StartTerms to(const std::string& node) {
    auto result = terms();
    result.to = node;
    return result;
}

}  // namespace

TEST_CASE("a VM that can move is ordered under a name of its own, anywhere") {
    const auto member = plan(healthy());
    REQUIRE(member.order.has_value());
    CHECK_FALSE(member.settled.has_value());
    CHECK(member.order->name == "handoff-web-abcdefgh");
    CHECK(member.order->node_selector.empty());
    CHECK(member.of.source_node == "n1");
    CHECK(member.of.volumes == std::set<std::string>{"pv-1"});
    CHECK(member.of.size.has_value());
    CHECK(member.of.limits.per_cluster == 5);
}

TEST_CASE("the limits are those of the KubeVirt object") {
    auto all = healthy();
    all.kubevirts.items.front().migrations.parallel_per_cluster = 9;
    CHECK(plan(all).of.limits.per_cluster == 9);
    CHECK(plan(all).of.limits.outbound_per_node == 2);
}

TEST_CASE("a blocking check refuses, names itself, and tells of the cold way") {
    auto all = healthy();
    all.claims.items.front().access_modes = {"ReadWriteOnce"};
    vmi_of(all).volumes.front().claim->access_modes = {"ReadWriteOnce"};
    const auto member = plan(all);
    REQUIRE(member.settled.has_value());
    CHECK(member.settled->ending == Ending::blocked);
    CHECK(member.settled->cause.find("DISK-001") != std::string::npos);
    CHECK(member.settled->next == "virt-handoff preflight web -n prod");
    REQUIRE_FALSE(member.settled->notes.empty());
    CHECK(member.settled->notes[0].find("virtctl stop web -n prod") != std::string::npos);
    CHECK(member.settled->notes[0].find("memory is lost") != std::string::npos);
}

TEST_CASE("a VM that does not run is refused before anything else") {
    const auto member = plan(preflight::builders::stopped());
    REQUIRE(member.settled.has_value());
    CHECK(member.settled->ending == Ending::blocked);
    CHECK(member.settled->next == "virtctl start web -n prod");
}

TEST_CASE("a migration under way is named, with the commands that join and cancel it") {
    auto all = healthy();
    all.migrations.items = {migration("m-old", "Succeeded", 9), migration("m-1", "Running", 5)};
    const auto member = plan(all);
    REQUIRE(member.settled.has_value());
    CHECK(member.settled->vmim == "m-1");
    CHECK(member.settled->cause == "migration m-1 is already under way, Running");
    CHECK(member.settled->next == "virt-handoff migrate --join web -n prod");
    CHECK(member.settled->notes ==
          std::vector<std::string>{"cancel it with: virt-handoff cancel web -n prod"});
}

TEST_CASE("join follows what is under way, else the newest that is over, and starts nothing") {
    auto how = terms();
    how.join = true;
    auto all = healthy();
    CHECK(plan(all, how).settled->ending == Ending::blocked);
    all.migrations.items = {migration("m-2", "Failed", 9), migration("m-1", "Succeeded", 5)};
    CHECK(plan(all, how).of.vmim == "m-2");
    all.migrations.items.push_back(migration("m-3", "Pending", 1));
    const auto member = plan(all, how);
    CHECK(member.joined);
    CHECK_FALSE(member.order.has_value());
    CHECK(member.of.vmim_uid == "m-3-uid");
}

TEST_CASE("--to becomes the hostname label of that node") {
    auto all = labelled();
    all.nodes.items[1].meta.labels["kubernetes.io/hostname"] = "n2.example";
    const auto member = plan(all, to("n2"));
    REQUIRE(member.order.has_value());
    CHECK(member.order->node_selector == facts::Labels{{"kubernetes.io/hostname", "n2.example"}});
}

TEST_CASE("already there is done") {
    const auto member = plan(labelled(), to("n1"));
    REQUIRE(member.settled.has_value());
    CHECK(member.settled->ending == Ending::nothing_to_do);
    auto how = terms();
    how.node_selector = {{"kubernetes.io/hostname", "n1"}};
    CHECK(plan(labelled(), how).settled->ending == Ending::nothing_to_do);
}

TEST_CASE("--to refuses what it cannot be sure of") {
    const auto refused = [](const Snapshot& all, const StartTerms& how) {
        const auto member = plan(all, how);
        REQUIRE(member.settled.has_value());
        CHECK(member.settled->ending == Ending::blocked);
        CHECK_FALSE(member.settled->next.empty());
        return member.settled->cause;
    };
    CHECK(refused(labelled(), to("n9")) == "there is no node n9");
    auto all = labelled();
    all.nodes.items[1].meta.labels.erase("kubernetes.io/hostname");
    CHECK(refused(all, to("n2")) == "node n2 has no label kubernetes.io/hostname");
    all = labelled();
    all.nodes.items[1].cordoned = true;
    CHECK(refused(all, to("n2")).starts_with("no node that is asked for can take it: n2: "));
    all = labelled();
    all.nodes.complete = false;
    all.nodes.gap = "nodes";
    CHECK(refused(all, to("n2")).find("could not be read") != std::string::npos);
}

TEST_CASE("a selector that the VM's own template overrides is refused") {
    auto all = labelled();
    vmi_of(all).guest.placement.node_selector["zone"] = "a";
    for (auto& node : all.nodes.items) node.meta.labels["zone"] = "a";
    all.nodes.items[1].meta.labels["zone"] = "b";
    auto how = terms();
    how.node_selector = {{"zone", "b"}};
    const auto member = plan(all, how);
    REQUIRE(member.settled.has_value());
    CHECK(member.settled->cause ==
          "the VM itself asks for zone=a, which wins over the zone=b that was asked for");
    how.node_selector = {{"disk", "ssd"}};
    CHECK(plan(all, how).settled->cause == "no other node carries the labels that are asked for");
}
