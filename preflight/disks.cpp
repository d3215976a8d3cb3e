#include "preflight/disks.hpp"

#include <algorithm>

namespace preflight {
namespace {

const facts::ClaimStatus* reported_claim(const Judged& judged, const std::string& volume) {
    if (judged.vmi == nullptr) return nullptr;
    for (const auto& status : judged.vmi->volumes) {
        if (status.name == volume && status.claim) return &*status.claim;
    }
    return nullptr;
}

void follow_claim(const facts::Snapshot& snapshot, const Judged& judged, ClaimedDisk& disk) {
    const auto* claim = snapshot.claims.find(judged.meta.ns, disk.claim);
    if (claim == nullptr) {
        disk.gap = snapshot.claims.gap_or("persistentvolumeclaims");
        return;
    }
    disk.access_modes = claim->access_modes;
    disk.volume_mode = claim->volume_mode.empty() ? "Filesystem" : claim->volume_mode;
    if (!claim->volume.empty()) disk.bound = snapshot.volumes.find("", claim->volume);
    if (disk.bound != nullptr && !disk.bound->driver.empty()) {
        disk.driver = storage::driver_of(disk.bound->driver);
        return;
    }
    const auto* storage_class = snapshot.storage_classes.find("", claim->storage_class);
    if (storage_class != nullptr) {
        disk.driver = storage::driver_of(storage_class->provisioner);
    } else {
        disk.gap = snapshot.volumes.gap_or("persistentvolumes");
    }
}

}  // namespace

bool ClaimedDisk::has_mode(std::string_view mode) const {
    return access_modes &&
           std::find(access_modes->begin(), access_modes->end(), mode) != access_modes->end();
}

std::vector<ClaimedDisk> claimed_disks(const facts::Snapshot& snapshot, const Judged& judged) {
    std::vector<ClaimedDisk> disks;
    for (const auto& volume : judged.guest.volumes) {
        if (volume.claim.empty()) continue;
        ClaimedDisk disk;
        disk.volume = &volume;
        disk.claim = volume.claim;
        for (const auto& device : judged.guest.disks) {
            if (device.name == volume.name) disk.cache = device.cache;
        }
        follow_claim(snapshot, judged, disk);
        if (const auto* reported = reported_claim(judged, volume.name)) {
            disk.access_modes = reported->access_modes;
            if (!reported->volume_mode.empty()) disk.volume_mode = reported->volume_mode;
        }
        disks.push_back(std::move(disk));
    }
    return disks;
}

}  // namespace preflight
