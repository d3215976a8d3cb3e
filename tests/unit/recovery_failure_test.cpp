#include <doctest/doctest.h>

#include <list>
#include <string>
#include <vector>

#include "recovery/failure.hpp"

using namespace std::chrono_literals;
using recovery::explain_failure;
using recovery::Failed;
using recovery::was_cancelled;

namespace {

const std::string kPreflight = "virt-handoff preflight web -n prod";
const std::string kEvents = "kubectl get events -n prod --sort-by=.lastTimestamp";
const std::string kHandlers = "kubectl get pods -A -l kubevirt.io=virt-handler -o wide";
const std::string kSchedulerSays =
    "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.";

std::chrono::sys_seconds second(int count) {
    return std::chrono::sys_days{2026y / 11 / 21} + std::chrono::seconds(count);
}

// A migration of prod/web that failed 20 seconds after it had begun, in the phase `last`.
struct Case {
    facts::Migration migration{};
    facts::MigrationState state{};
    facts::Vmi vmi{};
    facts::Pod target{};
    std::list<facts::Warning> warnings{};
    bool with_target = false;
    Failed failed{};

    explicit Case(const std::string& last = "Running", int end = 20) {
        migration.meta = {"prod", "web-1", "uid-1"};
        migration.meta.created = second(0);
        migration.vmi = "web";
        migration.phase = "Failed";
        migration.source_pod = "virt-launcher-web-old";
        for (const auto* phase :
             {"Pending", "Scheduling", "Scheduled", "PreparingTarget", "TargetReady", "Running"}) {
            migration.phase_times[phase] = second(0);
            if (phase == last) break;
        }
        migration.phase_times["Failed"] = second(end);
        state.migration_uid = "uid-1";
        vmi.meta = {"prod", "web", "vmi-1"};
        vmi.phase = "Running";
        target.meta = {"prod", "virt-launcher-web-new", "pod-1"};
        target.node = "node-b";
    }
    Case& reason(const std::string& text) {
        state.failure_reason = text;
        state.failed = true;
        return *this;
    }
    Case& warn(const std::string& kind, const std::string& word, const std::string& message,
               int at = 20) {
        facts::Warning warning;
        warning.kind = kind;
        warning.reason = word;
        warning.message = message;
        warning.last = second(at);
        warnings.push_back(warning);
        return *this;
    }
    Case& vmim(const std::string& message) {
        return warn("VirtualMachineInstanceMigration", "FailedMigration", message);
    }
    Case& trouble(const std::string& text) {
        target.trouble = text;
        with_target = true;
        return *this;
    }
    const Failed& made() {
        failed.migration = &migration;
        failed.state = &state;
        failed.vmi = failed.vmi_gone ? nullptr : &vmi;
        failed.target = with_target ? &target : nullptr;
        failed.warnings.clear();
        for (const auto& warning : warnings) failed.warnings.push_back(&warning);
        return failed;
    }
    std::string cause() { return explain_failure(made()).cause; }
    std::string next() { return explain_failure(made()).next; }
    bool cancelled() { return was_cancelled(made()); }
};

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a reason that libvirt gives is told in words, with its own text and a next command") {
    struct Row {
        std::string reason, words, next;
    };
    for (
        const auto& row : std::vector<Row>{
            {"operation failed: guest CPU doesn't match specification: missing features: avx512f",
             "CPU lacks features", kPreflight},
            {"virError(Code=81, Domain=10, Message='Unsafe migration: Migration without shared "
             "storage is unsafe')",
             "safely shared", kPreflight},
            {"guest CPU doesn't match specification: extra features: ht", "newer QEMU",
             "kubectl get vmi web -n prod -L kubevirt.io/outdatedLauncherImage"},
            {"operation failed: client socket is closed", "releases of virt-launcher", kHandlers},
            {"Live migration failed virError(Message='Cannot recv data: Connection reset by peer')",
             "connection to the target broke", kHandlers},
            {"Cannot migrate empty or read-only disk sdb", "read-only disk", kPreflight},
            {"Operation not supported: use of 'VIR_MIGRATE_PARAM_MIGRATE_DISKS' requires",
             "do not fit together", "kubectl get kubevirt -A -o wide"},
            {"cannot migrate VMI until backup nightly is completed", "a backup",
             "kubectl get vm,vmi web -n prod"},
            {"Live migration stuck for 150 seconds and has been aborted", "progressTimeout",
             kHandlers},
            {"Live migration is not completed after 300 seconds and has been aborted",
             "time limit for copying", kPreflight},
            {"Live migration is not completed after 300 sec and has been aborted",
             "time limit for copying", kPreflight},
            {"Migration aborted: estimated downtime 4000ms exceeds max allowed downtime 900ms by a "
             "factor of more than x1.50",
             "maxDowntimeMs", kPreflight}}) {
        CAPTURE(row.reason);
        Case one;
        one.reason(row.reason).vmim("source node reported migration failed");
        CHECK(has(one.cause(), row.words));
        CHECK(has(one.cause(), ": \"" + row.reason + "\""));
        CHECK(one.next() == row.next);
        CHECK_FALSE(one.cancelled());
    }
}

TEST_CASE("a reason that nobody knows is handed on, with the source's log to look at") {
    Case one;
    one.reason("virError(Code=1, Message='out of luck')")
        .vmim("source node reported migration failed");
    CHECK(one.cause() ==
          "the source reports a failure: \"virError(Code=1, Message='out of luck')\"");
    CHECK(one.next() == "kubectl logs virt-launcher-web-old -n prod -c compute --tail=100");
}

TEST_CASE("the state of an earlier migration explains nothing") {
    Case one;
    one.reason("Unsafe migration: code 81");
    one.state.migration_uid = "uid-0";
    CHECK(one.cause() == "the server gives no reason");
    CHECK(one.next() == kEvents);
}

TEST_CASE("the VMIM's own copy of the state, and virt-handler's event, tell the reason too") {
    Case copy;
    copy.migration.state = facts::MigrationState{};
    copy.migration.state->migration_uid = "uid-1";
    copy.migration.state->failure_reason = "Unsafe migration: code 81";
    CHECK(has(copy.cause(), "safely shared"));

    Case event;
    event.warn("VirtualMachineInstance", "Migrated",
               "VirtualMachineInstance migration uid uid-1 failed. reason:Unsafe migration");
    CHECK(has(event.cause(), "safely shared"));
    CHECK(has(event.cause(), "\"Unsafe migration\""));

    Case other;
    other.warn("VirtualMachineInstance", "Migrated",
               "VirtualMachineInstance migration uid uid-0 failed. reason:Unsafe migration");
    CHECK(other.cause() == "the server gives no reason");
}

TEST_CASE("the target pod's own trouble is deeper than a broken connection, not than a CPU") {
    Case broken;
    broken.reason("operation failed: client socket is closed").trouble("OOMKilled (137)");
    CHECK(broken.cause() ==
          "the target pod was killed because it had not enough memory: \"OOMKilled (137)\"");
    CHECK(broken.next() == "kubectl describe pod virt-launcher-web-new -n prod");

    Case cpu;
    cpu.reason("missing features: avx512f").trouble("OOMKilled (137)");
    CHECK(has(cpu.cause(), "CPU lacks features"));

    Case ended;
    ended.reason("operation failed: client socket is closed").trouble("Error (1)");
    CHECK(has(ended.cause(), "client socket is closed"));
}

TEST_CASE("a target pod that ended says how, where its container does") {
    Case one("TargetReady");
    one.vmim("Migration failed because target pod shutdown during migration");
    CHECK(one.cause() ==
          "the target pod ended during the migration: \"Migration failed because "
          "target pod shutdown during migration\"");
    CHECK(one.next() == kEvents);
    one.trouble("Error (1)");
    CHECK(one.cause() == "the target pod ended during the migration: \"Error (1)\"");
}

TEST_CASE("a target pod that was deleted is told from one that ended") {
    Case one;
    one.reason("Target pod is down")
        .vmim("Migration failed because target pod shutdown during migration")
        .vmim("Migration target pod was removed during active migration.");
    CHECK(one.cause() ==
          "the target pod was deleted during the migration: \"Migration target pod "
          "was removed during active migration\"");
    CHECK(one.next() == kEvents);
    CHECK_FALSE(one.cancelled());
    one.trouble("Error (137)");
    CHECK(has(one.cause(), "was deleted during the migration"));

    Case bare;
    bare.reason("Target pod is down");
    CHECK(bare.cause() == "the target pod went down: \"Target pod is down\"");
}

TEST_CASE("a launcher that gave up waiting for the source is known by the time it waited") {
    Case one("TargetReady", 300);
    one.vmim("Migration failed because target pod shutdown during migration");
    CHECK(one.cause() ==
          "copying did not begin within 300 seconds, and the target's launcher gave up");
    CHECK(one.next() == kHandlers);
    Case running("Running", 300);
    running.vmim("Migration failed because target pod shutdown during migration");
    CHECK(has(running.cause(), "the target pod ended"));
}

TEST_CASE(
    "a target pod that no node took is removed after five minutes, and the scheduler says why") {
    Case one("Scheduling", 300);
    one.warn("Pod", "FailedScheduling", kSchedulerSays, 1)
        .warn("VirtualMachineInstanceMigration", "migrationTargetPodUnschedulable",
              "Migration target pod for VMI [prod/web] is currently unschedulable.", 2)
        .vmim("Migration target pod was removed during active migration.");
    CHECK(one.cause() ==
          "no node took the target pod within 300 seconds, and KubeVirt removed it: "
          "\"0/3 nodes are available: 3 node(s) didn't match Pod's node "
          "affinity/selector\"");
    CHECK(one.next() == kPreflight);

    SUBCASE("an annotation changes the time") {
        one.migration.phase_times["Failed"] = second(5);
        one.migration.meta.annotations["kubevirt.io/migrationUnschedulablePodTimeoutSeconds"] = "5";
        CHECK(has(one.cause(), "within 5 seconds"));
        one.migration.meta.annotations["kubevirt.io/migrationUnschedulablePodTimeoutSeconds"] =
            "5x";
        CHECK_FALSE(has(one.cause(), "seconds"));
    }
    SUBCASE("sooner, it was not KubeVirt's timeout") {
        one.migration.phase_times["Failed"] = second(100);
        CHECK(has(one.cause(), "no node took the target pod: "));
    }
    SUBCASE("a pod that has a node was not refused, whatever was told before") {
        one.with_target = true;
        CHECK(has(one.cause(), "was deleted during the migration"));
    }
    SUBCASE("a pod that went on was not refused either") {
        one.migration.phase_times["Scheduled"] = second(20);
        CHECK(has(one.cause(), "was deleted during the migration"));
    }
}

TEST_CASE("a target pod that is not ready is removed after fifteen minutes, with what held it up") {
    Case one("Scheduling", 900);
    one.vmim("Migration target pod was removed during active migration.");
    const std::string late =
        "the target pod was not ready within 900 seconds, and KubeVirt removed it";
    CHECK(one.cause() == late);
    CHECK(one.next() == kEvents);

    SUBCASE("an image") {
        one.trouble("ImagePullBackOff: Back-off pulling image \"x\"");
        CHECK(one.cause() == late +
                                 "; an image of the target pod cannot be pulled: "
                                 "\"ImagePullBackOff: Back-off pulling image \"x\"\"");
        CHECK(one.next() == "kubectl describe pod virt-launcher-web-new -n prod");
    }
    SUBCASE("a volume") {
        one.warn("Pod", "FailedAttachVolume",
                 "Multi-Attach error for volume \"pv\" Volume is already used by pod(s) web-old");
        CHECK(has(one.cause(), late + "; a volume of the guest can be attached to one node only"));
        CHECK(one.next() == kPreflight);
    }
    SUBCASE("sooner, somebody deleted it") {
        one.migration.phase_times["Failed"] = second(60);
        CHECK(has(one.cause(), "was deleted during the migration"));
    }
}

TEST_CASE("a target pod that could not be created is explained by the refusal") {
    const std::string quota =
        "Error creating pod: pods \"virt-launcher-web-x\" is forbidden: exceeded quota: q, "
        "requested: "
        "pods=1, used: pods=28, limited: pods=28";
    Case one("Pending");
    one.warn("VirtualMachineInstance", "FailedCreate", "(combined from similar events): " + quota);
    CHECK(one.cause() ==
          "a ResourceQuota leaves no room for the target pod: \"(combined from "
          "similar events): " +
              quota + "\"");
    CHECK(one.next() == "kubectl describe quota -n prod");

    Case security("Pending");
    security.warn(
        "VirtualMachineInstance", "FailedCreate",
        "failed to create target pod for vmi prod/web, it needs a privileged namespace to "
        "run: pods is forbidden: violates PodSecurity \"restricted:latest\"");
    CHECK(has(security.cause(), "PodSecurity level refuses the target pod"));
    CHECK(security.next() == "kubectl get namespace prod --show-labels");

    Case earlier("Pending");
    earlier.warn("VirtualMachineInstance", "FailedCreate", quota, -60);
    CHECK(earlier.cause() == "the server gives no reason");

    Case later("Running");
    later.warn("VirtualMachineInstance", "FailedCreate", quota);
    CHECK(later.cause() == "the server gives no reason");

    Case condition("Pending");
    condition.migration.conditions = {{"migrationRejectedByResourceQuota", "True", "", "", ""}};
    CHECK(condition.cause() == "a ResourceQuota leaves no room for the target pod");
}

TEST_CASE("what keeps a pod from starting is no cause once it has started") {
    for (const std::string last : {"Scheduling", "Running"}) {
        Case one(last);
        one.warn("Pod", "FailedMount", "MountVolume.SetUp failed", 3)
            .vmim("Migration target pod was removed during active migration.");
        CHECK(has(one.cause(), "could not be mounted") == (last == "Scheduling"));
    }
}

TEST_CASE("a VM that is gone, going or ended is the cause of what follows from it") {
    const std::string gone = "the virtual machine was stopped or deleted";
    const auto made = [](Case& one) -> Case& {
        return one.vmim("Migration failed because target pod shutdown during migration");
    };
    Case deleted;
    deleted.failed.vmi_gone = true;
    CHECK(made(deleted).cause() == gone);
    CHECK(deleted.next() == "kubectl get vm,vmi web -n prod");

    Case deleting;
    deleting.vmi.meta.deleting = true;
    CHECK(made(deleting).cause() == gone);

    Case crashed;
    crashed.vmi.phase = "Failed";
    CHECK(made(crashed).cause() == "the guest ended during the migration: its VMI is Failed");

    Case told;
    told.vmim("Migration failed because vmi does not exist.");
    CHECK(has(told.cause(), gone));

    Case unread;
    made(unread).made();
    unread.failed.vmi = nullptr;
    CHECK(has(explain_failure(unread.failed).cause, "the target pod ended"));

    Case lost;
    lost.vmi.phase = "Failed";
    lost.warn("VirtualMachineInstance", "Migrated",
              "The VirtualMachineInstance's domain was never observed on the target after the "
              "migration completed within the timeout period.");
    CHECK(has(lost.cause(), "never seen on the target"));
}

TEST_CASE("a migration in another's way is told, with the list of them") {
    Case one("Pending");
    one.vmim("VMI is not eligible for migration because another migration job is in progress.");
    CHECK(has(one.cause(), "another migration of this VM was under way"));
    CHECK(one.next() == "kubectl get vmim -n prod");
}

TEST_CASE("a VMIM deleted before the hand-over was cancelled") {
    Case one("Scheduling");
    one.migration.meta.deleting = true;
    one.vmim("Migration failed due to being canceled");
    CHECK(one.cancelled());
    CHECK(one.cause() == "somebody cancelled the migration");
    CHECK(one.next() == "virt-handoff migrate web -n prod");
    one.failed.we_cancelled = true;
    CHECK(one.cause() == "cancelled by this command");
    CHECK(one.next().empty());
}

TEST_CASE(
    "an abort that was asked for is a cancellation, one that was not is a limit or somebody") {
    Case asked;
    asked.reason("Live migration has been aborted");
    asked.state.abort_requested = true;
    asked.state.abort_status = "Succeeded";
    CHECK(asked.cancelled());
    CHECK(asked.cause() == "somebody cancelled the migration");

    Case client;
    client.reason(
        "Live migration failed virError(Message='operation aborted: migration out job: "
        "canceled by client')");
    client.migration.conditions = {{"migrationAbortRequested", "True", "", "", ""}};
    CHECK(client.cancelled());

    Case unasked;
    unasked.reason("Live migration has been aborted");
    CHECK_FALSE(unasked.cancelled());
    CHECK(unasked.cause() ==
          "a time limit was reached, or somebody aborted the migration: \"Live "
          "migration has been aborted\"");
    CHECK(unasked.next() == kPreflight);
}

TEST_CASE("a cancellation that hung and was ended through the target pod is one") {
    Case one("TargetReady");
    one.migration.meta.deleting = true;
    one.migration.conditions = {{"migrationAbortRequested", "True", "", "", ""}};
    one.reason("Target pod is down")
        .vmim("Migration failed because target pod shutdown during migration");
    CHECK(one.cancelled());
    one.vmi.meta.deleting = true;
    CHECK_FALSE(one.cancelled());
    CHECK(has(one.cause(), "stopped or deleted"));
}

TEST_CASE("a migration that failed for itself was not cancelled, even where somebody tried") {
    Case one;
    one.failed.we_cancelled = true;
    one.state.abort_requested = true;
    one.reason("Live migration is not completed after 300 seconds and has been aborted");
    CHECK_FALSE(one.cancelled());
    CHECK(has(one.cause(), "time limit for copying"));
    one.reason("Unsafe migration: code 81");
    CHECK_FALSE(one.cancelled());

    Case condition;
    condition.migration.conditions = {{"migrationAbortRequested", "False", "", "", ""}};
    CHECK_FALSE(condition.cancelled());
}

TEST_CASE("without any reason the server's last words are given, and where to look") {
    Case one;
    one.vmim("source node reported migration failed");
    CHECK(one.cause() == "the server gives no reason: \"source node reported migration failed\"");
    CHECK(one.next() == "kubectl logs virt-launcher-web-old -n prod -c compute --tail=100");
    one.migration.source_pod.clear();
    CHECK(one.next() == kEvents);
    CHECK(explain_failure({}).cause == "the server gives no reason");
    CHECK(explain_failure({}).next.empty());
    CHECK_FALSE(was_cancelled({}));
}

TEST_CASE("a warning about eviction is not about this migration") {
    Case one;
    one.warn("VirtualMachineInstance", "Migrated",
             "EvictionStrategy is set but vmi is not migratable; cannot migrate VMI: PVC x");
    CHECK(one.cause() == "the server gives no reason");
}

TEST_CASE("commands quote names, and call the program as the user did") {
    Case one;
    one.reason("Unsafe migration");
    one.migration.vmi = "web$(reboot)";
    one.failed.program = "kubectl virt-handoff";
    CHECK(one.next() == "kubectl virt-handoff preflight 'web$(reboot)' -n prod");
}

TEST_CASE("a long text of several lines becomes one short line, cut between characters") {
    Case one;
    std::string text = "first\n\t line  ";
    while (text.size() < 2000) text += "ü";
    one.reason(text);
    CHECK(has(one.cause(), "\"first line ü"));
    CHECK(one.cause().size() < 500);
    CHECK(one.cause().ends_with("ü…\""));
}
