#include "lab/controllers/virt_launcher_pod.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "lab/controllers/virt_objects.hpp"

using kubeclient::Json;
using namespace lab::virt;

namespace {

Json guest() {
    return {{"metadata", {{"name", "web"}, {"namespace", "prod"}, {"uid", "vmi-uid"}}},
            {"spec",
             {{"architecture", "amd64"},
              {"domain",
               {{"cpu", {{"cores", 2}, {"model", "host-model"}}},
                {"machine", {{"type", "q35"}}},
                {"memory", {{"guest", "1Gi"}}},
                {"devices", Json::object()}}}}}};
}

Json rendered(const Json& vmi) {
    lab::Store objects;
    return launcher_pod(vmi, objects).value();
}

const Json& compute_of(const Json& pod) {
    return pod.at("spec").at("containers").at(0);
}

}  // namespace

TEST_CASE("the overhead grows with vCPUs, graphics and devices") {
    Json vmi = guest();
    CHECK(memory_overhead_text(vmi) == "296Mi");
    vmi["spec"]["domain"]["cpu"]["cores"] = 1;
    CHECK(memory_overhead_text(vmi) == "288Mi");
    vmi["spec"]["domain"]["devices"]["autoattachGraphicsDevice"] = false;
    CHECK(memory_overhead_text(vmi) == "256Mi");
    vmi["spec"]["domain"]["devices"]["hostDevices"] = {{{"deviceName", "vendor.com/nic"}}};
    CHECK(memory_overhead_text(vmi) == "1280Mi");
}

TEST_CASE("a launcher asks for a tenth of its vCPUs, the guest's memory and its devices") {
    const Json pod = rendered(guest());
    const Json& resources = compute_of(pod).at("resources");
    CHECK(resources.at("requests").at("cpu") == "200m");
    CHECK(resources.at("requests").at("memory") == "1320Mi");
    CHECK(resources.at("limits").at("devices.kubevirt.io/kvm") == "1");
    CHECK(resources.at("limits").at("devices.kubevirt.io/tun") == "1");
    CHECK(pod.at("spec").at("nodeSelector") == Json{{"kubernetes.io/arch", "amd64"},
                                                    {"kubevirt.io/schedulable", "true"},
                                                    {"machine-type.node.kubevirt.io/q35", "true"}});
}

TEST_CASE("dedicated CPUs are whole, and bound to nodes that can give them") {
    Json vmi = guest();
    vmi["spec"]["domain"]["cpu"]["dedicatedCpuPlacement"] = true;
    const Json pod = rendered(vmi);
    CHECK(compute_of(pod).at("resources").at("requests").at("cpu") == "2");
    CHECK(compute_of(pod).at("resources").at("limits").at("cpu") == "2");
    CHECK(pod.at("spec").at("nodeSelector").at("kubevirt.io/cpumanager") == "true");
}

TEST_CASE("a named CPU model and its features become selectors, a forbidden one an affinity") {
    Json vmi = guest();
    vmi["spec"]["domain"]["cpu"] = {
        {"model", "Nehalem"},
        {"features",
         {{{"name", "aes"}, {"policy", "require"}}, {{"name", "vmx"}, {"policy", "forbid"}}}}};
    const Json pod = rendered(vmi);
    const Json& selector = pod.at("spec").at("nodeSelector");
    CHECK(selector.at("cpu-model.node.kubevirt.io/Nehalem") == "true");
    CHECK(selector.at("cpu-feature.node.kubevirt.io/aes") == "true");
    CHECK_FALSE(selector.contains("cpu-feature.node.kubevirt.io/vmx"));
    CHECK(pod.at("spec")
              .at("affinity")
              .dump()
              .find(R"("key":"cpu-feature.node.kubevirt.io/vmx","operator":"DoesNotExist")") !=
          std::string::npos);
}

TEST_CASE("a first migration takes the CPU from the source node, later ones from the source pod") {
    const Json node{{"metadata",
                     {{"labels",
                       {{"host-model-cpu.node.kubevirt.io/Skylake", "true"},
                        {"host-model-required-features.node.kubevirt.io/vmx", "true"}}}}}};
    const Json fresh{{"spec", {{"nodeSelector", {{"kubevirt.io/schedulable", "true"}}}}}};
    const std::map<std::string, std::string> first{
        {"cpu-model-migration.node.kubevirt.io/Skylake", "true"},
        {"cpu-feature.node.kubevirt.io/vmx", "true"}};
    CHECK(host_model_selector(node, fresh).value() == first);
    const Json migrated{{"spec",
                         {{"nodeSelector",
                           {{"cpu-model-migration.node.kubevirt.io/Broadwell", "true"},
                            {"kubevirt.io/schedulable", "true"}}}}}};
    CHECK(host_model_selector(node, migrated).value() ==
          std::map<std::string, std::string>{
              {"cpu-model-migration.node.kubevirt.io/Broadwell", "true"}});
    CHECK_FALSE(host_model_selector(Json::object(), fresh).ok());
}

TEST_CASE("a target pod keeps off the source, and its template wins over added selectors") {
    lab::Store objects;
    objects.put(kNodes, {"", "node-a"},
                {{"metadata",
                  {{"name", "node-a"},
                   {"labels",
                    {{"host-model-cpu.node.kubevirt.io/Skylake", "true"},
                     {"cpu-vendor.node.kubevirt.io/Intel", "true"}}}}}});
    Json vmi = guest();
    vmi["status"] = {{"nodeName", "node-a"}, {"selinuxContext", "system_u:object_r:t:s0:c1,c2"}};
    const Json vmim{
        {"metadata", {{"name", "m"}, {"uid", "vmim-uid"}}},
        {"spec", {{"addedNodeSelector", {{"zone", "b"}, {"kubernetes.io/arch", "arm64"}}}}}};
    const Json pod = target_pod(vmi, vmim, Json::object(), objects).value();
    const Json& selector = pod.at("spec").at("nodeSelector");
    CHECK(selector.at("zone") == "b");
    CHECK(selector.at("kubernetes.io/arch") == "amd64");
    CHECK(selector.at("cpu-vendor.node.kubevirt.io/Intel") == "true");
    CHECK(label(pod, "kubevirt.io/migrationJobUID") == "vmim-uid");
    CHECK(annotation(pod, "kubevirt.io/migrationJobName") == "m");
    CHECK(text(pod, {"spec", "securityContext", "seLinuxOptions", "level"}) == "s0:c1,c2");
    CHECK(pod.at("spec").at("affinity").at("podAntiAffinity").dump().find("vmi-uid") !=
          std::string::npos);
    vmi["status"].erase("selinuxContext");
    CHECK(target_pod(vmi, vmim, Json::object(), objects).error().message ==
          "SELinux context not set on VMI status");
}
