// What KubeVirt itself asks of the disks.
#include <algorithm>
#include <array>

#include "preflight/checks.hpp"
#include "preflight/question.hpp"

namespace preflight {
namespace {

using facts::VolumeKind;

constexpr auto shared_needed = "ReadWriteMany among the access modes";

Fix shared_claim_fix(const Question& question, const std::string& claim) {
    return {
        "put the disk on a claim with ReadWriteMany (block devices: volumeMode Block), for "
        "example by a volume migration; until then the VM moves only by stop and start",
        {command("kubectl get pvc ", claim, " -n ", question.ns(), " -o yaml")}};
}

std::string seen_modes(const ClaimAccess& access) {
    if (access.access == Access::not_reported) {
        return "the VMI's volumeStatus has no claim information";
    }
    return access.modes.empty() ? "no access modes" : join(access.modes);
}

const Obstacle* obstacle_of(const Question& question, const std::string& volume) {
    const auto& obstacles = question.migratability.outcomes.at(Rule::disks).obstacles;
    const auto found = std::find_if(obstacles.begin(), obstacles.end(),
                                    [&](const auto& item) { return item.subject == volume; });
    return found == obstacles.end() ? nullptr : &*found;
}

// Up to 1.5 a hostDisk is judged by `shared` alone, also where it stands for a claim.
bool claim_decides(const Question& question, const facts::Volume& volume) {
    return volume.kind != VolumeKind::host_disk || question.rules.set >= RuleSet::v1_6;
}

Finding judge_claim(const Question& question, const std::string& volume,
                    const ClaimAccess& access) {
    const auto subject = claim_subject(question, access.claim);
    if (access.access == Access::unread) return unknown(subject, shared_needed, {access.gap});
    if (const auto* obstacle = obstacle_of(question, volume)) {
        return failed(subject, seen_modes(access), shared_needed, obstacle->message,
                      shared_claim_fix(question, access.claim));
    }
    return passed(subject, question.judged.migrates(volume) ? "its data moves with the migration"
                                                            : seen_modes(access));
}

// One finding for every claim: KubeVirt's condition names the first bad one only.
std::vector<Finding> check_claims_shared(const Question& question) {
    std::vector<Finding> findings;
    for (const auto& volume : question.judged.guest.volumes) {
        const auto found = question.judged.claims.find(volume.name);
        if (found == question.judged.claims.end() || !claim_decides(question, volume)) continue;
        findings.push_back(judge_claim(question, volume.name, found->second));
    }
    if (findings.empty()) findings.push_back(skipped(question.machine(), "no disk is on a claim"));
    return findings;
}

std::vector<Finding> check_host_disks(const Question& question) {
    std::vector<Finding> findings;
    bool any = false;
    for (const auto& volume : question.judged.guest.volumes) {
        if (volume.kind != VolumeKind::host_disk) continue;
        any = true;
        const auto* obstacle = obstacle_of(question, volume.name);
        const bool by_claim =
            question.judged.claims.contains(volume.name) && claim_decides(question, volume);
        if (obstacle == nullptr || by_claim) continue;
        findings.push_back(failed(question.machine(), "hostDisk " + volume.name + " is not shared",
                                  "hostDisk.shared: true, on storage that every node mounts",
                                  obstacle->message,
                                  {"move the image to a shared claim; where the path is the same "
                                   "storage on every node, set hostDisk.shared",
                                   {}}));
    }
    if (!findings.empty()) return findings;
    if (any) return {passed(question.machine(), "every hostDisk is shared")};
    return {skipped(question.machine(), "no hostDisk")};
}

// KubeVirt reports these as migratable, but the target pod has to attach the claim, too.
std::vector<Finding> check_scratch_claims(const Question& question) {
    std::vector<Finding> findings;
    for (const auto& disk : question.disks) {
        const auto kind = disk.volume->kind;
        if (kind != VolumeKind::ephemeral && kind != VolumeKind::memory_dump) continue;
        const auto subject = claim_subject(question, disk.claim);
        const std::string needed = "ReadWriteMany or ReadOnlyMany";
        if (!disk.access_modes) {
            findings.push_back(unknown(subject, needed, {disk.gap}));
        } else if (disk.has_mode("ReadWriteMany") || disk.has_mode("ReadOnlyMany")) {
            findings.push_back(passed(subject, join(*disk.access_modes)));
        } else {
            findings.push_back(warned(
                subject, join(*disk.access_modes), needed,
                "KubeVirt calls it migratable, but the target pod must attach the claim of " +
                    disk.volume->type + " volume " + disk.volume->name +
                    " while the source holds it, and waits until the migration times out",
                {"take the volume off the VM before it migrates, or use a shared claim", {}}));
        }
    }
    if (findings.empty()) {
        findings.push_back(skipped(question.machine(), "no ephemeral or memory dump volume"));
    }
    return findings;
}

std::vector<Finding> check_virtiofs(const Question& question) {
    return from_rule(question, Rule::virtiofs,
                     {"no virtiofs filesystem",
                      "no virtiofs filesystem",
                      "KubeVirt 1.4 cannot hand a virtiofs share to another node",
                      {"update KubeVirt to 1.5 or newer, or remove the filesystem", {}}});
}

std::vector<Finding> check_reservation(const Question& question) {
    const RuleText text{"no LUN with a SCSI persistent reservation",
                        "no persistent reservation",
                        "the reservation belongs to the path of the source node",
                        {"remove lun.reservation, or stop and start the VM to move it", {}}};
    auto findings = from_rule(question, Rule::reservation, text);
    if (question.migratability.reservation_blocks) return findings;
    for (auto& finding : findings) {
        if (finding.verdict != Verdict::fail) continue;
        finding.verdict = Verdict::warn;
        finding.why =
            "since KubeVirt 1.9 it hinders storage migration only; the target node needs "
            "a path to the LUN of its own";
    }
    return findings;
}

constexpr std::array<Check, 5> rows{{
    {"DISK-001", "claims-shared", "Every claim can be attached to two nodes", Severity::blocking,
     "Looks at the access modes of every PersistentVolumeClaim and DataVolume that the VM uses, as "
     "the VMI's status.volumeStatus reports them; for a stopped VM, at the claims themselves.",
     "During a live migration the disk is attached to the source and the target node at once. "
     "KubeVirt refuses with DisksNotLiveMigratable unless each claim has ReadWriteMany, and its "
     "condition names the first bad claim only.",
     "Use a claim with ReadWriteMany. Most block storage offers it with volumeMode Block only. A "
     "volume migration moves a running VM's disk to such a claim.",
     "kubevirt pkg/virt-handler/vm.go checkVolumesForMigration", check_claims_shared},
    {"DISK-002", "host-disk-shared", "hostDisks are shared", Severity::blocking,
     "Looks at hostDisk.shared of every hostDisk volume that is no translated claim.",
     "A hostDisk is a file of one node. KubeVirt refuses unless it is declared shared.",
     "Move the image to a shared claim. Set hostDisk.shared only where the path is the same "
     "storage on every node: nothing checks it.",
     "kubevirt pkg/virt-handler/vm.go checkVolumesForMigration", check_host_disks},
    {"DISK-003", "scratch-claims-shared", "Ephemeral and dump claims can be attached twice",
     Severity::warning, "Looks at the claims behind ephemeral and memory dump volumes.",
     "KubeVirt does not count them as disks, so it reports the VM as migratable; the target pod "
     "still mounts the claim and waits for it (Multi-Attach) until the migration times out.",
     "Detach the volume before the migration, or use a claim with ReadWriteMany or ReadOnlyMany.",
     "kubevirt pkg/virt-handler/vm.go; pkg/virt-controller/services/rendervolumes.go",
     check_scratch_claims},
    {"DISK-004", "no-virtiofs", "No virtiofs before KubeVirt 1.5", Severity::blocking,
     "Looks for filesystems with virtiofs, where the cluster runs KubeVirt 1.4.",
     "KubeVirt 1.4 refuses with VirtIOFSNotLiveMigratable; later releases migrate virtiofs.",
     "Update KubeVirt, or remove the filesystem.", "kubevirt v1.4.1 pkg/virt-handler/vm.go",
     check_virtiofs},
    {"DISK-005", "no-scsi-reservation", "No SCSI persistent reservation", Severity::blocking,
     "Looks for LUN disks with reservation: true.",
     "Up to KubeVirt 1.8 such a VM cannot migrate at all "
     "(PersistentReservationNotLiveMigratable); since 1.9 only its storage cannot.",
     "Remove the reservation, or move the VM by stop and start.",
     "kubevirt pkg/virt-handler/vm.go; pkg/storage/reservation", check_reservation},
}};

}  // namespace

std::span<const Check> disk_checks() {
    return rows;
}

}  // namespace preflight
