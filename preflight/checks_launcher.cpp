// The launcher pod that runs the guest.
#include <array>

#include "preflight/checks.hpp"
#include "preflight/question.hpp"

namespace preflight {
namespace {

std::vector<Finding> check_single_launcher(const Question& question) {
    const std::string needed = "exactly one live virt-launcher pod";
    if (const auto finding = unless_running(question, needed)) return {*finding};
    const auto& launchers = question.snapshot.launchers;
    const auto& live = question.judged.launchers;
    if (live.size() <= 1) {
        if (launchers.complete && live.empty()) {
            return {failed(question.machine(), "no live launcher pod", needed,
                           "the VMI says Running, but no pod can have its QEMU",
                           {"look at the VMI's pods and events",
                            {command("kubectl get pods -n ", question.ns(),
                                     " -l kubevirt.io=virt-launcher -o wide")}})};
        }
        if (live.empty() || !launchers.covers(question.ns()))
            return {unknown(question.machine(), needed, {launchers.gap_or("pods")})};
        return {passed(question.machine(), live.front()->meta.name + " on " + live.front()->node)};
    }
    std::vector<std::string> names;
    for (const auto* pod : live) names.push_back(pod->meta.name + " on " + pod->node);
    return {failed(question.machine(), join(names), needed,
                   "KubeVirt starts no target while two launchers live, and says nothing; if both "
                   "have a QEMU, both may write the disks",
                   {"find out which pod has the guest before anything is deleted",
                    {command("kubectl get pods -n ", question.ns(),
                             " -l kubevirt.io=virt-launcher -o wide")}})};
}

std::vector<Finding> check_launcher_image(const Question& question) {
    if (const auto finding = unless_running(question, "the VMI's status")) return {*finding};
    const auto& labels = question.judged.vmi->meta.labels;
    if (!labels.contains("kubevirt.io/outdatedLauncherImage")) {
        return {passed(question.machine(), "launcher image is current")};
    }
    return {
        warned(question.machine(), "the launcher image is older than the installed KubeVirt",
               "a launcher of the installed version",
               "the migration crosses QEMU and libvirt versions; with several vCPUs QEMU 10 has "
               "refused older guests (extra features: ht)",
               {"try one VM of this kind first; stop and start is the safe way", {}})};
}

std::vector<Finding> check_selinux(const Question& question) {
    if (const auto finding = unless_running(question, "the VMI's status")) return {*finding};
    if (!question.config.match_selinux_level) {
        return {passed(question.machine(), "matchSELinuxLevelOnMigration is false")};
    }
    const auto& context = question.judged.vmi->selinux_context;
    if (context && !context->empty()) {
        return {passed(question.machine(), "SELinux context " + *context)};
    }
    return {
        warned(question.machine(), "status.selinuxContext is empty", "the context, or \"none\"",
               "KubeVirt copies the level to the target pod; without it the migration stays "
               "Pending without an event",
               {"wait for virt-handler to report it, or look whether virt-handler runs on node " +
                    question.judged.node,
                {}})};
}

constexpr std::array<Check, 3> rows{{
    {"POD-001", "single-launcher", "One launcher pod runs the guest", Severity::blocking,
     "Counts the VMI's virt-launcher pods that are neither Succeeded nor Failed.",
     "With two of them KubeVirt starts no target pod and leaves no event; two that both have a "
     "QEMU may destroy the disk.",
     "Find out which pod has the guest. Never delete one without proof.",
     "kubevirt pkg/virt-controller/watch/migration/migration.go", check_single_launcher},
    {"POD-002", "launcher-current", "The launcher has the installed version", Severity::warning,
     "Looks for the label kubevirt.io/outdatedLauncherImage.",
     "Old launchers migrate to new QEMU and libvirt versions, which is where migrations fail after "
     "an update.",
     "Try one VM first.", "kubevirt pkg/virt-controller/watch/workload-updater",
     check_launcher_image},
    {"POD-003", "selinux-context-known", "The SELinux context is known", Severity::warning,
     "Looks at status.selinuxContext, unless matchSELinuxLevelOnMigration is false.",
     "The target pod gets the same level; without it the migration waits in Pending and says "
     "nothing.",
     "See that virt-handler runs on the node.",
     "kubevirt pkg/virt-controller/watch/migration/migration.go setTargetPodSELinuxLevel",
     check_selinux},
}};

}  // namespace

std::span<const Check> launcher_checks() {
    return rows;
}

}  // namespace preflight
