// The specification of a virtual machine: what a VirtualMachineInstance's spec, or the template of
// a VirtualMachine, says. Values only; names of fields follow the KubeVirt API
// (staging/src/kubevirt.io/api/core/v1/schema.go, v1.9), sizes are bytes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "facts/selectors.hpp"

namespace facts {

struct CpuFeature {
    std::string name{};
    std::string policy{};  // force, require, optional, disable, forbid; empty means require

    bool operator==(const CpuFeature&) const = default;
};

struct Cpu {
    std::string model{};  // host-model, host-passthrough or a named model; empty when not set
    std::vector<CpuFeature> features{};
    std::int64_t cores = 1;
    std::int64_t sockets = 1;
    std::int64_t threads = 1;
    bool dedicated = false;
    bool numa_passthrough = false;
    bool realtime = false;

    bool operator==(const Cpu&) const = default;
};

enum class DiskKind { disk, cdrom, lun };

struct Disk {
    std::string name{};
    DiskKind kind = DiskKind::disk;
    std::optional<bool> read_only{};  // of a CD-ROM; nullopt means read-only
    bool reservation = false;         // SCSI persistent reservation of a LUN
    std::string cache{};

    bool operator==(const Disk&) const = default;
};

struct Filesystem {
    std::string name{};
    bool virtiofs = false;

    bool operator==(const Filesystem&) const = default;
};

enum class Binding { none, bridge, masquerade, sriov, macvtap, slirp, passt, plugin };

struct Interface {
    std::string name{};
    Binding binding = Binding::none;
    std::string plugin{};               // of Binding::plugin
    std::vector<std::int64_t> ports{};  // forwarded by masquerade; empty forwards all

    bool operator==(const Interface&) const = default;
};

struct Network {
    std::string name{};
    bool pod = false;

    bool operator==(const Network&) const = default;
};

enum class VolumeKind { claim, data_volume, host_disk, ephemeral, memory_dump, other };

struct Volume {
    std::string name{};
    VolumeKind kind = VolumeKind::other;
    std::string type{};   // the API's word: persistentVolumeClaim, containerDisk, …
    std::string claim{};  // the PVC behind it: claimName or the DataVolume's name
    bool host_disk_shared = false;

    bool operator==(const Volume&) const = default;
};

struct LaunchSecurity {
    bool sev = false;
    bool snp = false;
    bool tdx = false;

    bool operator==(const LaunchSecurity&) const = default;
};

struct Guest {
    std::string architecture{};
    std::optional<Cpu> cpu{};
    std::optional<std::int64_t> memory_guest{};
    std::optional<std::int64_t> memory_request{};  // spec.domain.resources.requests.memory
    std::string hugepages{};                       // page size, "1Gi"; empty when not used
    std::optional<LaunchSecurity> launch_security{};
    bool reenlightenment = false;     // features.hyperv.reenlightenment.enabled
    bool hyperv_passthrough = false;  // features.hypervPassthrough.enabled
    std::string machine{};
    std::vector<Disk> disks{};
    std::vector<Filesystem> filesystems{};
    std::vector<Interface> interfaces{};
    std::vector<Network> networks{};
    std::vector<Volume> volumes{};
    std::vector<std::string> utility_volumes{};
    std::vector<std::string> host_devices{};  // device names; "" for DRA claims
    std::vector<std::string> gpus{};          // device names; "" for DRA claims
    bool autoattach_pod_interface = true;
    Placement placement{};

    bool operator==(const Guest&) const = default;
};

}  // namespace facts
