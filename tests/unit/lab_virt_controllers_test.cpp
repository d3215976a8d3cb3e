#include "lab/controllers/virt_controllers.hpp"

#include <doctest/doctest.h>

#include "lab_virt_world.hpp"

using namespace lab_test;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

Json vm_of(VirtWorld& lab, const std::string& name) {
    return lab.object(lab::virt::kMachines, name);
}

std::string printable(VirtWorld& lab, const std::string& name) {
    return text(vm_of(lab, name), {"status", "printableStatus"});
}

void end_launcher(VirtWorld& lab, const std::string& name, const char* phase) {
    Json vmi = lab.vmi(name);
    vmi["status"]["phase"] = phase;  // virt-handler's word
    lab.send(kubeclient::Method::put, lab.path("virtualmachineinstances", name), vmi);
    for (const auto& pod : lab.launchers(name)) {
        lab.send(kubeclient::Method::patch,
                 "/api/v1/namespaces/prod/pods/" + lab::virt::name_of(*pod) + "/status",
                 {{"status", {{"phase", phase}}}});
    }
}

}  // namespace

TEST_CASE("a VM that is to run gets a VMI, a launcher, and mirrors both") {
    VirtWorld lab;
    REQUIRE(lab.start_vm("web") == 201);
    const Json vm = vm_of(lab, "web");
    const Json vmi = lab.vmi("web");
    CHECK(lab::virt::phase_of(vmi) == "Running");
    CHECK(lab::virt::is_controlled_by(vmi, vm));
    CHECK(vmi["metadata"]["finalizers"] ==
          Json::array({"kubevirt.io/virtualMachineControllerFinalize",
                       "kubevirt.io/foregroundDeleteVirtualMachine"}));
    CHECK(lab::virt::annotation(vmi, "kubevirt.io/vm-generation") == "1");
    CHECK(lab::virt::has_condition(vmi, "Ready", "True"));
    CHECK(vmi["status"]["activePods"].size() == 1);
    CHECK(vmi["status"]["memory"]["memoryOverhead"] == "288Mi");
    CHECK(vm["status"]["created"] == true);
    CHECK(vm["status"]["ready"] == true);
    CHECK(lab::virt::has_condition(vm, "LiveMigratable", "True"));
    CHECK(printable(lab, "web") == "Running");
    CHECK(lab.told("VirtualMachine", "web",
                   "Normal SuccessfulCreate: Started the virtual machine by creating the new "
                   "virtual machine instance web"));
}

TEST_CASE("a VM set to Halted loses its VMI, and its pod with the guest's grace and 30 s") {
    VirtWorld lab;
    lab.start_vm("web");
    const auto uid = lab::virt::uid_of(lab.vmi("web"));
    CHECK(lab.launchers("web").front()->at("spec").at("terminationGracePeriodSeconds") == 35);
    lab.send(kubeclient::Method::patch, lab.path("virtualmachines", "web"),
             {{"spec", {{"runStrategy", "Halted"}}}});
    // Only the strategy changed, so the VMI is still as this generation wants it.
    CHECK(lab::virt::annotation(lab.vmi("web"), "kubevirt.io/vm-generation") == "2");
    CHECK(printable(lab, "web") == "Stopping");
    lab.run(seconds(5));
    CHECK(lab.vmi("web").is_null());
    CHECK(printable(lab, "web") == "Stopped");
    CHECK(lab.world.objects().all(lab::virt::kPods).empty());
    CHECK(lab.told("VirtualMachine", "web",
                   "Normal SuccessfulDelete: Stopped the virtual machine by deleting the virtual "
                   "machine instance " +
                       uid));
}

TEST_CASE("after the guest's end its VM starts again by its run strategy") {
    const auto restarted = [](const char* strategy, const char* how) {
        VirtWorld lab;
        lab.start_vm("web", Json::object(), strategy);
        const auto uid = lab::virt::uid_of(lab.vmi("web"));
        REQUIRE_FALSE(uid.empty());
        end_launcher(lab, "web", how);
        lab.run(seconds(5));
        const Json vmi = lab.vmi("web");
        return !vmi.is_null() && lab::virt::uid_of(vmi) != uid &&
               lab::virt::phase_of(vmi) == "Running";
    };
    CHECK(restarted("Always", "Succeeded"));
    CHECK(restarted("Always", "Failed"));
    CHECK(restarted("RerunOnFailure", "Failed"));
    CHECK_FALSE(restarted("RerunOnFailure", "Succeeded"));
    CHECK_FALSE(restarted("Once", "Failed"));
}

TEST_CASE("a VM under Manual waits for its start request") {
    VirtWorld lab;
    lab.start_vm("web", Json::object(), "Manual");
    CHECK(lab.vmi("web").is_null());
    CHECK(printable(lab, "web") == "Stopped");
    Json vm = vm_of(lab, "web");
    vm["status"]["stateChangeRequests"] = Json::array({{{"action", "Start"}}});
    lab.send(kubeclient::Method::put, lab.path("virtualmachines", "web") + "/status", vm);
    lab.run(seconds(1));
    CHECK(printable(lab, "web") == "Running");
    CHECK_FALSE(vm_of(lab, "web")["status"].contains("stateChangeRequests"));
}

TEST_CASE("a VMI whose launcher somebody deleted fails") {
    VirtWorld lab;
    lab.start_vm("web", Json::object(), "Once");
    const auto pod = lab::virt::name_of(*lab.launchers("web").front());
    lab.send(kubeclient::Method::del, "/api/v1/namespaces/prod/pods/" + pod);
    const Json* ready = nullptr;
    const Json going = lab.vmi("web");
    ready = lab::virt::condition(going, "Ready");
    REQUIRE(ready != nullptr);
    CHECK(text(*ready, {"reason"}) == "PodTerminating");
    lab.run(seconds(2));
    CHECK(lab::virt::phase_of(lab.vmi("web")) == "Failed");
}

TEST_CASE("a claim that is missing is told, and the VM starts once it is there") {
    VirtWorld lab;
    Json spec{{"domain", {{"devices", Json::object()}, {"memory", {{"guest", "1Gi"}}}}},
              {"volumes", {{{"name", "d0"}, {"persistentVolumeClaim", {{"claimName", "disk"}}}}}}};
    lab.send(kubeclient::Method::post, lab.path("virtualmachines"),
             {{"apiVersion", "kubevirt.io/v1"},
              {"kind", "VirtualMachine"},
              {"metadata", {{"name", "web"}, {"namespace", "prod"}}},
              {"spec",
               {{"runStrategy", "Always"},
                {"template", {{"metadata", Json::object()}, {"spec", std::move(spec)}}}}}});
    lab.run(seconds(1));
    CHECK(printable(lab, "web") == "ErrorPvcNotFound");
    CHECK(lab.told("VirtualMachineInstance", "web",
                   "Warning FailedPvcNotFound: failed to render launch manifest: didn't find PVC "
                   "disk"));
    lab.world.server().seed(
        {{"apiVersion", "v1"},
         {"kind", "PersistentVolumeClaim"},
         {"metadata", {{"name", "disk"}, {"namespace", "prod"}}},
         {"spec", {{"accessModes", {"ReadWriteMany"}}, {"volumeMode", "Block"}}},
         {"status", {{"phase", "Bound"}}}});
    lab.run(minutes(5));
    CHECK(printable(lab, "web") == "Running");
    const Json status = lab.vmi("web")["status"]["volumeStatus"];
    CHECK(status[0]["persistentVolumeClaimInfo"]["accessModes"] == Json::array({"ReadWriteMany"}));
}

TEST_CASE("a marked VMI is evacuated with KubeVirt's highest priority") {
    VirtWorld lab;
    lab.start_vm("web", {{"sim/hold", "Running"}});
    Json vmi = lab.vmi("web");
    vmi["status"]["evacuationNodeName"] = "node-a";
    lab.send(kubeclient::Method::put, lab.path("virtualmachineinstances", "web"), vmi);
    lab.run(seconds(2));
    const auto& all = lab.world.objects().all(lab::virt::kMigrations);
    REQUIRE(all.size() == 1);
    const Json& vmim = *all.begin()->second;
    CHECK(lab::virt::name_of(vmim).find("kubevirt-evacuation-") == 0);
    CHECK(lab::virt::annotation(vmim, "kubevirt.io/evacuationMigration") == "node-a");
    CHECK(text(vmim, {"spec", "priority"}) == "system-critical");
    CHECK(lab::virt::has_condition(lab.vmi("web"), "EvictionRequested", "True"));
    CHECK(lab::virt::annotation(*lab::virt::current_launcher(lab.world.objects(), lab.vmi("web")),
                                "descheduler.alpha.kubernetes.io/eviction-in-progress") ==
          "kubevirt");
    CHECK(lab.told("VirtualMachineInstance", "web",
                   "Normal SuccessfulCreate: Created Migration " + lab::virt::name_of(vmim)));
}

TEST_CASE("the drain taint evacuates every VMI of the node that may go") {
    VirtWorld lab;
    lab.start_vm("a");
    lab.start_vm("b");
    lab.send(kubeclient::Method::patch, "/api/v1/nodes/node-a",
             {{"spec", {{"taints", {{{"key", "kubevirt.io/drain"}, {"effect", "NoSchedule"}}}}}}});
    lab.run(seconds(10));
    CHECK(text(lab.vmi("a"), {"status", "nodeName"}) == "node-b");
    CHECK(text(lab.vmi("b"), {"status", "nodeName"}) == "node-b");
}

TEST_CASE("a silent virt-handler makes its node unschedulable, and fails guests without launcher") {
    VirtWorld lab;
    const auto beat = lab::virt::seconds_text(lab.world.now());
    lab.send(kubeclient::Method::patch, "/api/v1/nodes/node-a",
             {{"metadata", {{"annotations", {{"kubevirt.io/heartbeat", beat}}}}}});
    lab.start_vm("web", Json::object(), "Once");
    lab.run(minutes(4));
    CHECK(lab::virt::label(lab.object(lab::virt::kNodes, "node-a", ""),
                           "kubevirt.io/schedulable") == "true");
    lab.run(minutes(3));
    CHECK(lab::virt::label(lab.object(lab::virt::kNodes, "node-a", ""),
                           "kubevirt.io/schedulable") == "false");
    CHECK(lab::virt::phase_of(lab.vmi("web")) == "Running");
    lab.world.objects().remove(lab::virt::kPods, lab::virt::key_of(*lab.launchers("web").front()));
    lab.run(minutes(2));
    CHECK(lab::virt::phase_of(lab.vmi("web")) == "Failed");
}
