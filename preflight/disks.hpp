// The disks of the judged machine followed to their storage: volume → PVC → PV or StorageClass →
// driver. Pure; what one of the steps misses is in `gap`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "preflight/judged.hpp"
#include "storage/drivers.hpp"

namespace preflight {

struct ClaimedDisk {
    const facts::Volume* volume = nullptr;  // never null
    std::string claim{};
    std::optional<std::vector<std::string>> access_modes{};
    std::string volume_mode{};  // Filesystem or Block; empty when unknown
    const facts::PersistentVolume* bound = nullptr;
    std::optional<storage::Driver> driver{};
    std::string cache{};  // of the disk that uses the volume
    std::string gap{};    // why access modes or driver are missing

    bool has_mode(std::string_view mode) const;
};

// Every volume with a claim behind it, ephemeral and memory dump volumes too.
std::vector<ClaimedDisk> claimed_disks(const facts::Snapshot& snapshot, const Judged& judged);

}  // namespace preflight
