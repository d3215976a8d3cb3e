// VMI-001 … VMI-005, POD-001 … POD-003, NODE-001, NODE-002, ADM-001 … ADM-003.
#include <array>

#include "tests/unit/preflight_builders.hpp"

using namespace preflight;
using namespace preflight::builders;
using facts::Snapshot;

namespace {

constexpr auto this_vmi = "virtualmachineinstances.kubevirt.io/prod/web";

std::function<void(Snapshot&)> phase(std::string name) {
    return [name](Snapshot& all) { vmi_of(all).phase = name; };
}
std::function<void(Snapshot&)> reported(std::string status) {
    return [status](Snapshot& all) {
        vmi_of(all).conditions = {{"LiveMigratable", status, "R", "m", {}}};
    };
}
std::function<void(Snapshot&)> migration(std::string ns, std::string vmi, std::string state) {
    return [=](Snapshot& all) { all.migrations.items = {{meta(ns, "m"), vmi, state}}; };
}
facts::Pod& pod(Snapshot& all) {
    return all.launchers.items.front();
}
void add_second_launcher(Snapshot& all, const std::string& state) {
    auto second = launcher();
    second.meta.name += "2";
    second.node = "n2";
    second.phase = state;
    all.launchers.items.push_back(second);
}
facts::Node& other(Snapshot& all) {
    return all.nodes.items[1];
}
std::function<void(Snapshot&)> quota(std::string resource, std::int64_t hard, std::int64_t used) {
    return [=](Snapshot& all) {
        all.quotas.items = {{meta("prod", "q"), {{resource, hard}}, {{resource, used}}}};
    };
}
std::function<void(Snapshot&)> enforced(std::string level) {
    return [level](Snapshot& all) {
        all.namespaces.items.front().meta.labels["pod-security.kubernetes.io/enforce"] = level;
    };
}

}  // namespace

TEST_CASE("VMI-001 wants a VMI that runs") {
    expect("VMI-001", {{"Running", unchanged, Verdict::pass},
                       {"Scheduled", phase("Scheduled"), Verdict::fail},
                       {"Pending", phase("Pending"), Verdict::fail},
                       {"Succeeded", phase("Succeeded"), Verdict::fail},
                       {"Failed", phase("Failed"), Verdict::fail},
                       {"running is not Running", phase("running"), Verdict::fail},
                       {"no status", phase(""), Verdict::unknown, this_vmi}});
    expect("VMI-001", {{"stopped", unchanged, Verdict::warn}}, stopped);
}

TEST_CASE("VMI-001 tells a stopped VM from one whose VMI was not read") {
    auto all = stopped();
    CHECK(run(all, "VMI-001").front().seen == "the VM does not run");
    all.vms.items.front().created = true;
    const auto unread_vmi = run(all, "VMI-001").front();
    CHECK(unread_vmi.verdict == Verdict::unknown);
    CHECK(unread_vmi.gaps == std::vector<std::string>{this_vmi});
}

TEST_CASE("VMI-002 repeats what KubeVirt reports") {
    expect("VMI-002",
           {{"True", unchanged, Verdict::pass},
            {"False", reported("False"), Verdict::fail},
            {"Unknown", reported("Unknown"), Verdict::warn},
            {"true is not True", reported("true"), Verdict::warn},
            {"none", [](Snapshot& all) { vmi_of(all).conditions.clear(); }, Verdict::warn}});
    expect("VMI-002", {{"stopped", unchanged, Verdict::skipped}}, stopped);
}

TEST_CASE("VMI-003 sees the unfinished migrations of this VMI only") {
    expect("VMI-003", {{"none", unchanged, Verdict::pass},
                       {"running", migration("prod", "web", "Running"), Verdict::fail},
                       {"not begun", migration("prod", "web", ""), Verdict::fail},
                       {"succeeded", migration("prod", "web", "Succeeded"), Verdict::pass},
                       {"failed", migration("prod", "web", "Failed"), Verdict::pass},
                       {"of another VMI", migration("prod", "web2", "Running"), Verdict::pass},
                       {"of another namespace", migration("test", "web", "Running"), Verdict::pass},
                       {"unread", [](Snapshot& all) { unread(all, all.migrations, "vmims"); },
                        Verdict::unknown, "vmims"}});
    expect("VMI-003", {{"stopped", unchanged, Verdict::skipped}}, stopped);
}

TEST_CASE("VMI-003 finds the unfinished migration behind finished ones") {
    auto all = healthy();
    for (const auto* state : {"Succeeded", "Failed", "Scheduling", "Succeeded"}) {
        const auto name = "m" + std::to_string(all.migrations.items.size());
        all.migrations.items.push_back({.meta = meta("prod", name), .vmi = "web", .phase = state});
    }
    const auto findings = run(all, "VMI-003");
    REQUIRE(findings.size() == 1);
    CHECK(findings.front().verdict == Verdict::fail);
    CHECK(findings.front().subject.name == "m2");
}

TEST_CASE("VMI-004 warns of an evacuation mark") {
    expect("VMI-004",
           {{"none", unchanged, Verdict::pass},
            {"marked", [](Snapshot& all) { vmi_of(all).evacuation_node = "n1"; }, Verdict::warn}});
    expect("VMI-004", {{"stopped", unchanged, Verdict::skipped}}, stopped);
}

TEST_CASE("VMI-005 tells of a paused guest and passes") {
    auto all = healthy();
    CHECK(run(all, "VMI-005").front().seen == "not paused");
    vmi_of(all).conditions.push_back({"Paused", "False", "x", {}, {}});
    CHECK(run(all, "VMI-005").front().seen == "not paused");
    vmi_of(all).conditions.push_back({"Paused", "True", "PausedByUser", {}, {}});
    CHECK(run(all, "VMI-005").front().seen.find("PausedByUser") != std::string::npos);
    CHECK(run(all, "VMI-005").front().verdict == Verdict::pass);
    expect("VMI-005", {{"stopped", unchanged, Verdict::skipped}}, stopped);
}

TEST_CASE("POD-001 wants exactly one live launcher") {
    expect(
        "POD-001",
        {{"one", unchanged, Verdict::pass},
         {"none", [](Snapshot& all) { all.launchers.items.clear(); }, Verdict::fail},
         {"one, and it has ended", [](Snapshot& all) { pod(all).phase = "Failed"; }, Verdict::fail},
         {"two", [](Snapshot& all) { add_second_launcher(all, "Running"); }, Verdict::fail},
         {"two, one of them not yet running",
          [](Snapshot& all) { add_second_launcher(all, "Pending"); }, Verdict::fail},
         {"two, one of them done", [](Snapshot& all) { add_second_launcher(all, "Succeeded"); },
          Verdict::pass},
         {"a second one of another VMI",
          [](Snapshot& all) {
              add_second_launcher(all, "Running");
              all.launchers.items.back().meta.controller_uid = "other";
              all.launchers.items.back().meta.labels.clear();
          },
          Verdict::pass},
         {"unread", [](Snapshot& all) { unread(all, all.launchers, "pods"); }, Verdict::unknown,
          "pods"}});
    expect("POD-001", {{"stopped", unchanged, Verdict::skipped}}, stopped);
}

TEST_CASE("POD-002 warns of an outdated launcher") {
    expect(
        "POD-002",
        {{"current", unchanged, Verdict::pass},
         {"outdated",
          [](Snapshot& all) { vmi_of(all).meta.labels["kubevirt.io/outdatedLauncherImage"] = ""; },
          Verdict::warn}});
    expect("POD-002", {{"stopped", unchanged, Verdict::skipped}}, stopped);
}

TEST_CASE("POD-003 wants the SELinux context unless it is not matched") {
    expect("POD-003",
           {{"none is a context", unchanged, Verdict::pass},
            {"missing", [](Snapshot& all) { vmi_of(all).selinux_context.reset(); }, Verdict::warn},
            {"empty", [](Snapshot& all) { vmi_of(all).selinux_context = ""; }, Verdict::warn},
            {"missing, and not matched",
             [](Snapshot& all) {
                 vmi_of(all).selinux_context.reset();
                 kubevirt_in(all).migrations.match_selinux_level = false;
             },
             Verdict::pass}});
    expect("POD-003", {{"stopped", unchanged, Verdict::skipped}}, stopped);
}

TEST_CASE("NODE-001 looks for a node that can take the target") {
    expect("NODE-001",
           {{"one", unchanged, Verdict::pass},
            {"cordoned", [](Snapshot& all) { other(all).cordoned = true; }, Verdict::warn},
            {"not Ready", [](Snapshot& all) { other(all).ready = false; }, Verdict::warn},
            {"tainted",
             [](Snapshot& all) {
                 other(all).taints = {{"k", "v", "NoSchedule"}};
             },
             Verdict::warn},
            {"rather not",
             [](Snapshot& all) {
                 other(all).taints = {{"k", "v", "PreferNoSchedule"}};
             },
             Verdict::pass},
            {"the source's own state does not matter",
             [](Snapshot& all) { all.nodes.items[0].cordoned = true; }, Verdict::pass},
            {"handler silent",
             [](Snapshot& all) { other(all).heartbeat = noon - std::chrono::minutes(6); },
             Verdict::warn},
            {"the source is not among those read, so its CPU is not known",
             [](Snapshot& all) { all.nodes.items.erase(all.nodes.items.begin()); },
             Verdict::unknown, "nodes/n1"},
            {"only the source", [](Snapshot& all) { all.nodes.items.pop_back(); }, Verdict::warn},
            {"unread", [](Snapshot& all) { unread(all, all.nodes, "nodes"); }, Verdict::unknown,
             "nodes"}});
}

TEST_CASE("NODE-002 looks at the age of the source's heartbeat") {
    const auto age = [](std::chrono::seconds seconds) {
        return [seconds](Snapshot& all) { all.nodes.items[0].heartbeat = noon - seconds; };
    };
    expect("NODE-002",
           {{"fresh", unchanged, Verdict::pass},
            {"five minutes", age(std::chrono::minutes(5)), Verdict::pass},
            {"a second more", age(std::chrono::seconds(301)), Verdict::warn},
            {"from the future, the clocks differ", age(std::chrono::seconds(-60)), Verdict::pass},
            {"files have no time",
             [&](Snapshot& all) {
                 age(std::chrono::hours(9))(all);
                 all.live = false;
             },
             Verdict::skipped},
            {"no annotation", [](Snapshot& all) { all.nodes.items[0].heartbeat.reset(); },
             Verdict::warn},
            {"unread", [](Snapshot& all) { unread(all, all.nodes, "nodes"); }, Verdict::unknown,
             "nodes"}});
    expect("NODE-002", {{"stopped", unchanged, Verdict::skipped}}, stopped);
}

TEST_CASE("ADM-001 compares quotas with what the source pod requests") {
    expect("ADM-001",
           {{"none", unchanged, Verdict::skipped},
            {"room to the last thousandth", quota("requests.cpu", 2000, 1000), Verdict::pass},
            {"one thousandth short", quota("requests.cpu", 1999, 1000), Verdict::warn},
            {"cpu means requests.cpu", quota("cpu", 1999, 1000), Verdict::warn},
            {"pods", quota("pods", 1000, 1000), Verdict::warn},
            {"count/pods", quota("count/pods", 2000, 1000), Verdict::pass},
            {"of what the pod does not ask", quota("requests.storage", 1, 1), Verdict::pass},
            {"of another namespace",
             [](Snapshot& all) {
                 quota("pods", 1000, 1000)(all);
                 all.quotas.items.front().meta.ns = "test";
             },
             Verdict::skipped},
            {"unread", [](Snapshot& all) { unread(all, all.quotas, "quotas"); }, Verdict::unknown,
             "quotas"},
            {"pod unread",
             [](Snapshot& all) {
                 quota("pods", 1000, 1000)(all);
                 unread(all, all.launchers, "pods");
             },
             Verdict::unknown, "pods"}});
}

TEST_CASE("ADM-001 judges every quota of the namespace") {
    auto all = healthy();
    quota("pods", 9000, 1000)(all);
    all.quotas.items.push_back({meta("prod", "r"), {{"pods", 1000}}, {{"pods", 1000}}});
    const auto findings = run(all, "ADM-001");
    REQUIRE(findings.size() == 2);
    CHECK(findings[0].verdict == Verdict::pass);
    CHECK(findings[1].verdict == Verdict::warn);
    CHECK(findings[1].subject == Subject{"ResourceQuota", "prod", "r"});
}

TEST_CASE("ADM-002 warns of a restricted namespace") {
    expect("ADM-002",
           {{"no label", unchanged, Verdict::pass},
            {"privileged", enforced("privileged"), Verdict::pass},
            {"baseline", enforced("baseline"), Verdict::pass},
            {"restricted", enforced("restricted"), Verdict::warn},
            {"warned of only",
             [](Snapshot& all) {
                 all.namespaces.items.front().meta.labels["pod-security.kubernetes.io/warn"] =
                     "restricted";
             },
             Verdict::pass},
            {"unread", [](Snapshot& all) { unread(all, all.namespaces, "namespaces"); },
             Verdict::unknown, "namespaces"}});
}

TEST_CASE("ADM-003 repeats the server's own opinion") {
    const auto opinion = [](std::string name, bool accepted) {
        return [=](Snapshot& all) {
            all.opinions.items = {{meta("prod", name), accepted, accepted ? "" : "no"}};
        };
    };
    expect("ADM-003",
           {{"not asked", unchanged, Verdict::skipped},
            {"accepted", opinion("web", true), Verdict::pass},
            {"refused", opinion("web", false), Verdict::fail},
            {"of another VMI", opinion("web2", false), Verdict::skipped},
            {"no right to ask", [](Snapshot& all) { unread(all, all.opinions, "dry-run"); },
             Verdict::unknown, "dry-run"}});
    expect("ADM-003", {{"stopped", unchanged, Verdict::skipped}}, stopped);
}

namespace {

// Files hold some objects: nothing says that these are all, and no kind was refused.
template <class T>
void part_of(facts::Reading<T>& reading, std::vector<T> items) {
    reading.complete = false;
    reading.gap.clear();
    reading.items = std::move(items);
}

// The checks that ask a running VMI, and no other object, for their answer.
constexpr std::array running_checks{"VMI-001",  "VMI-002", "VMI-003",  "VMI-004",
                                    "VMI-005",  "POD-001", "POD-002",  "POD-003",
                                    "NODE-002", "CPU-006", "PORT-001", "ADM-003"};

void expect_unread(const Snapshot& all) {
    const auto item = judge_one(all);
    for (const auto* id : running_checks) {
        CAPTURE(id);
        const auto findings = findings_of(item, id);
        REQUIRE(findings.size() == 1);
        CHECK(to_string(findings.front().verdict) == "unknown");
        CHECK(findings.front().gaps == std::vector<std::string>{this_vmi});
    }
    CHECK(item.verdict == Verdict::unknown);
    CHECK(judge(all, {}, {}).exit_code == 3);
}

}  // namespace

TEST_CASE("a VM that was created and whose VMI was not read is no stopped VM") {
    auto all = stopped();
    all.vms.items.front().created = true;
    expect_unread(all);
    all.live = false;
    expect_unread(all);
}

TEST_CASE("while VMIs could not all be read nobody knows that a VM of a cluster is stopped") {
    auto all = stopped();
    unread(all, all.vmis, "vmis");
    expect_unread(all);
    // Files never hold a whole kind: there the VM's own status decides.
    all.live = false;
    CHECK(run(all, "VMI-001").front().verdict == Verdict::warn);
    CHECK(run(all, "POD-001").front().verdict == Verdict::skipped);
}

TEST_CASE("a VMI without a phase is unread, whatever else it says") {
    auto all = healthy();
    phase("")(all);
    vmi_of(all).conditions.clear();
    expect_unread(all);
}

TEST_CASE("where the VMI was not read KubeVirt may vouch for the VM") {
    auto all = stopped();
    auto& machine = all.vms.items.front();
    machine.created = true;
    machine.conditions = {{"LiveMigratable", "True", {}, {}, {}}};
    CHECK(run(all, "VMI-001").front().verdict == Verdict::unknown);
    CHECK(judge_one(all).verdict == Verdict::warn);
    CHECK(judge(all, {}, {}).exit_code == 0);
    machine.conditions.front().status = "Unknown";
    CHECK(judge_one(all).verdict == Verdict::unknown);
    CHECK(judge(all, {}, {}).exit_code == 3);
}

TEST_CASE("VMI-003 takes no migration for none where files hold one of that namespace") {
    const auto done = [](std::string ns) {
        return facts::Migration{.meta = meta(ns, "m"), .vmi = "x", .phase = "Failed"};
    };
    const std::string resource = "virtualmachineinstancemigrations.kubevirt.io";
    expect("VMI-003",
           {{"one of this namespace",
             [&](Snapshot& all) { part_of(all.migrations, {done("prod")}); }, Verdict::pass},
            {"one of another namespace",
             [&](Snapshot& all) { part_of(all.migrations, {done("test")}); }, Verdict::unknown,
             resource},
            {"nothing", [&](Snapshot& all) { part_of(all.migrations, {}); }, Verdict::unknown,
             resource},
            {"one of this namespace, another was not understood",
             [&](Snapshot& all) {
                 part_of(all.migrations, {done("prod")});
                 all.migrations.gap = "vmims";
             },
             Verdict::unknown, "vmims"},
            {"the unfinished one tells, however much was read",
             [](Snapshot& all) {
                 part_of(all.migrations, {{meta("prod", "m"), "web", "Running"}});
                 all.migrations.gap = "vmims";
             },
             Verdict::fail}});
}

TEST_CASE("POD-001 counts launchers only where all of the namespace were read") {
    auto foreign = launcher();
    foreign.meta.controller_uid = "other";
    expect(
        "POD-001",
        {{"its own", [](Snapshot& all) { part_of(all.launchers, {launcher()}); }, Verdict::pass},
         {"another VMI's only",
          [&](Snapshot& all) {
              auto elsewhere = foreign;
              elsewhere.meta.ns = "test";
              part_of(all.launchers, {elsewhere});
          },
          Verdict::unknown, "pods"},
         {"nothing", [](Snapshot& all) { part_of(all.launchers, {}); }, Verdict::unknown, "pods"},
         {"its own, another was not understood",
          [](Snapshot& all) {
              part_of(all.launchers, {launcher()});
              all.launchers.gap = "launchers";
          },
          Verdict::unknown, "launchers"},
         {"two are two, however much was read",
          [](Snapshot& all) {
              add_second_launcher(all, "Running");
              all.launchers.complete = false;
              all.launchers.gap = "launchers";
          },
          Verdict::fail}});
}

TEST_CASE("ADM-001 takes no quota for none where files hold one of that namespace") {
    const auto of = [](std::string ns) {
        return facts::ResourceQuota{meta(ns, "q"), {{"pods", 9000}}, {{"pods", 1000}}};
    };
    expect("ADM-001",
           {{"one of this namespace", [&](Snapshot& all) { part_of(all.quotas, {of("prod")}); },
             Verdict::pass},
            {"one of another namespace", [&](Snapshot& all) { part_of(all.quotas, {of("test")}); },
             Verdict::unknown, "resourcequotas"},
            {"one of this namespace, another was not understood",
             [&](Snapshot& all) {
                 part_of(all.quotas, {of("prod")});
                 all.quotas.gap = "quotas";
             },
             Verdict::unknown, "quotas"}});
}

TEST_CASE("ADM-001 asks nothing of a stopped VM, whose start needs the room anyway") {
    expect("ADM-001",
           {{"no quota", unchanged, Verdict::skipped},
            {"a full one", quota("pods", 1000, 1000), Verdict::skipped},
            {"unread", [](Snapshot& all) { unread(all, all.quotas, "quotas"); }, Verdict::skipped}},
           stopped);
}

TEST_CASE("ADM-001 compares limits with the limits of the source pod, not with its requests") {
    const auto limited = [](std::int64_t limit, std::int64_t hard) {
        return [=](Snapshot& all) {
            if (limit > 0) pod(all).limits["cpu"] = limit;
            quota("limits.cpu", hard, 1000)(all);
        };
    };
    expect("ADM-001", {{"room to the last thousandth", limited(2000, 3000), Verdict::pass},
                       {"one thousandth short", limited(2000, 2999), Verdict::warn},
                       {"a pod without limits", limited(0, 1000), Verdict::pass},
                       {"requests are no limits",
                        [&](Snapshot& all) {
                            limited(4000, 9000)(all);
                            quota("requests.cpu", 2000, 1000)(all);
                        },
                        Verdict::pass}});
}

TEST_CASE("NODE-001 wants two nodes for a stopped VM, one of which will be the source") {
    expect("NODE-001",
           {{"two", unchanged, Verdict::pass},
            {"one", [](Snapshot& all) { other(all).cordoned = true; }, Verdict::warn},
            {"a third makes up for it",
             [](Snapshot& all) {
                 other(all).cordoned = true;
                 all.nodes.items.push_back(node("n3"));
             },
             Verdict::pass},
            {"the only node of the cluster", [](Snapshot& all) { all.nodes.items.pop_back(); },
             Verdict::warn},
            {"unread", [](Snapshot& all) { unread(all, all.nodes, "nodes"); }, Verdict::unknown,
             "nodes"}},
           stopped);
}

TEST_CASE("NODE-001 leaves open what hangs on a volume or on KubeVirt that was not read") {
    const auto no_pods = [](std::function<void(Snapshot&)> change) {
        return [change](Snapshot& all) {
            unread(all, all.launchers, "pods");
            change(all);
        };
    };
    expect("NODE-001",
           {{"claims unread", [](Snapshot& all) { unread(all, all.claims, "claims"); },
             Verdict::unknown, "claims"},
            {"the claim does not exist", [](Snapshot& all) { all.claims.items.clear(); },
             Verdict::pass},
            {"volumes unread", [](Snapshot& all) { unread(all, all.volumes, "pv"); },
             Verdict::unknown, "pv"},
            {"the claim is not bound",
             [](Snapshot& all) {
                 all.claims.items.front().volume.clear();
                 unread(all, all.volumes, "pv");
             },
             Verdict::pass},
            {"KubeVirt unread, the source pod tells what is selected",
             [](Snapshot& all) { unread(all, all.kubevirts, "kubevirts"); }, Verdict::pass},
            {"KubeVirt unread, and no pod",
             no_pods([](Snapshot& all) { unread(all, all.kubevirts, "kubevirts"); }),
             Verdict::unknown, "kubevirts"},
            {"no pod, but KubeVirt", no_pods(unchanged), Verdict::pass}});
}
