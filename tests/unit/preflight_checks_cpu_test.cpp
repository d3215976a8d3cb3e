// CPU-001 … CPU-006, NUMA-001 … NUMA-003, and the device and memory encryption checks.
#include "tests/unit/preflight_builders.hpp"

using namespace preflight;
using namespace preflight::builders;
using facts::Snapshot;

namespace {

constexpr auto model_label = "host-model-cpu.node.kubevirt.io/Skylake";
constexpr auto migration_label = "cpu-model-migration.node.kubevirt.io/Skylake";

facts::Node& source(Snapshot& all) {
    return all.nodes.items[0];
}
facts::Node& other(Snapshot& all) {
    return all.nodes.items[1];
}
std::function<void(Snapshot&)> model(std::string name) {
    return [name](Snapshot& all) { guest_of(all).cpu->model = name; };
}
std::function<void(Snapshot&)> in_release(std::string version,
                                          std::function<void(Snapshot&)> change) {
    return [version, change](Snapshot& all) {
        kubevirt_in(all).observed_version = version;
        change(all);
    };
}
void use_hugepages(Snapshot& all, std::int64_t on_other) {
    guest_of(all).hugepages = "1Gi";
    source(all).allocatable["hugepages-1Gi"] = 16 * gibibyte;
    other(all).allocatable["hugepages-1Gi"] = on_other;
}

}  // namespace

TEST_CASE("CPU-001 asks for the host model's label on the node that runs the VM") {
    expect("CPU-001",
           {{"offered", unchanged, Verdict::pass},
            {"missing on the source",
             [](Snapshot& all) { source(all).meta.labels.erase(model_label); }, Verdict::fail},
            {"missing on another node only",
             [](Snapshot& all) { other(all).meta.labels.erase(model_label); }, Verdict::pass},
            {"a label that only begins alike",
             [](Snapshot& all) {
                 source(all).meta.labels.erase(model_label);
                 source(all).meta.labels["host-model-cpu.node.kubevirt.io"] = "true";
             },
             Verdict::fail},
            {"a named model needs no label",
             [](Snapshot& all) {
                 source(all).meta.labels.erase(model_label);
                 guest_of(all).cpu->model = "Skylake-Client";
             },
             Verdict::pass},
            {"nodes unread", [](Snapshot& all) { unread(all, all.nodes, "nodes"); },
             Verdict::unknown, "nodes"},
            {"the node is not among those read",
             [](Snapshot& all) { all.nodes.items.erase(all.nodes.items.begin()); },
             Verdict::unknown, "nodes/n1"}});
}

TEST_CASE("CPU-001 lets a stopped VM pass where any node has the label") {
    expect("CPU-001",
           {{"one of two", [](Snapshot& all) { source(all).meta.labels.erase(model_label); },
             Verdict::pass},
            {"none",
             [](Snapshot& all) {
                 for (auto& node : all.nodes.items) node.meta.labels.erase(model_label);
             },
             Verdict::fail},
            {"unread", [](Snapshot& all) { unread(all, all.nodes, "nodes"); }, Verdict::unknown,
             "nodes"}},
           stopped);
}

TEST_CASE("CPU-002 warns of host-passthrough") {
    expect("CPU-002",
           {{"host-model", unchanged, Verdict::pass},
            {"passthrough", model("host-passthrough"), Verdict::warn},
            {"named", model("Haswell"), Verdict::pass},
            {"no cpu", [](Snapshot& all) { guest_of(all).cpu.reset(); }, Verdict::pass}});
}

TEST_CASE("CPU-003 looks for a node that offers the same CPU") {
    expect(
        "CPU-003",
        {{"offered", unchanged, Verdict::pass},
         {"other model", [](Snapshot& all) { other(all).meta.labels.erase(migration_label); },
          Verdict::warn},
         {"label is there, but false",
          [](Snapshot& all) { other(all).meta.labels[migration_label] = "false"; }, Verdict::warn},
         {"other vendor",
          [](Snapshot& all) { other(all).meta.labels.erase("cpu-vendor.node.kubevirt.io/Intel"); },
          Verdict::warn},
         {"no other node", [](Snapshot& all) { all.nodes.items.pop_back(); }, Verdict::warn},
         {"the source node is not among those read, but its pod tells",
          [](Snapshot& all) {
              all.nodes.items.erase(all.nodes.items.begin());
              all.launchers.items.front().placement.node_selector = {
                  {migration_label, "true"}, {"cpu-vendor.node.kubevirt.io/Intel", "true"}};
          },
          Verdict::pass},
         {"the source node is not among those read",
          [](Snapshot& all) { all.nodes.items.erase(all.nodes.items.begin()); }, Verdict::unknown,
          "nodes/n1"},
         {"nodes unread", [](Snapshot& all) { unread(all, all.nodes, "nodes"); }, Verdict::unknown,
          "nodes"}});
}

TEST_CASE("CPU-004 asks for the TSC frequency where reenlightenment needs it") {
    const auto need = [](Snapshot& all) { guest_of(all).reenlightenment = true; };
    const auto feature = [need](std::string policy) {
        return [need, policy](Snapshot& all) {
            need(all);
            guest_of(all).cpu->features = {{"invtsc", policy}};
        };
    };
    expect("CPU-004", {{"not needed", unchanged, Verdict::pass},
                       {"missing", need, Verdict::fail},
                       {"known",
                        [&](Snapshot& all) {
                            need(all);
                            vmi_of(all).tsc_frequency = 2'000'000'000;
                        },
                        Verdict::pass},
                       {"zero is none",
                        [&](Snapshot& all) {
                            need(all);
                            vmi_of(all).tsc_frequency = 0;
                        },
                        Verdict::fail},
                       {"invtsc required", feature("require"), Verdict::pass},
                       {"invtsc forced", feature("force"), Verdict::pass},
                       {"invtsc without a policy", feature(""), Verdict::fail},
                       {"invtsc disabled", feature("disable"), Verdict::fail}});
}

TEST_CASE("CPU-004 foresees the frequency of a stopped VM from the nodes") {
    const auto need = [](Snapshot& all) { all.vms.items.front().guest.reenlightenment = true; };
    expect("CPU-004",
           {{"no node exposes one", need, Verdict::fail},
            {"one node does",
             [&](Snapshot& all) {
                 need(all);
                 other(all).meta.labels["cpu-timer.node.kubevirt.io/tsc-frequency"] = "1";
             },
             Verdict::pass},
            {"nodes unread",
             [&](Snapshot& all) {
                 need(all);
                 unread(all, all.nodes, "nodes");
             },
             Verdict::unknown, "nodes"}},
           stopped);
}

TEST_CASE("CPU-005 refuses Hyper-V passthrough") {
    expect("CPU-005",
           {{"off", unchanged, Verdict::pass},
            {"on", [](Snapshot& all) { guest_of(all).hyperv_passthrough = true; }, Verdict::fail}});
}

TEST_CASE("CPU-006 warns where the pod selects what its own node has lost") {
    const auto select = [](std::string label) {
        return [label](Snapshot& all) {
            all.launchers.items.front().placement.node_selector[label] = "true";
        };
    };
    expect("CPU-006",
           {{"nothing selected", unchanged, Verdict::pass},
            {"still offered", select(migration_label), Verdict::pass},
            {"lost", select("cpu-feature.node.kubevirt.io/avx512"), Verdict::warn},
            {"lost, but no CPU label", select("zone"), Verdict::pass},
            {"launchers unread", [](Snapshot& all) { unread(all, all.launchers, "pods"); },
             Verdict::unknown, "pods"},
            {"nodes unread", [](Snapshot& all) { unread(all, all.nodes, "nodes"); },
             Verdict::unknown, "nodes"}});
    expect("CPU-006", {{"stopped", unchanged, Verdict::skipped}}, stopped);
}

TEST_CASE("NUMA-001 counts the other nodes with CPU manager") {
    const auto dedicate = [](std::string value) {
        return [value](Snapshot& all) {
            guest_of(all).cpu->dedicated = true;
            source(all).meta.labels["kubevirt.io/cpumanager"] = "true";
            if (!value.empty()) other(all).meta.labels["kubevirt.io/cpumanager"] = value;
        };
    };
    expect("NUMA-001", {{"not dedicated", unchanged, Verdict::skipped},
                        {"offered", dedicate("true"), Verdict::pass},
                        {"label false", dedicate("false"), Verdict::warn},
                        {"the source only", dedicate(""), Verdict::warn},
                        {"unread",
                         [&](Snapshot& all) {
                             dedicate("true")(all);
                             unread(all, all.nodes, "nodes");
                         },
                         Verdict::unknown, "nodes"}});
}

TEST_CASE("NUMA-002 compares huge pages with what another node has") {
    expect(
        "NUMA-002",
        {{"none", unchanged, Verdict::skipped},
         {"exactly enough", [](Snapshot& all) { use_hugepages(all, 8 * gibibyte); }, Verdict::pass},
         {"one byte short", [](Snapshot& all) { use_hugepages(all, 8 * gibibyte - 1); },
          Verdict::warn},
         {"pages of another size",
          [](Snapshot& all) {
              use_hugepages(all, 0);
              other(all).allocatable["hugepages-2Mi"] = 64 * gibibyte;
          },
          Verdict::warn},
         {"unread",
          [](Snapshot& all) {
              use_hugepages(all, 8 * gibibyte);
              unread(all, all.nodes, "nodes");
          },
          Verdict::unknown, "nodes"}});
}

TEST_CASE("NUMA-003 tells of NUMA passthrough and never blocks") {
    expect("NUMA-003", {{"none", unchanged, Verdict::skipped},
                        {"used", [](Snapshot& all) { guest_of(all).cpu->numa_passthrough = true; },
                         Verdict::pass}});
}

TEST_CASE("host devices stay behind, and one mediated GPU may move since 1.9") {
    const auto gpu = [](std::string name) {
        return [name](Snapshot& all) { guest_of(all).gpus = {name}; };
    };
    const auto allowed = [](Snapshot& all) {
        kubevirt_in(all).feature_gates = {"VGPULiveMigration"};
        kubevirt_in(all).mediated_device_resources = {"nvidia.com/vgpu"};
        guest_of(all).gpus = {"nvidia.com/vgpu"};
    };
    const std::string id(find_check("DEV-001")->id);
    expect(id, {{"none", unchanged, Verdict::pass},
                {"host device", [](Snapshot& all) { guest_of(all).host_devices = {"x"}; },
                 Verdict::fail},
                {"GPU without the gate", gpu("nvidia.com/vgpu"), Verdict::fail},
                {"mediated GPU with the gate", allowed, Verdict::pass},
                {"1.8 knows no such GPU", in_release("v1.8.4", allowed), Verdict::fail},
                {"two GPUs",
                 [&](Snapshot& all) {
                     allowed(all);
                     guest_of(all).gpus.emplace_back("nvidia.com/vgpu");
                 },
                 Verdict::fail},
                {"GPU of a DRA claim",
                 [&](Snapshot& all) {
                     allowed(all);
                     kubevirt_in(all).mediated_device_resources.emplace_back("");
                     guest_of(all).gpus = {""};
                 },
                 Verdict::fail},
                {"GPU, KubeVirt unread",
                 [](Snapshot& all) {
                     guest_of(all).gpus = {"nvidia.com/vgpu"};
                     unread(all, all.kubevirts, "kubevirts");
                 },
                 Verdict::unknown, "kubevirts"}});
}

TEST_CASE("memory encryption ties a guest to its host, release by release") {
    const auto secure = [](facts::LaunchSecurity how) {
        return [how](Snapshot& all) { guest_of(all).launch_security = how; };
    };
    const auto sev = secure({.sev = true});
    const auto snp = secure({.snp = true});
    const auto tdx = secure({.tdx = true});
    expect("SEC-001", {{"none", unchanged, Verdict::pass},
                       {"SEV", sev, Verdict::fail},
                       {"SNP", snp, Verdict::fail},
                       {"SNP in 1.6", in_release("v1.6.6", snp), Verdict::pass},
                       {"TDX", tdx, Verdict::pass},
                       {"empty", secure({}), Verdict::pass}});
    expect("SEC-002", {{"none", unchanged, Verdict::pass},
                       {"TDX", tdx, Verdict::fail},
                       {"1.6 has no such rule", in_release("v1.6.6", tdx), Verdict::skipped}});
    const auto on_s390x = [&](Snapshot& all) {
        secure({})(all);
        guest_of(all).architecture = "s390x";
    };
    expect("SEC-003", {{"none", unchanged, Verdict::pass},
                       {"on amd64", secure({}), Verdict::pass},
                       {"on s390x", on_s390x, Verdict::fail},
                       {"1.5 has no such rule", in_release("v1.5.3", on_s390x), Verdict::skipped}});
}

TEST_CASE("CPU-001 needs a full list of nodes to refuse a stopped VM") {
    const auto bare = [](Snapshot& all) {
        for (auto& node : all.nodes.items) node.meta.labels.erase(model_label);
    };
    const auto some = [](Snapshot& all) {
        all.nodes.complete = false;
        all.nodes.gap.clear();
    };
    expect("CPU-001",
           {{"all were read", bare, Verdict::fail},
            {"some were read",
             [&](Snapshot& all) {
                 bare(all);
                 some(all);
             },
             Verdict::unknown, "nodes"},
            {"some were read, and another was not understood",
             [&](Snapshot& all) {
                 bare(all);
                 some(all);
                 all.nodes.gap = "broken";
             },
             Verdict::unknown, "broken"},
            {"some were read, one of them offers it", some, Verdict::pass}},
           stopped);
}

namespace {

// A world where n1 and n2 offer what a stopped VM asks, and a case takes it from n2.
void name_model(Snapshot& all) {
    all.vms.items.front().guest.cpu->model = "Haswell";
    for (auto& node : all.nodes.items) {
        node.meta.labels["cpu-model.node.kubevirt.io/Haswell"] = "true";
    }
}

}  // namespace

TEST_CASE("CPU-003 wants two nodes that offer the CPU of a stopped VM") {
    expect("CPU-003",
           {{"two", name_model, Verdict::pass},
            {"one",
             [](Snapshot& all) {
                 name_model(all);
                 other(all).meta.labels.erase("cpu-model.node.kubevirt.io/Haswell");
             },
             Verdict::warn},
            {"the only node",
             [](Snapshot& all) {
                 name_model(all);
                 all.nodes.items.pop_back();
             },
             Verdict::warn}},
           stopped);
}

TEST_CASE("NUMA-001 wants two nodes with CPU manager for a stopped VM") {
    const auto dedicate = [](std::string value) {
        return [value](Snapshot& all) {
            all.vms.items.front().guest.cpu->dedicated = true;
            source(all).meta.labels["kubevirt.io/cpumanager"] = "true";
            other(all).meta.labels["kubevirt.io/cpumanager"] = value;
        };
    };
    expect("NUMA-001",
           {{"two", dedicate("true"), Verdict::pass}, {"one", dedicate("false"), Verdict::warn}},
           stopped);
}

TEST_CASE("NUMA-002 wants two nodes with the huge pages of a stopped VM") {
    const auto use = [](std::int64_t on_other) {
        return [on_other](Snapshot& all) {
            all.vms.items.front().guest.hugepages = "1Gi";
            source(all).allocatable["hugepages-1Gi"] = 16 * gibibyte;
            other(all).allocatable["hugepages-1Gi"] = on_other;
        };
    };
    expect("NUMA-002",
           {{"two", use(8 * gibibyte), Verdict::pass}, {"one", use(gibibyte), Verdict::warn}},
           stopped);
}
