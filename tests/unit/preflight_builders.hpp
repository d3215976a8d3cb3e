// Facts that a test starts from: one running VM that passes every check. A case changes what it is
// about and nothing else.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "preflight/judge.hpp"

namespace preflight::builders {

constexpr std::int64_t gibibyte = std::int64_t{1} << 30U;
constexpr std::chrono::sys_seconds noon{std::chrono::seconds{1'770'000'000}};

inline facts::Meta meta(const std::string& ns, const std::string& name,
                        const std::string& uid = {}) {
    facts::Meta result;
    result.ns = ns;
    result.name = name;
    result.uid = uid;
    return result;
}

inline facts::Guest guest() {
    facts::Guest result;
    result.architecture = "amd64";
    result.cpu.emplace();
    result.cpu->model = "host-model";
    result.memory_guest = 8 * gibibyte;
    result.disks = {{.name = "root"}};
    result.interfaces = {{"default", facts::Binding::masquerade, {}, {}}};
    result.networks = {{"default", true}};
    result.volumes = {{"root", facts::VolumeKind::claim, "persistentVolumeClaim", "data", false}};
    return result;
}

inline facts::Vmi vmi() {
    facts::Vmi result;
    result.meta = meta("prod", "web", "vmi-uid");
    result.meta.controller_uid = "vm-uid";
    result.meta.labels = {{"app", "web"}};
    result.guest = guest();
    result.phase = "Running";
    result.node = "n1";
    result.conditions = {{"LiveMigratable", "True", {}, {}, {}},
                         {"StorageLiveMigratable", "True", {}, {}, {}}};
    result.volumes = {
        {"root", facts::ClaimStatus{"data", {"ReadWriteMany"}, "Block", 10 * gibibyte}}};
    result.migration_method = "LiveMigration";
    result.migration_transport = "Unix";
    result.selinux_context = "none";
    return result;
}

inline facts::Vm vm() {
    facts::Vm result;
    result.meta = meta("prod", "web", "vm-uid");
    result.guest = guest();
    result.template_labels = {{"app", "web"}};
    result.created = true;
    return result;
}

inline facts::Node node(const std::string& name) {
    facts::Node result;
    result.meta = meta("", name);
    result.meta.labels = {{"kubevirt.io/schedulable", "true"},
                          {"kubernetes.io/arch", "amd64"},
                          {"host-model-cpu.node.kubevirt.io/Skylake", "true"},
                          {"cpu-model-migration.node.kubevirt.io/Skylake", "true"},
                          {"cpu-vendor.node.kubevirt.io/Intel", "true"}};
    result.ready = true;
    result.heartbeat = noon - std::chrono::seconds(30);
    return result;
}

inline facts::Pod launcher() {
    facts::Pod result;
    result.meta = meta("prod", "virt-launcher-web-abcde", "pod-uid");
    result.meta.labels = {{"kubevirt.io", "virt-launcher"}, {"kubevirt.io/created-by", "vmi-uid"}};
    result.meta.controller_uid = "vmi-uid";
    result.node = "n1";
    result.phase = "Running";
    result.placement.node_selector = {{"kubevirt.io/schedulable", "true"}};
    result.requests = {{"cpu", 1000}, {"memory", 9 * gibibyte * 1000}};
    return result;
}

inline facts::Pod handler(const std::string& node_name) {
    facts::Pod result;
    result.meta = meta("kubevirt", "virt-handler-" + node_name);
    result.node = node_name;
    result.phase = "Running";
    result.meta.labels = {{"kubevirt.io", "virt-handler"}};
    return result;
}

inline facts::KubeVirt kubevirt(const std::string& version = "v1.9.0") {
    facts::KubeVirt result;
    result.meta = meta("kubevirt", "kubevirt");
    result.observed_version = version;
    return result;
}

template <class T>
void read(facts::Reading<T>& reading, std::vector<T> items) {
    reading.complete = true;
    reading.items = std::move(items);
}

// Everything was read, and every check passes or does not apply.
inline facts::Snapshot healthy() {
    facts::Snapshot all;
    all.taken_at = noon;
    all.source = "cluster test";
    all.live = true;
    read(all.vms, {vm()});
    read(all.vmis, {vmi()});
    read(all.kubevirts, {kubevirt()});
    read(all.nodes, {node("n1"), node("n2")});
    read(all.launchers, {launcher()});
    read(all.handlers, {handler("n1"), handler("n2")});
    read(all.handler_sets, {{meta("kubevirt", "virt-handler"), {}, 2, 2, 2, true}});
    read(all.claims, {{meta("prod", "data"), {"ReadWriteMany"}, "Block", "ceph", "pv-1"}});
    read(all.volumes, {{meta("", "pv-1"), "rbd.csi.ceph.com", {}}});
    read(all.storage_classes, {{meta("", "ceph"), "rbd.csi.ceph.com"}});
    read(all.namespaces, {{meta("", "prod")}});
    for (facts::Coverage* rest : std::initializer_list<facts::Coverage*>{
             &all.migrations, &all.policies, &all.network_policies, &all.attachments,
             &all.data_volumes, &all.quotas, &all.opinions}) {
        rest->complete = true;
    }
    return all;
}

// The same VM, stopped: nothing but its template and its claims tell of it.
inline facts::Snapshot stopped() {
    auto all = healthy();
    all.vmis.items.clear();
    all.launchers.items.clear();
    all.vms.items.front().created = false;
    return all;
}

template <class T>
void unread(facts::Snapshot& all, facts::Reading<T>& reading, const std::string& id) {
    reading.items.clear();
    reading.complete = false;
    reading.gap = id;
    all.gaps.push_back({id, "list", id, "forbidden"});
}

inline Item judge_one(const facts::Snapshot& all) {
    const auto report = judge(all, {}, {});
    REQUIRE(report.items.size() == 1);
    return report.items.front();
}

inline std::vector<Finding> findings_of(const Item& item, std::string_view id) {
    std::vector<Finding> findings;
    for (const auto& result : item.checks) {
        if (result.check->id == id) findings.push_back(result.finding);
    }
    return findings;
}

inline std::vector<Finding> run(const facts::Snapshot& all, std::string_view id) {
    return findings_of(judge_one(all), id);
}

struct Case {
    std::string what;
    std::function<void(facts::Snapshot&)> change;
    Verdict verdict = Verdict::pass;
    std::string gap{};  // the id that an unknown verdict must name
};

// Every case changes a healthy world, and the check must then say just this, once.
inline void expect(std::string_view id, const std::vector<Case>& cases,
                   facts::Snapshot (*world)() = healthy) {
    for (const auto& [what, change, verdict, gap] : cases) {
        CAPTURE(id);
        CAPTURE(what);
        auto all = world();
        change(all);
        const auto findings = run(all, id);
        REQUIRE(findings.size() == 1);
        const auto& finding = findings.front();
        CHECK(to_string(finding.verdict) == to_string(verdict));
        CHECK_FALSE(finding.subject.kind.empty());
        if (verdict == Verdict::fail || verdict == Verdict::warn) {
            CHECK_FALSE(finding.seen.empty());
            CHECK_FALSE(finding.needed.empty());
            CHECK_FALSE(finding.why.empty());
            CHECK_FALSE(finding.fix.text.empty());
        }
        if (verdict == Verdict::skipped) CHECK_FALSE(finding.why.empty());
        CHECK(finding.gaps ==
              (gap.empty() ? std::vector<std::string>{} : std::vector<std::string>{gap}));
    }
}

inline facts::Vmi& vmi_of(facts::Snapshot& all) {
    return all.vmis.items.front();
}
inline facts::Guest& guest_of(facts::Snapshot& all) {
    return all.vmis.items.front().guest;
}
inline facts::KubeVirt& kubevirt_in(facts::Snapshot& all) {
    return all.kubevirts.items.front();
}
inline void unchanged(facts::Snapshot&) {}

}  // namespace preflight::builders
