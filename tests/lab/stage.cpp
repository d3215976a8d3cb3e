#include "stage.hpp"

#include <nlohmann/json.hpp>

#include "kubeclient/time.hpp"

namespace lab_replay {

using kubeclient::find;

namespace {

// The quota's scene counts pods of scenes before it: as many as leave the one launcher in.
int other_pods(const Session& recorded) {
    for (const Action& action : recorded.actions) {
        if (!action.path.ends_with("/resourcequotas")) continue;
        const Json* pods = find(action.request, {"spec", "hard", "pods"});
        if (pods != nullptr) return std::stoi(pods->get<std::string>()) - 1;
    }
    return 0;
}

}  // namespace

Stage::Stage(const Session& recorded)
    : simulation_({.world = {.seed = 1, .start = *kubeclient::parse_time("2026-11-21T03:00:00Z")}}),
      admin_(lab::component("kubernetes-admin")),
      virt_handler_(lab::service_account("kubevirt", "kubevirt-handler")) {
    seed_cluster();
    seed_other_pods(other_pods(recorded));
    simulation_.start();
    world().settle();
}

void Stage::seed_cluster() {
    lab::ApiServer& server = world().server();
    for (const char* ns : {"prod", "kubevirt"}) {
        server.seed({{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", ns}}}});
    }
    server.seed({{"apiVersion", "kubevirt.io/v1"},
                 {"kind", "KubeVirt"},
                 {"metadata", {{"name", "kubevirt"}, {"namespace", "kubevirt"}}},
                 {"spec", {{"configuration", Json::object()}}},
                 {"status", {{"phase", "Deployed"}, {"observedKubeVirtVersion", "v1.9.0"}}}});
    server.seed({{"apiVersion", "storage.k8s.io/v1"},
                 {"kind", "StorageClass"},
                 {"metadata", {{"name", "sc"}}},
                 {"provisioner", "io.openebs.csi-mayastor"}});
    // The recorded cluster attached nothing: its kube-controller-manager ran without.
    server.seed({{"apiVersion", "storage.k8s.io/v1"},
                 {"kind", "CSIDriver"},
                 {"metadata", {{"name", "io.openebs.csi-mayastor"}}},
                 {"spec", {{"attachRequired", false}}}});
    int number = 0;
    for (const char* name : {"node-a", "node-b", "node-c"}) seed_node(name, ++number);
}

void Stage::seed_node(const std::string& name, int number) {
    const Json resources{{"cpu", "8"},
                         {"memory", "32Gi"},
                         {"pods", "110"},
                         {"devices.kubevirt.io/kvm", "1k"},
                         {"devices.kubevirt.io/tun", "1k"},
                         {"devices.kubevirt.io/vhost-net", "1k"},
                         {"ephemeral-storage", "100Gi"}};
    const std::string now =
        kubeclient::format_time(std::chrono::floor<std::chrono::seconds>(world().now()));
    world().server().seed(
        {{"apiVersion", "v1"},
         {"kind", "Node"},
         {"metadata",
          {{"name", name},
           {"labels",
            {{"kubernetes.io/hostname", name},
             {"kubernetes.io/arch", "amd64"},
             {"kubernetes.io/os", "linux"},
             {"kubevirt.io/schedulable", "true"},
             {"host-model-cpu.node.kubevirt.io/Skylake-Server-IBRS", "true"},
             {"host-model-required-features.node.kubevirt.io/vmx", "true"},
             {"cpu-model-migration.node.kubevirt.io/Skylake-Server-IBRS", "true"},
             {"cpu-feature.node.kubevirt.io/vmx", "true"},
             {"cpu-vendor.node.kubevirt.io/Intel", "true"},
             {"machine-type.node.kubevirt.io/q35", "true"},
             {"machine-type.node.kubevirt.io/pc-q35-rhel9.4.0", "true"}}},
           {"annotations", {{"kubevirt.io/heartbeat", now}}}}},
         {"spec", Json::object()},
         {"status",
          {{"capacity", resources},
           {"allocatable", resources},
           {"addresses",
            Json::array({{{"type", "InternalIP"}, {"address", "10.0.0." + std::to_string(number)}},
                         {{"type", "Hostname"}, {"address", name}}})},
           {"conditions", Json::array({{{"type", "Ready"},
                                        {"status", "True"},
                                        {"reason", "KubeletReady"},
                                        {"lastHeartbeatTime", now},
                                        {"lastTransitionTime", now}}})}}}});
}

// Nobody schedules them, so they only count.
void Stage::seed_other_pods(int count) {
    for (int i = 0; i < count; ++i) {
        world().server().seed(
            {{"apiVersion", "v1"},
             {"kind", "Pod"},
             {"metadata", {{"name", "other-" + std::to_string(i)}, {"namespace", "prod"}}},
             {"spec", {{"schedulerName", "nobody"}, {"containers", Json::array()}}},
             {"status", {{"phase", "Pending"}}}});
    }
}

}  // namespace lab_replay
