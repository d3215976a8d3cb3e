// `migrate` of one virtual machine, played whole in the lab: from the first line to the exit code,
// and what is really so afterwards.
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
constexpr std::int64_t kGigabit = 125'000'000;

MigrateOptions asked(const Texts& vms) {
    MigrateOptions options;
    options.targets = vms;
    return options;
}

// What stands before the copying of memory, in every session.
std::string up_to_copying(const std::string& deadline) {
    return "04:00:01Z prod/vm-1  migration handoff-vm-1-00000001 created\n"
           "04:00:01Z prod/vm-1  Pending\n"
           "04:00:01Z prod/vm-1  Scheduling  target pod virt-launcher-vm-1-* is being placed\n"
           "04:00:02Z prod/vm-1  Scheduled  target pod is ready on node-2\n"
           "04:00:02Z prod/vm-1  PreparingTarget  node-1 -> node-2, handed over to virt-handler\n"
           "04:00:02Z prod/vm-1  TargetReady  node-2 waits for the guest\n"
           "04:00:02Z prod/vm-1  Running  node-1 -> node-2, copying memory; at " +
           deadline + "\n";
}

// Copied for so long that there is time for something to happen.
void copy_slowly(Played& lab, std::function<void()> what) {
    lab.cluster.turn("vm-1", "sim/seconds", "600");
    lab.on_phase("vm-1", "Running", [&lab, what = std::move(what)] { lab.in(5s, what); });
}

int count(const std::string& text, const std::string& word) {
    int found = 0;
    for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
    return found;
}

}  // namespace

TEST_CASE("a success is told phase by phase, and nothing is left behind") {
    Played lab;
    CHECK(lab.migrate(kVm) == 0);
    CHECK(lab.out() ==
          up_to_copying("04:07:32Z it is aborted") +
              "04:00:04Z prod/vm-1  Running  switching over: pass 2, 0 B left, 1.2 GiB/s sent, "
              "0 B/s dirtied\n"
              "04:00:04Z prod/vm-1  Succeeded\n"
              "04:00:05Z prod/vm-1  succeeded  node-1 -> node-2 in 2s, downtime 56ms, 2.1 GiB "
              "sent\n");
    CHECK(lab.err() == "");
    CHECK(lab.writes == Texts{"POST virtualmachineinstancemigrations"});
    CHECK(lab.unsettled("vm-1", "node-2") == "");
}

TEST_CASE("a success as a document says the same, and the words go to standard error") {
    Played lab;
    auto options = asked(kVm);
    options.output = commands::OutputFormat::json;
    CHECK(lab.migrate(options) == 0);
    const auto report = nlohmann::json::parse(lab.out());
    CHECK(report["exitCode"] == 0);
    CHECK(report["error"].is_null());
    REQUIRE(report["items"].size() == 1);
    auto item = report["items"][0];
    CHECK(item["bytes"] > std::int64_t{2} << 30);
    item.erase("bytes");
    CHECK(item == nlohmann::json{{"namespace", "prod"},
                                 {"vmi", "vm-1"},
                                 {"vmim", "handoff-vm-1-00000001"},
                                 {"phase", "Succeeded"},
                                 {"result", "succeeded"},
                                 {"vmRunning", true},
                                 {"runsOn", "node-2"},
                                 {"sourceNode", "node-1"},
                                 {"targetNode", "node-2"},
                                 {"startedAt", "2026-11-21T04:00:02Z"},
                                 {"endedAt", "2026-11-21T04:00:04Z"},
                                 {"durationSeconds", 2},
                                 {"downtimeMilliseconds", 56},
                                 {"cause", nullptr},
                                 {"next", nullptr},
                                 {"notes", nlohmann::json::array()}});
    CHECK(lab.err() == Contains("succeeded  node-1 -> node-2 in 2s"));
}

TEST_CASE("an old launcher that never ends is waited for within bounds, and named") {
    Played lab;
    lab.cluster.turn("vm-1", "sim/keepsource", "true");
    CHECK(lab.migrate(kVm) == 0);
    CHECK(lab.out() ==
          Contains("04:01:04Z prod/vm-1  succeeded  node-1 -> node-2 in 2s, downtime 56ms, 2.1 GiB "
                   "sent; the old launcher virt-launcher-vm-1-* on node-1 has not ended; volume "
                   "pvc-* is still attached to node-1\n"
                   "          next: kubectl get pods,volumeattachments -A -o wide\n"));
    CHECK(lab.runs_on("vm-1") == Texts{"node-2"});
    CHECK(lab.launchers("vm-1") == Texts{"node-1", "node-2"});
    CHECK_FALSE(lab.two_wrote());
}

// ---- failures, by phase

TEST_CASE("a target pod that no node takes is named with its deadline, and then with its end") {
    Played lab;
    lab.on_phase("vm-1", "", [&] {
        lab.taint("node-2", "example.com/full");
        lab.taint("node-3", "example.com/full");
    });
    CHECK(lab.migrate(kVm) == 6);
    const auto text = lab.out();
    const std::string words =
        "0/3 nodes are available: 1 node(s) didn't match pod anti-affinity rules, 2 node(s) had "
        "untolerated taint(s). no new claims to deallocate, preemption: 0/3 nodes are available: "
        "1 No preemption victims found for incoming pod, 2 Preemption is not helpful for "
        "scheduling";
    CHECK(text == Contains(("04:00:04Z prod/vm-1  Scheduling  waits  no node takes the target pod "
                            "virt-launcher-vm-1-*: " +
                            words +
                            "; given up 5m after its creation, in 4m57s\n"
                            "          next: virt-handoff preflight vmi/vm-1 -n prod\n")
                               .c_str()));
    CHECK(count(text, "still, waits: no node takes the target pod") == 9);
    CHECK(text == Contains(("04:05:01Z prod/vm-1  failed  no node took the target pod within 300 "
                            "seconds, and KubeVirt removed it: \"" +
                            words +
                            "\"; the VM runs on node-1\n"
                            "          next: virt-handoff preflight vm-1 -n prod\n")
                               .c_str()));
    CHECK(lab.unsettled("vm-1", "node-1") == "");
}

TEST_CASE("a target pod that never gets ready is given up after fifteen minutes") {
    Played lab;
    lab.cluster.turn("vm-1", "sim/podhold", "true");
    CHECK(lab.migrate(kVm) == 6);
    const auto text = lab.out();
    CHECK(text == Contains("04:00:16Z prod/vm-1  Scheduling  waits  the target pod "
                           "virt-launcher-vm-1-* on node node-2 does not start; given up 15m after "
                           "its creation, in 14m\n"
                           "          next: kubectl describe pod virt-launcher-vm-1-* -n prod\n"));
    CHECK(text == Contains("04:15:01Z prod/vm-1  failed  the target pod was not ready within 900 "
                           "seconds, and KubeVirt removed it; the VM runs on node-1\n"));
    lab.advance(15s);
    CHECK(lab.unsettled("vm-1", "node-1") == "");
}

TEST_CASE("a virt-handler that does not prepare the target is named until the launcher gives up") {
    Played lab;
    lab.on_phase("vm-1", "Scheduled", [&] { lab.cluster.hardware().stop_handler("node-2"); });
    CHECK(lab.migrate(kVm) == 6);
    const auto text = lab.out();
    CHECK(text == Contains("PreparingTarget  waits  virt-handler on node node-2 has not prepared "
                           "the target for 15s; KubeVirt has no time limit for it, and the target "
                           "pod gives up 4 to 6 minutes after it started\n"));
    CHECK(text == Contains("failed  copying did not begin within 248 seconds, and the target's "
                           "launcher gave up; the VM runs on node-1\n"
                           "          next: kubectl get pods -A -l kubevirt.io=virt-handler -o "
                           "wide\n"));
    CHECK(lab.runs_on("vm-1") == Texts{"node-1"});
    CHECK(lab.launchers("vm-1") == Texts{"node-1"});
    CHECK_FALSE(lab.two_wrote());
}

TEST_CASE("a virt-handler that does not begin to copy is named until the launcher gives up") {
    Played lab;
    lab.on_phase("vm-1", "TargetReady", [&] { lab.cluster.hardware().stop_handler("node-1"); });
    CHECK(lab.migrate(kVm) == 6);
    const auto text = lab.out();
    CHECK(text == Contains("TargetReady  waits  virt-handler on node node-1 has not begun to copy "
                           "memory for 15s"));
    CHECK(text == Contains("failed  copying did not begin within 248 seconds, and the target's "
                           "launcher gave up; the VM runs on node-1\n"));
    lab.advance(15s);
    CHECK(lab.unsettled("vm-1", "node-1") == "");
}

TEST_CASE("what was held up goes on, and the wait is over") {
    Played lab;
    lab.cluster.turn("vm-1", "sim/hold", "TargetReady");
    lab.in(60s, [&] { lab.cluster.turn("vm-1", "sim/hold", ""); });
    CHECK(lab.migrate(kVm) == 0);
    const auto text = lab.out();
    CHECK(text == Contains("TargetReady  waits  virt-handler on node node-1 has not begun"));
    CHECK(text == Contains("04:01:01Z prod/vm-1  Running  node-1 -> node-2, copying memory"));
    CHECK(lab.unsettled("vm-1", "node-2") == "");
}

TEST_CASE("a failure that the source reports is told in words, with its own text") {
    Played lab;
    lab.cluster.turn("vm-1", "sim/fail",
                     "guest CPU doesn't match specification: missing features: avx512f");
    CHECK(lab.migrate(kVm) == 6);
    CHECK(lab.out() ==
          up_to_copying("04:07:32Z it is aborted") +
              "04:00:03Z prod/vm-1  Failed\n"
              "04:00:03Z prod/vm-1  failed  the target node's CPU lacks features that the guest "
              "uses: \"guest CPU doesn't match specification: missing features: avx512f\"; the VM "
              "runs on node-1\n"
              "          next: virt-handoff preflight vm-1 -n prod\n");
    lab.advance(15s);
    CHECK(lab.unsettled("vm-1", "node-1") == "");
}

TEST_CASE("a target node that is lost breaks the connection, and the VM stays") {
    Played lab;
    copy_slowly(lab, [&] { lab.cluster.hardware().power_off("node-2"); });
    CHECK(lab.migrate(kVm) == 6);
    CHECK(lab.out() == Contains("failed  the connection to the target broke: \"Live migration "
                                "failed virError(Code=9, Domain=10, Message='operation failed: "
                                "Lost connection to destination host')\"; the VM runs on node-1\n"
                                "          next: kubectl get pods -A -l kubevirt.io=virt-handler "
                                "-o wide\n"));
    CHECK(lab.runs_on("vm-1") == Texts{"node-1"});
    CHECK_FALSE(lab.two_wrote());
}

TEST_CASE("a source node that is lost takes the guest with it, and the target launcher ends") {
    Played lab;
    copy_slowly(lab, [&] { lab.cluster.hardware().power_off("node-1"); });
    CHECK(lab.migrate(kVm) == 6);
    CHECK(lab.out() ==
          Contains("failed  the target pod ended during the migration: \"Error (1)\""));
    CHECK(lab.lost("vm-1"));
    CHECK_FALSE(lab.two_wrote());
}

TEST_CASE("a VM that is deleted meanwhile is said not to run") {
    Played lab;
    copy_slowly(lab, [&] { lab.delete_vm("vm-1"); });
    CHECK(lab.migrate(kVm) == 6);
    CHECK(lab.out() == Contains("04:00:07Z prod/vm-1  failed  the virtual machine was stopped or "
                                "deleted; the VM does not run\n"
                                "          next: kubectl get vm,vmi vm-1 -n prod\n"));
    CHECK(lab.runs_on("vm-1").empty());
    CHECK(lab.launchers("vm-1").empty());
}

TEST_CASE("a target pod that is deleted meanwhile ends the migration, and the VM stays") {
    Played lab;
    copy_slowly(lab, [&] { lab.delete_target("vm-1"); });
    CHECK(lab.migrate(kVm) == 6);
    CHECK(lab.out() == Contains("04:00:07Z prod/vm-1  failed  the target pod ended during the "
                                "migration: \"Migration failed because target pod shutdown during "
                                "migration\"; the VM runs on node-1\n"));
    lab.advance(15s);
    CHECK(lab.unsettled("vm-1", "node-1") == "");
}

TEST_CASE("somebody else's cancel is a failure of this command, and named as one") {
    Played lab;
    copy_slowly(lab, [&] { lab.cluster.cancel("handoff-vm-1-00000001"); });
    CHECK(lab.migrate(kVm) == 6);
    CHECK(lab.out() ==
          Contains("cancelled  somebody cancelled the migration; the VM runs on node-1\n"
                   "          next: virt-handoff migrate vm-1 -n prod\n"));
    lab.advance(15s);
    CHECK(lab.unsettled("vm-1", "node-1") == "");
}

// ---- time limits

TEST_CASE("a guest that is too busy is seen not to converge, up to KubeVirt's abort") {
    Played lab;
    lab.slow_wires(kGigabit);
    lab.make_busy("vm-1");
    CHECK(lab.migrate(kVm) == 6);
    const auto text = lab.out();
    CHECK(text == Contains("04:00:07Z prod/vm-1  Running  first pass: 23 %, "
                           "119.2 MiB/s sent, 381.5 MiB/s dirtied\n"));
    CHECK(text == Contains("Running  not converging: pass 2, 1.7 GiB left, 119.2 MiB/s sent, 381.5 "
                           "MiB/s dirtied; will not finish before 04:07:32Z (abort)\n"));
    CHECK(count(text, "not converging: pass ") == 26);
    CHECK(text == Contains("04:07:33Z prod/vm-1  failed  the time limit for copying was reached "
                           "(completionTimeoutPerGiB): the guest writes memory faster than it is "
                           "sent, or the bandwidth is too small: \"Live migration is not completed "
                           "after 450 seconds and has been aborted\"; the VM runs on node-1\n"
                           "          next: virt-handoff preflight vm-1 -n prod\n"));
    lab.advance(15s);
    CHECK(lab.unsettled("vm-1", "node-1") == "");
}

TEST_CASE("post-copy is announced with its time, and told apart when it comes") {
    Played lab("post-copy");
    CHECK(lab.migrate(kVm) == 0);
    const auto text = lab.out();
    CHECK(text == Contains("copying memory; at 04:01:02Z it switches to post-copy\n"));
    CHECK(text == Contains("will not finish before 04:01:02Z (post-copy)\n"));
    CHECK(text == Contains("Running  post-copy: pass 5, 1.7 GiB left, 119.2 MiB/s sent, 0 B/s "
                           "dirtied\n"));
    CHECK(text == Contains("succeeded  node-1 -> node-2 in 78s, downtime 18ms, 9.1 GiB sent\n"));
    CHECK(lab.unsettled("vm-1", "node-2") == "");
}

TEST_CASE("a guest that is paused for the rest is said to be, and for how long it was") {
    Played lab("paused-guest");
    CHECK(lab.migrate(kVm) == 0);
    const auto text = lab.out();
    CHECK(text == Contains("copying memory; at 04:01:02Z the guest is paused\n"));
    CHECK(text == Contains("Running  paused: pass 5, 1.6 GiB left, 119.2 MiB/s sent, 0 B/s "
                           "dirtied\n"));
    CHECK(text == Contains("succeeded  node-1 -> node-2 in 86s, downtime 24s, 10.0 GiB sent\n"));
    CHECK(lab.unsettled("vm-1", "node-2") == "");
}

TEST_CASE("the time that was given runs out: the work goes on, and how it stands is said") {
    Played lab;
    lab.slow_wires(kGigabit);
    lab.make_busy("vm-1");
    auto options = asked(kVm);
    options.timeout = 60s;
    CHECK(lab.migrate(options) == 5);
    CHECK(lab.out() ==
          Contains("04:01:01Z prod/vm-1  timed out  not converging: pass 4, 1.5 GiB left, 119.2 "
                   "MiB/s sent, 381.5 MiB/s dirtied; will not finish before 04:07:32Z (abort); the "
                   "VM runs on node-1\n"
                   "          next: virt-handoff migrate vm-1 -n prod --join\n"
                   "the time given is over; the work goes on at the server. To follow it again:\n"
                   "  virt-handoff migrate vm-1 -n prod --join\n"
                   "To cancel it:\n"
                   "  virt-handoff cancel vm-1 -n prod\n"));
    CHECK(lab.migrations("vm-1") == Texts{"handoff-vm-1-00000001 Running"});
}

TEST_CASE("the time that was given runs out, and what was begun is cancelled") {
    Played lab;
    lab.slow_wires(kGigabit);
    lab.make_busy("vm-1");
    auto options = asked(kVm);
    options.timeout = 60s;
    options.cancel_on_timeout = true;
    CHECK(lab.migrate(options) == 6);
    CHECK(lab.out() ==
          Contains("the time given is over: cancelling what was begun\n"
                   "04:01:01Z prod/vm-1  Failed\n"
                   "04:01:01Z prod/vm-1  cancelled  cancelled by this command; the VM runs on "
                   "node-1\n"));
    CHECK(lab.writes == Texts{"POST virtualmachineinstancemigrations",
                              "DELETE virtualmachineinstancemigrations/handoff-vm-1-00000001"});
    lab.advance(15s);
    CHECK(lab.unsettled("vm-1", "node-1") == "");
}

TEST_CASE("what hangs before it copies is helped to its end after the time limit") {
    Played lab;
    lab.cluster.turn("vm-1", "sim/hold", "TargetReady");
    auto options = asked(kVm);
    options.timeout = 20s;
    options.cancel_on_timeout = true;
    CHECK(lab.migrate(options) == 6);
    const auto text = lab.out();
    CHECK(text == Contains("no memory is copied yet, and KubeVirt aborts only then: the target pod "
                           "is deleted, which ends the migration\n"));
    CHECK(text == Contains("vm-1  cancelled  "));
    CHECK(lab.runs_on("vm-1") == Texts{"node-1"});
}

TEST_CASE("a cancel after the time limit that has no effect is not waited for without end") {
    Played lab;
    lab.cluster.turn("vm-1", "sim/hold", "TargetReady");
    lab.cluster.forbid("pods", "delete");
    auto options = asked(kVm);
    options.timeout = 20s;
    options.cancel_on_timeout = true;
    CHECK(lab.migrate(options) == 5);
    const auto text = lab.out();
    CHECK(text == Contains("04:02:21Z prod/vm-1  timed out  it is being deleted in TargetReady, "
                           "where KubeVirt stops nothing: it aborts once memory is copied, which "
                           "may never begin; the VM runs on node-1\n"));
    CHECK(text == Contains("cancelling takes longer; the work goes on at the server."));
    CHECK(lab.runs_on("vm-1") == Texts{"node-1"});
}

TEST_CASE("an interruption detaches, or cancels where that was asked for") {
    for (const bool cancel : {false, true}) {
        CAPTURE(cancel);
        Played lab;
        std::stop_source stop;
        lab.environment.stop = stop.get_token();
        copy_slowly(lab, [&] { stop.request_stop(); });
        auto options = asked(kVm);
        options.cancel_on_interrupt = cancel;
        CHECK(lab.migrate(options) == 130);
        const auto text = lab.out();
        lab.advance(15s);
        if (cancel) {
            CHECK(text == Contains("interrupted: cancelling what was begun; a second time leaves "
                                   "at once\n"));
            CHECK(text ==
                  Contains("cancelled  cancelled by this command; the VM runs on node-1\n"));
            CHECK(lab.unsettled("vm-1", "node-1") == "");
        } else {
            CHECK(text == Contains("interrupted; the work goes on at the server."));
            CHECK(lab.migrations("vm-1") == Texts{"handoff-vm-1-00000001 Running"});
        }
    }
}
