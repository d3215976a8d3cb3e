#include "preflight/migratability.hpp"

#include <algorithm>
#include <optional>
#include <span>

namespace preflight {
namespace {

using facts::Binding;
using facts::VolumeKind;

// KubeVirt's constants: staging/src/kubevirt.io/api/core/v1/types.go. The missing "Not" in
// CPUModeLiveMigratable is theirs.
constexpr auto disks_reason = "DisksNotLiveMigratable";
constexpr auto interface_reason = "InterfaceNotLiveMigratable";
constexpr auto cpu_mode_reason = "CPUModeLiveMigratable";
constexpr auto virtiofs_reason = "VirtIOFSNotLiveMigratable";
constexpr auto host_device_reason = "HostDeviceNotLiveMigratable";
constexpr auto sev_reason = "SEVNotLiveMigratable";
constexpr auto tdx_reason = "TDXNotLiveMigratable";
constexpr auto secure_execution_reason = "SecureExecutionNotLiveMigratable";
constexpr auto reservation_reason = "PersistentReservationNotLiveMigratable";
constexpr auto tsc_reason = "NoTSCFrequencyNotLiveMigratable";
constexpr auto hyperv_passthrough_reason = "HypervPassthroughNotLiveMigratable";

constexpr auto bridge_annotation = "kubevirt.io/allow-pod-bridge-network-live-migration";

// In which order a release asks; the first obstacle is the condition's reason.
constexpr Rule live_1_4[] = {Rule::disks,       Rule::interfaces,   Rule::host_model,
                             Rule::virtiofs,    Rule::host_devices, Rule::sev,
                             Rule::reservation, Rule::tsc,          Rule::hyperv_passthrough};
constexpr Rule live_1_5[] = {
    Rule::disks, Rule::interfaces,  Rule::host_model, Rule::host_devices,
    Rule::sev,   Rule::reservation, Rule::tsc,        Rule::hyperv_passthrough};
constexpr Rule live_1_6[] = {Rule::interfaces, Rule::host_model,         Rule::host_devices,
                             Rule::sev,        Rule::secure_execution,   Rule::reservation,
                             Rule::tsc,        Rule::hyperv_passthrough, Rule::disks};
constexpr Rule live_1_7[] = {Rule::interfaces,  Rule::host_model, Rule::host_devices,
                             Rule::sev,         Rule::tdx,        Rule::secure_execution,
                             Rule::reservation, Rule::tsc,        Rule::hyperv_passthrough,
                             Rule::disks};
constexpr Rule live_1_9[] = {
    Rule::interfaces,       Rule::host_model, Rule::host_devices,       Rule::sev,  Rule::tdx,
    Rule::secure_execution, Rule::tsc,        Rule::hyperv_passthrough, Rule::disks};

std::span<const Rule> live_order(RuleSet set) {
    switch (set) {
        case RuleSet::v1_4:
            return live_1_4;
        case RuleSet::v1_5:
            return live_1_5;
        case RuleSet::v1_6:
            return live_1_6;
        case RuleSet::v1_7:
        case RuleSet::v1_8:
            return live_1_7;
        case RuleSet::v1_9:
            return live_1_9;
    }
    return live_1_9;
}

constexpr Rule storage_1_4[] = {
    Rule::interfaces, Rule::host_model,  Rule::virtiofs, Rule::host_devices,
    Rule::sev,        Rule::reservation, Rule::tsc,      Rule::hyperv_passthrough};
constexpr Rule storage_1_5[] = {
    Rule::interfaces,  Rule::host_model, Rule::host_devices,      Rule::sev,
    Rule::reservation, Rule::tsc,        Rule::hyperv_passthrough};
constexpr Rule storage_1_7[] = {
    Rule::interfaces, Rule::host_model,  Rule::host_devices, Rule::sev,
    Rule::tdx,        Rule::reservation, Rule::tsc,          Rule::hyperv_passthrough};

// Secure Execution stands in no release's storage condition.
std::span<const Rule> storage_order(RuleSet set) {
    if (set == RuleSet::v1_4) return storage_1_4;
    if (set < RuleSet::v1_7) return storage_1_5;
    return storage_1_7;
}

// Everything the rules of one release look at.
struct Situation {
    const Judged& judged;
    const facts::KubeVirt* kubevirt;
    const std::string& kubevirt_gap;
    RuleSet set;
};

RuleOutcome clear() {
    return {};
}
RuleOutcome stopped_by(std::string reason, std::string message, std::string subject = {}) {
    return {{{std::move(reason), std::move(message), std::move(subject)}}, {}};
}
RuleOutcome unknown_by(std::string gap) {
    return {{}, {std::move(gap)}};
}

std::string not_shared(const std::string& claim) {
    return "cannot migrate VMI: PVC " + claim +
           " is not shared, live migration requires that all PVCs must be shared (using "
           "ReadWriteMany access mode)";
}

std::string not_determined(const std::string& claim) {
    return "cannot migrate VMI: Unable to determine if PVC " + claim +
           " is shared, live migration requires that all PVCs must be shared (using "
           "ReadWriteMany access mode)";
}

void judge_claim(const Situation& now, const facts::Volume& volume, const ClaimAccess& access,
                 const std::string& shown_claim, RuleOutcome& outcome) {
    switch (access.access) {
        case Access::unread:
            outcome.gaps.push_back(access.gap);
            return;
        case Access::not_reported:
            outcome.obstacles.push_back({disks_reason, not_determined(shown_claim), volume.name});
            return;
        case Access::known:
            if (!access.shared() && !now.judged.migrates(volume.name)) {
                outcome.obstacles.push_back({disks_reason, not_shared(shown_claim), volume.name});
            }
            return;
    }
}

// A hostDisk that stands for a PVC carries claim info since 1.6, and then the claim decides.
const ClaimAccess* translated_claim(const Situation& now, const facts::Volume& volume) {
    if (now.set < RuleSet::v1_6) return nullptr;
    const auto found = now.judged.claims.find(volume.name);
    return found == now.judged.claims.end() ? nullptr : &found->second;
}

void judge_volume(const Situation& now, const facts::Volume& volume, RuleOutcome& outcome) {
    if (volume.kind == VolumeKind::claim || volume.kind == VolumeKind::data_volume) {
        const auto access = now.judged.claims.find(volume.name);
        const ClaimAccess none{Access::not_reported, volume.claim, {}, {}};
        judge_claim(now, volume, access == now.judged.claims.end() ? none : access->second,
                    volume.claim, outcome);
    } else if (volume.kind == VolumeKind::host_disk) {
        if (const auto* access = translated_claim(now, volume)) {
            judge_claim(now, volume, *access, access->claim, outcome);
        } else if (!volume.host_disk_shared) {
            outcome.obstacles.push_back(
                {disks_reason, "cannot migrate VMI with non-shared HostDisk", volume.name});
        }
    }
}

RuleOutcome judge_disks(const Situation& now) {
    RuleOutcome outcome;
    for (const auto& volume : now.judged.guest.volumes) judge_volume(now, volume, outcome);
    return outcome;
}

// A volume that lives in the launcher pod and has to be copied.
bool is_local(const Situation& now, const facts::Volume& volume) {
    if (volume.kind == VolumeKind::claim || volume.kind == VolumeKind::data_volume ||
        volume.kind == VolumeKind::host_disk) {
        return false;
    }
    const auto& guest = now.judged.guest;
    const bool shared_as_filesystem =
        now.set >= RuleSet::v1_5 &&
        std::any_of(guest.filesystems.begin(), guest.filesystems.end(),
                    [&](const auto& filesystem) { return filesystem.name == volume.name; });
    const bool read_only_cdrom =
        std::any_of(guest.disks.begin(), guest.disks.end(), [&](const facts::Disk& disk) {
            return disk.name == volume.name && disk.kind == facts::DiskKind::cdrom &&
                   disk.read_only.value_or(true);
        });
    return !shared_as_filesystem && !read_only_cdrom;
}

// A bad volume ends KubeVirt's loop with "block" in every release; empty: it hangs on a gap.
std::string migration_method(const Situation& now, const RuleOutcome& disks) {
    const auto& volumes = now.judged.guest.volumes;
    const bool block = !now.judged.migrated_volumes.empty() || !disks.obstacles.empty() ||
                       std::any_of(volumes.begin(), volumes.end(),
                                   [&](const auto& volume) { return is_local(now, volume); });
    if (block) return "BlockMigration";
    return disks.gaps.empty() ? "LiveMigration" : "";
}

std::string interface_message(RuleSet set) {
    if (set >= RuleSet::v1_8) {
        return "cannot migrate VMI which does not use masquerade or a migratable plugin to "
               "connect to the pod network";
    }
    return std::string("cannot migrate VMI which does not use masquerade, bridge with ") +
           bridge_annotation +
           " VM annotation or a migratable plugin to connect to the pod network";
}

RuleOutcome judge_pod_interface(const Situation& now, const facts::Interface& interface) {
    const auto blocked = [&] {
        return stopped_by(interface_reason, interface_message(now.set), interface.name);
    };
    switch (interface.binding) {
        case Binding::masquerade:
            return clear();
        case Binding::passt:
            return now.set >= RuleSet::v1_8 ? clear() : blocked();
        case Binding::bridge:
            return now.judged.annotations.contains(bridge_annotation) ? clear() : blocked();
        case Binding::plugin: {
            if (now.kubevirt == nullptr) return unknown_by(now.kubevirt_gap);
            const auto plugin = now.kubevirt->bindings.find(interface.plugin);
            const bool migrates = plugin != now.kubevirt->bindings.end() && plugin->second;
            return migrates ? clear() : blocked();
        }
        case Binding::none:
        case Binding::sriov:
        case Binding::macvtap:
        case Binding::slirp:
            return blocked();
    }
    return blocked();
}

RuleOutcome judge_interfaces(const Situation& now) {
    const auto& guest = now.judged.guest;
    if (!now.judged.interface_gap.empty()) return unknown_by(now.judged.interface_gap);
    const auto network = std::find_if(guest.networks.begin(), guest.networks.end(),
                                      [](const auto& candidate) { return candidate.pod; });
    if (guest.interfaces.empty() || network == guest.networks.end()) return clear();
    const auto interface =
        std::find_if(guest.interfaces.begin(), guest.interfaces.end(),
                     [&](const auto& candidate) { return candidate.name == network->name; });
    if (interface != guest.interfaces.end()) return judge_pod_interface(now, *interface);
    if (now.set < RuleSet::v1_8) return clear();
    return stopped_by(interface_reason, "no primary interface found for network " + network->name,
                      network->name);
}

RuleOutcome judge_host_model(const Situation& now) {
    const auto& cpu = now.judged.guest.cpu;
    if (!cpu || cpu->model != "host-model") return clear();
    switch (now.judged.host_model) {
        case HostModel::offered:
            return clear();
        case HostModel::unread:
            return unknown_by(now.judged.host_model_gap);
        case HostModel::missing:
            break;
    }
    return stopped_by(cpu_mode_reason,
                      "the node \"" + now.judged.node +
                          "\" does not allow migration with "
                          "host-model",
                      now.judged.node);
}

RuleOutcome judge_virtiofs(const Situation& now) {
    for (const auto& filesystem : now.judged.guest.filesystems) {
        if (filesystem.virtiofs) {
            return stopped_by(virtiofs_reason, "VMI uses virtiofs", filesystem.name);
        }
    }
    return clear();
}

RuleOutcome judge_single_gpu(const Situation& now, const std::string& device) {
    if (now.kubevirt == nullptr) return unknown_by(now.kubevirt_gap);
    const auto has = [](const std::vector<std::string>& list, const std::string& wanted) {
        return std::find(list.begin(), list.end(), wanted) != list.end();
    };
    if (!has(now.kubevirt->feature_gates, "VGPULiveMigration")) {
        return stopped_by(host_device_reason,
                          "VMI specifies a GPU but feature gate VGPULiveMigration is not enabled",
                          device);
    }
    if (!device.empty() && has(now.kubevirt->mediated_device_resources, device)) return clear();
    return stopped_by(host_device_reason, "VMI specifies non-migratable GPU device", device);
}

RuleOutcome judge_host_devices(const Situation& now) {
    const auto& guest = now.judged.guest;
    if (guest.host_devices.empty() && guest.gpus.empty()) return clear();
    const std::string& first =
        guest.host_devices.empty() ? guest.gpus.front() : guest.host_devices.front();
    if (now.set < RuleSet::v1_9) {
        return stopped_by(host_device_reason, "VMI uses a PCI host devices", first);
    }
    if (!guest.host_devices.empty()) {
        return stopped_by(host_device_reason,
                          "VMI specifies non-migratable generic PCI host device", first);
    }
    if (guest.gpus.size() > 1) {
        return stopped_by(host_device_reason, "VMI specifies too many GPUs", first);
    }
    return judge_single_gpu(now, first);
}

RuleOutcome judge_sev(const Situation& now) {
    const auto& security = now.judged.guest.launch_security;
    const bool sev = security && (security->sev || (security->snp && now.set >= RuleSet::v1_7));
    return sev ? stopped_by(sev_reason, "VMI uses SEV") : clear();
}

RuleOutcome judge_tdx(const Situation& now) {
    const auto& security = now.judged.guest.launch_security;
    return security && security->tdx ? stopped_by(tdx_reason, "VMI uses TDX") : clear();
}

RuleOutcome judge_secure_execution(const Situation& now) {
    const auto& guest = now.judged.guest;
    const bool secured = guest.launch_security && guest.architecture == "s390x";
    return secured ? stopped_by(secure_execution_reason, "VMI uses Secure Execution") : clear();
}

RuleOutcome judge_reservation(const Situation& now) {
    // "persitent" is KubeVirt's spelling up to 1.6.
    const auto* message = now.set < RuleSet::v1_7 ? "VMI uses SCSI persitent reservation"
                                                  : "VMI uses SCSI persistent reservation";
    for (const auto& disk : now.judged.guest.disks) {
        if (disk.kind == facts::DiskKind::lun && disk.reservation) {
            return stopped_by(reservation_reason, message, disk.name);
        }
    }
    return clear();
}

RuleOutcome judge_tsc(const Situation& now) {
    const auto& guest = now.judged.guest;
    // With invtsc the frequency is needed to boot, so a VM that runs has it.
    const bool invtsc =
        guest.cpu &&
        std::any_of(guest.cpu->features.begin(), guest.cpu->features.end(),
                    [](const facts::CpuFeature& feature) {
                        return feature.name == "invtsc" &&
                               (feature.policy == "require" || feature.policy == "force");
                    });
    if (!guest.reenlightenment || invtsc || now.judged.tsc_frequency.value_or(0) > 0) {
        return clear();
    }
    if (!now.judged.tsc_gap.empty()) return unknown_by(now.judged.tsc_gap);
    return stopped_by(tsc_reason,
                      "HyperV Reenlightenment VMIs cannot migrate when TSC Frequency is not "
                      "exposed on the cluster: guest timers might be inconsistent");
}

RuleOutcome judge_hyperv_passthrough(const Situation& now) {
    return now.judged.guest.hyperv_passthrough
               ? stopped_by(hyperv_passthrough_reason, "VMI uses hyperv passthrough")
               : clear();
}

RuleOutcome judge(Rule rule, const Situation& now) {
    switch (rule) {
        case Rule::disks:
            return judge_disks(now);
        case Rule::interfaces:
            return judge_interfaces(now);
        case Rule::host_model:
            return judge_host_model(now);
        case Rule::virtiofs:
            return judge_virtiofs(now);
        case Rule::host_devices:
            return judge_host_devices(now);
        case Rule::sev:
            return judge_sev(now);
        case Rule::tdx:
            return judge_tdx(now);
        case Rule::secure_execution:
            return judge_secure_execution(now);
        case Rule::reservation:
            return judge_reservation(now);
        case Rule::tsc:
            return judge_tsc(now);
        case Rule::hyperv_passthrough:
            return judge_hyperv_passthrough(now);
    }
    return clear();
}

// An instancetype or preference may still add devices, CPU features and defaults; volumes and
// filesystems stay what the template says.
bool template_may_change(Rule rule) {
    return rule != Rule::disks && rule != Rule::virtiofs && rule != Rule::reservation;
}

RuleOutcome outcome_of(Rule rule, const Situation& now) {
    auto outcome = judge(rule, now);
    const auto& gap = now.judged.template_gap;
    if (outcome.obstacles.empty() && !gap.empty() && template_may_change(rule)) {
        outcome.gaps.push_back(gap);
    }
    return outcome;
}

bool reason_is_settled(const std::map<Rule, RuleOutcome>& outcomes, std::span<const Rule> order) {
    for (const Rule rule : order) {
        const auto& outcome = outcomes.at(rule);
        if (!outcome.gaps.empty()) return false;
        if (!outcome.obstacles.empty()) return true;
    }
    return true;
}

RecomputedCondition live_condition(const std::map<Rule, RuleOutcome>& outcomes,
                                   std::span<const Rule> order) {
    bool open = false;
    for (const Rule rule : order) {
        const auto& outcome = outcomes.at(rule);
        if (!outcome.obstacles.empty()) {
            const auto& first = outcome.obstacles.front();
            return {"False", first.reason, first.message};
        }
        open = open || !outcome.gaps.empty();
    }
    return {open ? "Unknown" : "True", {}, {}};
}

RecomputedCondition storage_condition(const std::map<Rule, RuleOutcome>& outcomes,
                                      std::span<const Rule> order) {
    std::string message;
    bool open = false;
    for (const Rule rule : order) {
        const auto& outcome = outcomes.at(rule);
        open = open || !outcome.gaps.empty();
        // KubeVirt asks for TDX only where there is no SEV.
        const bool asked = rule != Rule::tdx || outcomes.at(Rule::sev).obstacles.empty();
        if (outcome.obstacles.empty() || !asked) continue;
        const auto& first = outcome.obstacles.front();
        message += (message.empty() ? "" : ", ") + first.reason + ": " + first.message;
    }
    if (!message.empty()) return {"False", "NotMigratable", message};
    return {open ? "Unknown" : "True", {}, {}};
}

}  // namespace

Migratability recompute(const Judged& judged, const facts::KubeVirt* kubevirt,
                        const std::string& kubevirt_gap, RuleSet set) {
    const Situation now{judged, kubevirt, kubevirt_gap, set};
    const auto live = live_order(set);
    const auto storage = storage_order(set);
    Migratability result;
    for (const Rule rule : live) result.outcomes.emplace(rule, outcome_of(rule, now));
    for (const Rule rule : storage) result.outcomes.emplace(rule, outcome_of(rule, now));
    result.reservation_blocks = set < RuleSet::v1_9;
    result.reason_settled = reason_is_settled(result.outcomes, live);
    result.answer.live_migratable = live_condition(result.outcomes, live);
    result.answer.storage_live_migratable = storage_condition(result.outcomes, storage);
    result.answer.migration_method = migration_method(now, result.outcomes.at(Rule::disks));
    for (const Rule rule : live) {
        const auto& obstacles = result.outcomes.at(rule).obstacles;
        if (!obstacles.empty()) result.answer.reasons.push_back(obstacles.front().reason);
    }
    return result;
}

}  // namespace preflight
