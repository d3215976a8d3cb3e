// `cancel` played whole in the lab: in each phase of a migration, with and without marks of an
// evacuation, and what is really so afterwards.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/support/played.hpp"

using namespace std::chrono_literals;
using commands::CancelOptions;
using support::Contains;
using support::Fate;
using support::Played;
using Texts = Played::Texts;

namespace {

const Texts kVm{"vm-1"};
constexpr std::int64_t kGigabit = 125'000'000;
const std::string kDelete = "DELETE virtualmachineinstancemigrations/";
const std::string kTakeBack = "PUT virtualmachineinstances/vm-1/evacuate/cancel";

CancelOptions asked(const Texts& vms) {
    CancelOptions options;
    options.targets = vms;
    return options;
}

// A migration "m" of vm-1 in this phase, which it does not leave by itself.
void begin(Played& lab, const std::string& phase) {
    const bool held = phase == "PreparingTarget" || phase == "TargetReady";
    if (held) lab.cluster.turn("vm-1", "sim/hold", phase);
    if (phase == "Scheduling") lab.cluster.turn("vm-1", "sim/podhold", "true");
    if (phase == "Running") lab.cluster.turn("vm-1", "sim/seconds", "600");
    lab.cluster.migrate("vm-1", "m");
    lab.until_phase("vm-1", phase);
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// The migration is gone, and the VM is where it was.
void check_ended(Played& lab) {
    CHECK(lab.migrations("vm-1").empty());
    CHECK(lab.unsettled("vm-1", "node-1") == "");
}

}  // namespace

// ---- by phase

TEST_CASE("one that waits for its turn is ended at once") {
    Played lab("queue");
    CHECK(lab.cancel(Texts{"vm-3"}) == 0);
    CHECK(lab.out() ==
          "04:00:09Z prod/vm-3  note  KubeVirt deletes the target pod, if there is one, and ends "
          "the migration; the VM stays on node node-1\n"
          "04:00:09Z prod/vm-3  Pending\n"
          "04:00:09Z prod/vm-3  Failed\n"
          "04:00:09Z prod/vm-3  cancelled  cancelled by this command; the VM runs on node-1\n");
    CHECK(lab.writes == Texts{kDelete + "migrate-vm-3"});
    CHECK(lab.migrations("vm-3").empty());
    CHECK(lab.unsettled("vm-3", "node-1") == "");
}

TEST_CASE("before the hand-over a deletion takes effect at once") {
    for (const auto* const phase : {"Scheduling", "Scheduled"}) {
        CAPTURE(phase);
        Played lab;
        begin(lab, phase);
        CHECK(lab.cancel(kVm) == 0);
        const auto text = lab.out();
        CHECK(text == Contains("note  KubeVirt deletes the target pod, if there is one, and ends "
                               "the migration; the VM stays on node node-1\n"));
        CHECK(text == Contains("cancelled  cancelled by this command; the VM runs on node-1\n"));
        CHECK_FALSE(has(text, "next:"));
        CHECK(lab.writes == Texts{kDelete + "m"});
        lab.advance(15s);
        check_ended(lab);
    }
}

TEST_CASE("a deletion that hangs is helped along by deleting the target pod, and not by force") {
    for (const auto* const phase : {"PreparingTarget", "TargetReady"}) {
        CAPTURE(phase);
        Played lab;
        begin(lab, phase);
        const auto pod = lab.target_pod("vm-1");
        const auto object = lab.cluster.world().objects().get({"", "pods"}, {"prod", pod});
        const auto uid = kubeclient::text_at(*object, {"metadata", "uid"}).value_or("");
        CHECK(lab.cancel(kVm) == 0);
        const auto text = lab.out();
        CHECK(has(text, "04:00:05Z prod/vm-1  " + std::string(phase) +
                            "  waits  it is being deleted in " + phase +
                            ", where KubeVirt stops nothing: it aborts once memory is copied, "
                            "which may never begin\n04:00:12Z prod/vm-1  note  no memory is "
                            "copied yet, and KubeVirt aborts only then: the target pod is "
                            "deleted, which ends the migration\n"));
        CHECK(text == Contains("04:00:12Z prod/vm-1  cancelled  cancelled by this command; the VM "
                               "runs on node-1\n"));
        CHECK(lab.writes == Texts{kDelete + "m", "DELETE pods/" + pod});
        const auto body = nlohmann::json::parse(lab.bodies.back());
        CHECK(body["preconditions"]["uid"] == uid);
        CHECK_FALSE(body.contains("gracePeriodSeconds"));
        lab.advance(15s);
        check_ended(lab);
    }
}

TEST_CASE("a hanging deletion that begins to copy before its time is aborted by KubeVirt alone") {
    Played lab;
    begin(lab, "TargetReady");
    lab.in(5s, [&] { lab.cluster.turn("vm-1", "sim/hold", ""); });
    CHECK(lab.cancel(kVm) == 0);
    CHECK(lab.out() == Contains("cancelled  cancelled by this command; the VM runs on node-1\n"));
    CHECK(lab.writes == Texts{kDelete + "m"});
    lab.advance(15s);
    check_ended(lab);
}

TEST_CASE("who may not delete the hanging target pod is told so to the end") {
    Played lab;
    begin(lab, "TargetReady");
    lab.cluster.forbid("pods", "delete");
    auto options = asked(kVm);
    options.timeout = 60s;
    CHECK(lab.cancel(options) == 5);
    const std::string refusal =
        "the target pod could not be deleted: Error from server (Forbidden): pods "
        "\"virt-launcher-vm-1-*\" is forbidden: User \"tester\" cannot delete resource \"pods\" in "
        "API group \"\" in the namespace \"prod\"";
    const auto text = lab.out();
    CHECK(has(text, "04:00:12Z prod/vm-1  note  " + refusal + "\n"));
    CHECK(has(text, "04:01:02Z prod/vm-1  timed out  " + refusal +
                        "; the VM runs on node-1\n"
                        "          next: ask an administrator for this right, or use --as\n"));
    CHECK(lab.runs_on("vm-1") == Texts{"node-1"});
}

TEST_CASE("a target pod on a node that is cut off is asked to go, and no more") {
    Played lab("stuck-terminating");
    CHECK(lab.cancel(kVm) == 5);
    const auto text = lab.out();
    CHECK(text ==
          Contains("note  the migration is being deleted already: KubeVirt aborts the "
                   "migration once it copies memory, and stops nothing before; the VM stays "
                   "on node node-1\n"));
    CHECK(text == Contains("timed out  the target pod virt-launcher-vm-1-* on node node-2 is being "
                           "deleted, and has not ended yet; the VM runs on node-1\n"
                           "          next: kubectl describe pod virt-launcher-vm-1-* -n prod\n"));
    REQUIRE(lab.writes.size() == 1);
    CHECK(lab.writes[0].starts_with("DELETE pods/virt-launcher-vm-1-"));
    CHECK_FALSE(has(lab.bodies[0], "gracePeriodSeconds"));
    CHECK(lab.runs_on("vm-1") == Texts{"node-1"});
    CHECK_FALSE(lab.two_wrote());
}

TEST_CASE("one that copies memory is aborted") {
    Played lab;
    begin(lab, "Running");
    lab.advance(5s);
    CHECK(lab.cancel(kVm) == 0);
    CHECK(
        lab.out() ==
        "04:00:07Z prod/vm-1  note  virt-handler on node node-1 aborts the copying of memory, for "
        "which libvirt has 30s; the VM stays on node node-1\n"
        "04:00:07Z prod/vm-1  Running  node-1 -> node-2, copying memory\n"
        "04:00:07Z prod/vm-1  Failed\n"
        "04:00:07Z prod/vm-1  cancelled  cancelled by this command; the VM runs on node-1\n");
    CHECK(lab.writes == Texts{kDelete + "m"});
    lab.advance(15s);
    check_ended(lab);
}

TEST_CASE("in post-copy it is refused, and nothing is written") {
    Played lab("post-copy");
    lab.cluster.migrate("vm-1", "m");
    lab.until_phase("vm-1", "Running");
    lab.advance(63s);
    CHECK(lab.cancel(kVm) == 3);
    CHECK(
        lab.out() ==
        Contains("blocked  migration m is in post-copy: the guest runs on node node-2, and a part "
                 "of its memory is still on node node-1 only; needed: a migration that is not in "
                 "post-copy: with the memory on both sides, an abort loses the guest"));
    CHECK(lab.writes.empty());
    lab.advance(60s);
    CHECK(lab.unsettled("vm-1", "node-2") == "");
}

TEST_CASE("one whose guest has moved already is not cancelled any more") {
    Played lab;
    lab.cluster.migrate("vm-1", "m");
    lab.until_phase("vm-1", "Running");
    const auto moved = [&] {
        return kubeclient::text_at(lab.vmi("vm-1"),
                                   {"status", "migrationState", "targetNodeDomainReadyTimestamp"});
    };
    for (int steps = 0; steps < 1000 && !moved(); ++steps) lab.advance(5ms);
    REQUIRE(moved());
    REQUIRE(lab.migrations("vm-1") == Texts{"m Running"});
    CHECK(lab.cancel(kVm) == 6);
    CHECK(lab.out() == Contains("note  the guest has moved to node node-2 already, and the "
                                "migration ends by itself\n"));
    CHECK(lab.writes.empty());
    lab.advance(15s);
    CHECK(lab.unsettled("vm-1", "node-2") == "");
    CHECK(lab.cancel(kVm) == 0);
    CHECK(lab.out() ==
          "04:00:19Z prod/vm-1  nothing to do  no migration is under way, and no "
          "evacuation is asked for; the VM runs on node-2\n");
    CHECK(lab.writes.empty());
}

TEST_CASE("an abort that virt-controller fails to pass on again and again is not waited for") {
    Played lab;
    begin(lab, "Running");
    // Not as Go would write it back, so that the test of virt-controller's patch fails.
    lab.patch_vmi("vm-1", {{"status",
                            {{"conditions",
                              {{{"type", "LiveMigratable"}, {"status", "True"}},
                               {{"type", "Ready"}, {"status", "True"}}}}}}});
    CHECK(lab.cancel(kVm) == 5);
    const auto text = lab.out();
    CHECK(text == Contains("timed out  virt-controller failed 2 times to have the migration "
                           "aborted: failed to set MigrationState in VMI status."));
    CHECK(text == Contains("          next: virt-handoff migrate vm-1 -n prod --join\n"));
    CHECK(lab.runs_on("vm-1") == Texts{"node-1"});
}

// ---- marks

TEST_CASE("the mark of an evacuation is taken back before its migration is deleted") {
    Played lab;
    lab.slow_wires(kGigabit);
    lab.evict("vm-1");
    lab.until_phase("vm-1", "Running");
    const auto migration = lab.migrations("vm-1").at(0);
    CHECK(lab.cancel(kVm) == 0);
    const auto text = lab.out();
    CHECK(text == Contains("note  a kubectl drain that still runs will mark it again within "
                           "seconds\n"));
    CHECK(text ==
          Contains("note  KubeVirt makes no more migrations of the VM to empty node node-1; "
                   "virt-handler on node node-1 aborts the copying of memory"));
    CHECK(text == Contains("cancelled  cancelled by this command; the VM runs on node-1\n"));
    CHECK(lab.writes == Texts{kTakeBack, kDelete + migration.substr(0, migration.find(' '))});
    CHECK(lab.bodies.at(0) == R"({"evacuationNodeName":"node-1"})");
    lab.advance(60s);
    check_ended(lab);
}

TEST_CASE("a mark without a migration is taken back alone") {
    Played lab;
    // KubeVirt makes no migration for it any more, and keeps the mark.
    lab.cluster.turn("vm-1", "sim/unmigratable", "DisksNotLiveMigratable: not shared");
    lab.advance(1s);
    lab.patch_vmi("vm-1", {{"status", {{"evacuationNodeName", "node-1"}}}});
    lab.advance(1s);
    REQUIRE(lab.migrations("vm-1").empty());
    CHECK(lab.cancel(kVm) == 0);
    CHECK(lab.out() == Contains("cancelled  the evacuation mark of node-1 was taken back; the VM "
                                "runs on node-1\n"));
    CHECK(lab.writes == Texts{kTakeBack});
    CHECK_FALSE(lab.vmi("vm-1")["status"].contains("evacuationNodeName"));
}

TEST_CASE("a mark is not taken back while its node has the drain taint") {
    Played lab;
    lab.slow_wires(kGigabit);
    lab.evict("vm-1");
    lab.until_phase("vm-1", "Running");
    lab.taint("node-1", "kubevirt.io/drain");
    CHECK(lab.cancel(kVm) == 3);
    CHECK(lab.out() ==
          Contains("blocked  node node-1 has the taint kubevirt.io/drain:NoSchedule; needed: the "
                   "node without it: KubeVirt does not take the mark back before, and makes the "
                   "migration anew; the VM runs on node-1\n"
                   "          next: kubectl taint node node-1 kubevirt.io/drain:NoSchedule-\n"));
    CHECK(lab.writes.empty());
}

TEST_CASE("a migration that the drain taint made is cancelled, and said to come again") {
    Played lab;
    lab.slow_wires(kGigabit);
    lab.taint("node-1", "kubevirt.io/drain");
    lab.until_phase("vm-1", "Running");
    CHECK(lab.cancel(kVm) == 0);
    CHECK(lab.out() ==
          Contains("note  made to empty node node-1; KubeVirt makes it anew as long as "
                   "the node has the taint kubevirt.io/drain:NoSchedule\n"));
    lab.advance(15s);
    CHECK(lab.migrations("vm-1").size() == 1);
    CHECK_FALSE(lab.two_wrote());
}

// ---- what is asked for

TEST_CASE("a VM that is not there is a mistake, one that does nothing is not") {
    Played lab;
    CHECK(lab.cancel(Texts{"vm-99"}) == 1);
    CHECK(lab.err() ==
          "error: Error from server (NotFound): virtualmachines.kubevirt.io \"vm-99\" "
          "not found\n"
          "hint: list what is there with: kubectl get vm,vmi -A\n");
    CHECK(lab.cancel(kVm) == 0);
    CHECK(lab.out() ==
          "04:00:01Z prod/vm-1  nothing to do  no migration is under way, and no "
          "evacuation is asked for; the VM runs on node-1\n");
    CHECK(lab.writes.empty());
}

TEST_CASE("all VMs of a node are looked at, and no other") {
    Played lab;
    begin(lab, "Running");
    lab.cluster.turn("vm-2", "sim/seconds", "600");
    lab.cluster.migrate("vm-2", "other");
    lab.until_phase("vm-2", "Running");
    CancelOptions options;
    options.node = "node-1";
    CHECK(lab.cancel(options) == 0);
    CHECK(
        lab.out() ==
        Contains("\nVM          RESULT          FROM     TO       CAUSE\n"
                 "prod/vm-1   cancelled       node-1   node-2   cancelled by this command\n"
                 "prod/vm-4   nothing to do   node-1            no migration is under way, and no "
                 "evacuation is asked for\n"
                 "\n1 cancelled, 1 nothing to do\n"));
    CHECK(lab.migrations("vm-2") == Texts{"other Running"});
}

TEST_CASE("dry runs write nothing, and no waiting leaves the end to itself") {
    Played lab;
    begin(lab, "Running");
    auto options = asked(kVm);
    options.dry_run = commands::DryRunMode::client;
    CHECK(lab.cancel(options) == 0);
    CHECK(lab.out() == Contains("nothing was done (dry run); the VM runs on node-1\n"));
    CHECK(lab.writes.empty());
    options.dry_run = commands::DryRunMode::server;
    CHECK(lab.cancel(options) == 0);
    CHECK(lab.out() == Contains("accepted (server dry run); the VM runs on node-1\n"));
    CHECK(lab.writes == Texts{kDelete + "m"});
    CHECK(nlohmann::json::parse(lab.bodies.back())["dryRun"] == nlohmann::json{"All"});
    CHECK(lab.migrations("vm-1") == Texts{"m Running"});
    options.dry_run = commands::DryRunMode::none;
    options.wait = false;
    CHECK(lab.cancel(options) == 0);
    CHECK(lab.out() == Contains("the server was asked to end it; the VM runs on node-1\n"));
    lab.advance(15s);
    check_ended(lab);
}

// ---- rights and the server

TEST_CASE("who may not delete the migration is told so") {
    Played lab;
    begin(lab, "Running");
    lab.cluster.forbid("virtualmachineinstancemigrations", "delete");
    CHECK(lab.cancel(kVm) == 3);
    CHECK(lab.out() == Contains("blocked  Error from server (Forbidden): "
                                "virtualmachineinstancemigrations.kubevirt.io \"m\" is forbidden"));
    CHECK(lab.migrations("vm-1") == Texts{"m Running"});
}

TEST_CASE("without a look at the VMI nothing that copies memory is aborted") {
    Played lab;
    begin(lab, "Running");
    lab.cluster.forbid("virtualmachineinstances");
    CHECK(lab.cancel(kVm) == 3);
    CHECK(lab.out() ==
          Contains("needed: its status: in post-copy an abort loses the guest; whether "
                   "the VM runs could not be read\n"));
    CHECK(lab.writes.empty());
}

TEST_CASE("a deletion whose reply is lost is sent again, and does no other thing") {
    for (const auto fate : {Fate::lost_before, Fate::lost_after, Fate::refused}) {
        CAPTURE(static_cast<int>(fate));
        Played lab;
        begin(lab, "Running");
        lab.fates = {fate};
        CHECK(lab.cancel(kVm) == 0);
        CHECK(lab.writes == Texts{kDelete + "m", kDelete + "m"});
        lab.advance(15s);
        check_ended(lab);
    }
}
