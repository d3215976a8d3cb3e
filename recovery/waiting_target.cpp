// What a migration with a target pod waits for, and what its deletion waits for.
#include <algorithm>
#include <utility>

#include "kubeclient/time.hpp"
#include "preflight/question.hpp"
#include "recovery/cancellation.hpp"
#include "recovery/waiting_course.hpp"

namespace recovery::waiting {

using preflight::command;
using std::chrono::seconds;

namespace {

// virt-controller's own (migration.go, NewController); a launcher waits 240 s and up to 120 s more
// for its guest to come (--qemu-timeout).
constexpr seconds kUnschedulableTimeout{300};
constexpr seconds kPendingTimeout{900};
constexpr auto kNoLimit =
    "; KubeVirt has no time limit for it, and the target pod gives up 4 to 6 minutes after it "
    "started";

std::string describe_command(const facts::Pod& pod) {
    return command("kubectl describe pod ", pod.meta.name, " -n ", pod.meta.ns);
}

seconds pending_limit(const Course& course) {
    return own_limit(course, "kubevirt.io/migrationPendingPodTimeoutSeconds")
        .value_or(kPendingTimeout);
}

Cause about_unschedulable(const Course& course, const facts::Pod& pod) {
    const auto own = own_limit(course, "kubevirt.io/migrationUnschedulablePodTimeoutSeconds");
    const auto limit = std::min(own.value_or(kUnschedulableTimeout), pending_limit(course));
    return {
        "unschedulable",
        "no node takes the target pod " + pod.meta.name + ": " + without_stop(pod.unschedulable) +
            "; " + given_up(course, limit, "its creation", pod.meta.created),
        course.asked.program + command(" preflight ", course.vmi_target(), " -n ", course.ns())};
}

// The kubelet's and the attach-detach controller's words; the scheduler's stand in the pod.
std::string newest_words(const Course& course, const facts::Pod& pod) {
    std::string words;
    for (const auto* warning : warnings_about(course.sight, pod.meta.uid)) {
        if (warning->reason == "FailedScheduling") continue;
        words = warning->reason + ": " + without_stop(warning->message);
    }
    return words;
}

bool is_young(const Course& course, const facts::Pod& pod) {
    return pod.meta.created && age(course, *pod.meta.created) < kPatience;
}

Causes about_pending_pod(const Course& course, const facts::Pod& pod) {
    auto words = without_stop(pod.trouble);
    if (words.empty()) words = newest_words(course, pod);
    if (words.empty() && is_young(course, pod)) return {};
    const auto waits = pod.node.empty() ? std::string(" waits for the scheduler")
                                        : " on node " + pod.node + " does not start";
    return {{"target-pending",
             "the target pod " + pod.meta.name + waits + (words.empty() ? "" : ": " + words) +
                 "; " + given_up(course, pending_limit(course), "its creation", pod.meta.created),
             describe_command(pod)}};
}

Causes about_unready_pod(const Course& course, const facts::Pod& pod) {
    if (pod.trouble.empty() && is_young(course, pod)) return {};
    return {{"target-not-ready",
             "the target pod " + pod_words(pod) + " runs, but is not ready" +
                 (pod.trouble.empty() ? "" : ": " + without_stop(pod.trouble)),
             describe_command(pod)}};
}

Cause about_deleted_pod(const facts::Pod& pod) {
    return {"target-deleted",
            "the target pod " + pod_words(pod) + " is being deleted, and has not ended yet",
            describe_command(pod)};
}

// VMs with hot-plugged volumes have a second pod on the target, which holds these. It is not among
// the launchers: only events tell of it, and those of the pod itself not whose it is.
Causes about_attachment_pod(const Course& course, const facts::Pod& pod) {
    constexpr std::string_view kRefused = "Error creating attachment pod: ";
    const auto vmi_uid = course.asked.vmi == nullptr ? std::string() : course.asked.vmi->meta.uid;
    std::string refused;
    std::string held_up;
    for (const auto& [uid, warning] : course.sight.warnings.items) {
        if (!warning.last || !pod.meta.created || *warning.last < *pod.meta.created) continue;
        const auto words = without_stop(warning.message);
        const auto at = words.find(kRefused);
        if (!vmi_uid.empty() && warning.object_uid == vmi_uid && at != std::string::npos) {
            refused = "cannot be created: " + words.substr(at + kRefused.size());
        } else if (warning.kind == "Pod" && warning.ns == course.ns() &&
                   warning.name.starts_with("hp-volume-")) {
            held_up =
                "may be " + warning.name + ", which is held up: " + warning.reason + ": " + words;
        }
    }
    if (refused.empty() && held_up.empty()) return {};
    return {{"attachment-pod",
             "the target pod " + pod_words(pod) +
                 " is ready; its attachment pod, for hot-plugged volumes, " +
                 (refused.empty() ? held_up : refused),
             command("kubectl get pods -n ", course.ns(), " -l kubevirt.io=hotplug-disk -o wide")}};
}

std::string handler_command(const std::string& node) {
    constexpr auto all = "kubectl get pods -A -l kubevirt.io=virt-handler -o wide";
    return node.empty() ? std::string(all)
                        : all + command(" --field-selector spec.nodeName=", node);
}

std::string handler_words(const std::string& node) {
    return node.empty() ? std::string("virt-handler") : "virt-handler on node " + node;
}

Cause about_controller(const Course& course) {
    std::string words;
    for (const auto* warning : warnings_about(course.sight, course.migration.meta.uid)) {
        if (warning->reason == "FailedHandOver") words = ": " + without_stop(warning->message);
    }
    return {"not-handed-over",
            "the target pod is ready, but virt-controller has not handed the migration over to "
            "virt-handler" +
                for_how_long(course) + words,
            list_controllers_command()};
}

Cause about_target_handler(const Course& course) {
    const auto& told = course.state == nullptr ? std::string() : course.state->target_node;
    const auto& node = told.empty() && course.target != nullptr ? course.target->node : told;
    return {"target-handler",
            handler_words(node) + " has not prepared the target" + for_how_long(course) + kNoLimit,
            handler_command(node)};
}

Cause about_source_handler(const Course& course) {
    std::string node;
    if (course.state != nullptr) node = course.state->source_node;
    if (node.empty() && course.asked.vmi != nullptr) node = course.asked.vmi->node;
    return {"source-handler",
            handler_words(node) + " has not begun to copy memory" + for_how_long(course) + kNoLimit,
            handler_command(node)};
}

Causes about_abort(const Course& course) {
    const auto* state = course.state;
    if (state != nullptr && (state->completed || state->failed || state->target_ready)) return {};
    const auto look =
        command("kubectl get vmi ", course.migration.vmi, " -n ", course.ns(), " -o yaml");
    if (auto trouble = abort_trouble(course.sight, course.migration); !trouble.empty()) {
        return {{"abort-refused", std::move(trouble), look}};
    }
    if (state != nullptr && state->mode == "PostCopy") {
        return {{"abort-impossible",
                 "in post-copy the guest's memory is on both nodes, and the migration cannot be "
                 "aborted any more",
                 ""}};
    }
    const auto handler = handler_words(state == nullptr ? "" : state->source_node);
    if (state != nullptr && state->abort_status == "Failed") {
        return {{"abort-failed", handler + " could not abort it (abortStatus Failed)", look}};
    }
    if (state != nullptr && state->abort_requested) {
        return {{"aborting", handler + " aborts it, for which libvirt has 30s", ""}};
    }
    return {{"aborting", "virt-controller has not passed the abort on to virt-handler yet", ""}};
}

}  // namespace

Causes about_target_pod(const Course& course) {
    if (course.target == nullptr || course.target->finished()) return {};
    const auto& pod = *course.target;
    if (pod.meta.deleting) return {about_deleted_pod(pod)};
    if (pod.phase == "Pending" && !pod.unschedulable.empty()) {
        return {about_unschedulable(course, pod)};
    }
    // A pod that nobody has written a status for yet has no phase.
    if (pod.phase != "Running") return about_pending_pod(course, pod);
    return pod.ready ? about_attachment_pod(course, pod) : about_unready_pod(course, pod);
}

Causes about_hand_over(const Course& course) {
    if (target_is_gone(course)) return {};
    if (course.target != nullptr && course.target->meta.deleting) {
        return {about_deleted_pod(*course.target)};
    }
    if (!is_late(course)) return {};
    if (course.phase() == "TargetReady") return {about_source_handler(course)};
    if (course.phase() == "PreparingTarget" || course.state != nullptr) {
        return {about_target_handler(course)};
    }
    if (course.target != nullptr && !course.target->ready) {
        return about_unready_pod(course, *course.target);
    }
    return {about_controller(course)};
}

Causes about_deletion(const Course& course) {
    const auto& phase = course.phase();
    if (phase == "Running") return about_abort(course);
    // With the target pod it ends, whatever its phase.
    const bool ends = target_is_gone(course) || (course.target && course.target->meta.deleting);
    const bool handed_over =
        phase == "PreparingTarget" || phase == "TargetReady" || course.state != nullptr;
    if (handed_over && !ends) {
        Causes causes{
            {"abort-deferred",
             "it is being deleted in " + phase +
                 ", where KubeVirt stops nothing: it aborts once memory is copied, which may "
                 "never begin",
             course.asked.program + command(" cancel ", course.vmi_target(), " -n ", course.ns())}};
        for (auto& cause : about_hand_over(course)) causes.push_back(std::move(cause));
        return causes;
    }
    if (course.target != nullptr && !target_is_gone(course)) {
        const auto& pod = *course.target;
        if (pod.meta.deleting) return {about_deleted_pod(pod)};
        return {{"deleting",
                 "it is being deleted, and KubeVirt deletes its target pod " + pod_words(pod) +
                     " first",
                 describe_command(pod)}};
    }
    return {{"deleting", "it is being deleted, and virt-controller has not ended it yet",
             list_controllers_command()}};
}

}  // namespace recovery::waiting
