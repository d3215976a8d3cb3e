// VirtualMachine and VirtualMachineInstance as read. Values only.
// Source of the fields: KubeVirt staging/src/kubevirt.io/api/core/v1/types.go, v1.9.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "facts/guest.hpp"
#include "facts/meta.hpp"
#include "facts/migration.hpp"

namespace facts {

// status.volumeStatus[].persistentVolumeClaimInfo
struct ClaimStatus {
    std::string claim{};
    std::vector<std::string> access_modes{};
    std::string volume_mode{};
    std::optional<std::int64_t> capacity{};

    bool operator==(const ClaimStatus&) const = default;
};

struct VolumeStatus {
    std::string name{};
    std::optional<ClaimStatus> claim{};

    bool operator==(const VolumeStatus&) const = default;
};

struct MigratedVolume {
    std::string volume{};
    std::string source_claim{};
    std::string destination_claim{};
    std::optional<std::int64_t> source_capacity{};
    std::optional<std::int64_t> destination_capacity{};

    bool operator==(const MigratedVolume&) const = default;
};

struct Vmi {
    Meta meta{};
    Guest guest{};
    std::string phase{};
    std::string node{};  // status.nodeName
    std::vector<Condition> conditions{};
    std::vector<VolumeStatus> volumes{};
    std::vector<MigratedVolume> migrated_volumes{};
    std::string migration_method{};
    std::string migration_transport{};  // "Unix"; empty for launchers of early releases
    std::optional<std::int64_t> tsc_frequency{};
    std::string machine{};  // status.machine.type
    std::string evacuation_node{};
    std::optional<std::string> selinux_context{};
    bool backup_running = false;
    std::optional<MigrationState> migration{};  // status.migrationState: the last, or a running one

    bool operator==(const Vmi&) const = default;
};

// spec.dataVolumeTemplates[], or a DataVolume object
struct DataVolume {
    Meta meta{};
    std::vector<std::string> access_modes{};  // empty: the StorageProfile decides
    std::string volume_mode{};
    std::string storage_class{};

    bool operator==(const DataVolume&) const = default;
};

struct Vm {
    Meta meta{};
    Guest guest{};  // the template's spec
    Labels template_labels{};
    Labels template_annotations{};
    std::string instancetype{};  // name; empty when none
    std::string preference{};
    std::vector<DataVolume> data_volumes{};
    std::vector<Condition> conditions{};
    bool created = false;  // status.created: a VMI exists

    bool operator==(const Vm&) const = default;
};

}  // namespace facts
