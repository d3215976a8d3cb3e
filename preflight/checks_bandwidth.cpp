// The migration configuration that will hold, and what in it cannot work for this VM.
#include <algorithm>
#include <array>

#include "kubeclient/quantity.hpp"
#include "preflight/checks.hpp"
#include "preflight/question.hpp"

namespace preflight {
namespace {

std::string describe(const MigrationConfig& config) {
    std::string text =
        config.policy.empty() ? "cluster-wide settings" : "MigrationPolicy " + config.policy;
    text += config.bandwidth == 0
                ? ", bandwidth unlimited"
                : ", bandwidth " + kubeclient::describe_bytes(config.bandwidth) + "/s";
    if (config.allow_auto_converge) text += ", auto-converge";
    if (config.allow_post_copy) text += ", post-copy";
    return text;
}

std::string describe_limit(const Question& question, std::optional<std::int64_t> size) {
    const auto& config = question.config;
    std::string text;
    if (config.progress_timeout > 0) {
        text = ", aborted after " + std::to_string(config.progress_timeout) + " s without progress";
    }
    if (config.completion_timeout_per_gib == 0) return text + ", no time limit";
    const auto per_gb = std::to_string(config.completion_timeout_per_gib) + " s per GB";
    if (!size) return text + ", time limit " + per_gb;
    const auto end = !config.allow_workload_disruption ? "then aborted"
                     : config.allow_post_copy          ? "then post-copy"
                                                       : "then the guest is paused";
    const bool copies = question.migratability.answer.migration_method == "BlockMigration";
    return text + ", time limit " + std::to_string(completion_timeout(config, *size)) + " s" +
           (copies ? " and " + per_gb + " of local disks, " : ", ") + end;
}

// The first pass alone takes size/bandwidth, whatever the guest writes meanwhile.
std::vector<Finding> check_config(const Question& question) {
    const auto& config = question.config;
    const std::string needed = "time for at least one pass over the guest's memory";
    if (!config.gaps.empty()) return {unknown(question.machine(), needed, config.gaps)};
    const auto size = migration_size(question.judged);
    const auto seen = describe(config) + describe_limit(question, size);
    if (!size || config.bandwidth == 0) return {passed(question.machine(), seen)};
    const auto limit = completion_timeout(config, *size);
    // KubeVirt raises anything below 1 MiB/s to that.
    const auto rate = std::max<std::int64_t>(config.bandwidth, std::int64_t{1} << 20U);
    const auto first_pass = *size / rate;
    if (limit == 0 || first_pass <= limit) return {passed(question.machine(), seen)};
    return {warned(question.machine(),
                   seen + "; one pass takes " + std::to_string(first_pass) + " s", needed,
                   "at this bandwidth the memory cannot be copied once before the time limit",
                   {"raise bandwidthPerMigration or completionTimeoutPerGiB, in the KubeVirt CR or "
                    "in a MigrationPolicy for this VM",
                    {"kubectl get migrationpolicies.migrations.kubevirt.io"}})};
}

std::vector<Finding> check_unsafe(const Question& question) {
    const auto& config = question.config;
    if (question.kubevirt == nullptr) {
        return {unknown(question.machine(), "the KubeVirt CR", {question.snapshot.kubevirts.gap})};
    }
    std::vector<Finding> findings;
    if (config.unsafe_override) {
        findings.push_back(warned(
            question.machine(), "unsafeMigrationOverride is true", "false",
            "libvirt no longer tests whether a disk is really shared: a wrong claim loses data",
            {"switch it off in spec.configuration.migrations of the KubeVirt CR", {}}));
    }
    if (config.disable_tls) {
        findings.push_back(warned(question.machine(), "disableTLS is true", "false",
                                  "guest memory crosses the network in the clear",
                                  {"switch it off in spec.configuration.migrations", {}}));
    }
    if (findings.empty())
        findings.push_back(passed(question.machine(), "libvirt's test and TLS are on"));
    return findings;
}

constexpr std::array<Check, 2> rows{{
    {"BAND-001", "bandwidth-suffices", "Bandwidth and time limit let one pass finish",
     Severity::warning,
     "Works out the settings for this VM: the KubeVirt CR, its defaults (unlimited bandwidth, 150 "
     "seconds per gigabyte, 150 seconds without progress), and the one MigrationPolicy that "
     "matches best: most matching labels, then most VMI labels, then the smallest name.",
     "The limit is completionTimeoutPerGiB times the guest's memory in decimal gigabytes, rounded "
     "up. The user guide's 64 MiB/s default and its tie-break by label keys are not what the code "
     "does.",
     "Raise the bandwidth or the time limit; allow auto-converge or post-copy for busy guests, "
     "knowing that post-copy cannot be aborted.",
     "kubevirt pkg/virt-config/virt-config.go; watch/migration/migrationpolicy.go; "
     "virtwrap/manager.go",
     check_config},
    {"BAND-002", "migration-settings-safe", "Safety of migrations is not switched off",
     Severity::warning, "Looks at unsafeMigrationOverride and disableTLS.",
     "The first switches libvirt's own test of shared storage off, the second the encryption.",
     "Leave both false.", "kubevirt api/core/v1 MigrationConfiguration", check_unsafe},
}};

}  // namespace

std::span<const Check> bandwidth_checks() {
    return rows;
}

}  // namespace preflight
