#include "preflight/judge.hpp"

#include "tests/unit/preflight_builders.hpp"

using namespace preflight;
using namespace preflight::builders;
using facts::Snapshot;

namespace {

const Selection everything{};

Selection targets(std::vector<Target> list, std::string ns = "prod") {
    return {std::move(list), {}, std::move(ns), {}};
}
Selection labelled(std::string_view text) {
    return {{}, *parse_selector(text), {}, {}};
}

std::vector<std::string> names(const PreflightReport& report) {
    std::vector<std::string> all;
    for (const auto& item : report.items) {
        all.push_back(item.kind + " " + item.ns + "/" + item.name);
    }
    return all;
}

facts::ClaimStatus& claim(Snapshot& all) {
    return *vmi_of(all).volumes.front().claim;
}

// A VMI whose blocking facts cannot be read: its pods may be anywhere.
Snapshot without_pods() {
    auto all = healthy();
    unread(all, all.launchers, "pods");
    return all;
}

}  // namespace

TEST_CASE("a healthy VM passes, with every check said") {
    const auto report = judge(healthy(), everything, {});
    REQUIRE(report.items.size() == 1);
    const auto& item = report.items.front();
    for (const auto& [check, finding] : item.checks) {
        CAPTURE(check->id);
        CAPTURE(finding.seen);
        CHECK((finding.verdict == Verdict::pass || finding.verdict == Verdict::skipped));
    }
    for (const auto& check : all_checks()) CHECK_FALSE(findings_of(item, check.id).empty());
    CHECK(item.verdict == Verdict::pass);
    CHECK(item.agrees == true);
    CHECK(item.differs.empty());
    CHECK(item.recomputed.live_migratable.status == "True");
    CHECK(item.recomputed.migration_method == "LiveMigration");
    CHECK(report.exit_code == 0);
    CHECK(report.gaps.empty());
    CHECK(report.rules == "1.9");
    CHECK_FALSE(report.rules_assumed);
    CHECK(report.kubevirt_version == "v1.9.0");
    CHECK(report.taken_at == noon);
    CHECK(report.summary == Summary{1, 1, 0, 0, 0});
}

TEST_CASE("a VM and its VMI are one item, and say so under the VM's name") {
    const auto item = judge_one(healthy());
    CHECK(item.kind == "VirtualMachine");
    CHECK(item.uid == "vm-uid");
    CHECK(item.node == "n1");
}

TEST_CASE("a VMI of another owner stands beside the VM of its name") {
    auto all = healthy();
    vmi_of(all).meta.controller_uid = "someone";
    CHECK(names(judge(all, everything, {})) ==
          std::vector<std::string>{"VirtualMachineInstance prod/web", "VirtualMachine prod/web"});
    vmi_of(all).meta.controller_uid.clear();
    CHECK(names(judge(all, everything, {})).size() == 1);
}

TEST_CASE("a VMI alone stands alone, and a VM alone is judged as if it ran") {
    auto all = healthy();
    all.vms.items.clear();
    CHECK(names(judge(all, everything, {})) ==
          std::vector<std::string>{"VirtualMachineInstance prod/web"});
    const auto item = judge_one(stopped());
    CHECK(item.kind == "VirtualMachine");
    CHECK(item.node.empty());
    CHECK(item.verdict == Verdict::warn);
    CHECK(item.recomputed.live_migratable.status == "True");
    CHECK_FALSE(item.agrees.has_value());
    CHECK_FALSE(item.reported.live_migratable);
}

TEST_CASE("items stand in the order of namespace and name") {
    auto all = healthy();
    for (const auto& [ns, name] : {std::pair("b", "a"), std::pair("a", "z"), std::pair("a", "b")}) {
        auto other = vm();
        other.meta = meta(ns, name);
        all.vms.items.push_back(other);
    }
    CHECK(names(judge(all, everything, {})) ==
          std::vector<std::string>{"VirtualMachine a/b", "VirtualMachine a/z", "VirtualMachine b/a",
                                   "VirtualMachine prod/web"});
}

TEST_CASE("conditions mirrored on the VM count where the VMI was not read") {
    auto all = healthy();
    all.vms.items.front().conditions = {{"LiveMigratable", "False", "R", "m", "t"}};
    CHECK(judge_one(all).reported.live_migratable->status == "True");
    unread(all, all.vmis, "vmis");
    const auto item = judge_one(all);
    CHECK(item.reported.live_migratable == ReportedCondition{"False", "R", "m", "t"});
    CHECK(item.verdict == Verdict::fail);
    all.vms.items.front().created = false;
    CHECK_FALSE(judge_one(all).reported.live_migratable);
}

TEST_CASE("a stopped VM's new disks are judged by their data volume templates") {
    auto all = stopped();
    auto& machine = all.vms.items.front();
    machine.guest.volumes.front() = {"root", facts::VolumeKind::data_volume, "dataVolume", "new",
                                     false};
    const auto with = [&](std::vector<std::string> modes) {
        machine.data_volumes = {{meta("", "new"), std::move(modes), {}, {}}};
        return run(all, "DISK-001").front();
    };
    CHECK(with({"ReadWriteMany"}).verdict == Verdict::pass);
    CHECK(with({"ReadWriteOnce"}).verdict == Verdict::fail);
    const auto undecided = with({});
    CHECK(undecided.verdict == Verdict::unknown);
    CHECK(undecided.gaps == std::vector<std::string>{"persistentvolumeclaims/prod/new"});
    // A claim that exists knows better than the template it was made from.
    all.claims.items.push_back({meta("prod", "new"), {"ReadWriteMany"}, "Block", "ceph", {}});
    CHECK(with({"ReadWriteOnce"}).verdict == Verdict::pass);
}

TEST_CASE("an instancetype that was not expanded leaves the template open") {
    auto all = stopped();
    all.vms.items.front().instancetype = "large";
    const auto report = judge(all, everything, {});
    CHECK(report.items.front().recomputed.live_migratable.status == "Unknown");
    CHECK(report.items.front().verdict == Verdict::unknown);
    CHECK(report.exit_code == 3);
    REQUIRE(report.gaps.size() == 1);
    CHECK(report.gaps.front().resource == "virtualmachines/expand-spec.subresources.kubevirt.io");
    CHECK(report.gaps.front().reason.find("large") != std::string::npos);
}

TEST_CASE("a condition that differs is told with the likely reason") {
    auto all = healthy();
    claim(all).access_modes = {"ReadWriteOnce"};
    const auto stale = judge_one(all);
    CHECK(stale.agrees == false);
    REQUIRE_FALSE(stale.differs.empty());
    CHECK(stale.differs.front().starts_with(
        "LiveMigratable is reported True, the objects say False (DisksNotLiveMigratable); the "
        "condition is likely stale: it changes only when"));
    all.nodes.items.front().heartbeat = noon - std::chrono::minutes(6);
    CHECK(judge_one(all).differs.front().find("virt-handler on n1 has been silent") !=
          std::string::npos);
    kubevirt_in(all).observed_version = "v2.0.0";
    CHECK(judge_one(all).differs.front().ends_with("the rules of another release may hold there"));
}

TEST_CASE("status, reason and method are compared, messages are not") {
    const auto differs = [](std::function<void(Snapshot&)> change) {
        auto all = healthy();
        change(all);
        return judge_one(all).differs.size();
    };
    CHECK(differs([](Snapshot& all) { vmi_of(all).migration_method = "BlockMigration"; }) == 1);
    CHECK(differs([](Snapshot& all) {
              vmi_of(all).conditions = {{"LiveMigratable", "True", "R", "words", {}}};
          }) == 0);
    const auto bad = [](const char* reason) {
        return [reason](Snapshot& all) {
            claim(all).access_modes.clear();
            vmi_of(all).conditions = {{"LiveMigratable", "False", reason, "words", {}}};
            vmi_of(all).migration_method.clear();
        };
    };
    CHECK(differs(bad("DisksNotLiveMigratable")) == 0);
    CHECK(differs(bad("HostDeviceNotLiveMigratable")) == 1);
    CHECK(differs([](Snapshot& all) { vmi_of(all).conditions.clear(); }) == 0);
}

TEST_CASE("what is unread blocks unless KubeVirt has vouched for the VM") {
    auto all = without_pods();
    CHECK(judge_one(all).verdict == Verdict::warn);
    CHECK(judge(all, everything, {}).exit_code == 0);
    vmi_of(all).conditions.clear();
    CHECK(judge_one(all).verdict == Verdict::unknown);
    CHECK(judge(all, everything, {}).exit_code == 3);
    vmi_of(all).conditions = {{"LiveMigratable", "Unknown", {}, {}, {}}};
    CHECK(judge_one(all).verdict == Verdict::unknown);
    vmi_of(all).conditions = {{"LiveMigratable", "False", "R", "m", {}}};
    CHECK(judge_one(all).verdict == Verdict::fail);
    CHECK(judge(all, everything, {}).exit_code == 3);
}

TEST_CASE("a failure outweighs what is unknown, and unknown a warning") {
    auto all = without_pods();
    vmi_of(all).conditions.clear();
    vmi_of(all).evacuation_node = "n1";
    CHECK(judge_one(all).verdict == Verdict::unknown);
    claim(all).access_modes.clear();
    CHECK(judge_one(all).verdict == Verdict::fail);
}

TEST_CASE("an unread fact of a warning's check only warns") {
    auto all = healthy();
    vmi_of(all).conditions = {};
    unread(all, all.quotas, "quotas");
    CHECK(judge_one(all).verdict == Verdict::warn);
}

TEST_CASE("a waiver demotes what counts, and only that") {
    auto all = healthy();
    claim(all).access_modes.clear();
    vmi_of(all).conditions.clear();
    const auto verdict = [&](std::vector<Waiver> waivers) {
        return judge(all, everything, {std::move(waivers), false}).items.front().verdict;
    };
    const Waiver no_condition{"VMI-002", {}};
    CHECK(verdict({no_condition}) == Verdict::fail);
    CHECK(verdict({no_condition, {"DISK-001", {}}}) == Verdict::pass);
    CHECK(verdict({no_condition, {"disk-001", "prod/web"}}) == Verdict::pass);
    CHECK(verdict({no_condition, {"claims-shared", "web"}}) == Verdict::pass);
    CHECK(verdict({no_condition, {"DISK-001", "test/web"}}) == Verdict::fail);
    CHECK(verdict({no_condition, {"DISK-001", "we"}}) == Verdict::fail);
    CHECK(verdict({no_condition, {"DISK-002", {}}}) == Verdict::fail);
    CHECK(verdict({no_condition, {"DISK-1", {}}}) == Verdict::fail);
}

TEST_CASE("a waived finding keeps what it saw, and a pass stays a pass") {
    auto all = healthy();
    claim(all).access_modes.clear();
    const auto report = judge(all, everything, {{{"DISK-001", {}}, {"DISK-011", {}}}, false});
    const auto waived = findings_of(report.items.front(), "DISK-001").front();
    CHECK(waived.verdict == Verdict::waived);
    CHECK_FALSE(waived.seen.empty());
    CHECK(findings_of(report.items.front(), "DISK-011").front().verdict == Verdict::pass);
}

TEST_CASE("what is unknown can be waived, too") {
    auto all = without_pods();
    vmi_of(all).conditions.clear();
    const auto report = judge(all, everything, {{{"POD-001", {}}}, false});
    CHECK(findings_of(report.items.front(), "POD-001").front().verdict == Verdict::waived);
    CHECK(report.items.front().verdict == Verdict::warn);
}

TEST_CASE("exit codes: 0, 3 where something blocks, 4 for warnings on request, 1 for errors") {
    const auto code = [](const Snapshot& all, bool strict) {
        return judge(all, everything, {{}, strict}).exit_code;
    };
    CHECK(code(healthy(), true) == 0);
    auto warning = healthy();
    vmi_of(warning).evacuation_node = "n1";
    CHECK(code(warning, false) == 0);
    CHECK(code(warning, true) == 4);
    auto failing = warning;
    claim(failing).access_modes.clear();
    CHECK(code(failing, false) == 3);
    CHECK(code(failing, true) == 3);
    CHECK(judge(failing, targets({{TargetKind::any, "gone"}}), {}).exit_code == 1);
}

TEST_CASE("an empty selection is no error") {
    const auto report = judge(healthy(), labelled("app=none"), {});
    CHECK(report.items.empty());
    CHECK_FALSE(report.error);
    CHECK(report.exit_code == 0);
    CHECK(report.summary == Summary{});
}

TEST_CASE("a target that is not there is an error beside those that are") {
    const auto report =
        judge(healthy(), targets({{TargetKind::any, "web"}, {TargetKind::vmi, "gone"}}), {});
    CHECK(report.items.size() == 1);
    REQUIRE(report.error);
    CHECK(report.error->kind == "not_found");
    CHECK(report.error->message == "vmi/gone not found in namespace prod");
    CHECK_FALSE(report.error->hint.empty());
    CHECK(report.exit_code == 1);
}

TEST_CASE("vm/ and vmi/ ask for the object of that kind") {
    const auto found = [](const Snapshot& all, TargetKind kind) {
        return judge(all, targets({{kind, "web"}}), {}).items.size();
    };
    CHECK(found(healthy(), TargetKind::vm) == 1);
    CHECK(found(healthy(), TargetKind::vmi) == 1);
    CHECK(found(stopped(), TargetKind::vm) == 1);
    CHECK(found(stopped(), TargetKind::vmi) == 0);
    auto alone = healthy();
    alone.vms.items.clear();
    CHECK(found(alone, TargetKind::vm) == 0);
    CHECK(found(alone, TargetKind::any) == 1);
}

TEST_CASE("a target is looked for in its namespace, by its whole name") {
    CHECK(judge(healthy(), targets({{TargetKind::any, "web"}}, "test"), {}).error);
    CHECK(judge(healthy(), targets({{TargetKind::any, "we"}}), {}).error);
    CHECK_FALSE(judge(healthy(), targets({{TargetKind::any, "web"}}, ""), {}).error);
}

TEST_CASE("a selector looks at the labels of the VM and of its VMI") {
    auto all = healthy();
    all.vms.items.front().meta.labels = {{"tier", "front"}};
    CHECK(judge(all, labelled("tier=front"), {}).items.size() == 1);
    CHECK(judge(all, labelled("app=web"), {}).items.size() == 1);
    CHECK(judge(all, labelled("app=db"), {}).items.empty());
}

TEST_CASE("a node selects the VMs that run there") {
    const auto on = [](const Snapshot& all, std::string node) {
        return judge(all, {{}, {}, {}, std::move(node)}, {}).items.size();
    };
    CHECK(on(healthy(), "n1") == 1);
    CHECK(on(healthy(), "n2") == 0);
    CHECK(on(healthy(), "n") == 0);
    CHECK(on(stopped(), "n1") == 0);
}

TEST_CASE("every gap that a finding names is in the report, whatever was not read") {
    auto bare = healthy();
    bare = Snapshot{};
    bare.live = true;
    for (const auto& world : {healthy(), stopped()}) {
        bare.vms = world.vms;
        bare.vmis = world.vmis;
        for (const auto& all : {bare, world}) {
            const auto report = judge(all, everything, {});
            std::set<std::string> ids;
            for (const auto& gap : report.gaps) CHECK(ids.insert(gap.id).second);
            for (const auto& item : report.items) {
                for (const auto& [check, finding] : item.checks) {
                    CAPTURE(check->id);
                    CHECK((finding.verdict == Verdict::unknown) == !finding.gaps.empty());
                    for (const auto& gap : finding.gaps) CHECK(ids.contains(gap));
                }
            }
        }
    }
}

TEST_CASE("the same facts give the same report") {
    const auto all = without_pods();
    CHECK(judge(all, everything, {}) == judge(all, everything, {}));
}

namespace {

// A cluster of which VMs or VMIs could not be read, and nothing else is there.
Snapshot nothing_but(bool vms_read, bool vmis_read) {
    auto all = healthy();
    all.vms.items.clear();
    all.vmis.items.clear();
    if (!vms_read) unread(all, all.vms, "vms");
    if (!vmis_read) unread(all, all.vmis, "vmis");
    return all;
}

}  // namespace

TEST_CASE("an empty selection is an error where not everything was read that could be selected") {
    for (const auto& [vms, vmis] :
         {std::pair(false, true), std::pair(true, false), std::pair(false, false)}) {
        const auto report = judge(nothing_but(vms, vmis), everything, {});
        CHECK(report.exit_code == 1);
        REQUIRE(report.error);
        CHECK(report.error->message.find("forbidden") != std::string::npos);
        CHECK(report.error->hint.find(vmis ? "list vms" : "list vmis") != std::string::npos);
    }
    CHECK_FALSE(judge(nothing_but(true, true), everything, {}).error);
    CHECK(judge(nothing_but(true, true), everything, {}).exit_code == 0);
    // Files hold what they hold.
    auto files = nothing_but(false, false);
    files.live = false;
    CHECK_FALSE(judge(files, everything, {}).error);
}

TEST_CASE("a selection that finds something is judged, whatever else was not read") {
    auto all = healthy();
    unread(all, all.vms, "vms");
    const auto report = judge(all, everything, {});
    CHECK(report.items.size() == 1);
    CHECK_FALSE(report.error);
    CHECK(judge(all, labelled("app=none"), {}).error);
}

TEST_CASE("which VMs run on a node is not known without the VMIs") {
    const auto on_n1 = [](const Snapshot& all) { return judge(all, {{}, {}, {}, "n1"}, {}); };
    CHECK_FALSE(on_n1(healthy()).error);
    auto all = healthy();
    all.vmis.complete = false;
    all.vmis.gap = "vmis";
    all.gaps.push_back({"vmis", "list", "vmis", "VMI prod/bad: status.phase: expected text"});
    const auto report = on_n1(all);
    CHECK(report.items.size() == 1);
    REQUIRE(report.error);
    CHECK(report.error->message.find("expected text") != std::string::npos);
    CHECK(report.exit_code == 1);
    // Without a node the VMIs that were read are judged as they are.
    CHECK_FALSE(judge(all, everything, {}).error);
    all.live = false;
    CHECK_FALSE(on_n1(all).error);
}

TEST_CASE("a reason is compared only where nothing unread stands before it") {
    auto all = healthy();
    guest_of(all).interfaces.front().binding = facts::Binding::bridge;
    guest_of(all).host_devices = {"x"};
    vmi_of(all).conditions = {{"LiveMigratable", "False", "CPUModeLiveMigratable", "m", {}}};
    CHECK(judge_one(all).recomputed.live_migratable.reason == "InterfaceNotLiveMigratable");
    CHECK(judge_one(all).agrees == false);
    // The interface passes, the node's CPU is unread, and the device comes after it.
    guest_of(all).interfaces.front().binding = facts::Binding::masquerade;
    CHECK(judge_one(all).agrees == false);
    unread(all, all.nodes, "nodes");
    CHECK(judge_one(all).recomputed.live_migratable.reason == "HostDeviceNotLiveMigratable");
    CHECK(judge_one(all).agrees == true);
    CHECK(judge_one(all).differs.empty());
    // Another status differs, whatever was not read; and what stands behind does not matter.
    vmi_of(all).conditions.front().status = "True";
    CHECK(judge_one(all).agrees == false);
    vmi_of(all).conditions.front().status = "False";
    guest_of(all).interfaces.front().binding = facts::Binding::bridge;
    CHECK(judge_one(all).agrees == false);
}

TEST_CASE("the report says why rules of another release were taken") {
    const auto note = [](const std::string& version) {
        auto all = healthy();
        kubevirt_in(all).observed_version = version;
        return judge(all, everything, {}).rules_note;
    };
    CHECK(note("v1.9.0").empty());
    CHECK(note("v1.4.1").empty());
    CHECK(note("v1.3.0").find("older") != std::string::npos);
    CHECK(note("v1.10.0").find("newer") != std::string::npos);
    CHECK(note("").find("unknown") != std::string::npos);
    auto all = healthy();
    unread(all, all.kubevirts, "kubevirts");
    CHECK(judge(all, everything, {}).rules_note.find("unknown") != std::string::npos);
}
