// VirtualMachine, VirtualMachineInstance, VirtualMachineInstanceMigration, DataVolume.
#include <algorithm>
#include <array>

#include "preflight/decode.hpp"

namespace preflight {
namespace {

using facts::Binding;
using facts::VolumeKind;

facts::Cpu decode_cpu(const Fields& cpu) {
    facts::Cpu result;
    result.model = cpu.text("model");
    for (const auto& feature : cpu.list("features")) {
        result.features.push_back({feature.text("name"), feature.text("policy")});
    }
    const auto count = [&](std::string_view key) {
        return std::max<std::int64_t>(1, cpu.maybe_integer(key).value_or(1));
    };
    result.cores = count("cores");
    result.sockets = count("sockets");
    result.threads = count("threads");
    result.dedicated = cpu.flag("dedicatedCpuPlacement");
    result.numa_passthrough = cpu.at("numa").has("guestMappingPassthrough");
    result.realtime = cpu.has("realtime");
    return result;
}

facts::Disk decode_disk(const Fields& disk) {
    facts::Disk result;
    result.name = disk.text("name");
    result.cache = disk.text("cache");
    if (disk.has("cdrom")) {
        result.kind = facts::DiskKind::cdrom;
        result.read_only = disk.at("cdrom").maybe_flag("readonly");
    } else if (disk.has("lun")) {
        result.kind = facts::DiskKind::lun;
        result.reservation = disk.at("lun").flag("reservation");
    }
    return result;
}

Binding binding_of(const Fields& interface) {
    constexpr std::array<std::pair<std::string_view, Binding>, 7> bindings{{
        {"bridge", Binding::bridge},
        {"masquerade", Binding::masquerade},
        {"sriov", Binding::sriov},
        {"macvtap", Binding::macvtap},
        {"slirp", Binding::slirp},
        {"passtBinding", Binding::passt},
        {"binding", Binding::plugin},
    }};
    for (const auto& [key, binding] : bindings) {
        if (interface.has(key)) return binding;
    }
    return Binding::none;
}

facts::Interface decode_interface(const Fields& interface) {
    facts::Interface result;
    result.name = interface.text("name");
    result.binding = binding_of(interface);
    result.plugin = interface.at("binding").text("name");
    for (const auto& port : interface.list("ports")) {
        result.ports.push_back(port.maybe_integer("port").value_or(0));
    }
    return result;
}

facts::Volume decode_guest_volume(const Fields& volume) {
    facts::Volume result;
    result.name = volume.text("name");
    if (volume.has("persistentVolumeClaim")) {
        result.kind = VolumeKind::claim;
        result.type = "persistentVolumeClaim";
        result.claim = volume.at("persistentVolumeClaim").text("claimName");
    } else if (volume.has("dataVolume")) {
        result.kind = VolumeKind::data_volume;
        result.type = "dataVolume";
        result.claim = volume.at("dataVolume").text("name");
    } else if (volume.has("hostDisk")) {
        result.kind = VolumeKind::host_disk;
        result.type = "hostDisk";
        result.host_disk_shared = volume.at("hostDisk").flag("shared");
    } else if (volume.has("ephemeral")) {
        result.kind = VolumeKind::ephemeral;
        result.type = "ephemeral";
        result.claim = volume.at("ephemeral").at("persistentVolumeClaim").text("claimName");
    } else if (volume.has("memoryDump")) {
        result.kind = VolumeKind::memory_dump;
        result.type = "memoryDump";
        result.claim = volume.at("memoryDump").text("claimName");
    } else {
        for (const auto& key : volume.keys()) {
            if (key != "name") result.type = key;
        }
    }
    return result;
}

void decode_devices(const Fields& devices, facts::Guest& guest) {
    for (const auto& disk : devices.list("disks")) guest.disks.push_back(decode_disk(disk));
    for (const auto& filesystem : devices.list("filesystems")) {
        guest.filesystems.push_back({filesystem.text("name"), filesystem.has("virtiofs")});
    }
    for (const auto& interface : devices.list("interfaces")) {
        guest.interfaces.push_back(decode_interface(interface));
    }
    for (const auto& device : devices.list("hostDevices")) {
        guest.host_devices.push_back(device.text("deviceName"));
    }
    for (const auto& gpu : devices.list("gpus")) guest.gpus.push_back(gpu.text("deviceName"));
    guest.autoattach_pod_interface = devices.maybe_flag("autoattachPodInterface").value_or(true);
}

void decode_features(const Fields& features, Form form, facts::Guest& guest) {
    const auto reenlightenment = features.at("hyperv").at("reenlightenment");
    // KubeVirt's defaults switch a feature on that is named without `enabled`.
    const bool named = features.at("hyperv").has("reenlightenment");
    guest.reenlightenment =
        reenlightenment.maybe_flag("enabled").value_or(named && form == Form::machine_template);
    guest.hyperv_passthrough = features.at("hypervPassthrough").flag("enabled");
}

}  // namespace

std::vector<facts::Condition> decode_conditions(const Fields& status) {
    std::vector<facts::Condition> conditions;
    for (const auto& condition : status.list("conditions")) {
        conditions.push_back({condition.text("type"), condition.text("status"),
                              condition.text("reason"), condition.text("message"),
                              condition.text("lastTransitionTime")});
    }
    return conditions;
}

facts::Guest decode_guest(const Fields& spec, Form form) {
    facts::Guest guest;
    const auto domain = spec.at("domain");
    guest.architecture = spec.text("architecture");
    if (domain.has("cpu")) guest.cpu = decode_cpu(domain.at("cpu"));
    guest.memory_guest = domain.at("memory").maybe_bytes("guest");
    guest.hugepages = domain.at("memory").at("hugepages").text("pageSize");
    guest.memory_request = domain.at("resources").at("requests").maybe_bytes("memory");
    if (domain.has("launchSecurity")) {
        const auto security = domain.at("launchSecurity");
        guest.launch_security = {security.has("sev"), security.has("snp"), security.has("tdx")};
    }
    decode_features(domain.at("features"), form, guest);
    guest.machine = domain.at("machine").text("type");
    decode_devices(domain.at("devices"), guest);
    for (const auto& network : spec.list("networks")) {
        guest.networks.push_back({network.text("name"), network.has("pod")});
    }
    for (const auto& volume : spec.list("volumes")) {
        guest.volumes.push_back(decode_guest_volume(volume));
    }
    for (const auto& volume : spec.list("utilityVolumes")) {
        guest.utility_volumes.push_back(volume.text("name"));
    }
    guest.placement = decode_placement(spec);
    return guest;
}

facts::DataVolume decode_data_volume(const Fields& object) {
    facts::DataVolume result;
    result.meta = decode_meta(object);
    const auto spec = object.at("spec");
    const auto claim = spec.has("pvc") ? spec.at("pvc") : spec.at("storage");
    result.access_modes = claim.texts("accessModes");
    result.volume_mode = claim.text("volumeMode");
    result.storage_class = claim.text("storageClassName");
    return result;
}

facts::Vm decode_vm(const Fields& object) {
    facts::Vm vm;
    vm.meta = decode_meta(object);
    const auto spec = object.at("spec");
    const auto vm_template = spec.at("template");
    vm.guest = decode_guest(vm_template.at("spec"), Form::machine_template);
    vm.template_labels = vm_template.at("metadata").labels("labels");
    vm.template_annotations = vm_template.at("metadata").labels("annotations");
    vm.instancetype = spec.at("instancetype").text("name");
    vm.preference = spec.at("preference").text("name");
    for (const auto& data_volume : spec.list("dataVolumeTemplates")) {
        vm.data_volumes.push_back(decode_data_volume(data_volume));
    }
    vm.conditions = decode_conditions(object.at("status"));
    vm.created = object.at("status").flag("created");
    return vm;
}

namespace {

facts::VolumeStatus decode_volume_status(const Fields& status) {
    facts::VolumeStatus result;
    result.name = status.text("name");
    if (status.has("persistentVolumeClaimInfo")) {
        const auto claim = status.at("persistentVolumeClaimInfo");
        result.claim = {claim.text("claimName"), claim.texts("accessModes"),
                        claim.text("volumeMode"), claim.at("capacity").maybe_bytes("storage")};
    }
    return result;
}

facts::MigratedVolume decode_migrated_volume(const Fields& volume) {
    const auto source = volume.at("sourcePVCInfo");
    const auto destination = volume.at("destinationPVCInfo");
    return {volume.text("volumeName"), source.text("claimName"), destination.text("claimName"),
            source.at("capacity").maybe_bytes("storage"),
            destination.at("capacity").maybe_bytes("storage")};
}

}  // namespace

facts::Vmi decode_vmi(const Fields& object) {
    facts::Vmi vmi;
    vmi.meta = decode_meta(object);
    vmi.guest = decode_guest(object.at("spec"), Form::instance);
    const auto status = object.at("status");
    vmi.phase = status.text("phase");
    vmi.node = status.text("nodeName");
    vmi.conditions = decode_conditions(status);
    for (const auto& volume : status.list("volumeStatus")) {
        vmi.volumes.push_back(decode_volume_status(volume));
    }
    for (const auto& volume : status.list("migratedVolumes")) {
        vmi.migrated_volumes.push_back(decode_migrated_volume(volume));
    }
    vmi.migration_method = status.text("migrationMethod");
    vmi.migration_transport = status.text("migrationTransport");
    vmi.tsc_frequency = status.at("topologyHints").maybe_integer("tscFrequency");
    vmi.machine = status.at("machine").text("type");
    vmi.evacuation_node = status.text("evacuationNodeName");
    vmi.selinux_context = status.maybe_text("selinuxContext");
    const auto backup = status.at("changedBlockTracking").at("backupStatus");
    vmi.backup_running = !backup.keys().empty() && !backup.flag("completed");
    if (status.has("migrationState")) {
        vmi.migration = decode_migration_state(status.at("migrationState"));
    }
    return vmi;
}

}  // namespace preflight
