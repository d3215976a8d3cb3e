// Reports for the renderers' tests: one of everything, and builders for the rest.
#pragma once

#include "preflight/report.hpp"

namespace samples {

inline const preflight::Check kClaims{
    .id = "DISK-001",
    .slug = "claims-shared",
    .title = "Every claim can be attached to two nodes",
    .severity = preflight::Severity::blocking,
    .meaning = "",
    .why = "",
    .fix = "",
    .source = "",
    .run = nullptr,
};
inline const preflight::Check kCpu{
    .id = "CPU-002",
    .slug = "host-model-nodes",
    .title = "Another node has the CPU model",
    .severity = preflight::Severity::blocking,
    .meaning = "",
    .why = "",
    .fix = "",
    .source = "",
    .run = nullptr,
};
inline const preflight::Check kPorts{
    .id = "NET-004",
    .slug = "migration-ports-open",
    .title = "The migration ports are free",
    .severity = preflight::Severity::warning,
    .meaning = "",
    .why = "",
    .fix = "",
    .source = "",
    .run = nullptr,
};

inline preflight::CheckResult result(const preflight::Check& check, preflight::Verdict verdict,
                                     std::string seen = {}) {
    preflight::Finding finding;
    finding.verdict = verdict;
    finding.subject = {"VirtualMachine", "prod", "web"};
    finding.seen = std::move(seen);
    return {&check, finding};
}

// A failed check with every field said.
inline preflight::CheckResult failed_claim() {
    preflight::Finding finding;
    finding.verdict = preflight::Verdict::fail;
    finding.subject = {"PersistentVolumeClaim", "prod", "web-data"};
    finding.seen = "ReadWriteOnce";
    finding.needed = "ReadWriteMany";
    finding.why =
        "the disk must be attached to the target node while the source node still holds it";
    finding.fix.text = "copy the disk to a storage class that offers ReadWriteMany";
    finding.fix.commands = {
        "kubectl get pvc web-data -n prod -o yaml",
        "virtctl image-upload dv web-rwx -n prod --access-mode ReadWriteMany --size 20Gi"};
    return {&kClaims, finding};
}

inline preflight::CheckResult unread_nodes() {
    auto unread = result(kCpu, preflight::Verdict::unknown);
    unread.finding.needed = "a second node with cpu-model-migration.node.kubevirt.io/Skylake";
    unread.finding.gaps = {"nodes"};
    return unread;
}

inline preflight::ReportGap forbidden_nodes() {
    return {"nodes", "list", "nodes",
            "nodes is forbidden: User \"eve\" cannot list resource \"nodes\" in API group \"\" "
            "at the cluster scope"};
}

inline preflight::Item item(std::string ns, std::string name, preflight::Verdict verdict) {
    preflight::Item item;
    item.ns = std::move(ns);
    item.name = std::move(name);
    item.kind = "VirtualMachine";
    item.verdict = verdict;
    return item;
}

inline preflight::PreflightReport report(std::vector<preflight::Item> items) {
    preflight::PreflightReport report;
    report.taken_at = std::chrono::sys_seconds{std::chrono::seconds{1767323045}};
    report.source = "cluster https://10.0.0.1:6443";
    report.kubevirt_version = "v1.8.4";
    report.rules = "1.8";
    for (const auto& one : items) {
        ++report.summary.total;
        report.summary.pass += one.verdict == preflight::Verdict::pass ? 1 : 0;
        report.summary.warn += one.verdict == preflight::Verdict::warn ? 1 : 0;
        report.summary.fail += one.verdict == preflight::Verdict::fail ? 1 : 0;
        report.summary.unknown += one.verdict == preflight::Verdict::unknown ? 1 : 0;
    }
    report.items = std::move(items);
    return report;
}

// One VM with every verdict, a gap, and KubeVirt of another opinion.
inline preflight::Item troubled() {
    using preflight::Verdict;
    auto web = item("prod", "web", Verdict::fail);
    web.uid = "5d2f";
    web.node = "node-a";
    web.reported.live_migratable = {"True", "", "", "2026-01-01T00:00:00Z"};
    web.reported.migration_method = "LiveMigration";
    web.recomputed.live_migratable = {
        "False", "DisksNotLiveMigratable",
        "cannot migrate VMI: PVC web-data is not shared, live migration requires that all PVCs "
        "must be shared (using ReadWriteMany access mode)"};
    web.recomputed.storage_live_migratable = {"True", "", ""};
    web.recomputed.migration_method = "BlockMigration";
    web.recomputed.reasons = {"DisksNotLiveMigratable"};
    web.agrees = false;
    web.differs = {"the condition is older than the last change of the claim web-data"};
    web.checks = {result(kCpu, Verdict::pass, "3 nodes"),
                  result(kPorts, Verdict::warn, "port 49152 is used by node-exporter on node-b"),
                  failed_claim(),
                  unread_nodes(),
                  result(kPorts, Verdict::waived, "no TLS"),
                  result(kPorts, Verdict::skipped)};
    return web;
}

}  // namespace samples
