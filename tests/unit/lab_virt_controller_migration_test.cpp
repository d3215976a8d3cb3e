#include <doctest/doctest.h>

#include "lab/controllers/virt_controllers.hpp"
#include "lab_virt_world.hpp"

using namespace lab_test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

using Lines = std::vector<std::string>;

const std::string vmim_kind = "VirtualMachineInstanceMigration";
const std::string vmi_kind = "VirtualMachineInstance";

Json held_at(const char* phase) {
    return {{"sim/hold", phase}};
}

}  // namespace

TEST_CASE("a migration passes KubeVirt's phases and ends on another node") {
    VirtWorld lab;
    REQUIRE(lab.start_vm("web") == 201);
    REQUIRE(text(lab.vmi("web"), {"status", "nodeName"}) == "node-a");
    REQUIRE(lab.migrate("m", "web") == 201);
    lab.run(seconds(3));
    CHECK(lab.phases("m") == Lines{"Pending", "Scheduling", "Scheduled", "PreparingTarget",
                                   "TargetReady", "Running", "Succeeded"});
    const Json vmi = lab.vmi("web");
    const Json vmim = lab.vmim("m");
    CHECK(text(vmi, {"status", "nodeName"}) == "node-b");
    CHECK(vmim["status"]["migrationState"] == vmi["status"]["migrationState"]);
    CHECK_FALSE(vmim["metadata"].contains("finalizers"));
    const auto pods = lab.launchers("web");
    REQUIRE(pods.size() == 2);
    CHECK(lab.events(vmim_kind, "m").size() == 3);
    CHECK(lab.told(vmim_kind, "m",
                   "Normal SuccessfulHandOver: Migration target pod is ready for preparation by "
                   "virt-handler."));
    CHECK(lab.told(vmim_kind, "m",
                   "Normal SuccessfulMigration: Source node reported migration succeeded"));
}

TEST_CASE("the hand-over says everything that virt-handler needs") {
    VirtWorld lab;
    lab.start_vm("web", held_at("PreparingTarget"));
    lab.migrate("m", "web");
    lab.run(seconds(1));
    const Json vmi = lab.vmi("web");
    const Json& state = vmi["status"]["migrationState"];
    CHECK(text(state, {"migrationUid"}) == lab::virt::uid_of(lab.vmim("m")));
    CHECK(text(state, {"sourceNode"}) == "node-a");
    CHECK(text(state, {"targetNode"}) == "node-b");
    CHECK(text(state, {"targetMemoryOverhead"}) == "288Mi");
    CHECK(state["migrationConfiguration"] == Json{{"allowAutoConverge", false},
                                                  {"allowPostCopy", false},
                                                  {"allowWorkloadDisruption", false},
                                                  {"bandwidthPerMigration", "0"},
                                                  {"completionTimeoutPerGiB", 150},
                                                  {"maxDowntimeMs", 900},
                                                  {"nodeDrainTaintKey", "kubevirt.io/drain"},
                                                  {"parallelMigrationsPerCluster", 5},
                                                  {"parallelOutboundMigrationsPerNode", 2},
                                                  {"progressTimeout", 150},
                                                  {"unsafeMigrationOverride", false},
                                                  {"utilityVolumesTimeout", 150}});
    CHECK(lab::virt::label(vmi, "kubevirt.io/migrationTargetNodeName") == "node-b");
}

TEST_CASE("a matching policy is named and wins over the cluster's settings") {
    VirtWorld lab;
    lab.world.server().seed(
        {{"apiVersion", "migrations.kubevirt.io/v1alpha1"},
         {"kind", "MigrationPolicy"},
         {"metadata", {{"name", "slow"}}},
         {"spec",
          {{"selectors", {{"virtualMachineInstanceSelector", {{"tier", "slow"}}}}},
           {"bandwidthPerMigration", "64Mi"},
           {"allowPostCopy", true}}}});
    lab.start_vm("web", held_at("PreparingTarget"));
    lab.send(kubeclient::Method::patch, lab.path("virtualmachineinstances", "web"),
             {{"metadata", {{"labels", {{"tier", "slow"}}}}}});
    lab.migrate("m", "web");
    lab.run(seconds(1));
    const Json state = lab.vmi("web")["status"]["migrationState"];
    CHECK(text(state, {"migrationPolicyName"}) == "slow");
    CHECK(text(state, {"migrationConfiguration", "bandwidthPerMigration"}) == "64Mi");
    // It follows allowPostCopy where the policy does not speak of it.
    CHECK(state["migrationConfiguration"]["allowWorkloadDisruption"] == true);
}

TEST_CASE("a VMIM deleted before the hand-over fails, and takes its pod with it") {
    VirtWorld lab;
    SUBCASE("while the target cannot be scheduled") {
        lab.start_vm("web");
        lab.migrate("m", "web", Json::object(), {{"zone", "nowhere"}});
    }
    SUBCASE("while the target does not come up") {
        lab.start_vm("web", {{"sim/podhold", "1"}});
        lab.migrate("m", "web");
    }
    lab.run(seconds(1));
    REQUIRE(lab.phase("m") == "Scheduling");
    REQUIRE(lab.launchers("web").size() == 2);
    lab.remove_migration("m");
    lab.run(seconds(1));
    CHECK(lab.vmim("m").is_null());
    CHECK(lab.launchers("web").size() == 1);
    CHECK(lab.told(vmim_kind, "m",
                   "Warning FailedMigration: Migration failed due to being canceled"));
}

TEST_CASE("a VMIM deleted between hand-over and start hangs until its target pod goes") {
    for (const char* phase : {"PreparingTarget", "TargetReady"}) {
        VirtWorld lab;
        lab.start_vm("web", held_at(phase));
        lab.migrate("m", "web");
        lab.run(seconds(1));
        REQUIRE(lab.phase("m") == phase);
        lab.remove_migration("m");
        lab.run(seconds(60));
        CHECK(lab.phase("m") == phase);
        CHECK(lab::virt::has_condition(lab.vmim("m"), "migrationAbortRequested", "True"));
        const Json before = lab.vmi("web");
        lab.send(kubeclient::Method::del,
                 "/api/v1/namespaces/prod/pods/" +
                     text(before, {"status", "migrationState", "targetPod"}));
        lab.run(seconds(2));
        CHECK(lab.vmim("m").is_null());
        const Json state = lab.vmi("web")["status"]["migrationState"];
        CHECK(text(state, {"failureReason"}) == "Target pod is down");
        CHECK_FALSE(text(state, {"startTimestamp"}).empty());
        CHECK(lab.told(vmi_kind, "web",
                       "Warning FailedMigration: VirtualMachineInstance migration uid " +
                           text(state, {"migrationUid"}) + " failed. reason: Target pod is down"));
    }
}

TEST_CASE("a running migration is aborted through the VMI") {
    VirtWorld lab;
    lab.start_vm("web", held_at("Running"));
    lab.migrate("m", "web");
    lab.run(seconds(1));
    REQUIRE(lab.phase("m") == "Running");
    lab.remove_migration("m");
    lab.run(seconds(2));
    CHECK(lab.vmim("m").is_null());
    CHECK(text(lab.vmi("web"), {"status", "migrationState", "abortStatus"}) == "Succeeded");
    CHECK(lab.told(vmim_kind, "m",
                   "Normal SuccessfulAbortMigration: Migration is ready to be canceled by "
                   "virt-handler."));
    CHECK(text(lab.vmi("web"), {"status", "nodeName"}) == "node-a");
}

TEST_CASE("an abort never succeeds over a status that Go would not write like that") {
    VirtWorld lab;
    lab.start_vm("web", held_at("Running"));
    lab.migrate("m", "web");
    lab.run(seconds(1));
    Json vmi = lab.vmi("web");
    for (Json& one : vmi["status"]["conditions"]) one.erase("lastProbeTime");
    lab.send(kubeclient::Method::put, lab.path("virtualmachineinstances", "web"), vmi);
    lab.remove_migration("m");
    lab.run(seconds(30));
    CHECK(lab.phase("m") == "Running");
    CHECK(text(lab.vmi("web"), {"status", "migrationState", "abortStatus"}).empty());
    CHECK(lab.told(vmim_kind, "m",
                   "Warning FailedAbortMigration: failed to set MigrationState in VMI status. :the "
                   "server rejected our request due to an error in our request"));
}

TEST_CASE("a third migration from one node waits silently until another ends") {
    VirtWorld lab;
    for (const char* name : {"a", "b", "c"}) {
        lab.start_vm(name, held_at("Running"));
        lab.migrate(std::string(name) + "-m", name);
        lab.run(milliseconds(200));
    }
    lab.run(seconds(30));
    CHECK(lab.phase("a-m") == "Running");
    CHECK(lab.phase("b-m") == "Running");
    CHECK(lab.phase("c-m") == "Pending");
    CHECK(lab.events(vmim_kind, "c-m").empty());
    CHECK_FALSE(lab.vmim("c-m")["status"].contains("conditions"));
    CHECK(lab.launchers("c").size() == 1);
    lab.annotate_vmi("a", {{"sim/hold", nullptr}});
    lab.run(seconds(10));
    CHECK(lab.phase("a-m") == "Succeeded");
    CHECK(lab.phase("c-m") == "Running");
}

TEST_CASE("the cluster's limit counts all nodes' migrations") {
    VirtWorld lab(
        Json{{"migrations",
              {{"parallelMigrationsPerCluster", 1}, {"parallelOutboundMigrationsPerNode", 5}}}});
    for (const char* name : {"a", "b"}) {
        lab.start_vm(name, held_at("Running"));
        lab.migrate(std::string(name) + "-m", name);
        lab.run(milliseconds(200));
    }
    lab.run(seconds(10));
    CHECK(lab.phase("a-m") == "Running");
    CHECK(lab.phase("b-m") == "Pending");
}

TEST_CASE("of those that wait, an evacuation goes before a user's migration that is older") {
    VirtWorld lab(Json{{"migrations", {{"parallelMigrationsPerCluster", 1}}}});
    for (const char* name : {"a", "b", "c"}) lab.start_vm(name);
    lab.annotate_vmi("a", held_at("Running"));
    lab.migrate("a-m", "a");
    lab.run(seconds(2));
    lab.migrate("b-m", "b");
    lab.run(seconds(2));
    Json marked = lab.vmi("c");
    marked["status"]["evacuationNodeName"] = text(marked, {"status", "nodeName"});
    lab.send(kubeclient::Method::put, lab.path("virtualmachineinstances", "c"), marked);
    lab.run(seconds(2));
    lab.annotate_vmi("b", held_at("Running"));
    lab.annotate_vmi("c", held_at("Running"));
    lab.annotate_vmi("a", {{"sim/hold", nullptr}});
    lab.run(seconds(20));
    CHECK(lab.phase("a-m") == "Succeeded");
    CHECK(lab.phase("b-m") == "Pending");
    CHECK(text(lab.vmi("c"), {"status", "migrationState", "mode"}) == "PreCopy");
}

TEST_CASE("with two live launchers the next migration waits, and nothing says so") {
    VirtWorld lab;
    lab.start_vm("web", {{"sim/keepsource", "1"}});
    lab.migrate("m1", "web");
    lab.run(seconds(3));
    REQUIRE(lab.phase("m1") == "Succeeded");
    lab.migrate("m2", "web");
    lab.run(seconds(60));
    CHECK(lab.phase("m2") == "Pending");
    CHECK(lab.events(vmim_kind, "m2").empty());
    CHECK(lab.launchers("web").size() == 2);
}

TEST_CASE("a target pod that does not come up is given up in time") {
    VirtWorld lab;
    SUBCASE("unschedulable") {
        lab.start_vm("web");
        lab.migrate("m", "web", {{"kubevirt.io/migrationUnschedulablePodTimeoutSeconds", "5"}},
                    {{"zone", "nowhere"}});
        lab.run(seconds(4));
        CHECK(lab.phase("m") == "Scheduling");
        lab.run(seconds(4));
        CHECK(lab.told(vmim_kind, "m",
                       "Warning migrationTargetPodUnschedulable: Migration target pod for VMI "
                       "[prod/web] is currently unschedulable."));
    }
    SUBCASE("never ready") {
        lab.start_vm("web", {{"sim/podhold", "1"}});
        lab.migrate("m", "web", {{"kubevirt.io/migrationPendingPodTimeoutSeconds", "5"}});
        lab.run(seconds(4));
        CHECK(lab.phase("m") == "Scheduling");
        lab.run(seconds(4));
    }
    CHECK(lab.phase("m") == "Failed");
    CHECK(lab.launchers("web").size() == 1);
    CHECK(lab.told(vmim_kind, "m",
                   "Warning FailedMigration: Migration target pod was removed during active "
                   "migration."));
}

TEST_CASE("when a target pod goes while memory is copied, the VMIM fails before the VMI says so") {
    VirtWorld lab;
    lab.start_vm("web", held_at("Running"));
    lab.migrate("m", "web");
    lab.run(seconds(1));
    const auto before = lab.world.objects().revision();
    lab.send(kubeclient::Method::del,
             "/api/v1/namespaces/prod/pods/" +
                 text(lab.vmi("web"), {"status", "migrationState", "targetPod"}));
    lab.run(seconds(2));
    Lines order;
    const auto changes = lab.world.objects().since(before);
    REQUIRE(changes);
    bool failed_before = false;
    for (const lab::Change& change : *changes) {
        if (change.resource == lab::virt::kMigrations &&
            lab::virt::phase_of(*change.object) != lab::virt::phase_of(*change.before)) {
            order.push_back("VMIM " + lab::virt::phase_of(*change.object));
        }
        const bool failed =
            change.resource == lab::virt::kInstances &&
            kubeclient::bool_at(*change.object, {"status", "migrationState", "failed"}) == true;
        if (failed && !failed_before) order.push_back("VMI failed");
        failed_before = failed_before || failed;
    }
    CHECK(order == Lines{"VMIM Failed", "VMI failed"});
    CHECK(lab.vmim("m")["status"]["migrationState"] == lab.vmi("web")["status"]["migrationState"]);
}

TEST_CASE("without a host model on the source node the migration stays Pending, and says nothing") {
    VirtWorld lab;
    lab.start_vm("web");
    for (const char* node : {"node-a", "node-b", "node-c"}) {
        lab.send(
            kubeclient::Method::patch, std::string("/api/v1/nodes/") + node,
            {{"metadata", {{"labels", {{"host-model-cpu.node.kubevirt.io/Skylake", nullptr}}}}}});
    }
    lab.migrate("m", "web");
    lab.run(seconds(30));
    CHECK(lab.phase("m") == "Pending");
    CHECK(lab.events(vmim_kind, "m").empty());
    CHECK(lab.launchers("web").size() == 1);
}

TEST_CASE("five finished migrations of a VMI are kept") {
    VirtWorld lab;
    lab.start_vm("web");
    for (int i = 1; i <= 7; ++i) {
        lab.migrate("m" + std::to_string(i), "web");
        lab.run(seconds(4));
        REQUIRE(lab.phase("m" + std::to_string(i)) == "Succeeded");
    }
    CHECK(lab.vmim("m1").is_null());
    CHECK(lab.vmim("m2").is_null());
    CHECK_FALSE(lab.vmim("m3").is_null());
}

TEST_CASE("an evacuation that failed is tried again after a back-off") {
    VirtWorld lab;
    lab.start_vm("web", {{"sim/fail", "client socket is closed"}});
    Json marked = lab.vmi("web");
    marked["status"]["evacuationNodeName"] = text(marked, {"status", "nodeName"});
    lab.send(kubeclient::Method::put, lab.path("virtualmachineinstances", "web"), marked);
    lab.run(seconds(10));
    CHECK(lab.told(vmi_kind, "web", "Warning MigrationBackoff: backoff migrating vmi prod/web"));
    const auto& all = lab.world.objects().all(lab::virt::kMigrations);
    CHECK(all.size() == 2);
    lab.run(seconds(20));
    CHECK(all.size() == 3);
}

TEST_CASE("a migration whose VMI goes ends with it") {
    VirtWorld lab;
    lab.start_vm("web", held_at("Running"));
    lab.migrate("m", "web");
    lab.run(seconds(1));
    lab.send(kubeclient::Method::del, lab.path("virtualmachines", "web"));
    lab.run(seconds(10));
    CHECK(lab.vmi("web").is_null());
    CHECK(lab.object(lab::virt::kMachines, "web").is_null());
    CHECK(lab.vmim("m").is_null());
}

TEST_CASE("utility volumes and a backup hold a migration in Pending, the first not for ever") {
    VirtWorld lab;
    lab.start_vm("web");
    const auto change = [&](const auto& what) {
        Json vmi = lab.vmi("web");
        what(vmi);
        lab.world.objects().put(lab::virt::kInstances, {"prod", "web"}, vmi);
        lab.world.settle();
    };
    change([](Json& vmi) { vmi["status"]["changedBlockTracking"]["backupStatus"]["name"] = "b"; });
    lab.migrate("m", "web");
    lab.run(seconds(1000));
    CHECK(lab.phase("m") == "Pending");
    CHECK(lab::virt::has_condition(lab.vmim("m"), "migrationBlockedByBackup", "True"));
    change([](Json& vmi) { vmi["status"].erase("changedBlockTracking"); });
    lab.run(seconds(10));
    REQUIRE(lab.phase("m") == "Succeeded");

    change([](Json& vmi) { vmi["spec"]["utilityVolumes"] = {{{"name", "backup"}}}; });
    lab.migrate("m2", "web");
    lab.run(seconds(149));
    CHECK(lab.phase("m2") == "Pending");
    CHECK(lab::virt::has_condition(lab.vmim("m2"), "migrationBlockedByUtilityVolumes", "True"));
    CHECK(lab.launchers("web").size() == 2);
    lab.run(seconds(2));
    CHECK(lab.phase("m2") == "Failed");
}

TEST_CASE("a quota that leaves no room for the target is a condition, and events on the VMI") {
    // What a quota refuses, said by a plugin as kube-apiserver says it.
    struct Quota final : lab::Extension {
        bool full = false;
        std::optional<lab::Refusal> admit(lab::Admission& asked) override {
            if (!full || asked.resource != lab::virt::kPods || asked.verb != "create") return {};
            return lab::Refusal{403, "Forbidden",
                                "pods \"" + text(*asked.object, {"metadata", "name"}) +
                                    "\" is forbidden: exceeded quota: q"};
        }
    } quota;
    VirtWorld lab;
    lab.world.server().extend(quota);
    lab.start_vm("web");
    quota.full = true;
    lab.migrate("m", "web");
    lab.run(seconds(5));
    CHECK(lab.phase("m") == "Pending");
    CHECK(lab::virt::has_condition(lab.vmim("m"), "migrationRejectedByResourceQuota", "True"));
    const auto events = lab.events(vmi_kind, "web");
    const bool combined = std::any_of(events.begin(), events.end(), [](const std::string& line) {
        return line.find(
                   "Warning FailedCreate: (combined from similar events): Error creating "
                   "pod: pods \"virt-launcher-web-") == 0;
    });
    CHECK(combined);
    quota.full = false;
    lab.run(seconds(20));
    CHECK(lab.phase("m") == "Succeeded");
    CHECK_FALSE(lab.vmim("m")["status"].contains("conditions"));
}
