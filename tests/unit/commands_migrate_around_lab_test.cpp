// `migrate` and what is around it, played whole in the lab: other migrations, batches, nodes that
// are asked for, rights that are missing, a server that is away.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/support/played.hpp"

using namespace std::chrono_literals;
using commands::MigrateOptions;
using support::Contains;
using support::Fate;
using support::Played;
using Texts = Played::Texts;

namespace {

const Texts kVm{"vm-1"};
const Texts kThree{"vm-1", "vm-2", "vm-3"};
constexpr std::int64_t kGigabit = 125'000'000;
const std::string kCreate = "POST virtualmachineinstancemigrations";

MigrateOptions asked(const Texts& vms) {
    MigrateOptions options;
    options.targets = vms;
    return options;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

// ---- what is in the way

TEST_CASE("the third to leave a node waits, and is told for what") {
    Played lab("healthy", {3, 9});
    lab.slow_wires(kGigabit);
    CHECK(lab.migrate(Texts{"vm-1", "vm-4", "vm-7"}) == 0);
    const auto text = lab.out();
    CHECK(text ==
          Contains("04:00:04Z prod/vm-7  Pending  waits  2 of 2 migrations from node node-1 "
                   "run\n"
                   "          next: kubectl get vmim -A\n"));
    CHECK_FALSE(has(text, "vm-1  Pending  waits"));
    CHECK_FALSE(has(text, "vm-4  Pending  waits"));
    CHECK(text == Contains("\nVM          RESULT      FROM     TO       CAUSE\n"
                           "prod/vm-1   succeeded   node-1   node-2\n"
                           "prod/vm-4   succeeded   node-1   node-3\n"
                           "prod/vm-7   succeeded   node-1   node-2\n"
                           "\n3 succeeded\n"));
    CHECK(lab.unsettled("vm-1", "node-2") == "");
    CHECK(lab.unsettled("vm-4", "node-3") == "");
    CHECK(lab.unsettled("vm-7", "node-2") == "");
}

TEST_CASE("a quota that leaves no room for a target is named with its figures") {
    Played lab("quota");
    auto options = asked(kVm);
    options.timeout = 60s;
    CHECK(lab.migrate(options) == 5);
    const std::string cause =
        "a quota of namespace prod refuses the target pod: exceeded quota: memory, requested: "
        "requests.memory=2344Mi, used: requests.memory=14052Mi, limited: requests.memory=15076Mi";
    const auto text = lab.out();
    CHECK(has(text, "04:00:04Z prod/vm-1  Pending  waits  " + cause +
                        "\n          next: kubectl describe quota -n prod\n"));
    CHECK(has(text, "timed out  " + cause + "; the VM runs on node-1\n"));
    CHECK(lab.unsettled("vm-1", "node-1") == "");
}

TEST_CASE("an old launcher blocks the next migration, and is named when that is ignored") {
    Played lab("two-launchers");
    lab.cluster.cancel("migrate-vm-1-again");
    lab.advance(5s);
    CHECK(lab.migrate(kVm) == 3);
    CHECK(
        lab.out() ==
        Contains("blocked  POD-001 KubeVirt starts no target while two launchers live, and says "
                 "nothing; if both have a QEMU, both may write the disks; the VM runs on node-2"));
    CHECK(lab.writes.empty());
    auto options = asked(kVm);
    options.ignore = {{"POD-001", ""}};
    options.timeout = 60s;
    CHECK(lab.migrate(options) == 5);
    CHECK(lab.out() ==
          Contains("Pending  waits  2 launchers of the VMI live: virt-launcher-vm-1-* on node "
                   "node-1, virt-launcher-vm-1-* on node node-2; KubeVirt makes no target while "
                   "more than one does, and tells nobody\n"
                   "          next: kubectl get pods -n prod -l kubevirt.io/created-by=*\n"));
    CHECK(lab.runs_on("vm-1") == Texts{"node-2"});
    CHECK_FALSE(lab.two_wrote());
}

TEST_CASE(
    "a migration in flight is named, can be joined, and can still be joined once it is over") {
    Played lab;
    lab.slow_wires(kGigabit);
    lab.cluster.migrate("vm-1", "m");
    lab.until_phase("vm-1", "Running");
    CHECK(lab.migrate(kVm) == 3);
    CHECK(lab.out() ==
          "04:00:02Z prod/vm-1  blocked  migration m is already under way, Running; "
          "the VM runs on node-1; cancel it with: virt-handoff cancel vm-1 -n prod\n"
          "          next: virt-handoff migrate --join vm-1 -n prod\n");
    auto options = asked(kVm);
    options.join = true;
    CHECK(lab.migrate(options) == 0);
    CHECK(
        lab.out() ==
        "04:00:02Z prod/vm-1  joins migration m\n"
        "04:00:02Z prod/vm-1  Running  node-1 -> node-2, copying memory; at 04:07:32Z it is "
        "aborted\n"
        "04:00:06Z prod/vm-1  Running  first pass: 23 %, 119.2 MiB/s sent, 31.9 "
        "MiB/s dirtied\n"
        "04:00:22Z prod/vm-1  Running  switching over: pass 3, 0 B left, 119.2 MiB/s sent, 0 B/s "
        "dirtied\n"
        "04:00:22Z prod/vm-1  Succeeded\n"
        "04:00:23Z prod/vm-1  succeeded  node-1 -> node-2 in 20s, downtime 594ms, 2.3 GiB sent\n");
    CHECK(lab.migrate(options) == 0);
    CHECK(lab.out() ==
          "04:00:23Z prod/vm-1  joins migration m\n"
          "04:00:23Z prod/vm-1  Succeeded\n"
          "04:00:23Z prod/vm-1  succeeded  node-1 -> node-2 in 20s\n");
    CHECK(lab.writes.empty());
    CHECK(lab.unsettled("vm-1", "node-2") == "");
}

TEST_CASE("a migration that never was cannot be joined") {
    Played lab;
    auto options = asked(kVm);
    options.join = true;
    CHECK(lab.migrate(options) == 3);
    CHECK(lab.out() ==
          "04:00:01Z prod/vm-1  blocked  there is no migration to join; the VM runs on "
          "node-1\n"
          "          next: virt-handoff migrate vm-1 -n prod\n");
}

// ---- batches

TEST_CASE("with one at a time the next begins when the one before is over") {
    Played lab;
    auto options = asked(kThree);
    options.max_parallel = 1;
    CHECK(lab.migrate(options) == 0);
    const auto text = lab.out();
    for (const auto* const before : {"vm-1", "vm-2"}) {
        const std::string next = std::string("vm-") + static_cast<char>(before[3] + 1);
        CAPTURE(next);
        const auto over = text.find(std::string("prod/") + before + "  succeeded");
        const auto begun = text.find("prod/" + next + "  migration handoff-" + next);
        CHECK(over < begun);
        CHECK(begun != std::string::npos);
    }
    CHECK(lab.unsettled("vm-1", "node-2") == "");
    CHECK(lab.unsettled("vm-2", "node-1") == "");
    CHECK(lab.unsettled("vm-3", "node-1") == "");
}

TEST_CASE("after more failures than may be, no more are begun") {
    for (const int most : {0, 1}) {
        CAPTURE(most);
        Played lab;
        lab.cluster.turn("vm-1", "sim/fail", "no luck");
        auto options = asked(kThree);
        options.max_parallel = 1;
        options.max_failures = most;
        CHECK(lab.migrate(options) == 6);
        const auto text = lab.out();
        if (most == 0) {
            CHECK(text ==
                  Contains("\nVM          RESULT        FROM     TO       CAUSE\n"
                           "prod/vm-1   failed        node-1   node-2   the source reports a "
                           "failure: \"no luck\"\n"
                           "prod/vm-2   not started   node-2            another VM of the batch "
                           "did not get through\n"
                           "prod/vm-3   not started   node-3            another VM of the batch "
                           "did not get through\n"
                           "\n1 failed, 2 not started\n"));
            CHECK(lab.writes == Texts{kCreate});
        } else {
            CHECK(text == Contains("\n1 failed, 2 succeeded\n"));
            CHECK(lab.writes == Texts{kCreate, kCreate, kCreate});
            CHECK(lab.unsettled("vm-2", "node-1") == "");
        }
        lab.advance(15s);
        CHECK(lab.unsettled("vm-1", "node-1") == "");
    }
}

TEST_CASE("one that is blocked holds back the batch, unless it is skipped") {
    Played lab("rwo-disk");
    CHECK(lab.migrate(Texts{"vm-1", "vm-2"}) == 3);
    auto text = lab.out();
    CHECK(text == Contains("04:00:01Z prod/vm-1  blocked  DISK-001 cannot migrate VMI: PVC "
                           "vm-1-disk is not shared"));
    CHECK(text == Contains("if it has to move now: a cold migration, virtctl stop vm-1 -n prod"));
    CHECK(text == Contains("04:00:01Z prod/vm-2  not started  another VM of the batch is blocked; "
                           "the VM runs on node-2\n"
                           "          next: the same command with --skip-blocked\n"));
    CHECK(lab.writes.empty());
    auto options = asked({"vm-1", "vm-2"});
    options.skip_blocked = true;
    CHECK(lab.migrate(options) == 7);
    CHECK(lab.out() == Contains("\n1 blocked, 1 succeeded\n"));
    CHECK(lab.unsettled("vm-1", "node-1") == "");
    CHECK(lab.unsettled("vm-2", "node-1") == "");
}

TEST_CASE("a create that the server refuses holds back the rest of the batch") {
    Played lab;
    lab.cluster.forbid("virtualmachineinstancemigrations", "create");
    CHECK(lab.migrate(Texts{"vm-1", "vm-2"}) == 3);
    const auto text = lab.out();
    CHECK(text == Contains("prod/vm-1  blocked  Error from server (Forbidden): "
                           "virtualmachineinstancemigrations.kubevirt.io is forbidden: User "
                           "\"tester\" cannot create resource"));
    CHECK(text == Contains("\n1 blocked, 1 not started\n"));
    CHECK(lab.writes == Texts{kCreate});
}

// ---- a node that is asked for

TEST_CASE("the node that is asked for is where it goes, once") {
    Played lab;
    auto options = asked(kVm);
    options.to = "node-3";
    CHECK(lab.migrate(options) == 0);
    CHECK(lab.writes == Texts{kCreate + " (dry run)", kCreate});
    CHECK(lab.out() == Contains("succeeded  node-1 -> node-3 in 2s"));
    CHECK(lab.unsettled("vm-1", "node-3") == "");
    CHECK(lab.migrate(options) == 0);
    CHECK(lab.out() ==
          "04:00:05Z prod/vm-1  nothing to do  it runs on node-3 already; the VM runs "
          "on node-3\n");
    CHECK(lab.writes.size() == 2);
}

TEST_CASE("a node that is not there, or takes nothing, is refused") {
    Played lab;
    auto options = asked(kVm);
    options.to = "node-9";
    CHECK(lab.migrate(options) == 3);
    CHECK(lab.out() ==
          "04:00:01Z prod/vm-1  blocked  there is no node node-9; the VM runs on "
          "node-1\n"
          "          next: kubectl get nodes\n");
    lab.taint("node-2", "example.com/full");
    options.to = "node-2";
    CHECK(lab.migrate(options) == 3);
    CHECK(lab.out() ==
          "04:00:01Z prod/vm-1  blocked  no node that is asked for can take it: "
          "node-2: has taint example.com/full:NoSchedule; the VM runs on node-1\n"
          "          next: virt-handoff preflight -o wide vm-1 -n prod\n");
    CHECK(lab.writes.empty());
}

TEST_CASE("a dry run leaves nothing, and no waiting leaves a migration to itself") {
    Played lab;
    auto options = asked(kVm);
    options.dry_run = commands::DryRunMode::client;
    CHECK(lab.migrate(options) == 0);
    CHECK(lab.writes.empty());
    options.dry_run = commands::DryRunMode::server;
    CHECK(lab.migrate(options) == 0);
    CHECK(lab.writes == Texts{kCreate + " (dry run)"});
    CHECK(lab.migrations("vm-1").empty());
    options.dry_run = commands::DryRunMode::none;
    options.wait = false;
    CHECK(lab.migrate(options) == 0);
    CHECK(lab.out() ==
          "04:00:01Z prod/vm-1  migration handoff-vm-1-00000001 created (dry run)\n"
          "04:00:01Z prod/vm-1  migration handoff-vm-1-00000002 created (server dry run)\n"
          "04:00:01Z prod/vm-1  migration handoff-vm-1-00000003 created\n");
    lab.advance(15s);
    CHECK(lab.unsettled("vm-1", "node-2") == "");
}

// ---- rights

TEST_CASE("who may no longer see migrations has an unknown outcome, and can join again") {
    Played lab;
    lab.slow_wires(kGigabit);
    lab.on_phase("vm-1", "Running",
                 [&] { lab.cluster.forbid("virtualmachineinstancemigrations", "list"); });
    CHECK(lab.migrate(kVm) == 8);
    CHECK(lab.out() == Contains("unknown  the migration is no longer in sight: "
                                "virtualmachineinstancemigrations.kubevirt.io is forbidden"));
    lab.cluster.forbid_nothing();
    auto options = asked(kVm);
    options.join = true;
    CHECK(lab.migrate(options) == 0);
    CHECK(lab.unsettled("vm-1", "node-2") == "");
}

TEST_CASE("who may not see migrations from the start begins none") {
    Played lab;
    lab.cluster.forbid("virtualmachineinstancemigrations", "list");
    CHECK(lab.migrate(kVm) == 1);
    CHECK(lab.err() == Contains("error: migrations cannot be watched: "));
    CHECK(lab.writes.empty());
}

TEST_CASE("a VMI that cannot be read is not taken for a VM that does not run") {
    Played lab;
    lab.cluster.forbid("virtualmachineinstances");
    CHECK(lab.migrate(kVm) == 3);
    CHECK(lab.out() ==
          "04:00:01Z prod/vm-1  blocked  its VMI could not be read, so whether it runs "
          "is not known; whether the VM runs could not be read\n"
          "          next: kubectl auth can-i get "
          "virtualmachineinstances.kubevirt.io -n prod\n");
    CHECK(lab.writes.empty());
}

TEST_CASE("a VMI that gets out of sight confirms nothing, and that is said") {
    Played lab;
    lab.slow_wires(kGigabit);
    lab.on_phase("vm-1", "Running", [&] { lab.cluster.forbid("virtualmachineinstances"); });
    auto options = asked(kVm);
    options.output = commands::OutputFormat::json;
    CHECK(lab.migrate(options) == 0);
    CHECK(lab.err() == Contains("succeeded  node-1 -> node-2 in 20s, downtime 594ms, 2.3 GiB sent; "
                                "whether the VMI says the same could not be read: "));
    const auto item = nlohmann::json::parse(lab.out())["items"][0];
    CHECK(item["vmRunning"].is_null());
    CHECK(item["runsOn"].is_null());
    CHECK(item["next"] == "kubectl describe vmi vm-1 -n prod");
}

TEST_CASE("a log that may not be read is said once, and the rest is told without") {
    Played lab;
    lab.slow_wires(kGigabit);
    lab.cluster.forbid("pods/log");
    CHECK(lab.migrate(kVm) == 0);
    const auto text = lab.out();
    const auto note = text.find(
        "note  progress is read from virt-handler's metrics, not from the "
        "log: pods \"virt-launcher-vm-1-*\" is forbidden");
    CHECK(note != std::string::npos);
    CHECK(text.find("note  ", note + 1) == std::string::npos);
    CHECK(text == Contains("succeeded  node-1 -> node-2 in 20s\n"));
}

TEST_CASE("pods that may not be read are a gap at the end, and attachments are still looked at") {
    Played lab;
    lab.cluster.forbid("pods");
    CHECK(lab.migrate(kVm) == 0);
    CHECK(lab.out() == Contains("succeeded  node-1 -> node-2 in 2s, downtime 56ms, 2.1 GiB sent; "
                                "whether the old launcher has ended could not be read\n"
                                "          next: kubectl get pods,volumeattachments -A -o wide\n"));
    CHECK(lab.unsettled("vm-1", "node-2") == "");
}

TEST_CASE("events that may not be read do not hinder, and are named where they could tell more") {
    Played lab;
    lab.cluster.forbid("events");
    CHECK(lab.migrate(kVm) == 0);
    CHECK_FALSE(has(lab.out(), "events"));
    lab.cluster.turn("vm-1", "sim/seconds", "600");
    lab.on_phase("vm-1", "Running", [&] { lab.in(5s, [&] { lab.delete_target("vm-1"); }); });
    CHECK(lab.migrate(kVm) == 6);
    CHECK(lab.out() == Contains("failed  the target pod went down: \"Target pod is down\"; the VM "
                                "runs on node-2; may tell more, but could not be read: events is "
                                "forbidden: User \"tester\" cannot list resource \"events\""));
}

// ---- the server

TEST_CASE("a server that is away is said once, and once that it is back") {
    Played lab;
    lab.slow_wires(kGigabit);
    lab.on_phase("vm-1", "Running", [&] {
        lab.in(3s, [&] { lab.cluster.unreachable("connection refused"); });
        lab.in(40s, [&] { lab.cluster.unreachable(""); });
    });
    CHECK(lab.migrate(kVm) == 0);
    const auto text = lab.out();
    const std::string away = "the server cannot be reached, trying again: connection refused\n";
    const auto said = text.find(away);
    CHECK(said != std::string::npos);
    CHECK(text.find(away, said + 1) == std::string::npos);
    const auto back = text.find("the server is back\n", said);
    CHECK(back != std::string::npos);
    CHECK(text.find("04:00:42Z prod/vm-1  succeeded  node-1 -> node-2 in 20s", back) !=
          std::string::npos);
    CHECK(lab.unsettled("vm-1", "node-2") == "");
}

TEST_CASE("a create whose reply is lost makes one migration, whether it arrived or not") {
    for (const auto fate : {Fate::lost_before, Fate::lost_after, Fate::refused}) {
        CAPTURE(static_cast<int>(fate));
        Played lab;
        lab.fates = {fate};
        CHECK(lab.migrate(kVm) == 0);
        CHECK(lab.writes.size() == (fate == Fate::lost_after ? 1 : 2));
        CHECK(lab.migrations("vm-1") == Texts{"handoff-vm-1-00000001 Succeeded"});
        CHECK(lab.unsettled("vm-1", "node-2") == "");
    }
}

TEST_CASE("a create that is lost again and again has an unknown outcome") {
    Played lab;
    lab.fates = {Fate::lost_before, Fate::lost_before, Fate::lost_before};
    CHECK(lab.migrate(kVm) == 8);
    CHECK(lab.out() ==
          "04:00:04Z prod/vm-1  unknown  the connection broke before the reply; "
          "whether the VM runs could not be read\n"
          "          next: kubectl get vmim handoff-vm-1-00000001 -n prod\n");
}
