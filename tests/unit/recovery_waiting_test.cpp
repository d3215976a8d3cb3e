#include "recovery/waiting.hpp"

#include "tests/unit/recovery_sight_builders.hpp"

using namespace recovery;
using namespace recovery::builders;

namespace recovery {

// So that a failing case shows what it got.
inline std::ostream& operator<<(std::ostream& out, const std::vector<Cause>& causes) {
    for (const auto& cause : causes) {
        out << "\n  " << cause.code << "\n  " << cause.text << "\n  " << cause.next;
    }
    return out;
}

}  // namespace recovery

namespace {

using Causes = std::vector<Cause>;
using Codes = std::vector<std::string>;

const std::string list_pods = "kubectl get pods -n prod -l kubevirt.io/created-by=vmi-uid";
const std::string list_controllers = "kubectl get pods -A -l kubevirt.io=virt-controller -o wide";
const std::string describe_target = "kubectl describe pod virt-launcher-web-tgt -n prod";

// What is asked, kept alive for why_waiting's pointers.
struct Asked {
    Sight all = sight();
    facts::Migration own = migration();
    std::optional<facts::Vmi> machine = vmi();
    std::optional<facts::Node> source = node();
    Limits limits{};
    Instant now = noon;

    WaitingFor waiting() const {
        return {
            &own,          machine ? &*machine : nullptr, source ? &*source : nullptr, limits, now,
            "virt-handoff"};
    }
    Causes why() const { return why_waiting(all, waiting()); }
    bool needs() const { return needs_queue(all, waiting()); }
    Codes codes() const {
        Codes result;
        for (const auto& cause : why()) result.push_back(cause.code);
        return result;
    }
};

Asked asked_in(const std::string& phase, facts::Vmi machine = handed_over()) {
    Asked asked;
    asked.own = migration(phase);
    asked.machine = std::move(machine);
    add(asked.all, target());
    return asked;
}

Asked with_target(facts::Pod pod, const std::string& phase = "Scheduling") {
    auto asked = asked_in(phase, vmi());
    add(asked.all, std::move(pod));
    return asked;
}

void condition(Asked& asked, const std::string& type, const std::string& status = "True") {
    asked.own.conditions.push_back({type, status, {}, {}, {}});
}

facts::Migration other(const std::string& phase) {
    auto result = migration(phase);
    result.meta = meta("prod", "web-m1", "m1-uid");
    result.meta.created = ago(300);
    return result;
}

facts::Pod unschedulable() {
    auto pod = target("Pending");
    pod.node = "";
    pod.unschedulable = "0/3 nodes are available: 3 node(s) had untolerated taint(s).";
    return pod;
}

// One that KubeVirt made, whose predecessor failed.
Asked evacuation(const std::string& annotation = "kubevirt.io/evacuationMigration") {
    Asked asked;
    asked.own.meta.annotations[annotation] = "n1";
    auto failed = other("Failed");
    failed.meta.annotations[annotation] = "n1";
    failed.phase_times["Failed"] = ago(5);
    add(asked.all, failed);
    return asked;
}

Queue queue(int running, int from_n1) {
    return {noon, running, {{"n1", from_n1}, {"n2", 9}}, ""};
}

}  // namespace

TEST_CASE("a migration that nothing is known to hold up has no cause, and asks for the queue") {
    const Asked asked;
    CHECK(asked.why() == Causes{});
    CHECK(asked.needs());
}

TEST_CASE("the queue is counted for those that are Pending without a target pod") {
    for (const auto* phase : {"", "Scheduling", "Scheduled", "PreparingTarget", "Running"}) {
        CAPTURE(phase);
        Asked asked;
        asked.own = migration(phase);
        CHECK_FALSE(asked.needs());
    }
    CHECK_FALSE(with_target(target(), "Pending").needs());
    Asked deleting;
    deleting.own.meta.deleting = true;
    CHECK_FALSE(deleting.needs());
}

TEST_CASE("virt-controller that has not taken it up is named after a while") {
    Asked asked;
    asked.own = migration("");
    CHECK(asked.why() == Causes{{"not-taken-up", "virt-controller has not taken it up for 60s",
                                 list_controllers}});
    asked.own.meta.created = ago(14);
    CHECK(asked.why() == Causes{});
    asked.own.meta.created.reset();
    CHECK(asked.why() == Causes{});
}

TEST_CASE("a backup holds a migration up while its condition is True") {
    Asked asked;
    condition(asked, "migrationBlockedByBackup", "False");
    CHECK(asked.why() == Causes{});
    condition(asked, "migrationBlockedByBackup");
    CHECK(asked.why() ==
          Causes{{"backup", "a backup of the VM runs, and the migration begins when it is done",
                  "kubectl get vmi web -n prod -o jsonpath='{.status.changedBlockTracking}'"}});
    CHECK_FALSE(asked.needs());
}

TEST_CASE("utility volumes are named with the time that KubeVirt gives them") {
    Asked asked;
    condition(asked, "migrationBlockedByUtilityVolumes");
    const std::string next = "kubectl get vmi web -n prod -o jsonpath='{.spec.utilityVolumes}'";
    CHECK(asked.why() ==
          Causes{{"utility-volumes",
                  "utility volumes of the VMI have to be detached first; given up 2m30s after the "
                  "migration was made, in 90s, unless the KubeVirt CR sets utilityVolumesTimeout",
                  next}});
    asked.machine->guest.utility_volumes = {"scratch", "nbd"};
    asked.own.meta.annotations["kubevirt.io/migrationUtilityVolumesTimeoutSeconds"] = "60";
    CHECK(asked.why() ==
          Causes{{"utility-volumes",
                  "utility volumes of the VMI (scratch, nbd) have to be detached first; given up "
                  "60s after the migration was made, which is now",
                  next}});
}

TEST_CASE("backup and utility volumes hold it up with a target pod as well") {
    auto asked = with_target(target("Pending"), "Pending");
    condition(asked, "migrationBlockedByBackup");
    CHECK(asked.codes() == Codes{"backup", "target-pending"});
}

TEST_CASE("a second live launcher is named, because KubeVirt tells nobody") {
    Asked asked;
    add(asked.all, launcher("left", ""));
    CHECK(asked.why() ==
          Causes{{"two-launchers",
                  "2 launchers of the VMI live: virt-launcher-web-left on no node yet, "
                  "virt-launcher-web-src on node n1; KubeVirt makes no target while more than one "
                  "does, and tells nobody",
                  list_pods}});
    CHECK_FALSE(asked.needs());
}

TEST_CASE("launchers that have ended, or are other VMIs', are not two") {
    Asked asked;
    auto ended = launcher("ended");
    ended.phase = "Succeeded";
    add(asked.all, ended);
    auto foreign = launcher("foreign");
    foreign.meta.controller_uid = "another-uid";
    add(asked.all, foreign);
    CHECK(asked.why() == Causes{});
}

TEST_CASE("a target pod of its own is no second launcher in the way") {
    CHECK(with_target(target(), "Pending").why() == Causes{});
}

TEST_CASE("two launchers count also where pods are not all seen") {
    Asked asked;
    add(asked.all, launcher("left", "n3"));
    asked.all.launchers.complete = false;
    asked.all.launchers.gap = "watch lost";
    CHECK(asked.codes() == Codes{"two-launchers"});
}

TEST_CASE("another unfinished migration of the VMI is named with its phase") {
    Asked asked;
    auto first = other("TargetReady");
    add(asked.all, first);
    const std::string next = "kubectl get vmim web-m1 -n prod -o yaml";
    CHECK(asked.why() ==
          Causes{{"other-migration", "migration web-m1 of the same VMI is not over (TargetReady)",
                  next}});
    first.meta.deleting = true;
    add(asked.all, first);
    CHECK(asked.why() ==
          Causes{{"other-migration",
                  "migration web-m1 of the same VMI is not over (TargetReady, being deleted)",
                  next}});
    CHECK_FALSE(asked.needs());
}

TEST_CASE("one that waits as well is in the way if it came first, or has a target pod") {
    Asked asked;
    auto rival = other("");
    add(asked.all, rival);
    CHECK(asked.why() ==
          Causes{{"other-migration", "migration web-m1 of the same VMI is not over (not begun)",
                  "kubectl get vmim web-m1 -n prod -o yaml"}});
    rival.phase = "Pending";
    rival.meta.created = ago(1);
    add(asked.all, rival);
    CHECK(asked.why() == Causes{});
    auto pod = target("Pending");
    pod.meta.labels["kubevirt.io/migrationJobUID"] = "m1-uid";
    add(asked.all, pod);
    CHECK(asked.codes() == Codes{"two-launchers", "other-migration"});
}

TEST_CASE(
    "finished migrations, itself, and those of other VMIs and namespaces are not in the way") {
    Asked asked;
    add(asked.all, asked.own);
    add(asked.all, other("Failed"));
    auto elsewhere = other("Running");
    elsewhere.meta.ns = "test";
    add(asked.all, elsewhere);
    auto foreign = other("Running");
    foreign.meta.name = "db-m";
    foreign.vmi = "db";
    add(asked.all, foreign);
    CHECK(asked.why() == Causes{});
}

TEST_CASE("a VMI that is not Running gets no target pod") {
    Asked asked;
    asked.machine->phase = "Scheduled";
    CHECK(asked.why() ==
          Causes{{"vmi-not-running",
                  "the VMI has phase Scheduled, and only a Running one gets a target pod",
                  "kubectl get vmi web -n prod"}});
    asked.machine->phase = "";
    CHECK(asked.why().front().text ==
          "the VMI has no phase yet, and only a Running one gets a target pod");
}

TEST_CASE("a VMI without launcher on its node is waited for in silence") {
    Asked asked;
    asked.all.launchers.items.clear();
    auto elsewhere = launcher("elsewhere", "n3");
    add(asked.all, elsewhere);
    CHECK(asked.why() ==
          Causes{{"no-source-pod",
                  "the VMI's status says that it runs on node n1, but it has no virt-launcher pod "
                  "there",
                  list_pods}});
    asked.all.launchers.complete = false;
    CHECK(asked.why() == Causes{});
    asked.all.launchers.complete = true;
    asked.machine->node = "";
    CHECK(asked.why() == Causes{});
}

TEST_CASE("for KubeVirt a launcher that has ended is a source") {
    Asked asked;
    auto ended = launcher();
    ended.phase = "Failed";
    add(asked.all, ended);
    CHECK(asked.why() == Causes{});
}

TEST_CASE("the cluster's limit is reached when as many have a target pod") {
    Asked asked;
    asked.all.queue = queue(4, 1);
    CHECK(asked.why() == Causes{});
    asked.all.queue = queue(5, 1);
    CHECK(asked.why() ==
          Causes{{"cluster-limit", "5 of 5 migrations of the cluster run", "kubectl get vmim -A"}});
    CHECK(asked.needs());
    asked.limits.per_cluster = 6;
    CHECK(asked.why() == Causes{});
}

TEST_CASE("the limit of the source node counts those that leave it") {
    Asked asked;
    asked.all.queue = queue(3, 2);
    const Causes reached{
        {"outbound-limit", "2 of 2 migrations from node n1 run", "kubectl get vmim -A"}};
    CHECK(asked.why() == reached);
    asked.machine.reset();
    CHECK(asked.why() == reached);
    asked.source.reset();
    CHECK(asked.why() == Causes{});
}

TEST_CASE("limits that are assumed are said to be") {
    Asked asked;
    asked.limits.gap = "kubevirts is forbidden";
    asked.all.queue = queue(7, 2);
    const std::string assumed =
        " (KubeVirt's default; its CR could not be read: kubevirts is forbidden)";
    CHECK(asked.why() == Causes{{"cluster-limit", "7 of 5 migrations of the cluster run" + assumed,
                                 "kubectl get vmim -A"},
                                {"outbound-limit", "2 of 2 migrations from node n1 run" + assumed,
                                 "kubectl get vmim -A"}});
}

TEST_CASE("limits count for nothing once there is a target pod") {
    auto asked = with_target(target("Pending"), "Pending");
    asked.all.queue = queue(5, 2);
    CHECK(asked.codes() == Codes{"target-pending"});
}

TEST_CASE("migrations that could not be counted leave the limits open") {
    Asked asked;
    asked.all.queue = Queue{noon, 0, {}, "migrations is forbidden at the cluster scope"};
    CHECK(asked.why() ==
          Causes{{"limits-unread",
                  "KubeVirt's limits may hold it up, but migrations could not be counted: "
                  "migrations is forbidden at the cluster scope",
                  "kubectl auth can-i list virtualmachineinstancemigrations.kubevirt.io -A"}});
    add(asked.all, launcher("left", "n3"));
    CHECK(asked.codes() == Codes{"two-launchers"});
}

TEST_CASE("what could not be read is named where nothing that was seen explains it") {
    Asked asked;
    asked.all.vmis.gap = "vmis is forbidden";
    asked.all.launchers.gap = "pods is forbidden";
    asked.all.launchers.complete = false;
    asked.all.warnings.gap = "events is forbidden";
    CHECK(asked.codes() == Codes{"pods-unread", "events-unread"});
    asked.machine.reset();
    CHECK(
        asked.why() ==
        Causes{
            {"vmi-unread", "the VMI could not be read, and may hold the reason: vmis is forbidden",
             "kubectl auth can-i list virtualmachineinstances.kubevirt.io -n prod"},
            {"pods-unread",
             "pods of the VMI could not be read, and may hold the reason: pods is forbidden",
             "kubectl auth can-i list pods -n prod"},
            {"events-unread",
             "events of the VMI could not be read, and may hold the reason: events is forbidden",
             "kubectl auth can-i list events -n prod"}});
    CHECK(asked.needs());
    condition(asked, "migrationBlockedByBackup");
    CHECK(asked.codes() == Codes{"backup"});
}

TEST_CASE("as long as a migration may go on by itself, nothing is guessed") {
    Asked asked;
    asked.machine->selinux_context.reset();
    asked.source->meta.labels.clear();
    asked.all.queue = Queue{noon, 0, {}, "forbidden"};
    CHECK(asked.codes() == Codes{"host-model", "selinux", "limits-unread"});
    asked.own.phase_times["Pending"] = ago(14);
    CHECK(asked.why() == Causes{});
    add(asked.all, launcher("left", "n3"));
    CHECK(asked.codes() == Codes{"two-launchers"});
}

TEST_CASE("after a failure KubeVirt makes its own migrations wait, twice as long each time") {
    auto asked = evacuation();
    CHECK(asked.why() ==
          Causes{{"backoff",
                  "1 migration of the VMI failed in a row, after which KubeVirt waits 20s, for "
                  "another 15s",
                  ""}});
    CHECK_FALSE(asked.needs());
    auto earlier = other("Failed");
    earlier.meta = meta("prod", "web-m0", "m0-uid");
    earlier.meta.created = ago(900);
    earlier.meta.annotations["kubevirt.io/workloadUpdateMigration"] = "";
    add(asked.all, earlier);
    CHECK(asked.why().front().text ==
          "2 migrations of the VMI failed in a row, after which KubeVirt waits 40s, for another "
          "35s");
    earlier.phase = "Succeeded";
    add(asked.all, earlier);
    CHECK(
        asked.why().front().text ==
        "1 migration of the VMI failed in a row, after which KubeVirt waits 20s, for another 15s");
    CHECK(evacuation("kubevirt.io/workloadUpdateMigration").codes() == Codes{"backoff"});
}

TEST_CASE("there is no backoff for users, after success, or when it is over") {
    auto users = evacuation();
    users.own.meta.annotations.clear();
    CHECK(users.why() == Causes{});
    auto over = evacuation();
    over.now = noon + std::chrono::seconds(15);
    CHECK(over.why() == Causes{});
    auto of_a_user = evacuation();
    auto failed = other("Failed");
    failed.phase_times["Failed"] = ago(5);
    add(of_a_user.all, failed);
    CHECK(of_a_user.why() == Causes{});
    auto deleted = evacuation();
    deleted.all.migrations.items.begin()->second.meta.deleting = true;
    CHECK(deleted.why() == Causes{});
}

TEST_CASE("where not all migrations are seen, the event tells of the backoff") {
    auto asked = evacuation();
    asked.all.migrations = {};
    CHECK(asked.why() == Causes{});
    add(asked.all, warning("vmi-uid", "MigrationBackoff", "backoff migrating vmi prod/web", 61));
    CHECK(asked.why() == Causes{});
    add(asked.all, warning("vmi-uid", "MigrationBackoff", "backoff migrating vmi prod/web", 60));
    CHECK(asked.why() ==
          Causes{{"backoff",
                  "KubeVirt waits after a failed migration of the VMI, 20s at first and twice as "
                  "long after each further one",
                  ""}});
    asked.own.meta.annotations.clear();
    CHECK(asked.why() == Causes{});
}

TEST_CASE("a quota is named with the server's words") {
    const std::string next = "kubectl describe quota -n prod";
    Asked asked;
    condition(asked, "migrationRejectedByResourceQuota");
    CHECK(asked.why() ==
          Causes{{"quota", "a quota of namespace prod refuses the target pod", next}});
    const std::string words =
        "pods \"virt-launcher-web-x\" is forbidden: exceeded quota: q, requested: pods=1, used: "
        "pods=28, limited: pods=28";
    const Causes told{{"quota",
                       "a quota of namespace prod refuses the target pod: exceeded quota: q, "
                       "requested: pods=1, used: pods=28, limited: pods=28",
                       next}};
    add(asked.all, warning("vmi-uid", "FailedCreate",
                           "(combined from similar events): Error creating pod: " + words));
    CHECK(asked.why() == told);
    asked.own.conditions.clear();
    CHECK(asked.why() == told);
}

TEST_CASE("a target pod that exists beats the quota's condition, which stays for one more update") {
    auto asked = with_target(target(), "Pending");
    condition(asked, "migrationRejectedByResourceQuota");
    CHECK(asked.why() == Causes{});
}

TEST_CASE("Pod Security that refuses the target pod is told from other refusals") {
    Asked asked;
    add(asked.all,
        warning("vmi-uid", "FailedCreate",
                "failed to render launch manifest: failed to create target pod for vmi prod/web, "
                "it needs a privileged namespace to run: pods \"x\" is forbidden: violates "
                "PodSecurity \"restricted:latest\": seccompProfile",
                20));
    CHECK(asked.why() ==
          Causes{{"pod-security",
                  "the Pod Security of namespace prod refuses the target pod: violates PodSecurity "
                  "\"restricted:latest\": seccompProfile",
                  "kubectl get namespace prod --show-labels"}});
    add(asked.all, warning("vmi-uid", "FailedCreate",
                           "Error creating pod: admission webhook \"w\" denied the request: no."));
    CHECK(
        asked.why() ==
        Causes{{"create-refused",
                "the target pod cannot be created: admission webhook \"w\" denied the request: no",
                "kubectl get events -n prod --field-selector involvedObject.name=web"}});
    CHECK_FALSE(asked.needs());
}

TEST_CASE("refusals from before, of other things and of other VMIs are not this migration's") {
    Asked asked;
    add(asked.all, warning("vmi-uid", "FailedCreate", "Error creating pod: at the VM's start", 61));
    add(asked.all, warning("vmi-uid", "FailedCreate", "Error creating a Migration: in flight"));
    add(asked.all, warning("vmi-uid", "FailedUpdate", "Error creating pod: other reason"));
    add(asked.all, warning("another-uid", "FailedCreate", "Error creating pod: another VMI's"));
    CHECK(asked.why() == Causes{});
    CHECK(asked.needs());
}

TEST_CASE("a node without the labels of its CPU is a possible cause for host-model") {
    Asked asked;
    asked.source->meta.labels.clear();
    CHECK(asked.why() ==
          Causes{{"host-model",
                  "possible: node n1 has no label host-model-cpu.node.kubevirt.io/*, from which "
                  "KubeVirt tells the CPU that the target needs",
                  "kubectl get node n1 --show-labels"}});
    CHECK(asked.needs());
}

TEST_CASE("the labels do not matter for other models, a moved guest, or where too little is read") {
    Asked named;
    named.source->meta.labels.clear();
    named.machine->guest.cpu->model = "Skylake";
    CHECK(named.why() == Causes{});
    named.machine->guest.cpu.reset();
    CHECK(named.why() == Causes{});
    Asked moved;
    moved.source->meta.labels.clear();
    auto source = launcher();
    source.placement.node_selector["cpu-model-migration.node.kubevirt.io/Skylake"] = "true";
    add(moved.all, source);
    CHECK(moved.why() == Causes{});
    Asked unread;
    unread.source.reset();
    CHECK(unread.why() == Causes{});
}

TEST_CASE("an empty SELinux context is a possible cause, named for want of certain ones") {
    const Cause possible{
        "selinux",
        "possible: status.selinuxContext of the VMI is empty, and KubeVirt needs it for the target "
        "pod, unless matchSELinuxLevelOnMigration is false",
        "kubectl get vmi web -n prod -o jsonpath='{.status.selinuxContext}'"};
    Asked asked;
    asked.machine->selinux_context.reset();
    CHECK(asked.why() == Causes{possible});
    CHECK(asked.needs());
    asked.machine->selinux_context = "";
    CHECK(asked.why() == Causes{possible});
    asked.all.queue = queue(5, 0);
    CHECK(asked.codes() == Codes{"cluster-limit"});
    asked.all.queue.reset();
    asked.machine->selinux_context = "system_u:object_r:container_file_t:s0:c1,c2";
    CHECK(asked.why() == Causes{});
}

TEST_CASE("a target pod that no node takes is told with the scheduler's words and the time left") {
    const std::string why =
        "no node takes the target pod virt-launcher-web-tgt: 0/3 nodes are available: 3 node(s) "
        "had untolerated taint(s); given up ";
    const std::string next = "virt-handoff preflight vmi/web -n prod";
    for (const auto* phase : {"Pending", "Scheduling"}) {
        CAPTURE(phase);
        auto asked = with_target(unschedulable(), phase);
        CHECK(asked.why() ==
              Causes{{"unschedulable", why + "5m after its creation, in 4m10s", next}});
        asked.now = noon + std::chrono::minutes(5);
        CHECK(asked.why().front().text == why + "5m after its creation, which is now");
        CHECK_FALSE(asked.needs());
    }
}

TEST_CASE("the migration's own annotations limit the time of its target pod") {
    const auto text = [](const std::string& key, const std::string& value) {
        auto asked = with_target(unschedulable());
        asked.own.meta.annotations["kubevirt.io/" + key] = value;
        const auto whole = asked.why().front().text;
        return whole.substr(whole.find("given up"));
    };
    constexpr auto own = "migrationUnschedulablePodTimeoutSeconds";
    CHECK(text(own, "60") == "given up 60s after its creation, in 10s");
    CHECK(text(own, "+60") == "given up 60s after its creation, in 10s");
    CHECK(text(own, "3600") == "given up 15m after its creation, in 14m");
    CHECK(text(own, "-1") == "given up 0s after its creation, which is now");
    CHECK(text(own, "60s") == "given up 5m after its creation, in 4m10s");
    CHECK(text(own, "") == "given up 5m after its creation, in 4m10s");
    CHECK(text("migrationPendingPodTimeoutSeconds", "100") ==
          "given up 100s after its creation, in 50s");
}

TEST_CASE("a pod whose age is not known has no time left that could be told") {
    auto pod = unschedulable();
    pod.meta.created.reset();
    const auto text = with_target(pod).why().front().text;
    CHECK(text.substr(text.find("given up")) == "given up 5m after its creation");
}

TEST_CASE("a target pod with a node that does not start is told with its trouble") {
    auto pod = target("Pending");
    pod.trouble = "ImagePullBackOff: Back-off pulling image.";
    CHECK(with_target(pod).why() ==
          Causes{{"target-pending",
                  "the target pod virt-launcher-web-tgt on node n2 does not start: "
                  "ImagePullBackOff: Back-off pulling image; given up 15m after its creation, in "
                  "14m",
                  describe_target}});
    pod.trouble.clear();
    auto asked = with_target(pod);
    add(asked.all, warning("tgt-uid", "FailedScheduling", "0/3 nodes are available", 1));
    add(asked.all, warning("tgt-uid", "FailedAttachVolume", "Multi-Attach error for volume", 20));
    add(asked.all, warning("tgt-uid", "FailedMount", "timed out.", 30));
    add(asked.all, warning("src-uid", "Unhealthy", "of the source", 2));
    CHECK(asked.why() ==
          Causes{{"target-pending",
                  "the target pod virt-launcher-web-tgt on node n2 does not start: "
                  "FailedAttachVolume: Multi-Attach error for volume; given up 15m after its "
                  "creation, in 14m",
                  describe_target}});
}

TEST_CASE("a target pod without trouble is given a while to start") {
    auto pod = target("Pending");
    CHECK(with_target(pod).why().front().text ==
          "the target pod virt-launcher-web-tgt on node n2 does not start; given up 15m after its "
          "creation, in 14m");
    pod.node.clear();
    CHECK(with_target(pod).why().front().text ==
          "the target pod virt-launcher-web-tgt waits for the scheduler; given up 15m after its "
          "creation, in 14m");
    pod.meta.created = ago(14);
    CHECK(with_target(pod).why() == Causes{});
    pod.trouble = "ErrImagePull";
    CHECK(with_target(pod).codes() == Codes{"target-pending"});
}

TEST_CASE("a pod that has a node now is not unschedulable any more") {
    auto pod = target();
    pod.unschedulable = "0/3 nodes are available";
    CHECK(with_target(pod).why() == Causes{});
}

TEST_CASE("a target pod that runs and is not ready is told, a ready one is not") {
    auto pod = target();
    CHECK(with_target(pod).why() == Causes{});
    pod.ready = false;
    CHECK(with_target(pod).why() ==
          Causes{{"target-not-ready",
                  "the target pod virt-launcher-web-tgt on node n2 runs, but is not ready",
                  describe_target}});
    pod.meta.created = ago(3);
    CHECK(with_target(pod).why() == Causes{});
    pod.trouble = "CrashLoopBackOff: back-off 10s.";
    CHECK(with_target(pod).why().front().text ==
          "the target pod virt-launcher-web-tgt on node n2 runs, but is not ready: "
          "CrashLoopBackOff: back-off 10s");
}

TEST_CASE("a target pod that is on its way out is told, one that has ended is not waited for") {
    auto pod = target("Pending");
    pod.meta.deleting = true;
    const Causes going{
        {"target-deleted",
         "the target pod virt-launcher-web-tgt on node n2 is being deleted, and has not ended yet",
         describe_target}};
    CHECK(with_target(pod).why() == going);
    auto later = asked_in("TargetReady");
    add(later.all, pod);
    CHECK(later.why() == going);
    CHECK(with_target(target("Failed")).why() == Causes{});
    CHECK(with_target(target("Failed"), "Pending").why() == Causes{});
}

TEST_CASE("the attachment pod of hot-plugged volumes is known by events only") {
    const std::string next = "kubectl get pods -n prod -l kubevirt.io=hotplug-disk -o wide";
    const std::string ready =
        "the target pod virt-launcher-web-tgt on node n2 is ready; its attachment pod, for "
        "hot-plugged volumes, ";
    auto asked = with_target(target());
    auto attaching = warning("hp-uid", "FailedAttachVolume", "Multi-Attach error.");
    attaching.kind = "Pod";
    attaching.ns = "prod";
    attaching.name = "hp-volume-abc";
    add(asked.all, attaching);
    CHECK(asked.why() ==
          Causes{{"attachment-pod",
                  ready + "may be hp-volume-abc, which is held up: FailedAttachVolume: "
                          "Multi-Attach error",
                  next}});
    add(asked.all,
        warning("vmi-uid", "FailedCreate", "Error creating attachment pod: pods is forbidden"));
    CHECK(asked.why() ==
          Causes{{"attachment-pod", ready + "cannot be created: pods is forbidden", next}});
}

TEST_CASE("pods of other namespaces, before this one, or that are none, are no attachment pods") {
    auto asked = with_target(target());
    auto attaching = warning("hp-uid", "FailedAttachVolume", "elsewhere");
    attaching.kind = "Pod";
    attaching.ns = "test";
    attaching.name = "hp-volume-abc";
    add(asked.all, attaching);
    attaching.ns = "prod";
    attaching.name = "web-0";
    attaching.uid = "of a web server";
    add(asked.all, attaching);
    attaching.name = "hp-volume-old";
    attaching.uid = "from before";
    attaching.last = ago(51);
    add(asked.all, attaching);
    add(asked.all, warning("another-uid", "FailedCreate", "Error creating attachment pod: no"));
    CHECK(asked.why() == Causes{});
}

TEST_CASE("a Scheduled migration waits for virt-controller's hand-over") {
    auto asked = asked_in("Scheduled", vmi());
    const std::string late =
        "the target pod is ready, but virt-controller has not handed the migration over to "
        "virt-handler for 40s";
    CHECK(asked.why() == Causes{{"not-handed-over", late, list_controllers}});
    add(asked.all, warning("m-uid", "FailedHandOver", "Failed to set MigrationStat."));
    CHECK(asked.why() ==
          Causes{{"not-handed-over", late + ": Failed to set MigrationStat", list_controllers}});
    asked.own.phase_times["Scheduled"] = ago(14);
    CHECK(asked.why() == Causes{});
}

TEST_CASE("a Scheduled migration whose target pod is no longer ready waits for that") {
    auto asked = asked_in("Scheduled", vmi());
    auto pod = target();
    pod.ready = false;
    add(asked.all, pod);
    CHECK(asked.codes() == Codes{"target-not-ready"});
}

TEST_CASE("after the hand-over the target node's virt-handler prepares the target") {
    const Causes waits{
        {"target-handler",
         "virt-handler on node n2 has not prepared the target for 40s; KubeVirt has no time limit "
         "for it, and the target pod gives up 4 to 6 minutes after it started",
         "kubectl get pods -A -l kubevirt.io=virt-handler -o wide --field-selector "
         "spec.nodeName=n2"}};
    CHECK(asked_in("PreparingTarget").why() == waits);
    CHECK(asked_in("Scheduled").why() == waits);
    auto unread = asked_in("PreparingTarget");
    unread.machine.reset();
    CHECK(unread.why() == waits);
    unread.all.launchers = {};
    CHECK(unread.why().front().next == "kubectl get pods -A -l kubevirt.io=virt-handler -o wide");
    auto early = asked_in("PreparingTarget");
    early.own.phase_times["PreparingTarget"] = ago(14);
    CHECK(early.why() == Causes{});
}

TEST_CASE("with the target ready it is the source node's virt-handler that has to begin") {
    CHECK(asked_in("TargetReady").why() ==
          Causes{{"source-handler",
                  "virt-handler on node n1 has not begun to copy memory for 40s; KubeVirt has no "
                  "time limit for it, and the target pod gives up 4 to 6 minutes after it started",
                  "kubectl get pods -A -l kubevirt.io=virt-handler -o wide --field-selector "
                  "spec.nodeName=n1"}});
    auto early = asked_in("TargetReady");
    early.own.phase_times["TargetReady"] = ago(1);
    CHECK(early.why() == Causes{});
}

TEST_CASE("phases of which no time is known are late without saying how much") {
    auto asked = asked_in("TargetReady");
    asked.own.phase_times.clear();
    asked.own.meta.created.reset();
    CHECK(asked.why().front().text.starts_with(
        "virt-handler on node n1 has not begun to copy memory; KubeVirt"));
}

TEST_CASE("a deletion after the hand-over waits for the copying to begin") {
    for (const std::string phase : {"Scheduled", "PreparingTarget", "TargetReady"}) {
        CAPTURE(phase);
        auto asked = asked_in(phase);
        asked.own.meta.deleting = true;
        asked.own.phase_times[phase] = ago(1);
        const Cause deferred{
            "abort-deferred",
            "it is being deleted in " + phase +
                ", where KubeVirt stops nothing: it aborts once memory is copied, which may never "
                "begin",
            "virt-handoff cancel vmi/web -n prod"};
        CHECK(asked.why() == Causes{deferred});
    }
    auto late = asked_in("TargetReady");
    late.own.meta.deleting = true;
    CHECK(late.codes() == Codes{"abort-deferred", "source-handler"});
}

TEST_CASE("a deletion after the hand-over ends with the target pod") {
    auto asked = asked_in("TargetReady");
    asked.own.meta.deleting = true;
    auto pod = target();
    pod.meta.deleting = true;
    add(asked.all, pod);
    CHECK(asked.codes() == Codes{"target-deleted"});
    asked.all = sight();
    CHECK(asked.why() ==
          Causes{{"deleting", "it is being deleted, and virt-controller has not ended it yet",
                  list_controllers}});
    asked.all.launchers.complete = false;
    CHECK(asked.codes() == Codes{"abort-deferred", "source-handler"});
}

TEST_CASE("nobody is waited for once the target pod is gone") {
    for (const auto* phase : {"Scheduled", "PreparingTarget", "TargetReady"}) {
        CAPTURE(phase);
        auto asked = asked_in(phase);
        add(asked.all, target("Failed"));
        CHECK(asked.why() == Causes{});
        asked.all = sight();
        CHECK(asked.why() == Causes{});
    }
}

TEST_CASE("a target pod without a node is named without one") {
    auto asked = with_target(unschedulable());
    asked.own.meta.deleting = true;
    CHECK(asked.why().front().text ==
          "it is being deleted, and KubeVirt deletes its target pod virt-launcher-web-tgt first");
}

TEST_CASE("a deletion before the hand-over waits for the target pod to go") {
    for (const auto* phase : {"Pending", "Scheduling", "Scheduled"}) {
        CAPTURE(phase);
        auto asked = asked_in(phase, vmi());
        asked.own.meta.deleting = true;
        CHECK(asked.why() == Causes{{"deleting",
                                     "it is being deleted, and KubeVirt deletes its target pod "
                                     "virt-launcher-web-tgt on node n2 first",
                                     describe_target}});
        auto going = target();
        going.meta.deleting = true;
        add(asked.all, going);
        CHECK(asked.codes() == Codes{"target-deleted"});
        asked.all = sight();
        CHECK(asked.why() ==
              Causes{{"deleting", "it is being deleted, and virt-controller has not ended it yet",
                      list_controllers}});
    }
}

TEST_CASE("a Running migration waits for nothing unless it is deleted") {
    auto asked = asked_in("Running", handed_over("PreCopy"));
    asked.all.queue = queue(9, 9);
    add(asked.all, launcher("left", "n3"));
    CHECK(asked.why() == Causes{});
    CHECK(asked_in("Succeeded").why() == Causes{});
}

TEST_CASE("an abort of a Running migration goes from virt-controller to virt-handler") {
    auto asked = asked_in("Running", handed_over("PreCopy"));
    asked.own.meta.deleting = true;
    CHECK(asked.why() ==
          Causes{
              {"aborting", "virt-controller has not passed the abort on to virt-handler yet", ""}});
    asked.machine->migration->abort_requested = true;
    CHECK(asked.why() ==
          Causes{{"aborting", "virt-handler on node n1 aborts it, for which libvirt has 30s", ""}});
    asked.machine->migration->abort_status = "Failed";
    CHECK(asked.why() ==
          Causes{{"abort-failed", "virt-handler on node n1 could not abort it (abortStatus Failed)",
                  "kubectl get vmi web -n prod -o yaml"}});
    asked.machine->migration->completed = true;
    CHECK(asked.why() == Causes{});
}

TEST_CASE("an abort in post-copy cannot be done") {
    auto asked = asked_in("Running", handed_over("PostCopy"));
    asked.own.meta.deleting = true;
    CHECK(asked.why() ==
          Causes{{"abort-impossible",
                  "in post-copy the guest's memory is on both nodes, and the migration cannot be "
                  "aborted any more",
                  ""}});
}

TEST_CASE("an abort that is refused again and again is told from a slow one") {
    auto asked = asked_in("Running", handed_over("PreCopy"));
    asked.own.meta.deleting = true;
    auto failed = warning("m-uid", "FailedAbortMigration", "no reply");
    failed.count = 4;
    add(asked.all, failed);
    CHECK(asked.why() ==
          Causes{{"abort-refused",
                  "virt-controller failed 4 times to have the migration aborted: no reply",
                  "kubectl get vmi web -n prod -o yaml"}});
    failed.count = 1;
    add(asked.all, failed);
    CHECK(asked.codes() == Codes{"aborting"});
}
