#include "preflight/placement.hpp"

#include "tests/unit/preflight_builders.hpp"

using namespace preflight;
using namespace preflight::builders;
using facts::NodeTerm;
using facts::Requirement;
using facts::Snapshot;
using facts::Taint;
using facts::Toleration;

namespace {

TargetNeeds needs_of(const Snapshot& all) {
    return target_needs(all, judge_vmi(all, belongings_of(all), nullptr, all.vmis.items.front()));
}

bool holds(const std::string& op, std::vector<std::string> values, const std::string& label) {
    auto candidate = node("n");
    candidate.meta.labels["key"] = label;
    return term_matches({{{"key", op, std::move(values)}}, {}}, candidate);
}
bool holds_without(const std::string& op, std::vector<std::string> values) {
    return term_matches({{{"key", op, std::move(values)}}, {}}, node("n"));
}

std::vector<std::string> obstacles(const facts::Node& candidate, const TargetNeeds& needs) {
    return why_not(candidate, needs, noon);
}

}  // namespace

TEST_CASE("node affinity knows six operators") {
    CHECK(holds("In", {"a", "b"}, "b"));
    CHECK_FALSE(holds("In", {}, "b"));
    CHECK_FALSE(holds_without("In", {"a"}));
    CHECK(holds("NotIn", {"a"}, "b"));
    CHECK_FALSE(holds("NotIn", {"a", "b"}, "b"));
    CHECK(holds_without("NotIn", {"a"}));
    CHECK(holds("Exists", {}, ""));
    CHECK_FALSE(holds_without("Exists", {}));
    CHECK(holds_without("DoesNotExist", {}));
    CHECK_FALSE(holds("DoesNotExist", {}, ""));
    CHECK(holds("Gt", {"9"}, "10"));
    CHECK_FALSE(holds("Gt", {"10"}, "10"));
    CHECK(holds("Lt", {"-1"}, "-2"));
    CHECK_FALSE(holds_without("Lt", {"1"}));
}

TEST_CASE("an operator or number that is none matches nothing") {
    CHECK_FALSE(holds("Gt", {"9"}, "ten"));
    CHECK_FALSE(holds("Gt", {"x"}, "10"));
    CHECK_FALSE(holds("Gt", {}, "10"));
    CHECK_FALSE(holds("Gt", {"1", "2"}, "10"));
    CHECK_FALSE(holds("Gt", {"9"}, "10x"));
    CHECK_FALSE(holds("Gt", {"1"}, "99999999999999999999"));
    CHECK_FALSE(holds("", {"20"}, "10"));
    CHECK_FALSE(holds("lt", {"20"}, "10"));
}

TEST_CASE("all requirements of a term must hold, and an empty term matches nothing") {
    auto candidate = node("n1");
    candidate.meta.labels["zone"] = "a";
    const Requirement zone{"zone", "In", {"a"}};
    const Requirement name{"metadata.name", "In", {"n1"}};
    const Requirement other{"metadata.name", "In", {"n2"}};
    CHECK(term_matches({{zone}, {name}}, candidate));
    CHECK_FALSE(term_matches({{zone}, {other}}, candidate));
    CHECK(term_matches({{}, {{"metadata.name", "NotIn", {"n2"}}}}, candidate));
    CHECK_FALSE(term_matches({{}, {{"metadata.uid", "NotIn", {"n2"}}}}, candidate));
    CHECK_FALSE(term_matches({}, candidate));
}

TEST_CASE("a toleration covers key, value and effect") {
    const Taint taint{"k", "v", "NoSchedule"};
    const auto covers = [&](Toleration toleration) { return tolerated(taint, {toleration}); };
    CHECK(covers({"k", "Equal", "v", "NoSchedule"}));
    CHECK(covers({"k", "", "v", ""}));
    CHECK(covers({"k", "Exists", "", ""}));
    CHECK(covers({"", "Exists", "", ""}));
    CHECK(covers({"", "Exists", "", "NoSchedule"}));
    CHECK_FALSE(covers({"", "Exists", "", "NoExecute"}));
    CHECK_FALSE(covers({"k", "Equal", "w", ""}));
    CHECK_FALSE(covers({"k2", "Exists", "", ""}));
    CHECK_FALSE(covers({"k", "Equal", "", ""}));
    CHECK_FALSE(tolerated(taint, {}));
}

TEST_CASE("the target selects what the source pod selects") {
    auto all = healthy();
    auto& placement = all.launchers.items.front().placement;
    placement.node_selector["zone"] = "a";
    placement.tolerations = {{"k", "Exists", "", ""}};
    placement.required_terms = std::vector<NodeTerm>{{{{"disk", "Exists", {}}}, {}}};
    const auto needs = needs_of(all);
    CHECK(needs.placement.node_selector.at("zone") == "a");
    auto candidate = node("n2");
    CHECK(
        obstacles(candidate, needs) ==
        std::vector<std::string>{"lacks label zone", "does not match the required node affinity"});
    candidate.meta.labels["zone"] = "b";
    candidate.meta.labels["disk"] = "";
    candidate.taints = {{"k", "v", "NoSchedule"}, {"other", "", "NoExecute"}};
    CHECK(obstacles(candidate, needs) ==
          std::vector<std::string>{"has zone=b, not a", "has taint other:NoExecute"});
}

TEST_CASE("without the source pod the guest tells what is selected") {
    auto all = healthy();
    unread(all, all.launchers, "pods");
    auto& guest = guest_of(all);
    guest.placement.node_selector = {{"zone", "a"}};
    guest.cpu->model = "Haswell";
    guest.cpu->dedicated = true;
    guest.cpu->realtime = true;
    guest.cpu->features = {{"avx", ""}, {"sse", "require"}, {"tsx", "forbid"}, {"x", "optional"}};
    kubevirt_in(all).node_selectors = {{"pool", "vm"}, {"zone", "b"}};
    const auto needs = needs_of(all);
    const auto& selector = needs.placement.node_selector;
    CHECK(selector.at("zone") == "a");
    CHECK(selector.at("pool") == "vm");
    CHECK(selector.at("kubevirt.io/schedulable") == "true");
    CHECK(selector.at("kubernetes.io/arch") == "amd64");
    CHECK(selector.at("kubevirt.io/cpumanager") == "true");
    CHECK(selector.at("kubevirt.io/realtime") == "true");
    CHECK(selector.at("cpu-model.node.kubevirt.io/Haswell") == "true");
    CHECK(selector.contains("cpu-feature.node.kubevirt.io/avx"));
    CHECK(selector.contains("cpu-feature.node.kubevirt.io/sse"));
    CHECK_FALSE(selector.contains("cpu-feature.node.kubevirt.io/x"));
    CHECK(needs.absent_labels == std::vector<std::string>{"cpu-feature.node.kubevirt.io/tsx"});
}

TEST_CASE("the first migration of a host-model guest takes the source node's model") {
    auto all = healthy();
    all.nodes.items[0].meta.labels["host-model-required-features.node.kubevirt.io/avx"] = "true";
    const auto selector = needs_of(all).placement.node_selector;
    CHECK(selector.at("cpu-model-migration.node.kubevirt.io/Skylake") == "true");
    CHECK(selector.at("cpu-feature.node.kubevirt.io/avx") == "true");
    CHECK(selector.at("cpu-vendor.node.kubevirt.io/Intel") == "true");
}

TEST_CASE("later migrations keep the model of the first") {
    auto all = healthy();
    all.nodes.items[0].meta.labels["host-model-required-features.node.kubevirt.io/avx"] = "true";
    all.launchers.items.front().placement.node_selector = {
        {"cpu-model-migration.node.kubevirt.io/Haswell", "true"},
        {"cpu-vendor.node.kubevirt.io/Intel", "true"}};
    const auto selector = needs_of(all).placement.node_selector;
    CHECK(selector.size() == 2);
    CHECK(selector.contains("cpu-model-migration.node.kubevirt.io/Haswell"));
}

TEST_CASE("a host-model guest does not go to a node whose model is obsolete") {
    const auto needs = needs_of(healthy());
    auto candidate = node("n2");
    candidate.meta.labels["node-labeller.kubevirt.io/obsolete-host-model"] = "true";
    CHECK(obstacles(candidate, needs) ==
          std::vector<std::string>{"has label node-labeller.kubevirt.io/obsolete-host-model"});
}

TEST_CASE("a node must reach every pinned volume") {
    auto all = healthy();
    all.volumes.items.front().node_terms =
        std::vector<NodeTerm>{{{}, {{"metadata.name", "In", {"n1"}}}}};
    const auto needs = needs_of(all);
    REQUIRE(needs.volumes.size() == 1);
    CHECK(obstacles(node("n2"), needs) == std::vector<std::string>{"cannot reach volume pv-1"});
    CHECK(obstacles(node("n1"), needs).empty());
}

TEST_CASE("a node must have the huge pages") {
    auto all = healthy();
    guest_of(all).hugepages = "2Mi";
    const auto needs = needs_of(all);
    auto candidate = node("n2");
    CHECK(obstacles(candidate, needs) == std::vector<std::string>{"has too few hugepages-2Mi"});
    candidate.allocatable["hugepages-2Mi"] = 8 * gibibyte;
    CHECK(obstacles(candidate, needs).empty());
}

TEST_CASE("the age of a heartbeat counts only where the time is known") {
    const TargetNeeds needs;
    auto candidate = node("n2");
    candidate.heartbeat = noon - std::chrono::minutes(5);
    CHECK(why_not(candidate, needs, noon).empty());
    candidate.heartbeat = noon - std::chrono::seconds(301);
    CHECK(why_not(candidate, needs, noon).size() == 1);
    CHECK(why_not(candidate, needs, std::nullopt).empty());
    candidate.heartbeat.reset();
    CHECK(why_not(candidate, needs, noon).empty());
}

TEST_CASE("a cordon is told once, not as its taint again") {
    auto candidate = node("n2");
    candidate.cordoned = true;
    candidate.ready = false;
    candidate.taints = {{"node.kubernetes.io/unschedulable", "", "NoSchedule"},
                        {"k", "", "PreferNoSchedule"}};
    CHECK(why_not(candidate, {}, noon) == std::vector<std::string>{"is not Ready", "is cordoned"});
}

TEST_CASE("the source launcher is the live pod of this VMI on its node") {
    auto all = healthy();
    const auto found = [&] {
        return source_launcher(judge_vmi(all, belongings_of(all), nullptr, all.vmis.items.front()));
    };
    REQUIRE(found() != nullptr);
    all.launchers.items.front().node = "n2";
    CHECK(found() == nullptr);
    all.launchers.items.front() = launcher();
    all.launchers.items.front().phase = "Succeeded";
    CHECK(found() == nullptr);
    all.launchers.items.front() = launcher();
    all.launchers.items.front().meta.controller_uid.clear();
    CHECK(found() != nullptr);
    all.launchers.items.front().meta.labels.clear();
    CHECK(found() == nullptr);
}

namespace {

constexpr auto machine_label = "machine-type.node.kubevirt.io/pc-q35-rhel9.4.0";
constexpr auto tsc_label = "scheduling.node.kubevirt.io/tsc-frequency-2000000000";

// Without the source pod the guest has to tell.
Snapshot podless() {
    auto all = healthy();
    unread(all, all.launchers, "pods");
    vmi_of(all).machine = "pc-q35-rhel9.4.0";
    vmi_of(all).tsc_frequency = 2'000'000'000;
    return all;
}

}  // namespace

TEST_CASE("the machine type is selected where nodes have labels of that family") {
    auto all = podless();
    CHECK_FALSE(needs_of(all).placement.node_selector.contains(machine_label));
    all.nodes.items[1].meta.labels["machine-type.node.kubevirt.io/pc-i440fx"] = "true";
    CHECK(needs_of(all).placement.node_selector.at(machine_label) == "true");
    // What runs counts, not what was asked for; without a status the specification does.
    guest_of(all).machine = "q35";
    CHECK(needs_of(all).placement.node_selector.contains(machine_label));
    vmi_of(all).machine.clear();
    CHECK(needs_of(all).placement.node_selector.contains("machine-type.node.kubevirt.io/q35"));
    guest_of(all).machine.clear();
    for (const auto& [label, value] : needs_of(all).placement.node_selector) {
        CHECK_FALSE(label.starts_with("machine-type.node.kubevirt.io/"));
    }
}

TEST_CASE("the TSC frequency is selected where nodes have labels of that family") {
    auto all = podless();
    CHECK_FALSE(needs_of(all).placement.node_selector.contains(tsc_label));
    all.nodes.items[1].meta.labels["scheduling.node.kubevirt.io/tsc-frequency-1"] = "true";
    CHECK(needs_of(all).placement.node_selector.at(tsc_label) == "true");
    vmi_of(all).tsc_frequency = 0;
    CHECK_FALSE(needs_of(all).placement.node_selector.contains(
        "scheduling.node.kubevirt.io/tsc-frequency-0"));
}

TEST_CASE("the source pod's selector is taken as it is") {
    auto all = podless();
    all.launchers.items = {launcher()};
    all.nodes.items[1].meta.labels["machine-type.node.kubevirt.io/q35"] = "true";
    CHECK_FALSE(needs_of(all).placement.node_selector.contains(machine_label));
}

TEST_CASE("what an earlier migration asked for is not asked of the next one") {
    auto all = healthy();
    auto& pod = all.launchers.items.front();
    pod.placement.node_selector["kubernetes.io/hostname"] = "n1";
    CHECK(needs_of(all).placement.node_selector.contains("kubernetes.io/hostname"));
    pod.meta.labels["kubevirt.io/migrationJobUID"] = "earlier";
    pod.placement.node_selector["zone"] = "a";
    pod.placement.node_selector["rack"] = "1";
    pod.placement.node_selector["cpu-model-migration.node.kubevirt.io/Skylake"] = "true";
    guest_of(all).placement.node_selector["zone"] = "a";
    kubevirt_in(all).node_selectors["rack"] = "1";
    const auto selector = needs_of(all).placement.node_selector;
    CHECK_FALSE(selector.contains("kubernetes.io/hostname"));
    CHECK(selector.at("zone") == "a");
    CHECK(selector.at("rack") == "1");
    CHECK(selector.contains("cpu-model-migration.node.kubevirt.io/Skylake"));
    unread(all, all.kubevirts, "kubevirts");
    CHECK(needs_of(all).gaps == std::vector<std::string>{"kubevirts"});
}

TEST_CASE("what was not read of the target's needs is named, each thing once") {
    CHECK(needs_of(healthy()).gaps.empty());
    auto all = podless();
    CHECK(needs_of(all).gaps.empty());
    guest_of(all).volumes.push_back(
        {"logs", facts::VolumeKind::claim, "persistentVolumeClaim", "logs", false});
    all.claims.complete = false;
    all.claims.items.clear();
    CHECK(needs_of(all).volume_gaps == std::vector<std::string>{"persistentvolumeclaims"});
    unread(all, all.kubevirts, "kubevirts");
    auto gaps = needs_of(all).gaps;
    std::sort(gaps.begin(), gaps.end());
    CHECK(gaps == std::vector<std::string>{"kubevirts"});
    auto unbound = healthy();
    unread(unbound, unbound.volumes, "pv");
    CHECK(needs_of(unbound).volume_gaps == std::vector<std::string>{"pv"});
}

TEST_CASE("huge pages are asked for the smaller of request and guest memory") {
    const auto bytes = [](std::optional<std::int64_t> request, std::optional<std::int64_t> memory) {
        auto all = healthy();
        guest_of(all).hugepages = "1Gi";
        guest_of(all).memory_request = request;
        guest_of(all).memory_guest = memory;
        return needs_of(all).hugepages_bytes;
    };
    CHECK(bytes(4 * gibibyte, 8 * gibibyte) == 4 * gibibyte);
    CHECK(bytes(8 * gibibyte, 4 * gibibyte) == 4 * gibibyte);
    CHECK(bytes({}, 8 * gibibyte) == 8 * gibibyte);
    CHECK(bytes(8 * gibibyte, {}) == 8 * gibibyte);
    CHECK(bytes({}, {}) == 0);
}

TEST_CASE("a stopped VM needs two nodes, a running one another") {
    const auto running = healthy();
    CHECK(nodes_needed(judge_vmi(running, belongings_of(running), nullptr,
                                 running.vmis.items.front())) == 1);
    const auto all = stopped();
    CHECK(nodes_needed(judge_template(all, all.vms.items.front())) == 2);
}
