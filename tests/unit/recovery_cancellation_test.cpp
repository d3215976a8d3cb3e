#include "recovery/cancellation.hpp"

#include "tests/unit/recovery_sight_builders.hpp"

using namespace recovery;
using namespace recovery::builders;

namespace {

using Actions = std::vector<CancelAction>;
using Notes = std::vector<std::string>;

constexpr auto mark = CancelAction::take_back_mark;
constexpr auto removal = CancelAction::delete_migration;
const std::string again = "a kubectl drain that still runs will mark it again within seconds";

// What a cancellation is asked of, kept alive for plan_cancel's pointers.
struct Asked {
    std::optional<facts::Vmi> vmi = builders::vmi();
    std::optional<facts::Migration> migration{};
    std::optional<facts::Node> marked_node{};
    std::string gap{};
    std::string taint = "kubevirt.io/drain";

    CancelPlan plan() const {
        return plan_cancel({vmi ? &*vmi : nullptr, migration ? &*migration : nullptr,
                            marked_node ? &*marked_node : nullptr, taint, gap});
    }
};

Asked asked_in(const std::string& phase) {
    Asked asked;
    asked.migration = migration(phase);
    const bool begun = phase == "Running";
    if (begun) asked.vmi = handed_over("PreCopy");
    if (phase == "PreparingTarget" || phase == "TargetReady") asked.vmi = handed_over();
    return asked;
}

Asked marked() {
    Asked asked;
    asked.vmi->evacuation_node = "n1";
    asked.marked_node = node();
    return asked;
}

facts::Migration deleted_in(const std::string& phase) {
    auto result = migration(phase);
    result.meta.deleting = true;
    return result;
}

facts::Warning failed_abort(int count, const std::string& words = "no reply") {
    auto result = warning("m-uid", "FailedAbortMigration", words);
    result.count = count;
    return result;
}

}  // namespace

TEST_CASE("without migration and mark there is nothing to cancel") {
    CHECK(Asked{}.plan() == CancelPlan{});
    Asked over;
    over.migration = migration("Failed");
    CHECK(over.plan() == CancelPlan{});
    Asked gone;
    gone.vmi.reset();
    CHECK(gone.plan() == CancelPlan{});
}

TEST_CASE("the effect of a deletion depends on the phase") {
    const std::string stays = "; the VM stays on node n1";
    const std::string before =
        "KubeVirt deletes the target pod, if there is one, and ends the migration" + stays;
    const std::string deferred =
        "KubeVirt aborts the migration once it copies memory, and stops nothing before" + stays;
    const std::vector<std::pair<std::string, std::string>> effects{
        {"", "KubeVirt ends the migration before it has begun"},
        {"Pending", before},
        {"Scheduling", before},
        {"Scheduled", before},
        {"PreparingTarget", deferred},
        {"TargetReady", deferred},
        {"Running",
         "virt-handler on node n1 aborts the copying of memory, for which libvirt has 30s" + stays},
    };
    for (const auto& [phase, effect] : effects) {
        CAPTURE(phase);
        auto asked = asked_in(phase);
        CHECK(asked.plan() == CancelPlan{{removal}, effect, {}, {}});
        asked.migration->meta.deleting = true;
        CHECK(asked.plan() ==
              CancelPlan{{}, "the migration is being deleted already: " + effect, {}, {}});
    }
}

TEST_CASE("a Scheduled migration that is handed over is past an immediate end") {
    auto asked = asked_in("Scheduled");
    asked.vmi = handed_over();
    CHECK(asked.plan().effect ==
          "KubeVirt aborts the migration once it copies memory, and stops nothing before; the VM "
          "stays on node n1");
    asked.vmi->migration->migration_uid = "an-earlier-one";
    CHECK(asked.plan().effect ==
          "KubeVirt deletes the target pod, if there is one, and ends the migration; the VM stays "
          "on node n1");
}

TEST_CASE("in post-copy nothing is cancelled, because the memory is on both sides") {
    auto asked = asked_in("Running");
    asked.vmi = handed_over("PostCopy");
    const CancelPlan refused{
        {},
        "",
        {},
        Refusal{"post-copy",
                "migration web-m is in post-copy: the guest runs on node n2, and a part of its "
                "memory is still on node n1 only",
                "a migration that is not in post-copy: with the memory on both sides, an abort "
                "loses the guest",
                "kubectl get vmim web-m -n prod --watch"}};
    CHECK(asked.plan() == refused);
    // The guest runs there, and so the target is told to be ready.
    asked.vmi->migration->target_ready = ago(1);
    CHECK(asked.plan() == refused);
    asked.vmi->evacuation_node = "n1";
    CHECK(asked.plan() == refused);
    asked.migration->meta.deleting = true;
    CHECK(asked.plan() == refused);
}

TEST_CASE("only post-copy of this very migration counts, and only while it goes on") {
    auto asked = asked_in("Running");
    asked.vmi = handed_over("PostCopy");
    asked.vmi->migration->migration_uid = "an-earlier-one";
    CHECK(asked.plan().actions == Actions{removal});
    asked.vmi = handed_over("Paused");
    CHECK(asked.plan().actions == Actions{removal});
    CHECK_FALSE(asked.plan().refusal);
    asked.vmi = handed_over("PostCopy");
    asked.migration.reset();
    CHECK(asked.plan() == CancelPlan{});
}

TEST_CASE("a migration that is decided is not deleted any more") {
    auto asked = asked_in("Running");
    asked.vmi = handed_over("PreCopy");
    asked.vmi->migration->target_ready = ago(1);
    const CancelPlan moved{
        {}, "the guest has moved to node n2 already, and the migration ends by itself", {}, {}};
    CHECK(asked.plan() == moved);
    asked.vmi->migration->completed = true;
    asked.vmi->migration->target_ready.reset();
    CHECK(asked.plan() == moved);
    asked.vmi->migration->failed = true;
    CHECK(asked.plan() ==
          CancelPlan{{}, "the migration has failed already, and ends by itself", {}, {}});
}

TEST_CASE("a Running migration of a VMI that could not be read is left alone") {
    auto asked = asked_in("Running");
    asked.vmi.reset();
    asked.gap = "virtualmachineinstances is forbidden";
    CHECK(asked.plan() ==
          CancelPlan{{},
                     "",
                     {},
                     Refusal{"vmi-unread",
                             "VMI web could not be read: virtualmachineinstances is forbidden",
                             "its status: in post-copy an abort loses the guest",
                             "kubectl get vmi web -n prod"}});
    asked.migration->meta.deleting = true;
    CHECK(asked.plan().effect ==
          "the migration is being deleted already: virt-handler aborts the copying of memory, for "
          "which libvirt has 30s; the VM stays");
    CHECK_FALSE(asked.plan().refusal);
}

TEST_CASE("before memory is copied a migration is cancelled without the VMI") {
    auto asked = asked_in("Pending");
    asked.vmi.reset();
    asked.gap = "forbidden";
    CHECK(asked.plan() ==
          CancelPlan{{removal},
                     "KubeVirt deletes the target pod, if there is one, and ends the migration; "
                     "the VM stays",
                     {},
                     {}});
}

TEST_CASE("without migration an unread VMI is no reason to say that there is nothing") {
    Asked asked;
    asked.vmi.reset();
    asked.gap = "forbidden";
    CHECK(asked.plan() ==
          CancelPlan{{},
                     "",
                     {},
                     Refusal{"vmi-unread", "the VMI could not be read: forbidden",
                             "its status, which tells whether it is marked for evacuation",
                             "kubectl auth can-i get virtualmachineinstances.kubevirt.io"}});
}

TEST_CASE("a VMI that is gone takes its migration along") {
    auto asked = asked_in("Running");
    asked.vmi.reset();
    asked.migration->meta.annotations["kubevirt.io/evacuationMigration"] = "n1";
    CHECK(asked.plan() ==
          CancelPlan{{removal}, "the VMI is gone, and KubeVirt removes the migration", {}, {}});
}

TEST_CASE("a mark alone is taken back") {
    CHECK(marked().plan() ==
          CancelPlan{
              {mark}, "KubeVirt makes no more migrations of the VM to empty node n1", {again}, {}});
}

TEST_CASE("the mark goes before the migration, which would be made anew") {
    auto asked = marked();
    asked.migration = migration("Scheduling");
    asked.migration->meta.annotations["kubevirt.io/evacuationMigration"] = "n1";
    CHECK(asked.plan() ==
          CancelPlan{{mark, removal},
                     "KubeVirt makes no more migrations of the VM to empty node n1; KubeVirt "
                     "deletes the target pod, if there is one, and ends the migration; the VM "
                     "stays on node n1",
                     {again},
                     {}});
    asked.migration->meta.deleting = true;
    CHECK(asked.plan().actions == Actions{mark});
}

TEST_CASE("a node that was not read leaves the question of its taint open") {
    auto asked = marked();
    asked.marked_node.reset();
    CHECK(asked.plan().actions == Actions{mark});
    CHECK(asked.plan().notes ==
          Notes{again,
                "whether node n1 has the taint kubevirt.io/drain:NoSchedule is not known; with it, "
                "the server refuses to take the mark back"});
}

TEST_CASE("with the drain taint the mark cannot be taken back, and so nothing is cancelled") {
    auto asked = marked();
    asked.migration = migration("Scheduling");
    asked.marked_node->taints = {{"kubevirt.io/drain", "", "NoSchedule"}};
    CHECK(asked.plan() ==
          CancelPlan{{},
                     "",
                     {},
                     Refusal{"drain-taint", "node n1 has the taint kubevirt.io/drain:NoSchedule",
                             "the node without it: KubeVirt does not take the mark back before, "
                             "and makes the migration anew",
                             "kubectl taint node n1 kubevirt.io/drain:NoSchedule-"}});
}

TEST_CASE("other taints, other effects and taints without a mark refuse nothing") {
    auto asked = marked();
    asked.marked_node->taints = {{"kubevirt.io/drain", "", "NoExecute"},
                                 {"node.kubernetes.io/unschedulable", "", "NoSchedule"}};
    CHECK_FALSE(asked.plan().refusal);
    asked.taint = "node.kubernetes.io/unschedulable";
    REQUIRE(asked.plan().refusal);
    CHECK(asked.plan().refusal->next ==
          "kubectl taint node n1 node.kubernetes.io/unschedulable:NoSchedule-");
    asked.vmi->evacuation_node = "";
    CHECK_FALSE(asked.plan().refusal);
}

TEST_CASE("who has made a migration makes it anew, and the notes say so") {
    auto asked = asked_in("Pending");
    auto& annotations = asked.migration->meta.annotations;
    annotations["kubevirt.io/evacuationMigration"] = "n1";
    CHECK(asked.plan().notes ==
          Notes{"made to empty node n1; KubeVirt makes it anew as long as the node has the taint "
                "kubevirt.io/drain:NoSchedule"});
    asked.vmi.reset();
    asked.gap = "forbidden";
    CHECK(asked.plan().notes ==
          Notes{"made to empty node n1; whether the VMI is still marked for that is not known "
                "(forbidden), and if so, KubeVirt makes it anew"});
    asked = asked_in("Pending");
    asked.migration->meta.annotations["kubevirt.io/workloadUpdateMigration"] = "";
    CHECK(asked.plan().notes == Notes{"made by KubeVirt's workload update, which makes it anew as "
                                      "long as the VM is out of date"});
}

TEST_CASE("a deletion hangs after the hand-over, as long as no memory is copied") {
    const auto all = sight_with(target());
    const auto over = handed_over();
    for (const auto* phase : {"Scheduled", "PreparingTarget", "TargetReady"}) {
        CAPTURE(phase);
        CHECK(hangs(all, deleted_in(phase), &over));
        CHECK_FALSE(hangs(all, migration(phase), &over));
    }
    CHECK_FALSE(hangs(all, deleted_in("Running"), &over));
    CHECK_FALSE(hangs(all, deleted_in("Failed"), &over));
    const auto before = vmi();
    CHECK_FALSE(hangs(all, deleted_in("Scheduled"), &before));
}

TEST_CASE("a deletion does not hang where memory may be copied, or could be for all that is read") {
    const auto all = sight_with(target());
    auto begun = handed_over();
    begun.migration->started = ago(1);
    CHECK_FALSE(hangs(all, deleted_in("TargetReady"), &begun));
    auto copying = handed_over();
    copying.migration->mode = "PreCopy";
    CHECK_FALSE(hangs(all, deleted_in("TargetReady"), &copying));
    auto ended = handed_over();
    ended.migration->failed = true;
    CHECK_FALSE(hangs(all, deleted_in("TargetReady"), &ended));
    auto other = handed_over();
    other.migration->migration_uid = "an-earlier-one";
    CHECK_FALSE(hangs(all, deleted_in("TargetReady"), &other));
    CHECK_FALSE(hangs(all, deleted_in("TargetReady"), nullptr));
}

TEST_CASE("a deletion does not hang any more once the target pod goes") {
    const auto over = handed_over();
    auto going = target();
    going.meta.deleting = true;
    CHECK_FALSE(hangs(sight_with(going), deleted_in("TargetReady"), &over));
    CHECK_FALSE(hangs(sight_with(target("Failed")), deleted_in("TargetReady"), &over));
    auto all = sight();
    CHECK_FALSE(hangs(all, deleted_in("TargetReady"), &over));
    all.launchers.complete = false;
    CHECK(hangs(all, deleted_in("TargetReady"), &over));
}

TEST_CASE("an abort that fails again and again does not get through") {
    const std::string words =
        "failed to set MigrationState in VMI status. :the server rejected our request due to an "
        "error in our request";
    const auto all = sight_with(failed_abort(2, words), handed_over("PreCopy"));
    CHECK(abort_trouble(all, deleted_in("Running")) ==
          "virt-controller failed 2 times to have the migration aborted: " + words +
              "; its patch tests the VMI's whole status, which holds something that it would "
              "write differently");
    CHECK(abort_trouble(sight_with(failed_abort(7)), deleted_in("Running")) ==
          "virt-controller failed 7 times to have the migration aborted: no reply");
    CHECK(abort_trouble(sight_with(failed_abort(1), failed_abort(1, "timeout")),
                        deleted_in("Running")) != "");
}

TEST_CASE("one failed abort is a race, and others' or earlier ones are none of this migration") {
    CHECK(abort_trouble(sight_with(failed_abort(1)), deleted_in("Running")).empty());
    auto others = failed_abort(9);
    others.object_uid = "another-uid";
    CHECK(abort_trouble(sight_with(others), deleted_in("Running")).empty());
    auto unlike = failed_abort(9);
    unlike.reason = "FailedMigration";
    CHECK(abort_trouble(sight_with(unlike), deleted_in("Running")).empty());
    CHECK(abort_trouble(sight_with(failed_abort(9)), migration("Running")).empty());
    CHECK(abort_trouble(sight_with(failed_abort(9)), deleted_in("Failed")).empty());
    auto through = handed_over("PreCopy");
    through.migration->abort_requested = true;
    CHECK(abort_trouble(sight_with(failed_abort(9), through), deleted_in("Running")).empty());
}
