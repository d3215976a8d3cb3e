#include "preflight/judged.hpp"

#include <algorithm>

namespace preflight {
namespace {

using facts::VolumeKind;

constexpr std::string_view host_model_label = "host-model-cpu.node.kubevirt.io/";
constexpr auto vmis_resource = "virtualmachineinstances.kubevirt.io";
constexpr auto tsc_frequency_label = "cpu-timer.node.kubevirt.io/tsc-frequency";

bool offers_host_model(const facts::Node& node) {
    const auto label = node.meta.labels.lower_bound(std::string(host_model_label));
    return label != node.meta.labels.end() && label->first.starts_with(host_model_label);
}

std::string note_missing(Judged& judged, const std::string& verb, const std::string& resource,
                         const std::string& ns, const std::string& name,
                         const std::string& reason) {
    facts::Gap gap{resource + "/" + (ns.empty() ? "" : ns + "/") + name, verb, resource, reason};
    const auto known = std::find_if(judged.gaps.begin(), judged.gaps.end(),
                                    [&](const auto& other) { return other.id == gap.id; });
    if (known == judged.gaps.end()) judged.gaps.push_back(gap);
    return gap.id;
}

// The gap that keeps an object of this reading from being known: the reading's own where it could
// not be read at all, else one for this very object.
template <class T>
std::string gap_for(Judged& judged, const facts::Reading<T>& reading, const std::string& resource,
                    const std::string& ns, const std::string& name, const std::string& what) {
    if (!reading.complete && !reading.gap.empty() && reading.items.empty()) return reading.gap;
    const std::string reason =
        reading.complete ? what + " does not exist" : what + " is not among what was read";
    return note_missing(judged, "get", resource, ns, name, reason);
}

ClaimAccess reported_access(const facts::Volume& volume, const facts::Vmi& vmi) {
    // The last entry of a name counts, as in a map that is filled in order.
    for (auto status = vmi.volumes.rbegin(); status != vmi.volumes.rend(); ++status) {
        if (status->name != volume.name) continue;
        if (!status->claim) break;
        const std::string& claim = volume.claim.empty() ? status->claim->claim : volume.claim;
        return {Access::known, claim, status->claim->access_modes, {}};
    }
    return {Access::not_reported, volume.claim, {}, {}};
}

ClaimAccess template_access(Judged& judged, const facts::Snapshot& snapshot, const facts::Vm& vm,
                            const facts::Volume& volume) {
    const std::string& ns = vm.meta.ns;
    if (const auto* claim = snapshot.claims.find(ns, volume.claim)) {
        return {Access::known, volume.claim, claim->access_modes, {}};
    }
    const auto from_data_volume = [&](const facts::DataVolume* source) -> ClaimAccess {
        if (!source->access_modes.empty()) {
            return {Access::known, volume.claim, source->access_modes, {}};
        }
        const std::string reason = "DataVolume " + volume.claim +
                                   " names no access mode; its StorageProfile decides when the "
                                   "claim is made";
        return {Access::unread,
                volume.claim,
                {},
                note_missing(judged, "get", "persistentvolumeclaims", ns, volume.claim, reason)};
    };
    if (volume.kind == VolumeKind::data_volume) {
        if (const auto* source = snapshot.data_volumes.find(ns, volume.claim)) {
            return from_data_volume(source);
        }
        for (const auto& source : vm.data_volumes) {
            if (source.meta.name == volume.claim) return from_data_volume(&source);
        }
    }
    return {Access::unread,
            volume.claim,
            {},
            gap_for(judged, snapshot.claims, "persistentvolumeclaims", ns, volume.claim,
                    "PVC " + volume.claim)};
}

void read_host_model(Judged& judged, const facts::Snapshot& snapshot) {
    if (const auto* node = snapshot.nodes.find("", judged.node)) {
        judged.host_model = offers_host_model(*node) ? HostModel::offered : HostModel::missing;
        return;
    }
    judged.host_model = HostModel::unread;
    judged.host_model_gap =
        judged.node.empty()
            ? note_missing(judged, "get", "nodes", "", judged.meta.name,
                           "the VMI names no node yet")
            : gap_for(judged, snapshot.nodes, "nodes", "", judged.node, "node " + judged.node);
}

// Nobody knows yet where a stopped VM will run: one node that could migrate it is enough to pass,
// and only a full list without any is a refusal.
void foresee_host_model(Judged& judged, const facts::Snapshot& snapshot) {
    const auto& nodes = snapshot.nodes;
    const bool offered = std::any_of(nodes.items.begin(), nodes.items.end(), offers_host_model);
    if (offered) {
        judged.host_model = HostModel::offered;
    } else if (nodes.complete) {
        judged.host_model = HostModel::missing;
    } else {
        judged.host_model_gap = nodes.gap_or("nodes");
    }
}

// virt-controller writes the hint before it starts the VM where any node exposes a frequency.
void foresee_tsc_frequency(Judged& judged, const facts::Snapshot& snapshot) {
    const auto& nodes = snapshot.nodes;
    const bool exposed = std::any_of(nodes.items.begin(), nodes.items.end(), [](const auto& node) {
        return node.meta.labels.contains(tsc_frequency_label);
    });
    if (exposed) {
        judged.tsc_frequency = 1;  // which one does not matter
    } else if (!nodes.complete) {
        judged.tsc_gap = nodes.gap_or("nodes");
    }
}

// The defaults of virt-api's mutating webhook (pkg/defaults): what the VMI of a template gets.
void apply_defaults(Judged& judged, const facts::Snapshot& snapshot) {
    const auto* kubevirt = kubevirt_of(snapshot);
    auto& guest = judged.guest;
    if (guest.architecture.empty() && kubevirt != nullptr) {
        guest.architecture = kubevirt->default_architecture;
    }
    if (!guest.cpu) guest.cpu.emplace();
    if (guest.cpu->model.empty()) {
        const bool configured = kubevirt != nullptr && !kubevirt->default_cpu_model.empty();
        guest.cpu->model = configured                      ? kubevirt->default_cpu_model
                           : guest.architecture == "arm64" ? "host-passthrough"
                                                           : "host-model";
    }
    if (!guest.networks.empty() || !guest.interfaces.empty() || !guest.autoattach_pod_interface) {
        return;
    }
    if (kubevirt == nullptr) {
        judged.interface_gap = snapshot.kubevirts.gap;
        return;
    }
    const bool masquerade = kubevirt->default_network_interface == "masquerade";
    guest.networks.push_back({"default", true});
    guest.interfaces.push_back(
        {"default", masquerade ? facts::Binding::masquerade : facts::Binding::bridge, {}, {}});
}

}  // namespace

bool ClaimAccess::shared() const {
    return std::find(modes.begin(), modes.end(), "ReadWriteMany") != modes.end();
}

bool Judged::migrates(const std::string& volume) const {
    return std::find(migrated_volumes.begin(), migrated_volumes.end(), volume) !=
           migrated_volumes.end();
}

const facts::KubeVirt* kubevirt_of(const facts::Snapshot& snapshot) {
    return snapshot.kubevirts.items.empty() ? nullptr : &snapshot.kubevirts.items.front();
}

Belongings belongings_of(const facts::Snapshot& snapshot) {
    Belongings result;
    for (const auto& pod : snapshot.launchers.items) {
        const bool live = pod.phase != "Succeeded" && pod.phase != "Failed";
        const auto creator = pod.meta.labels.find("kubevirt.io/created-by");
        const auto& uid = !pod.meta.controller_uid.empty()   ? pod.meta.controller_uid
                          : creator != pod.meta.labels.end() ? creator->second
                                                             : std::string();
        if (live && !uid.empty()) result.launchers.emplace(uid, &pod);
    }
    for (const auto& migration : snapshot.migrations.items) {
        if (migration.phase == "Succeeded" || migration.phase == "Failed") continue;
        result.migrations.emplace(std::pair(migration.meta.ns, migration.vmi), &migration);
    }
    return result;
}

Judged judge_vmi(const facts::Snapshot& snapshot, const Belongings& belongings, const facts::Vm* vm,
                 const facts::Vmi& vmi) {
    Judged judged;
    judged.meta = vm != nullptr ? vm->meta : vmi.meta;
    judged.guest = vmi.guest;
    judged.labels = vmi.meta.labels;
    judged.annotations = vmi.meta.annotations;
    judged.vm = vm;
    judged.vmi = &vmi;
    judged.life = Life::running;
    if (vmi.phase.empty()) {
        judged.life = Life::unread;
        judged.life_gap = note_missing(judged, "get", vmis_resource, vmi.meta.ns, vmi.meta.name,
                                       "the VMI was read without its status");
    }
    judged.node = vmi.node;
    const auto pods = belongings.launchers.equal_range(vmi.meta.uid);
    for (auto pod = pods.first; pod != pods.second; ++pod) judged.launchers.push_back(pod->second);
    const auto jobs = belongings.migrations.equal_range({vmi.meta.ns, vmi.meta.name});
    for (auto job = jobs.first; job != jobs.second; ++job) judged.migrations.push_back(job->second);
    judged.tsc_frequency = vmi.tsc_frequency;
    for (const auto& volume : vmi.guest.volumes) {
        const auto access = reported_access(volume, vmi);
        const bool is_host_disk = volume.kind == VolumeKind::host_disk;
        const bool has_claim = volume.kind == VolumeKind::claim ||
                               volume.kind == VolumeKind::data_volume ||
                               (is_host_disk && access.access == Access::known);
        if (has_claim) judged.claims.insert_or_assign(volume.name, access);
    }
    for (const auto& migrated : vmi.migrated_volumes) {
        judged.migrated_volumes.push_back(migrated.volume);
    }
    if (vmi.guest.cpu && vmi.guest.cpu->model == "host-model") read_host_model(judged, snapshot);
    return judged;
}

Judged judge_template(const facts::Snapshot& snapshot, const facts::Vm& vm) {
    Judged judged;
    judged.meta = vm.meta;
    judged.guest = vm.guest;
    judged.labels = vm.template_labels;
    judged.annotations = vm.template_annotations;
    judged.vm = &vm;
    if (vm.created || (snapshot.live && !snapshot.vmis.complete)) {
        judged.life = Life::unread;
        judged.life_gap = note_missing(judged, "get", vmis_resource, vm.meta.ns, vm.meta.name,
                                       "the VM's VMI was not read");
    }
    apply_defaults(judged, snapshot);
    for (const auto& volume : judged.guest.volumes) {
        if (volume.kind != VolumeKind::claim && volume.kind != VolumeKind::data_volume) continue;
        judged.claims.insert_or_assign(volume.name, template_access(judged, snapshot, vm, volume));
    }
    if (judged.guest.cpu->model == "host-model") foresee_host_model(judged, snapshot);
    const bool model_assumed =
        kubevirt_of(snapshot) == nullptr && (!vm.guest.cpu || vm.guest.cpu->model.empty());
    if (model_assumed && judged.host_model == HostModel::missing) {
        judged.host_model = HostModel::unread;
        judged.host_model_gap = snapshot.kubevirts.gap;
    }
    foresee_tsc_frequency(judged, snapshot);
    if (!vm.instancetype.empty() || !vm.preference.empty()) {
        const auto& name = vm.instancetype.empty() ? vm.preference : vm.instancetype;
        judged.template_gap = note_missing(
            judged, "get", "virtualmachines/expand-spec.subresources.kubevirt.io", vm.meta.ns,
            vm.meta.name, "what " + name + " adds to the template is known when the VM runs");
    }
    return judged;
}

}  // namespace preflight
