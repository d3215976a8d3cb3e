// Every sentence of the help and the manual pages that is not about a single flag.
#include <algorithm>
#include <array>

#include "cli/command_line.hpp"

namespace cli {

namespace {

constexpr std::array preflight_codes{0, 1, 2, 3, 4, 130, 143};
constexpr std::array migrate_codes{0, 1, 2, 3, 5, 6, 7, 8, 130, 143};
constexpr std::array cancel_codes{0, 1, 2, 3, 5, 6, 8, 130, 143};
constexpr std::array plain_codes{0, 1, 2};
constexpr std::array lab_codes{0, 1, 2, 130, 143};
constexpr std::array usage_codes{0, 2};

constexpr std::string_view migrate_manual =
    "= THE MIGRATION OBJECT\n"
    "What is created is a VirtualMachineInstanceMigration in the namespace of the virtual "
    "machine. Its name is made by this tool and printed before it is sent, so a reply that "
    "got lost is settled by reading that name: a migration is never started twice. Fields "
    "that the server does not know are refused, not dropped.\n"
    "With --to and --node-selector the target node is asked for in the object itself. A "
    "server that would drop that wish, and a template that contradicts it, are refused: the "
    "virtual machine could land anywhere.\n"
    "= PROGRESS\n"
    "KubeVirt's objects tell phases only. How far memory is copied is read from the log of "
    "the virt-launcher pod that the guest leaves, else from the metrics of virt-handler on "
    "that node; what cannot be read is said once, and the phases alone are shown. The per "
    "cent are those of the first pass over memory and never go backwards; later passes copy "
    "what the guest has written meanwhile, so the transfer rate stands beside the rate at "
    "which it writes.\n"
    "A terminal shows one live block per virtual machine. Elsewhere there is one line per "
    "change, and one now and then to show that it still works.\n"
    "The end is told by the virtual machine instance, not by the migration object alone, "
    "which may be finished a moment earlier. After success the old virt-launcher pod and "
    "the old attachment of the disks are waited for, for a bounded time.\n"
    "= INTERRUPTION\n"
    "Ctrl-C and SIGTERM let go: what was started goes on at the server, nothing more is "
    "started, and the commands that follow and that cancel it are printed. With --cancel-"
    "on-interrupt it is cancelled. A second signal ends the program at once.\n"
    "= BATCHES\n"
    "Virtual machines that cannot migrate are listed first, before anything moves; without "
    "--skip-blocked nothing is started then. Without --max-parallel all migrations are "
    "created, and the cluster runs as many at a time as KubeVirt's configuration allows. "
    "After more failures than --max-failures no more are started, and what is on its way is "
    "followed to its end. Run again, the same command goes on with those that are left.\n"
    "The exit code is that of the gravest end, in the order 8, 6, 5, 7, 3.\n"
    "= DOCUMENTS\n"
    "With -o json or -o yaml there is one document at the end, of apiVersion virt-"
    "handoff/v1 and kind MigrationReport. Times are RFC 3339 in UTC, bytes are integers, "
    "and what is not known is null.\n"
    "\n"
    "  apiVersion, kind\n"
    "  takenAt         when it was written\n"
    "  source          the cluster that was asked\n"
    "  toolVersion\n"
    "  verb            migrate or cancel\n"
    "  exitCode\n"
    "  items[]         one per virtual machine\n"
    "    namespace, vmi\n"
    "    vmim          name of the migration object\n"
    "    phase         its last phase\n"
    "    result        see below\n"
    "    vmRunning     whether the guest runs; null: not known\n"
    "    runsOn        the node where it runs\n"
    "    sourceNode, targetNode\n"
    "    startedAt, endedAt, durationSeconds\n"
    "    downtimeMilliseconds, bytes\n"
    "    cause         why it did not succeed\n"
    "    next          the next command\n"
    "    notes[]       what else is worth knowing\n"
    "  error           kind, message, hint; null if the command could work\n"
    "\n"
    "result is one of: succeeded; nothingToDo (already there, or nothing to cancel); "
    "started (not followed); detached (let go, goes on at the server); blocked (refused "
    "before anything was done); notStarted (left out, as after a failure); timedOut (goes "
    "on at the server); failed; cancelled; unknown.\n"
    "With -o jsonl each line is a document of kind MigrationEvent, and words for people go "
    "to standard error.\n"
    "\n"
    "  apiVersion, kind\n"
    "  type            created, joined, phase, progress, waiting, note,\n"
    "                  end, error\n"
    "  time\n"
    "  namespace, vmi, vmim, phase\n"
    "  message         for people\n"
    "  next            the next command\n"
    "  progress        percent, verdict, pass, processedBytes,\n"
    "                  remainingBytes, totalBytes, rateBytesPerSecond,\n"
    "                  dirtyRateBytesPerSecond, deadline, atDeadline,\n"
    "                  source\n"
    "  outcome         at the end: as an item of MigrationReport\n"
    "\n"
    "progress.verdict is one of: first pass; converging; too slow (for its deadline); not "
    "converging; stalled; switching over; post-copy; paused. progress.source is launcherLog "
    "or handlerMetrics.\n"
    "= RIGHTS\n"
    "To look, for preflight; what is not allowed leaves questions open:\n"
    "\n"
    "  - apiGroups: [kubevirt.io]\n"
    "    resources: [virtualmachines, virtualmachineinstances,\n"
    "      virtualmachineinstancemigrations, kubevirts]\n"
    "    verbs: [get, list, watch]\n"
    "  - apiGroups: [migrations.kubevirt.io]\n"
    "    resources: [migrationpolicies]\n"
    "    verbs: [get, list]\n"
    "  - apiGroups: [\"\"]\n"
    "    resources: [events, namespaces, nodes, persistentvolumeclaims,\n"
    "      persistentvolumes, pods, resourcequotas]\n"
    "    verbs: [get, list, watch]\n"
    "  - apiGroups: [storage.k8s.io]\n"
    "    resources: [storageclasses, volumeattachments]\n"
    "    verbs: [get, list, watch]\n"
    "  - apiGroups: [cdi.kubevirt.io]\n"
    "    resources: [datavolumes]\n"
    "    verbs: [get, list]\n"
    "  # in KubeVirt's namespace\n"
    "  - apiGroups: [apps, k8s.cni.cncf.io, networking.k8s.io]\n"
    "    resources: [daemonsets, network-attachment-definitions,\n"
    "      networkpolicies]\n"
    "    verbs: [get, list]\n"
    "\n"
    "To migrate, besides (KubeVirt's role kubevirt.io:migrate has it, and must be bound by "
    "hand since 1.5):\n"
    "\n"
    "  - apiGroups: [kubevirt.io]\n"
    "    resources: [virtualmachineinstancemigrations]\n"
    "    verbs: [create]\n"
    "\n"
    "To see how far a migration is, one of these:\n"
    "\n"
    "  # in the namespace of the virtual machine\n"
    "  - apiGroups: [\"\"]\n"
    "    resources: [pods/log]\n"
    "    verbs: [get]\n"
    "  # in KubeVirt's namespace\n"
    "  - apiGroups: [\"\"]\n"
    "    resources: [pods/proxy]\n"
    "    verbs: [get]\n"
    "\n"
    "To cancel, and for --cancel-on-timeout and --cancel-on-interrupt; the last only ends a "
    "migration that hangs before it has copied anything:\n"
    "\n"
    "  - apiGroups: [kubevirt.io]\n"
    "    resources: [virtualmachineinstancemigrations]\n"
    "    verbs: [delete]\n"
    "  - apiGroups: [subresources.kubevirt.io]\n"
    "    resources: [virtualmachineinstances/evacuate/cancel]\n"
    "    verbs: [update]\n"
    "  - apiGroups: [\"\"]\n"
    "    resources: [pods]\n"
    "    verbs: [delete]\n";

constexpr std::string_view cancel_manual =
    "= WHAT CANCELLING DOES\n"
    "A migration is cancelled by deleting its VirtualMachineInstanceMigration. What that "
    "does hangs on its phase:\n"
    "\n"
    "  Pending, Scheduling, Scheduled\n"
    "      The target pod is deleted, and the migration ends.\n"
    "  PreparingTarget, TargetReady\n"
    "      Nothing at first: the wish is kept, and obeyed once memory is\n"
    "      being copied. Where that never begins, the migration hangs, and\n"
    "      deleting the target pod ends it. This is done only while nothing\n"
    "      has been copied.\n"
    "  Running\n"
    "      QEMU is told to stop copying; the guest goes on where it runs.\n"
    "  Running, in post-copy\n"
    "      Refused, with exit code 3. The guest runs on the target already,\n"
    "      and part of its memory is still on the source: to end the\n"
    "      migration would end the guest.\n"
    "  Succeeded, Failed\n"
    "      Nothing to cancel.\n"
    "\n"
    "An abort that the server tries again and again without effect is recognised by the "
    "events FailedAbortMigration, and named.\n"
    "= EVACUATION MARKS\n"
    "A virtual machine that was asked to leave its node carries a mark, "
    "status.evacuationNodeName, and KubeVirt makes a new migration for it as long as the "
    "mark is there. So the mark is taken back first, and the migration is deleted after "
    "that. A 'kubectl drain' that still runs sets the mark again within seconds: end it "
    "first, and uncordon the node if it is to be used.\n"
    "= DOCUMENTS AND RIGHTS\n"
    "The same as those of migrate, see virt-handoff-migrate(1); verb is cancel.\n";

constexpr std::array verbs{
    VerbText{
        "preflight", "(TARGET... | -l SELECTOR | -A | --node NODE)",
        "Will these virtual machines migrate live, and what is in the way",
        "Reads the virtual machines, their volumes, claims and nodes and the KubeVirt "
        "configuration, "
        "and runs every check on each virtual machine. Nothing is written to the cluster.\n"
        "\n"
        "TARGET is NAME, vm/NAME or vmi/NAME. A stopped virtual machine is judged as if it were "
        "started now. What may not be read is reported and leaves the checks that need it "
        "unknown.\n"
        "\n"
        "With --from, files are judged instead of a cluster: what 'kubectl get -o yaml' prints, or "
        "a "
        "folder of such files. Without a selection every virtual machine in the files is judged.",
        "# One virtual machine in the current namespace\n"
        "@ preflight web\n"
        "\n"
        "# Everything that runs on a node, before it is emptied\n"
        "@ preflight --node worker-1\n"
        "\n"
        "# All virtual machines, for a script; warnings count as well\n"
        "@ preflight -A -o json --fail-on=warning\n"
        "\n"
        "# From files, no cluster needed\n"
        "kubectl get vm,vmi,pvc,kv -A -o yaml | @ preflight --from -\n"
        "\n"
        "# Accept one finding for one virtual machine; it stays visible as waived\n"
        "@ preflight web --ignore NET-001=prod/web\n",
        preflight_codes},
    VerbText{
        "migrate", "(TARGET... | -l SELECTOR | -A | --node NODE)",
        "Start live migrations, follow them, and end with a verdict",
        "Runs every check of preflight once more, starts a live migration of each virtual machine "
        "that passes, follows it, and ends with a verdict: where the guest runs now, how long it "
        "took, and if it did not move, why, and what to do next.\n"
        "\n"
        "TARGET is NAME, vm/NAME or vmi/NAME. If one of several virtual machines is blocked, "
        "nothing is started, unless --skip-blocked is given. How many migrate at a time is up to "
        "the cluster's own limits, or to --max-parallel; after the first failure no more are "
        "started, unless --max-failures allows it. The exit code is that of the gravest end: 8, 6, "
        "5, 7, 3.\n"
        "\n"
        "The migration's name is chosen by this tool and printed first. A migration that is on its "
        "way already is named and left alone; --join follows it.\n"
        "\n"
        "Progress is read from the log of the virt-launcher pod that the guest leaves (get "
        "pods/log in its namespace), else from the metrics of virt-handler (get pods/proxy in "
        "KubeVirt's namespace); with neither right the phases alone are shown.\n"
        "\n"
        "Ctrl-C lets go and says how to follow and how to cancel: the work goes on at the server. "
        "A second one ends the program at once. SIGTERM does the same.\n"
        "\n"
        "With -o json there is one document at the end, of kind MigrationReport; with -o jsonl one "
        "of kind MigrationEvent per line as things happen. virt-handoff-migrate(1) lists their "
        "fields, and the rights that are needed. What cannot migrate live can be stopped and "
        "started: see '@ explain cold-migration'.",
        "# One virtual machine, to any node that fits\n"
        "@ migrate web\n"
        "\n"
        "# To a node of your choice\n"
        "@ migrate web --to worker-2\n"
        "\n"
        "# Only look: would it start?\n"
        "@ migrate web --dry-run=server\n"
        "\n"
        "# Everything on a node that can move, two at a time\n"
        "@ migrate --node worker-1 --skip-blocked --max-parallel=2\n"
        "\n"
        "# No longer than ten minutes, then take it back\n"
        "@ migrate web --timeout=10m --cancel-on-timeout\n"
        "\n"
        "# Follow a migration that somebody else started\n"
        "@ migrate web --join\n",
        migrate_codes, migrate_manual},
    VerbText{
        "cancel", "(TARGET... | -l SELECTOR | -A | --node NODE)",
        "Cancel live migrations, and wait until they have ended",
        "Cancels the live migration of each virtual machine and waits until it has taken effect. "
        "TARGET is NAME, vm/NAME or vmi/NAME. Where there is nothing to cancel, the exit code is "
        "0.\n"
        "\n"
        "To cancel means to delete the migration object. Until the target is being prepared the "
        "target pod goes, and that is all. While the target is prepared nothing happens at once: "
        "the wish is obeyed when memory is being copied, and a migration that hangs there is ended "
        "by deleting its target pod. While memory is copied, copying stops. In all cases the guest "
        "goes on where it runs.\n"
        "\n"
        "In post-copy it is refused, with exit code 3: the guest's memory is on both nodes, and "
        "only the end of the migration brings it together. Where the migration had succeeded "
        "before "
        "the wish came through, the exit code is 6: the guest runs on the target.\n"
        "\n"
        "The mark by which a drain asks a virtual machine to leave its node is taken back first, "
        "or KubeVirt would make a new migration at once. A 'kubectl drain' that still runs sets "
        "the mark again within seconds: end it first.",
        "# The migration of one virtual machine\n"
        "@ cancel web\n"
        "\n"
        "# Only say what it would do in the phase that it is in\n"
        "@ cancel web --dry-run=client\n"
        "\n"
        "# Everything that leaves a node\n"
        "@ cancel --node worker-1\n",
        cancel_codes, cancel_manual},
    VerbText{
        "explain", "[CHECK | TOPIC]", "What a check means, why it decides, and how to fix it",
        "Prints what a check looks at, why it decides a migration, what an operator can do, and "
        "where the rule stands in the sources. CHECK is an id or its short name. Without CHECK, "
        "all checks are listed. Needs no cluster.\n"
        "\n"
        "TOPIC is cold-migration: how a virtual machine that cannot migrate live moves by stop and "
        "start, and what that costs.",
        "# All checks\n"
        "@ explain\n"
        "\n"
        "# One of them\n"
        "@ explain DISK-001\n"
        "\n"
        "# To move by stop and start\n"
        "@ explain cold-migration\n",
        usage_codes},
    VerbText{
        "lab", "[SCENARIO]", "A simulated cluster on this machine, for drills and demos",
        "Plays a Kubernetes cluster with KubeVirt in this process: an API server on 127.0.0.1 with "
        "TLS, nodes, storage and virtual machines. kubectl, virtctl and this tool work on it as on "
        "any cluster. No cluster is needed, and none is touched.\n"
        "\n"
        "Without SCENARIO everything works; --list names the others, and virt-handoff-lab(7) "
        "describes them. The kubeconfig has four users: admin, who may do everything (context "
        "lab), and with context lab-NAME viewer, who may look, operator, who has the rights that "
        "this tool needs, and nobody.\n"
        "\n"
        "The lab runs until it is interrupted, and leaves nothing behind: its kubeconfig and all "
        "its objects go with it.",
        "# A cluster where everything works\n"
        "@ lab\n"
        "\n"
        "# A drill, ten times faster than life\n"
        "@ lab no-room --speed=10x\n"
        "\n"
        "# A large one, with the kubeconfig in a place of your choice\n"
        "@ lab --vms=1000 --kubeconfig-out=lab.kubeconfig\n",
        lab_codes},
    VerbText{"version", "", "The versions of this tool, Kubernetes and KubeVirt",
             "Prints the version of this tool and those of the Kubernetes and KubeVirt that the "
             "current context leads to.",
             "# This tool alone; nothing is contacted\n"
             "@ version --client\n"
             "\n"
             "# For a bug report\n"
             "@ version -o yaml\n",
             plain_codes},
    VerbText{"completion", "(bash | zsh | fish)", "A completion script for the shell",
             "Prints a script that completes 'virt-handoff' in the shell. Completion of "
             "'kubectl virt-handoff' is kubectl's own; it works once the file "
             "kubectl_complete-virt_handoff is on the PATH.",
             "# In this shell\n"
             "source <(virt-handoff completion bash)\n"
             "\n"
             "# For good\n"
             "virt-handoff completion zsh > \"${fpath[1]}/_virt-handoff\"\n"
             "virt-handoff completion fish > ~/.config/fish/completions/virt-handoff.fish\n",
             usage_codes},
    VerbText{"options", "", "The flags that every command takes",
             "Prints the flags that every command takes. They mean what they mean to kubectl.", "",
             usage_codes},
    VerbText{"help", "[COMMAND]", "Help for a command",
             "Prints help for a command; the same as COMMAND --help.", "", usage_codes},
};

constexpr std::array exit_codes{
    ExitCodeText{0, "done; nothing is in the way"},
    ExitCodeText{1, "an error: nothing could be decided"},
    ExitCodeText{2, "the command line cannot be understood"},
    ExitCodeText{3, "blocked: a blocking check failed or is undecided, or a rule refused"},
    ExitCodeText{4, "warnings, with --fail-on=warning"},
    ExitCodeText{5, "timed out; the work goes on at the server"},
    ExitCodeText{6, "failed or cancelled at the server"},
    ExitCodeText{7, "partly done: some virtual machines of several"},
    ExitCodeText{8, "the outcome is unknown: look before anything else is done"},
    ExitCodeText{130, "interrupted (SIGINT)"},
    ExitCodeText{143, "terminated (SIGTERM)"},
};

}  // namespace

std::span<const VerbText> verb_texts() {
    return verbs;
}

std::span<const ExitCodeText> exit_code_texts() {
    return exit_codes;
}

const Verb* CommandLine::find(std::string_view verb) const {
    const auto found = std::find_if(verbs.begin(), verbs.end(),
                                    [&](const Verb& each) { return each.words->name == verb; });
    return found == verbs.end() ? nullptr : &*found;
}

}  // namespace cli
