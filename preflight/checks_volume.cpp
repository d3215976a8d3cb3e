// What KubeVirt's conditions cannot see of the storage: file systems, drivers, pinned volumes, and
// jobs that keep a disk busy.
#include <algorithm>
#include <array>

#include "preflight/checks.hpp"
#include "preflight/question.hpp"

namespace preflight {
namespace {

using storage::Sharing;

bool writes_shared(const ClaimedDisk& disk) {
    return disk.has_mode("ReadWriteMany");
}

Finding judge_filesystem(const Question& question, const ClaimedDisk& disk) {
    const auto subject = claim_subject(question, disk.claim);
    const std::string needed = "a file system that libvirt knows as shared, or volumeMode Block";
    if (!disk.driver) return unknown(subject, needed, {disk.gap});
    if (disk.driver->sharing == Sharing::shared_filesystem) {
        return passed(subject, "Filesystem on " + std::string(disk.driver->title));
    }
    if (question.config.unsafe_override) {
        return passed(subject, "unsafeMigrationOverride switches libvirt's test off");
    }
    return warned(subject, "Filesystem on " + std::string(disk.driver->title), needed,
                  "where libvirt does not know the file system as shared, the migration fails at "
                  "once: Unsafe migration: Migration without shared storage is unsafe",
                  {"use volumeMode Block, or a network file system such as NFS or CephFS",
                   {command("kubectl get pvc ", disk.claim, " -n ", question.ns(), " -o yaml")}});
}

std::vector<Finding> check_filesystem(const Question& question) {
    std::vector<Finding> findings;
    for (const auto& disk : question.disks) {
        if (!writes_shared(disk) || disk.volume_mode == "Block") continue;
        if (disk.volume_mode.empty()) {
            findings.push_back(
                unknown(claim_subject(question, disk.claim), "the volume mode", {disk.gap}));
        } else {
            findings.push_back(judge_filesystem(question, disk));
        }
    }
    if (findings.empty()) {
        findings.push_back(
            skipped(question.machine(), "no shared claim with volumeMode Filesystem"));
    }
    return findings;
}

std::vector<Finding> check_cache(const Question& question) {
    std::vector<Finding> findings;
    for (const auto& disk : question.disks) {
        if (disk.cache.empty() || disk.cache == "none" || disk.cache == "directsync") continue;
        findings.push_back(warned(claim_subject(question, disk.claim),
                                  "disk " + disk.volume->name + " has cache " + disk.cache,
                                  "cache none",
                                  "libvirt refuses to migrate a disk whose writes a host may still "
                                  "hold in its cache, unless the storage is coherent",
                                  {"set the disk's cache to none", {}}));
    }
    if (findings.empty())
        findings.push_back(passed(question.machine(), "no disk asks for a cache"));
    return findings;
}

std::vector<Finding> check_block_mode(const Question& question) {
    std::vector<Finding> findings;
    for (const auto& disk : question.disks) {
        if (!writes_shared(disk) || !disk.driver) continue;
        if (disk.driver->sharing != Sharing::block_only) continue;
        const auto subject = claim_subject(question, disk.claim);
        const std::string title(disk.driver->title);
        if (disk.volume_mode == "Block") {
            findings.push_back(passed(subject, "Block on " + title));
        } else {
            findings.push_back(warned(
                subject, disk.volume_mode + " on " + title, "volumeMode Block",
                title + " shares devices between nodes, not file systems: the target cannot mount "
                        "the claim while the source does",
                {"make a claim with volumeMode Block and ReadWriteMany and move the disk there",
                 {}}));
        }
    }
    if (findings.empty()) {
        findings.push_back(skipped(question.machine(), "no shared claim on block-only storage"));
    }
    return findings;
}

Finding judge_reach(const Question& question, const ClaimedDisk& disk) {
    const auto subject = claim_subject(question, disk.claim);
    const std::string needed = "a volume that another node can reach";
    if (disk.bound == nullptr)
        return unknown(subject, needed, {disk.gap.empty() ? "persistentvolumes" : disk.gap});
    if (!disk.bound->node_terms) return passed(subject, "volume is not pinned to nodes");
    const auto& nodes = question.snapshot.nodes;
    if (nodes.items.empty()) return unknown(subject, needed, {nodes.gap});
    const auto others =
        std::count_if(nodes.items.begin(), nodes.items.end(), [&](const auto& node) {
            const auto& terms = *disk.bound->node_terms;
            return node.meta.name != question.judged.node &&
                   std::any_of(terms.begin(), terms.end(),
                               [&](const auto& term) { return term_matches(term, node); });
        });
    if (static_cast<std::size_t>(others) >= nodes_needed(question.judged)) {
        return passed(subject,
                      count_of(static_cast<std::size_t>(others), "node") + " can reach the volume");
    }
    return warned(subject, "volume " + disk.bound->meta.name + " is pinned to one node", needed,
                  "the claim says ReadWriteMany, but the volume behind it exists on one node: the "
                  "target pod stays Pending with a volume node affinity conflict",
                  {"move the disk to storage that more than one node can reach",
                   {command("kubectl get pv ", disk.bound->meta.name, " -o yaml")}});
}

std::vector<Finding> check_reach(const Question& question) {
    std::vector<Finding> findings;
    for (const auto& disk : question.disks) {
        if (writes_shared(disk)) findings.push_back(judge_reach(question, disk));
    }
    if (findings.empty()) findings.push_back(skipped(question.machine(), "no shared claim"));
    return findings;
}

std::vector<Finding> check_volume_migration(const Question& question) {
    const auto* vmi = question.judged.vmi;
    if (vmi == nullptr || vmi->migrated_volumes.empty()) {
        return {skipped(question.machine(), "no volume migration is under way")};
    }
    std::vector<Finding> findings;
    for (const auto& volume : vmi->migrated_volumes) {
        const auto subject = claim_subject(question, volume.destination_claim);
        const bool known = volume.source_capacity && volume.destination_capacity;
        if (known && *volume.destination_capacity < *volume.source_capacity) {
            findings.push_back(warned(
                subject, "smaller than the source claim " + volume.source_claim,
                "at least the size of the source",
                "Volume migration cannot be performed because the destination volume is smaller "
                "than the source volume",
                {"make the destination claim at least as large", {}}));
        } else if (known) {
            findings.push_back(passed(subject, "takes the data of " + volume.source_claim));
        } else {
            findings.push_back(
                unknown(subject, "the capacities of both claims",
                        {question.snapshot.claims.gap_or("persistentvolumeclaims")}));
        }
    }
    return findings;
}

std::vector<Finding> check_busy_disks(const Question& question) {
    const auto& volumes = question.judged.guest.utility_volumes;
    if (question.judged.running() && question.judged.vmi->backup_running) {
        return {warned(question.machine(), "a backup is running", "no backup",
                       "the migration waits in Pending, without limit, until the backup has ended",
                       {"wait for the backup, or end it", {}})};
    }
    if (!volumes.empty()) {
        return {warned(question.machine(), "utility volumes attached: " + join(volumes),
                       "no utility volume",
                       "the migration waits in Pending for them to be detached, and fails after "
                       "utilityVolumesTimeout (by default 150 seconds)",
                       {"end the backup or memory dump that uses them", {}})};
    }
    return {passed(question.machine(), "no backup, no utility volume")};
}

constexpr std::array<Check, 6> rows{{
    {"DISK-006", "shared-filesystem-known", "Shared file systems are known to libvirt",
     Severity::warning,
     "Looks at claims with ReadWriteMany and volumeMode Filesystem: which driver is behind them.",
     "libvirt tests the file system itself and refuses with \"Unsafe migration: Migration without "
     "shared storage is unsafe\" (code 81) where it does not know it as shared.",
     "Use volumeMode Block, or NFS, CephFS, GPFS, Lustre. unsafeMigrationOverride switches the "
     "test off for the whole cluster.",
     "libvirt src/util/virfile.c virFileIsSharedFSType", check_filesystem},
    {"DISK-007", "cache-none", "Disks do not ask for a host cache", Severity::warning,
     "Looks at disks[].cache of disks on claims.",
     "A host cache may hold writes that the target does not see; libvirt refuses such disks on "
     "storage that is not coherent.",
     "Leave cache unset or set it to none.", "libvirt src/qemu/qemu_migration.c", check_cache},
    {"DISK-008", "block-storage-as-block", "Block storage is shared as block devices",
     Severity::warning, "Looks at ReadWriteMany claims on drivers that share raw devices only.",
     "RBD, iSCSI and similar can be attached to two nodes as a device, never mounted twice.",
     "Use volumeMode Block.", "documentation of the drivers", check_block_mode},
    {"DISK-009", "volume-reachable", "Volumes can be reached from another node", Severity::warning,
     "Looks at the node affinity of the PersistentVolumes behind shared claims.",
     "Some provisioners give ReadWriteMany on volumes that live on one node; the target pod then "
     "never schedules.",
     "Move the disk to storage that more than one node can reach.",
     "kubernetes pkg/scheduler/framework/plugins/volumebinding", check_reach},
    {"DISK-010", "volume-migration-fits", "Destinations of a volume migration are large enough",
     Severity::warning, "Compares the capacities in status.migratedVolumes.",
     "KubeVirt refuses a destination that is smaller than its source.",
     "Make the destination claim at least as large.",
     "kubevirt pkg/virt-controller/watch/volume-migration", check_volume_migration},
    {"DISK-011", "disks-idle", "No backup or utility volume holds the disks", Severity::warning,
     "Looks for a running backup and for spec.utilityVolumes.",
     "A migration waits in Pending for them: without limit for a backup; for other utility volumes "
     "it fails after utilityVolumesTimeout, by default 150 seconds.",
     "Wait for the backup, or end it.", "kubevirt pkg/virt-controller/watch/migration/migration.go",
     check_busy_disks},
}};

}  // namespace

std::span<const Check> volume_checks() {
    return rows;
}

}  // namespace preflight
