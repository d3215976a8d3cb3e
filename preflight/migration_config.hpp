// The migration configuration that will hold for one VM: the KubeVirt CR's settings, its defaults,
// and the one MigrationPolicy that matches best. Pure.
//
// Source: kubevirt pkg/virt-config/virt-config.go (defaults), pkg/virt-controller/watch/migration/
// migrationpolicy.go (matching and its tie-break), pkg/virt-launcher/virtwrap/manager.go
// (getVMIMigrationDataSize); v1.9.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "preflight/judged.hpp"

namespace preflight {

struct MigrationConfig {
    std::string policy{};                           // the matching MigrationPolicy; empty: none
    std::int64_t bandwidth = 0;                     // bytes per second; 0 is unlimited
    std::int64_t completion_timeout_per_gib = 150;  // seconds; 0 is never
    std::int64_t progress_timeout = 150;            // seconds; 0 is off
    bool allow_auto_converge = false;
    bool allow_post_copy = false;
    bool allow_workload_disruption = false;
    bool unsafe_override = false;
    bool disable_tls = false;
    bool match_selinux_level = true;
    std::string network{};            // dedicated migration network; empty: the pod network
    std::vector<std::string> gaps{};  // what could not be read and may change the above

    bool operator==(const MigrationConfig&) const = default;
};

// The policy that KubeVirt would take; nullptr when none matches. Most matching labels win, then
// most VMI labels, then the smallest name.
const facts::MigrationPolicy* match_policy(const std::vector<facts::MigrationPolicy>& policies,
                                           const facts::Labels& vmi_labels,
                                           const facts::Labels& namespace_labels);

MigrationConfig effective_config(const facts::Snapshot& snapshot, const Judged& judged);

// The bytes that KubeVirt's time limit is computed from, without local disk files, whose size no
// API object tells; nullopt when the guest names no memory.
std::optional<std::int64_t> migration_size(const Judged& judged);

// Seconds after which a migration of this size is stopped or forced; 0: never. KubeVirt counts
// decimal gigabytes, rounded up, although the field says GiB.
std::int64_t completion_timeout(const MigrationConfig& config, std::int64_t size);

}  // namespace preflight
