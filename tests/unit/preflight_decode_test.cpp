#include "preflight/decode.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace preflight;
using facts::Snapshot;
using kubeclient::Json;

namespace {

// The snapshot that holds this one object.
Snapshot added(const std::string& text) {
    Snapshot all;
    const auto done = add_object(all, Json::parse(text));
    CAPTURE(text);
    if (!done.ok()) CAPTURE(done.error().message);
    REQUIRE(done.ok());
    CHECK(done->used);
    return all;
}

std::string object(const std::string& api, const std::string& kind, const std::string& rest,
                   const std::string& metadata = R"("name":"x","namespace":"ns")") {
    return R"({"apiVersion":")" + api + R"(","kind":")" + kind + R"(","metadata":{)" + metadata +
           "}" + (rest.empty() ? "" : "," + rest) + "}";
}

facts::Vmi vmi(const std::string& rest) {
    return added(object("kubevirt.io/v1", "VirtualMachineInstance", rest)).vmis.items.at(0);
}

}  // namespace

TEST_CASE("metadata is read with its owner") {
    const auto meta = added(object("v1", "Namespace", "", R"("name":"x","uid":"u",
        "resourceVersion":"7","labels":{"a":"b"},"annotations":{"c":"d"},
        "deletionTimestamp":"2026-01-01T00:00:00Z","ownerReferences":[
        {"uid":"o1"},{"uid":"o2","controller":true},{"uid":"o3","controller":false}])"))
                          .namespaces.items.at(0)
                          .meta;
    CHECK(meta.name == "x");
    CHECK(meta.uid == "u");
    CHECK(meta.resource_version == "7");
    CHECK(meta.labels == facts::Labels{{"a", "b"}});
    CHECK(meta.annotations == facts::Labels{{"c", "d"}});
    CHECK(meta.deleting);
    CHECK(meta.controller_uid == "o2");
}

TEST_CASE("a VMI is read with its disks, interfaces and status") {
    const auto read = vmi(R"("spec":{"architecture":"arm64","evictionStrategy":"LiveMigrate",
        "domain":{"cpu":{"model":"host-model","cores":2,"sockets":0,
          "features":[{"name":"f","policy":"require"}],"dedicatedCpuPlacement":true,
          "numa":{"guestMappingPassthrough":{}},"realtime":{}},
         "memory":{"guest":"8Gi","hugepages":{"pageSize":"2Mi"}},
         "resources":{"requests":{"memory":"1G"},"limits":{"cpu":"1"}},
         "launchSecurity":{"sev":{}},"firmware":{"bootloader":{"efi":{"persistent":true}}},
         "features":{"hyperv":{"reenlightenment":{"enabled":true}},
           "hypervPassthrough":{"enabled":true}},
         "devices":{"disks":[{"name":"d","disk":{}},{"name":"c","cdrom":{"readonly":false}},
             {"name":"l","lun":{"reservation":true},"cache":"none","shareable":true}],
           "filesystems":[{"name":"fs","virtiofs":{}}],
           "interfaces":[{"name":"i","masquerade":{},"ports":[{"port":80},{"name":"n"}]},
             {"name":"p","binding":{"name":"plug"}},{"name":"s","sriov":{}},{"name":"?"}],
           "hostDevices":[{"deviceName":"hd"}],"gpus":[{"deviceName":"g"},{"claimName":"c"}],
           "tpm":{"persistent":true},"autoattachPodInterface":false}},
        "networks":[{"name":"i","pod":{}},{"name":"m","multus":{"networkName":"ns/nad"}}],
        "utilityVolumes":[{"name":"u"}]},
        "status":{"phase":"Running","nodeName":"n1","migrationMethod":"LiveMigration",
          "migrationTransport":"Unix","selinuxContext":"","evacuationNodeName":"n1",
          "topologyHints":{"tscFrequency":5},
          "conditions":[{"type":"LiveMigratable","status":"False","reason":"R","message":"M",
            "lastTransitionTime":null}],
          "volumeStatus":[{"name":"d","persistentVolumeClaimInfo":{"claimName":"c",
            "accessModes":["ReadWriteMany"],"volumeMode":"Block","capacity":{"storage":"1Gi"}}},
            {"name":"h","hotplugVolume":{}}],
          "migratedVolumes":[{"volumeName":"d","sourcePVCInfo":{"claimName":"a",
            "capacity":{"storage":"1Gi"}},"destinationPVCInfo":{"claimName":"b"}}]})");
    const auto& guest = read.guest;
    CHECK(guest.architecture == "arm64");
    CHECK(guest.cpu->model == "host-model");
    CHECK(guest.cpu->cores == 2);
    CHECK(guest.cpu->sockets == 1);
    CHECK(guest.cpu->dedicated);
    CHECK(guest.cpu->numa_passthrough);
    CHECK(guest.cpu->realtime);
    CHECK(guest.cpu->features == std::vector<facts::CpuFeature>{{"f", "require"}});
    CHECK(guest.memory_guest == 8'589'934'592);
    CHECK(guest.memory_request == 1'000'000'000);
    CHECK(guest.hugepages == "2Mi");
    CHECK(guest.launch_security == facts::LaunchSecurity{.sev = true});
    CHECK(guest.reenlightenment);
    CHECK(guest.hyperv_passthrough);
    REQUIRE(guest.disks.size() == 3);
    CHECK(guest.disks[0].kind == facts::DiskKind::disk);
    CHECK(guest.disks[1].read_only == false);
    CHECK(guest.disks[2].reservation);
    CHECK(guest.disks[2].cache == "none");
    CHECK(guest.filesystems.front().virtiofs);
    REQUIRE(guest.interfaces.size() == 4);
    CHECK(guest.interfaces[0].ports == std::vector<std::int64_t>{80, 0});
    CHECK(guest.interfaces[1].binding == facts::Binding::plugin);
    CHECK(guest.interfaces[1].plugin == "plug");
    CHECK(guest.interfaces[2].binding == facts::Binding::sriov);
    CHECK(guest.interfaces[3].binding == facts::Binding::none);
    CHECK(guest.host_devices == std::vector<std::string>{"hd"});
    CHECK(guest.gpus == std::vector<std::string>{"g", ""});
    CHECK_FALSE(guest.autoattach_pod_interface);
    CHECK(guest.networks[0].pod);
    CHECK(guest.networks[1].name == "m");
    CHECK_FALSE(guest.networks[1].pod);
    CHECK(guest.utility_volumes == std::vector<std::string>{"u"});
    CHECK(read.phase == "Running");
    CHECK(read.tsc_frequency == 5);
    CHECK(read.selinux_context == "");
    CHECK(read.conditions.front().last_transition_time.empty());
    CHECK(read.volumes[0].claim->capacity == 1'073'741'824);
    CHECK_FALSE(read.volumes[1].claim);
    CHECK(read.migrated_volumes.front().source_capacity == 1'073'741'824);
    CHECK_FALSE(read.migrated_volumes.front().destination_capacity);
}

TEST_CASE("every kind of volume is told apart") {
    const auto volumes = vmi(R"("spec":{"volumes":[
        {"name":"a","persistentVolumeClaim":{"claimName":"pvc"}},
        {"name":"b","dataVolume":{"name":"dv"}},
        {"name":"c","hostDisk":{"path":"/x","shared":true}},
        {"name":"d","ephemeral":{"persistentVolumeClaim":{"claimName":"eph"}}},
        {"name":"e","memoryDump":{"claimName":"dump"}},
        {"name":"f","containerDisk":{"image":"i"},"cloudInitNoCloud":null}]})")
                             .guest.volumes;
    using enum facts::VolumeKind;
    CHECK(volumes == std::vector<facts::Volume>{{"a", claim, "persistentVolumeClaim", "pvc", false},
                                                {"b", data_volume, "dataVolume", "dv", false},
                                                {"c", host_disk, "hostDisk", "", true},
                                                {"d", ephemeral, "ephemeral", "eph", false},
                                                {"e", memory_dump, "memoryDump", "dump", false},
                                                {"f", other, "containerDisk", "", false}});
}

TEST_CASE("a feature that is named without `enabled` is on in a template only") {
    const std::string spec = R"("domain":{"features":{"hyperv":{"reenlightenment":{}}}})";
    CHECK_FALSE(vmi(R"("spec":{)" + spec + "}").guest.reenlightenment);
    const auto vm = added(object("kubevirt.io/v1", "VirtualMachine",
                                 R"("spec":{"template":{"spec":{)" + spec + "}}}"));
    CHECK(vm.vms.items.at(0).guest.reenlightenment);
}

TEST_CASE("a backup runs until it says that it is done") {
    const auto running = [](const std::string& status) {
        return vmi(R"("status":{"changedBlockTracking":)" + status + "}").backup_running;
    };
    CHECK(running(R"({"backupStatus":{"backupName":"b"}})"));
    CHECK(running(R"({"backupStatus":{"backupName":"b","completed":false}})"));
    CHECK_FALSE(running(R"({"backupStatus":{"backupName":"b","completed":true}})"));
    CHECK_FALSE(running(R"({"backupStatus":{}})"));
    CHECK_FALSE(running("{}"));
}

TEST_CASE("a VM is read with its template and data volumes") {
    const auto vm = added(object("kubevirt.io/v1", "VirtualMachine", R"("spec":{
        "instancetype":{"name":"it"},"preference":{"name":"pr"},
        "dataVolumeTemplates":[{"metadata":{"name":"dv"},"spec":{"storage":{
          "accessModes":["ReadWriteOnce"],"storageClassName":"sc","volumeMode":"Block"}}}],
        "template":{"metadata":{"labels":{"a":"b"},"annotations":{"c":"d"}}}},
        "status":{"created":true,"conditions":[{"type":"Ready","status":"True"}]})"))
                        .vms.items.at(0);
    CHECK(vm.instancetype == "it");
    CHECK(vm.preference == "pr");
    CHECK(vm.data_volumes.at(0).access_modes == std::vector<std::string>{"ReadWriteOnce"});
    CHECK(vm.data_volumes.at(0).volume_mode == "Block");
    CHECK(vm.template_labels == facts::Labels{{"a", "b"}});
    CHECK(vm.template_annotations == facts::Labels{{"c", "d"}});
    CHECK(vm.created);
    CHECK(vm.conditions.size() == 1);
}

TEST_CASE("KubeVirt's configuration is read, less the gates that are disabled") {
    const auto cr = added(object("kubevirt.io/v1", "KubeVirt", R"("spec":{"configuration":{
        "cpuModel":"Haswell","network":{"defaultNetworkInterface":"masquerade",
          "binding":{"good":{"migration":{}},"bad":{"migration":null}}},
        "developerConfiguration":{"featureGates":["A","B"],"disabledFeatureGates":["B"],
          "nodeSelectors":{"pool":"vm"}},
        "permittedHostDevices":{"mediatedDevices":[{"resourceName":"vgpu"}]},
        "migrations":{"bandwidthPerMigration":"64Mi","completionTimeoutPerGiB":0,
          "allowPostCopy":false,"network":"net"}}},
        "status":{"observedKubeVirtVersion":"v1.8.4"})"))
                        .kubevirts.items.at(0);
    CHECK(cr.observed_version == "v1.8.4");
    CHECK(cr.feature_gates == std::vector<std::string>{"A"});
    CHECK(cr.bindings == std::map<std::string, bool>{{"bad", false}, {"good", true}});
    CHECK(cr.default_network_interface == "masquerade");
    CHECK(cr.default_cpu_model == "Haswell");
    CHECK(cr.mediated_device_resources == std::vector<std::string>{"vgpu"});
    CHECK(cr.node_selectors == facts::Labels{{"pool", "vm"}});
    CHECK(cr.migrations.bandwidth == 67'108'864);
    CHECK(cr.migrations.completion_timeout_per_gib == 0);
    CHECK(cr.migrations.allow_post_copy == false);
    CHECK_FALSE(cr.migrations.disable_tls);
    CHECK(cr.migrations.network == "net");
}

TEST_CASE("a policy without selectors differs from one with empty selectors") {
    const auto policy = [](const std::string& spec) {
        return added(object("migrations.kubevirt.io/v1alpha1", "MigrationPolicy",
                            R"("spec":)" + spec, R"("name":"p")"))
            .policies.items.at(0);
    };
    CHECK_FALSE(policy("{}").has_selectors);
    CHECK(policy(R"({"selectors":{}})").has_selectors);
    CHECK_FALSE(policy(R"({"selectors":{}})").vmi_selector);
    const auto full = policy(R"({"selectors":{"namespaceSelector":{},
        "virtualMachineInstanceSelector":{"a":"b"}},"bandwidthPerMigration":"1Mi"})");
    CHECK(full.namespace_selector == facts::Labels{});
    CHECK(full.vmi_selector == facts::Labels{{"a", "b"}});
    CHECK(full.settings.bandwidth == 1'048'576);
}

TEST_CASE("a node is read with its taints, resources and heartbeat") {
    const auto node = added(object("v1", "Node", R"("spec":{"unschedulable":true,
        "taints":[{"key":"k","effect":"NoSchedule"}]},"status":{"allocatable":{"cpu":"3500m",
        "hugepages-1Gi":"2Gi","memory":"1Gi"},"conditions":[{"type":"Ready","status":"True"}]})",
                                   R"("name":"n","annotations":{
        "kubevirt.io/heartbeat":"2026-01-01T00:00:00Z"})"))
                          .nodes.items.at(0);
    CHECK(node.cordoned);
    CHECK(node.ready);
    CHECK(node.taints == std::vector<facts::Taint>{{"k", "", "NoSchedule"}});
    CHECK(node.allocatable.at("cpu") == 3);
    CHECK(node.allocatable.at("hugepages-1Gi") == 2'147'483'648);
    CHECK(node.heartbeat.has_value());
    CHECK_FALSE(added(object("v1", "Node", R"("status":{"conditions":[{"type":"Ready",
        "status":"Unknown"}]})",
                             R"("name":"n","annotations":{"kubevirt.io/heartbeat":"soon"})"))
                    .nodes.items.at(0)
                    .ready);
}

TEST_CASE("only KubeVirt's own pods are facts") {
    const auto pod = [](const std::string& role) {
        return object("v1", "Pod", R"("spec":{"nodeName":"n1","nodeSelector":{"a":"b"},
            "tolerations":[{"key":"k","operator":"Exists"}],"containers":[
            {"resources":{"requests":{"cpu":"100m"},"limits":{"cpu":"200m"}}},
            {"resources":{"requests":{"cpu":"1"},"limits":{"cpu":"2","memory":"1Gi"}}}],
            "affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":
            {"nodeSelectorTerms":[{"matchExpressions":[{"key":"z","operator":"In","values":["a"]}],
            "matchFields":[{"key":"metadata.name","operator":"NotIn","values":["n9"]}]}]}}}},
            "status":{"phase":"Running"})",
                      R"("name":"p","namespace":"ns","labels":{"kubevirt.io":")" + role +
                          R"("},"annotations":{"k8s.v1.cni.cncf.io/network-status":
            "[{\"interface\":\"migration0\",\"ips\":[\"10.0.0.1\",7]},{}]"})");
    };
    const auto launcher = added(pod("virt-launcher")).launchers.items.at(0);
    CHECK(launcher.node == "n1");
    CHECK(launcher.requests.at("cpu") == 1100);
    CHECK_FALSE(launcher.requests.contains("memory"));
    CHECK(launcher.limits.at("cpu") == 2200);
    CHECK(launcher.limits.at("memory") == 1'073'741'824'000);
    CHECK(launcher.placement.node_selector == facts::Labels{{"a", "b"}});
    CHECK(launcher.placement.tolerations.at(0).op == "Exists");
    const auto& term = launcher.placement.required_terms->at(0);
    CHECK(term.labels == std::vector<facts::Requirement>{{"z", "In", {"a"}}});
    CHECK(term.fields == std::vector<facts::Requirement>{{"metadata.name", "NotIn", {"n9"}}});
    const auto handler = added(pod("virt-handler")).handlers.items.at(0);
    CHECK(handler.interfaces.at("migration0") == std::vector<std::string>{"10.0.0.1"});
    Snapshot all;
    CHECK_FALSE(add_object(all, Json::parse(pod("virt-api")))->used);
    CHECK(all == Snapshot{});
}
