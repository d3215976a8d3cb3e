// The scenarios' pages of the manual. What they promise, tests/unit/lab_scenarios_test.cpp and
// lab_scenario_failures_test.cpp hold.
#include "lab/scenario_builders.hpp"

namespace lab {

const char* const kHealthyPage =
    R"(Nodes of one kind, virtual machines on shared block disks, KubeVirt v1.9.0. The place to
learn what normal looks like, and to try scripts on.

  kubectl get vmi -A -o wide
  @ preflight -A
)";

const char* const kRwoDiskPage =
    R"(The claim of vm-1 is ReadWriteOnce, so KubeVirt refuses to migrate it. Nothing is broken; the
answer is a shared claim. Look for DISK-001.

  @ preflight vm-1
)";

const char* const kCpuMismatchPage =
    R"(node-1 has the newest CPU, all others an older one. What runs on node-1 with the model of its
host cannot leave it: no other node offers that CPU. Look for CPU-003 and NODE-001.

  @ preflight vm-1
)";

const char* const kNoRoomPage =
    R"(Every node is as full as its memory allows. preflight passes, because it does not count what
runs on the nodes. Migrate one and see: the scheduler finds no node, the target pod stays Pending
and says why in its events, and the VMIM stays in Scheduling.

  @ preflight vm-1
  virtctl migrate vm-1
  kubectl get vmim -w
  kubectl get events --field-selector reason=FailedScheduling

It ends by itself: after five minutes KubeVirt deletes the pod and the VMIM is Failed. The guest has
not noticed anything.
)";

const char* const kSlowNetworkPage =
    R"(vm-1 is being migrated from node-1 over 1 Gbit/s, and dirties 400 MB of its memory each
second: each round of pre-copy leaves as much to send as the one before.

The API shows a VMIM that is Running, and goes on doing so. Only the progress lines in the source
launcher's log tell that what remains does not shrink.

  kubectl get vmim -w
  kubectl get vmi vm-1 -o jsonpath='{.status.migrationState}'
  kubectl get pod -l kubevirt.io=virt-launcher,vm.kubevirt.io/name=vm-1
  kubectl logs POD

It ends by itself: 450 seconds after its start (150 for each GB of 2 GiB, rounded up to 3) KubeVirt
aborts it. The VMIM is Failed, the guest stays on node-1, and the next try ends the same way. What
helps is less load in the guest, or a MigrationPolicy with allowAutoConverge or allowPostCopy.
)";

const char* const kPostCopyPage =
    R"(vm-1 dirties 400 MB of its memory each second, over wires of 1 Gbit/s, as in slow-network.
But a MigrationPolicy says allowPostCopy, with 20 s for each GB. Migrate it and see: for a minute
what remains does not shrink; then the guest goes over to the target at once, and the memory it
lacks is fetched after it.

  kubectl get migrationpolicy vm-1 -o yaml
  virtctl migrate vm-1
  kubectl get vmi vm-1 -o jsonpath='{.status.migrationState.mode}'

The mode PostCopy is the one to know: the guest's memory is on both nodes, and the migration cannot
be taken back. If the wire or one of the two nodes failed now, the guest would be lost and start
anew, with its disk as it was. Here nothing fails, and some twenty seconds later it has succeeded.
)";

const char* const kPausedGuestPage =
    R"(vm-1 dirties 400 MB of its memory each second, over wires of 1 Gbit/s, as in slow-network.
But a MigrationPolicy says allowWorkloadDisruption, and not allowPostCopy, with 20 s for each GB.
Migrate it and see: for a minute what remains does not shrink; then the guest is paused on node-1,
what remains is sent, and the guest goes on running on the target.

  kubectl get migrationpolicy vm-1 -o yaml
  virtctl migrate vm-1
  kubectl get vmi vm-1 -o jsonpath='{.status.migrationState.mode}'

While the mode is Paused, some twenty seconds, the guest answers nobody. Its memory is whole on
node-1: a migration that fails or is canceled now lets it run on there.
)";

const char* const kQueuePage =
    R"(vm-1, vm-2 and vm-3 run on node-1 and are being migrated, over wires of 200 Mbit/s. KubeVirt
lets two leave a node at a time (parallelOutboundMigrationsPerNode), and five move in the cluster.

The API shows two VMIMs that are Running, and the third one, migrate-vm-3, Pending: no event, no
condition, no target pod. KubeVirt tells of the limit in virt-controller's log alone; to know it
one has to count.

  kubectl get vmim
  kubectl describe vmim migrate-vm-3
  kubectl get vmi -o wide

Nothing is broken. In a minute and a half the first two have left, and the third one goes.
)";

const char* const kQuotaPage =
    R"(A ResourceQuota of the namespace prod has memory for the launchers that run, and for less
than a half of another one. preflight warns of it (ADM-001). Migrate a virtual machine and see: the
target is a second launcher, which asks for as much memory as the first. The quota refuses it, and
the VMIM stays Pending with the condition migrationRejectedByResourceQuota.

  kubectl describe resourcequota memory
  @ preflight vm-1
  virtctl migrate vm-1
  kubectl get vmim -o yaml

Nothing is broken, and the guest has not noticed anything. Once the quota has room, the migration
goes on by itself:

  kubectl patch resourcequota memory -p '{"spec": {"hard": {"requests.memory": "64Gi"}}}'
)";

const char* const kSourceNodeLostPage =
    R"(node-1 lost power while vm-1 was being copied from it.

The API shows node-1 NotReady and the VMIM Failed; vm-1 is still Running on node-1, not Ready, and
its disk attached there. What is so: the guest is gone since the power is, and nobody writes its
disk. The target had only a part of its memory and has ended.

  kubectl get nodes
  kubectl get vmim
  kubectl get vmi -o wide
  kubectl get volumeattachments

After five minutes node-1's pods are marked for deletion, and stay Terminating: nobody is there to
end them. That is how it stays, for ever, since the API cannot tell a dead node from a cut-off one.
Once you are sure that node-1 has no power, say so, and vm-1 starts on another node:

  kubectl taint node node-1 node.kubernetes.io/out-of-service=nodeshutdown:NoExecute
)";

const char* const kTargetNodeLostPage =
    R"(vm-1 was being copied from node-1 when the target node lost power.

The API shows the target node NotReady and the VMIM Failed with "Lost connection to destination
host". What is so: the guest runs on node-1 as if nothing had happened; no other QEMU ever had its
disk.

  kubectl get nodes
  kubectl get vmi vm-1 -o jsonpath='{.status.migrationState.failureReason}'
  kubectl get pods -o wide

The target's pod is left behind: Running, after five minutes Terminating, for ever. Until it is gone
it counts as a second launcher, and each further migration of vm-1 waits in Pending without a word.
It never had the guest, so it may be removed, its node being without power:

  kubectl delete pod POD --force --grace-period=0
)";

const char* const kInterruptedHandoffPage =
    R"(node-1 was cut off from all other nodes and from the API server just when vm-1's guest was to
go over to the target. Only its way to the storage is left.

The API shows node-1 NotReady, the migration still Running, and vm-1's disk attached to two nodes.
Nothing in it says who runs the guest. What is so: the switch-over never came through. The guest
runs on node-1 and writes its disk; on the target there is a launcher without a guest. The VMI's
status is frozen, because virt-handler on node-1 cannot write it.

  kubectl get nodes
  kubectl get vmim
  kubectl get vmi vm-1 -o jsonpath='{.status.migrationState}'
  kubectl get volumeattachments -o wide

After four to six minutes the target's launcher gives up and the VMIM is Failed. vm-1 stays Running
on node-1 for the API, its pod Terminating, for ever.

Do not remove that pod by force as long as node-1 has power. The API would then take the guest for
lost, start it again on another node, and two QEMUs would write one disk: the lab does exactly that
if you do. First switch node-1 off, where its power is switched.
)";

const char* const kStuckTerminatingPage =
    R"(vm-1 was being migrated when the target node lost its way to the API server, just before
virt-handler on it could prepare the target. Then somebody deleted the VMIM to cancel the migration.

The API shows the VMIM in PreparingTarget with a deletionTimestamp and the condition
migrationAbortRequested. From this phase on a cancellation is only carried out by a migration that
has started; this one never will. What is so: the guest runs on node-1, and nothing was ever copied.

  kubectl get vmim -o yaml
  kubectl get vmi vm-1 -o jsonpath='{.status.migrationState}'
  kubectl get pods -o wide

It does not end by itself, and the webhook refuses another migration of vm-1 meanwhile. Do not take
the finalizer off. As migrationState has no startTimestamp, the target's pod has no guest and may
go; then the VMIM is Failed, and gone:

  kubectl delete pod POD --force --grace-period=0
)";

const char* const kTwoLaunchersPage =
    R"(vm-1 has migrated away from node-1, but virt-handler on node-1 stopped at the switch-over,
and so nobody ended the old launcher. Then somebody asked for another migration.

The API shows the first VMIM Succeeded, the second one, migrate-vm-1-again, Pending: no event, no
condition, no target pod. What is so: the guest runs on the new node alone; the old pod, Running,
is an empty shell. KubeVirt creates no target while a VMI has two launchers that live, and does not
say so.

  kubectl get vmim
  kubectl describe vmim migrate-vm-1-again
  kubectl get pods -o wide
  kubectl get vmi vm-1 -o jsonpath='{.status.nodeName}'

It does not end by itself. Which of two launchers has the guest is to be made sure of before one is
deleted; here it is the one on vm-1's node. Without the other one the second VMIM goes on at once:

  kubectl delete pod POD
)";

const char* const kDrainBlockedPage =
    R"(node-1 is cordoned and being drained. vm-1 on it has the eviction strategy LiveMigrate, and a
disk that only one node may attach.

The API shows a migration for each other virtual machine of node-1: two at a time, the rest Pending
behind the limit of the node, until all have left. vm-1 stays: each eviction of its pod is refused
with 429 "VMI vm-1 is configured with an eviction strategy but is not live-migratable". kubectl
drain takes that for "not yet" and tries again every five seconds, for ever.

  kubectl get vmim
  @ preflight --node node-1
  kubectl drain node-1 --ignore-daemonsets --delete-emptydir-data --timeout=60s

Nothing is broken. Shut vm-1 down, or give it a shared disk; then the drain ends.
)";

const char* const kBarePage =
    R"(The objects of a healthy cluster, but no controller, webhook or node looks at them: pods
are not scheduled, migrations stay without a phase, deleted namespaces stay Terminating. The place
to try requests without consequences.
)";

}  // namespace lab
