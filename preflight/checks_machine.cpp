// The state of the VM itself: does it run, what does KubeVirt say of it, is it on the move already.
#include <algorithm>
#include <array>

#include "preflight/checks.hpp"
#include "preflight/question.hpp"

namespace preflight {
namespace {

constexpr auto migrations_resource = "virtualmachineinstancemigrations.kubevirt.io";

std::vector<Finding> check_running(const Question& question) {
    const auto* vmi = question.judged.vmi;
    const std::string needed = "a running VMI";
    if (question.judged.life == Life::unread) {
        return {unknown(question.machine(), needed, {question.judged.life_gap})};
    }
    if (vmi == nullptr) {
        return {warned(question.machine(), "the VM does not run", needed,
                       "there is nothing to migrate; judged as if it were running",
                       {"start the VM first",
                        {command("virtctl start ", question.name(), " -n ", question.ns())}})};
    }
    if (vmi->phase == "Running") return {passed(question.machine(), "phase Running")};
    const bool final = vmi->phase == "Succeeded" || vmi->phase == "Failed";
    return {failed(question.machine(), "phase " + vmi->phase, needed,
                   final ? "Cannot migrate VMI in finalized state."
                         : "a migration waits until the VMI is Running",
                   {final ? "start the VM again" : "wait until the VM runs",
                    {command("kubectl get vmi ", vmi->meta.name, " -n ", vmi->meta.ns)}})};
}

std::vector<Finding> check_reported(const Question& question) {
    const auto& reported = question.reported.live_migratable;
    const std::string needed = "condition LiveMigratable True";
    if (!reported) {
        if (const auto finding = unless_running(question, needed)) return {*finding};
        return {
            warned(question.machine(), "no LiveMigratable condition", needed,
                   "a migration is not refused for that, but an eviction does not migrate the VM",
                   {"look whether virt-handler runs on node " + question.judged.node,
                    {"kubectl get pods -A -l kubevirt.io=virt-handler -o wide"}})};
    }
    if (reported->status == "True") return {passed(question.machine(), "LiveMigratable True")};
    if (reported->status != "False") {
        return {warned(question.machine(), "LiveMigratable " + reported->status, needed,
                       "KubeVirt could not decide", {"look at the node's virt-handler", {}})};
    }
    return {failed(question.machine(), reported->reason + ": " + reported->message, needed,
                   "virt-api refuses the migration as long as the condition says so",
                   {"see the failing checks for each cause; the condition names the first one only",
                    {command("kubectl get vmi ", question.machine().name, " -n ", question.ns(),
                             " -o jsonpath='{.status.conditions}'")}})};
}

std::vector<Finding> check_no_migration(const Question& question) {
    const auto& migrations = question.snapshot.migrations;
    const std::string needed = "no migration under way";
    if (const auto finding = unless_running(question, needed)) return {*finding};
    if (!question.judged.migrations.empty()) {
        const auto& migration = *question.judged.migrations.front();
        const auto phase = migration.phase.empty() ? "not begun" : migration.phase;
        return {failed({"VirtualMachineInstanceMigration", question.ns(), migration.meta.name},
                       phase + (migration.meta.deleting ? ", being deleted" : ""), needed,
                       "virt-api refuses a second migration while one is in flight",
                       {"wait for it, or delete it to cancel",
                        {command("kubectl get vmim ", migration.meta.name, " -n ", question.ns(),
                                 " -o yaml")}})};
    }
    if (!migrations.covers(question.ns())) {
        return {unknown(question.machine(), needed, {migrations.gap_or(migrations_resource)})};
    }
    return {passed(question.machine(), "none")};
}

std::vector<Finding> check_evacuation(const Question& question) {
    if (const auto finding = unless_running(question, "the VMI's status")) return {*finding};
    const auto& node = question.judged.vmi->evacuation_node;
    if (node.empty()) return {passed(question.machine(), "not marked")};
    return {warned(question.machine(), "marked for evacuation from " + node, "no mark",
                   "KubeVirt keeps making migrations for a marked VM until it has left the node, "
                   "also after the node was uncordoned",
                   {"let the evacuation end, or take the mark back",
                    {command("virtctl evacuate-cancel vmi ", question.machine().name, " -n ",
                             question.ns())}})};
}

std::vector<Finding> check_paused(const Question& question) {
    if (const auto finding = unless_running(question, "the VMI's status")) return {*finding};
    for (const auto& condition : question.judged.vmi->conditions) {
        if (condition.type == "Paused" && condition.status == "True") {
            return {passed(question.machine(),
                           "paused (" + condition.reason + "); it migrates paused and stays so")};
        }
    }
    return {passed(question.machine(), "not paused")};
}

constexpr std::array<Check, 5> rows{{
    {"VMI-001", "running", "The VM runs", Severity::blocking, "Looks at status.phase of the VMI.",
     "Only a running VMI migrates. A stopped VM is judged from its template and its claims, as if "
     "it were running.",
     "Start the VM.", "kubevirt pkg/virt-api/webhooks migration-create-admitter.go", check_running},
    {"VMI-002", "reported-migratable", "KubeVirt itself reports it as migratable",
     Severity::blocking, "Looks at the condition LiveMigratable that virt-handler publishes.",
     "virt-api refuses a migration while the condition is False, also where it is out of date. It "
     "names one reason; the other checks show all of them.",
     "Mend the causes. If the condition is wrong, look whether virt-handler still updates it "
     "(NODE-002).",
     "kubevirt pkg/virt-api/webhooks migration-create-admitter.go", check_reported},
    {"VMI-003", "no-migration-in-flight", "No other migration is under way", Severity::blocking,
     "Looks for unfinished VirtualMachineInstanceMigrations of this VMI.",
     "virt-api refuses a second one.", "Wait for it or cancel it.",
     "kubevirt pkg/virt-api/webhooks migration-create-admitter.go", check_no_migration},
    {"VMI-004", "no-evacuation-mark", "The VM is not marked for evacuation", Severity::warning,
     "Looks at status.evacuationNodeName.",
     "A mark makes KubeVirt create migrations of its own until the VM has left the node.",
     "Let the evacuation end, or take the mark back.",
     "kubevirt pkg/virt-controller/watch/drain/evacuation", check_evacuation},
    {"VMI-005", "pause-known", "Whether the guest is paused", Severity::info,
     "Looks for the condition Paused.", "A paused guest migrates and stays paused.",
     "Nothing has to be done.", "libvirt VIR_MIGRATE_PAUSED", check_paused},
}};

}  // namespace

std::span<const Check> machine_checks() {
    return rows;
}

}  // namespace preflight
