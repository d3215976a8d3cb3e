#include "recovery/failure_rows.hpp"

namespace recovery {

namespace {

constexpr ReasonRow kReasons[] = {
    {"Unsafe migration",
     "libvirt does not take a disk of the guest for safely shared: its file system is not known as "
     "shared, or its cache mode is not none",
     Look::preflight},
    {"extra features: ht",
     "the target's launcher has a newer QEMU than the one the guest was started with, which takes "
     "the CPU feature ht for a difference; a restart of the VM helps",
     Look::launcher_image},
    {"missing features", "the target node's CPU lacks features that the guest uses",
     Look::preflight},
    {"guest CPU doesn't match specification", "the target node's CPU does not match the guest's",
     Look::preflight},
    {"incompatible with host CPU", "the target node's CPU does not match the guest's",
     Look::preflight},
    {"Cannot migrate empty or read-only disk",
     "this release of KubeVirt cannot migrate a CD-ROM or another read-only disk", Look::preflight},
    {"VIR_MIGRATE_PARAM_MIGRATE_DISKS",
     "the releases of KubeVirt's components do not fit together for a migration of volumes",
     Look::kubevirt},
    {"destination volume is smaller", "the new volume is smaller than the old one", Look::vm},
    {"until backup", "a backup of the guest runs", Look::vm},
    {"Live migration stuck for",
     "nothing more was copied for the time of progressTimeout, which tells of the network between "
     "the nodes rather than of a busy guest",
     Look::handlers},
    {"is not completed after",
     "the time limit for copying was reached (completionTimeoutPerGiB): the guest writes memory "
     "faster than it is sent, or the bandwidth is too small",
     Look::preflight},
    {"exceeds max allowed downtime",
     "KubeVirt gave up because the guest would have to pause for longer than it may "
     "(maxDowntimeMs)",
     Look::preflight},
    {"post-copy phase",
     "the migration broke in post-copy, when the guest's memory was on both sides", Look::vm},
    {"load of migration failed",
     "the target's QEMU cannot read the guest's state: the releases of virt-launcher differ",
     Look::launcher_image},
    {"annot allocate memory", "the target node has not enough memory for the guest",
     Look::preflight},
    {"annot set up guest memory", "the target node has not enough memory for the guest",
     Look::preflight},
    {"x509", "virt-handlers do not trust each other's certificates", Look::handlers},
    {"client socket is closed",
     "the connection to the target broke: its launcher ended, or the releases of virt-launcher and "
     "virt-handler differ",
     Look::handlers, Depth::symptom},
    {"unable to connect", "the source could not reach the target", Look::handlers, Depth::symptom},
    {"onnection refused", "the source could not reach the target", Look::handlers, Depth::symptom},
    {"o route to host", "the source could not reach the target", Look::handlers, Depth::symptom},
    {"imed out", "the target did not answer in time", Look::handlers, Depth::symptom},
    {"ost connection to destination", "the connection to the target broke", Look::handlers,
     Depth::symptom},
    {"annot recv data", "the connection to the target broke", Look::handlers, Depth::symptom},
    {"onnection reset", "the connection to the target broke", Look::handlers, Depth::symptom},
    {"Input/output error", "the connection to the target broke", Look::handlers, Depth::symptom},
    {"unexpectedly closed the monitor", "QEMU ended during the migration", Look::source_log,
     Depth::symptom},
    {"Target pod is down", "the target pod went down", Look::events, Depth::symptom},
    {"canceled by client", "", Look::preflight, Depth::abort},
    {"has been aborted", "", Look::preflight, Depth::abort},
    {"Live migration aborted", "", Look::preflight, Depth::abort},
};

constexpr ReasonRow kTroubles[] = {
    {"OOMKilled", "the target pod was killed because it had not enough memory", Look::pod},
    {"ErrImage", "an image of the target pod cannot be pulled", Look::pod},
    {"ImagePullBackOff", "an image of the target pod cannot be pulled", Look::pod},
    {"InvalidImageName", "an image of the target pod cannot be pulled", Look::pod},
    {"ImageInspectError", "an image of the target pod cannot be used", Look::pod},
    {"CreateContainer", "a container of the target pod cannot be created", Look::pod},
    {"RunContainerError", "a container of the target pod cannot be started", Look::pod},
    {"CrashLoopBackOff", "a container of the target pod ends again and again", Look::pod},
    {"Evicted", "the target pod was evicted from its node", Look::pod},
    {"Preempt", "the target pod had to make room for a more important one", Look::pod},
    {"NodeLost", "the target pod's node does not answer", Look::pod},
    {"NodeShutdown", "the target pod's node was shut down", Look::pod},
    {"Terminated", "the target pod's node was shut down", Look::pod},
    {"UnexpectedAdmissionError", "the target node's kubelet refused the target pod", Look::pod},
    {"OutOf", "the target node's kubelet refused the target pod", Look::pod},
    {"NodeAffinity", "the target node's kubelet refused the target pod", Look::pod},
};

constexpr EventRow kGuestEvents[] = {
    {"VirtualMachineInstance", "", "never observed on the target",
     "the guest was handed over, but was never seen on the target", Look::vm},
    {"VirtualMachineInstance", "", "migrated to unknown host",
     "the guest was handed over, but nobody knows where it is", Look::vm},
    {"VirtualMachineInstanceMigration", "FailedMigration", "vmi does not exist",
     "the virtual machine was stopped or deleted", Look::vm},
    {"VirtualMachineInstanceMigration", "FailedMigration", "vmi shutdown",
     "the virtual machine was stopped or deleted", Look::vm},
};

constexpr EventRow kEvents[] = {
    {"VirtualMachineInstance", "FailedCreate", "exceeded quota",
     "a ResourceQuota leaves no room for the target pod", Look::quota, Until::pod_exists},
    {"VirtualMachineInstance", "FailedCreate", "violates PodSecurity",
     "the namespace's PodSecurity level refuses the target pod", Look::security, Until::pod_exists},
    {"VirtualMachineInstance", "FailedCreate", "privileged namespace",
     "the namespace's PodSecurity level refuses the target pod", Look::security, Until::pod_exists},
    {"VirtualMachineInstance", "FailedCreate", "usage per ", "a LimitRange refuses the target pod",
     Look::limits, Until::pod_exists},
    {"VirtualMachineInstance", "FailedCreate", "admission webhook",
     "an admission webhook refuses the target pod", Look::events, Until::pod_exists},
    {"VirtualMachineInstance", "FailedCreate", "", "the target pod could not be created",
     Look::events, Until::pod_exists},
    {"Pod", "Evicted", "", "the target pod was evicted from its node", Look::events},
    {"Pod", "Preempted", "", "the target pod had to make room for a more important one",
     Look::events},
    {"Pod", "NodeNotReady", "", "the target pod's node does not answer", Look::events},
    {"Pod", "FailedAttachVolume", "Multi-Attach",
     "a volume of the guest can be attached to one node only", Look::preflight, Until::pod_ready},
    {"Pod", "FailedAttachVolume", "", "a volume of the guest could not be attached on the target",
     Look::events, Until::pod_ready},
    {"Pod", "FailedMount", "", "a volume of the guest could not be mounted on the target",
     Look::events, Until::pod_ready},
    {"Pod", "FailedCreatePodSandBox", "", "the target pod's network could not be set up",
     Look::events, Until::pod_ready},
    {"Pod", "Failed", "ull", "an image of the target pod cannot be pulled", Look::events,
     Until::pod_ready},
    {"Pod", "Failed", "", "a container of the target pod cannot be started", Look::events,
     Until::pod_ready},
    {"VirtualMachineInstanceMigration", "FailedMigration", "another migration job is in progress",
     "another migration of this VM was under way", Look::migrations},
    {"VirtualMachineInstanceMigration", "FailedMigration", "taken over by another migration job",
     "another migration of this VM took its place", Look::migrations},
    {"VirtualMachineInstanceMigration", "FailedMigration", "state was cleared",
     "something took the migration's state off the VMI", Look::migrations},
    {"VirtualMachineInstanceMigration", "FailedMigration", "attachment pod shutdown",
     "the pod that holds hot-plugged volumes on the target ended", Look::events},
    {"VirtualMachineInstanceMigration", "FailedMigration", "utility volumes",
     "a backup's volumes were not detached in time", Look::vm},
};

constexpr EventRow kEndEvents[] = {
    {"VirtualMachineInstanceMigration", "FailedMigration", "target pod was removed",
     "the target pod was deleted during the migration", Look::events},
    {"VirtualMachineInstanceMigration", "FailedMigration", "target pod shutdown",
     "the target pod ended during the migration", Look::pod},
};

}  // namespace

std::span<const ReasonRow> reason_rows() {
    return kReasons;
}
std::span<const ReasonRow> trouble_rows() {
    return kTroubles;
}
std::span<const EventRow> guest_rows() {
    return kGuestEvents;
}
std::span<const EventRow> event_rows() {
    return kEvents;
}
std::span<const EventRow> end_rows() {
    return kEndEvents;
}

}  // namespace recovery
