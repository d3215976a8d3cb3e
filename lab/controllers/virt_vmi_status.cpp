// How a VMI's status follows from its launcher pod.
// Source: kubevirt pkg/virt-controller/watch/vmi/{lifecycle,storage,network}.go (updateStatus,
// prepareVMIPatch, syncReadyConditionFromPod, syncPausedConditionToPod,
// syncDynamicAnnotationsAndLabelsToPod, setActivePods); v1.9.
#include <nlohmann/json.hpp>
#include <utility>

#include "kubeclient/json.hpp"
#include "lab/controllers/virt_configuration.hpp"
#include "lab/controllers/virt_launcher_pod.hpp"
#include "lab/controllers/virt_objects.hpp"
#include "lab/controllers/virt_vmi_step.hpp"

namespace lab::virt {

using kubeclient::Done;
using kubeclient::find;
using kubeclient::items_at;
using kubeclient::Status;

namespace {

constexpr const char* kOutdated = "kubevirt.io/outdatedLauncherImage";
constexpr const char* kNodeName = "kubevirt.io/nodeName";
constexpr const char* kUnpaused = "kubevirt.io/virtual-machine-unpaused";

Json made_condition(std::string_view type, std::string_view status, std::string_view reason,
                    std::string_view message, kubeclient::Instant now) {
    const auto time = seconds_text(now);
    return {{"type", type},       {"status", status},      {"reason", reason},
            {"message", message}, {"lastProbeTime", time}, {"lastTransitionTime", time}};
}

// As setActivePods: ended pods count as long as they exist.
void set_active_pods(const VmiStep& step, Json& copy) {
    Json active = Json::object();
    for (const Object& pod : launchers(step.cluster.objects, copy)) {
        active[uid_of(*pod)] = text(*pod, {"spec", "nodeName"});
    }
    if (active.empty() && find(copy, {"status", "activePods"}) == nullptr) return;
    copy["status"]["activePods"] = std::move(active);
}

Json ready_of_pod(const Json& ready) {
    Json made{{"type", "Ready"}, {"status", text(ready, {"status"})}};
    for (const char* time : {"lastProbeTime", "lastTransitionTime"}) {
        const Json* given = find(ready, time);
        made[time] = given != nullptr ? *given : Json();
    }
    for (const char* word : {"reason", "message"}) {
        if (auto given = text(ready, {word}); !given.empty()) made[word] = given;
    }
    return made;
}

Json ready_condition(const VmiStep& step) {
    const auto not_ready = [&](std::string_view reason, std::string_view message) {
        return made_condition("Ready", "False", reason, message, step.cluster.now);
    };
    if (!step.pod) {
        return not_ready("PodNotExists", "virt-launcher pod has not yet been scheduled");
    }
    if (is_pod_down_or_going(*step.pod)) {
        return not_ready("PodTerminating", "virt-launcher pod is terminating");
    }
    if (!is_running(*step.vmi)) {
        return not_ready("GuestNotRunning", "Guest VM is not reported as running");
    }
    if (const Json* ready = condition(*step.pod, "Ready")) return ready_of_pod(*ready);
    return not_ready("PodConditionMissing", "virt-launcher pod is missing the Ready condition");
}

void set_launcher_image(const VmiStep& step, Json& copy) {
    std::string image;
    for (const Json& container : items_at(*step.pod, {"spec", "containers"})) {
        if (text(container, {"name"}) == "compute") image = text(container, {"image"});
    }
    copy["status"]["launcherContainerImageVersion"] = image;
    const bool outdated = !image.empty() && image != launcher_image(step.cluster.objects);
    if (outdated) {
        copy["metadata"]["labels"][kOutdated] = "";
    } else if (find(copy, {"metadata", "labels", kOutdated}) != nullptr) {
        copy["metadata"]["labels"].erase(kOutdated);
    }
}

// The pod's readiness gate: it is not ready while the guest is paused.
Status sync_paused_to_pod(VmiStep& step) {
    const bool paused = has_condition(*step.vmi, "Paused", "True");
    const bool unpaused = has_condition(*step.pod, kUnpaused, "True");
    if (paused != unpaused) return Done{};
    const Json wanted = paused
                            ? made_condition(kUnpaused, "False", "Paused",
                                             "the virtual machine is paused", step.cluster.now)
                            : made_condition(kUnpaused, "True", "NotPaused",
                                             "the virtual machine is not paused", step.cluster.now);
    const auto& conditions = items_at(*step.pod, {"status", "conditions"});
    Json operations = Json::array();
    if (conditions.empty()) {
        operations.push_back(operation("add", "/status/conditions", Json::array({wanted})));
    } else {
        std::size_t place = 0;
        while (place < conditions.size() && text(conditions[place], {"type"}) != kUnpaused) ++place;
        const bool known = place < conditions.size();
        const auto path = "/status/conditions/" + (known ? std::to_string(place) : "-");
        operations.push_back(operation(known ? "replace" : "add", path, wanted));
    }
    TRY_ASSIGN(patched, json_patch(step.cluster, kPods, key_of(*step.pod), operations, "status"));
    step.pod = std::make_shared<const Json>(std::move(patched));
    return Done{};
}

Status sync_labels_to_pod(VmiStep& step, const Json& copy) {
    const Json* before = find(*step.pod, {"metadata", "labels"});
    Json labels = before != nullptr ? *before : Json::object();
    for (const char* key : {kNodeName, kOutdated}) {
        const Json* wanted = find(copy, {"metadata", "labels", key});
        if (wanted != nullptr) {
            labels[key] = *wanted;
        } else {
            labels.erase(key);
        }
    }
    if (before != nullptr ? labels == *before : labels.empty()) return Done{};
    Json operations = Json::array();
    if (before != nullptr) operations.push_back(operation("test", "/metadata/labels", *before));
    operations.push_back(
        operation(before != nullptr ? "replace" : "add", "/metadata/labels", labels));
    TRY_ASSIGN(patched, json_patch(step.cluster, kPods, key_of(*step.pod), operations));
    step.pod = std::make_shared<const Json>(std::move(patched));
    return Done{};
}

Json claim_info(const Json& claim) {
    Json info{{"claimName", name_of(claim)}, {"filesystemOverhead", "0.055"}};
    const auto copy = [&](const char* to, std::initializer_list<std::string_view> from) {
        if (const Json* given = find(claim, from)) info[to] = *given;
    };
    copy("accessModes", {"spec", "accessModes"});
    copy("volumeMode", {"spec", "volumeMode"});
    copy("capacity", {"status", "capacity"});
    copy("requests", {"spec", "resources", "requests"});
    return info;
}

// Spares virt-handler from reading the claims.
void set_volume_status(const VmiStep& step, Json& copy) {
    const auto ns = key_of(copy).ns;
    std::map<std::string, Json> known;
    for (const Json& one : items_at(copy, {"status", "volumeStatus"})) {
        known[text(one, {"name"})] = one;
    }
    std::map<std::string, Json> wanted;
    for (const Json& volume : items_at(copy, {"spec", "volumes"})) {
        const auto name = text(volume, {"name"});
        Json one = known.count(name) != 0 ? known[name] : Json{{"name", name}, {"target", ""}};
        auto claim_name = text(volume, {"persistentVolumeClaim", "claimName"});
        if (claim_name.empty()) claim_name = text(volume, {"dataVolume", "name"});
        const Object claim = step.cluster.objects.get(kClaims, {ns, claim_name});
        if (!claim_name.empty() && claim) one["persistentVolumeClaimInfo"] = claim_info(*claim);
        wanted[name] = std::move(one);
    }
    Json list = Json::array();
    for (auto& [name, one] : wanted) list.push_back(std::move(one));
    if (!list.empty() && copy["status"]["volumeStatus"] != list) {
        copy["status"]["volumeStatus"] = std::move(list);
    }
}

void set_interfaces(Json& copy) {
    if (!items_at(copy, {"status", "interfaces"}).empty()) return;
    Json list = Json::array();
    for (const Json& network : items_at(copy, {"spec", "networks"})) {
        Json one{{"name", text(network, {"name"})}};
        if (find(network, "pod") != nullptr) one["podInterfaceName"] = "eth0";
        list.push_back(std::move(one));
    }
    if (!list.empty()) copy["status"]["interfaces"] = std::move(list);
}

void become_scheduled(const VmiStep& step, Json& copy) {
    const auto node = text(*step.pod, {"spec", "nodeName"});
    set_volume_status(step, copy);
    set_interfaces(copy);
    Json& status = copy["status"];
    status["phase"] = "Scheduled";
    status["nodeName"] = node;
    status["memory"]["memoryOverhead"] = memory_overhead_text(copy);
    copy["metadata"]["labels"][kNodeName] = node;
    if (has_annotation(*step.pod, "kubevirt.io/migrationTransportUnix")) {
        status["migrationTransport"] = "Unix";
    }
}

void leave_unprocessed(const VmiStep& step, Json& copy) {
    Json& phase = copy["status"]["phase"];
    if (step.pod) {
        phase = "Scheduling";
    } else if (is_deleting(copy)) {
        phase = "Failed";
    } else {
        phase = "Pending";
        if (step.trouble && step.trouble->reason == "FailedPvcNotFound") {
            remove_condition(copy, "PodScheduled");
            update_condition(copy, {{"type", "PodScheduled"},
                                    {"status", "False"},
                                    {"reason", "Unschedulable"},
                                    {"message", step.trouble->message},
                                    {"lastProbeTime", nullptr},
                                    {"lastTransitionTime", nullptr}});
        }
    }
}

void leave_scheduling(const VmiStep& step, Json& copy) {
    if (!step.pod) {
        copy["status"]["phase"] = "Failed";  // somebody else deleted it
        return;
    }
    if (auto qos = text(*step.pod, {"status", "qosClass"}); !qos.empty()) {
        copy["status"]["qosClass"] = qos;
    }
    const Json* scheduled = condition(*step.pod, "PodScheduled");
    if (scheduled != nullptr && text(*scheduled, {"status"}) == "False") {
        Json mirrored = *scheduled;
        mirrored.erase("observedGeneration");
        update_condition(copy, mirrored);
    } else {
        remove_condition(copy, "PodScheduled");
    }
    if (is_pod_ready(*step.pod) && !is_deleting(copy)) {
        become_scheduled(step, copy);
    } else if (is_pod_down_or_going(*step.pod)) {
        copy["status"]["phase"] = "Failed";
    }
}

bool has_owner(const VmiStep& step) {
    const Json* owner = controller_reference(*step.vmi);
    if (owner == nullptr || text(*owner, {"kind"}) != "VirtualMachine") return false;
    const Object vm =
        step.cluster.objects.get(kMachines, {key_of(*step.vmi).ns, text(*owner, {"name"})});
    return vm && uid_of(*vm) == text(*owner, {"uid"});
}

void finish(const VmiStep& step, Json& copy) {
    if (launchers(step.cluster.objects, *step.vmi).empty()) {
        remove_finalizer(copy, "kubevirt.io/foregroundDeleteVirtualMachine");
        if (find(copy, {"metadata", "labels", kOutdated}) != nullptr) {
            copy["metadata"]["labels"].erase(kOutdated);
        }
        copy["status"].erase("launcherContainerImageVersion");
    }
    if (!has_owner(step)) remove_finalizer(copy, "kubevirt.io/virtualMachineControllerFinalize");
}

void sync_eviction_condition(const VmiStep& step, Json& copy) {
    if (!is_marked_for_eviction(copy)) {
        remove_condition(copy, "EvictionRequested");
        return;
    }
    update_condition(copy, made_condition("EvictionRequested", "True", "EvictionRequested",
                                          "VMI is marked for eviction", step.cluster.now));
}

void follow_phase(const VmiStep& step, Json& copy) {
    const auto phase = phase_of(*step.vmi);
    if (is_unprocessed(*step.vmi)) {
        leave_unprocessed(step, copy);
    } else if (phase == "Scheduling") {
        leave_scheduling(step, copy);
    } else if (is_final(*step.vmi)) {
        finish(step, copy);
    } else if (!step.pod) {
        copy["status"]["phase"] = "Failed";
    } else {
        set_volume_status(step, copy);
        if (phase == "Running") sync_eviction_condition(step, copy);
    }
}

// The VMI is virt-handler's by now: only what changed, on condition that it was as seen.
Status patch_vmi(const VmiStep& step, const Json& copy) {
    Json operations = Json::array();
    const auto add = [&](const std::string& path, std::initializer_list<std::string_view> where) {
        const Json* before = find(*step.vmi, where);
        const Json* after = find(copy, where);
        if (after == nullptr ? before == nullptr : before != nullptr && *before == *after) return;
        if (before != nullptr) operations.push_back(operation("test", path, *before));
        if (after == nullptr) {
            operations.push_back(operation("remove", path, nullptr));
        } else {
            operations.push_back(operation(before != nullptr ? "replace" : "add", path, *after));
        }
    };
    add("/status/volumeStatus", {"status", "volumeStatus"});
    add("/status/conditions", {"status", "conditions"});
    add("/status/activePods", {"status", "activePods"});
    add("/status/phase", {"status", "phase"});
    add("/status/launcherContainerImageVersion", {"status", "launcherContainerImageVersion"});
    add("/metadata/labels", {"metadata", "labels"});
    if (operations.empty()) return Done{};
    TRY(json_patch(step.cluster, kInstances, key_of(copy), operations));
    return Done{};
}

void sync_trouble(const VmiStep& step, Json& copy) {
    constexpr std::string_view kType = "Synchronized";
    if (!step.trouble) return remove_condition(copy, kType);
    const Json* known = condition(copy, kType);
    if (known != nullptr && text(*known, {"reason"}) == step.trouble->reason) return;
    remove_condition(copy, kType);
    update_condition(copy, {{"type", kType},
                            {"status", "False"},
                            {"reason", step.trouble->reason},
                            {"message", step.trouble->message},
                            {"lastProbeTime", nullptr},
                            {"lastTransitionTime", seconds_text(step.cluster.now)}});
}

Status replace_vmi(const VmiStep& step, Json& copy) {
    sync_trouble(step, copy);
    note_phase_change(*step.vmi, copy, step.cluster.now);
    if (copy == *step.vmi) return Done{};
    // As Go's omitempty.
    const Json* active = find(copy, {"status", "activePods"});
    if (active != nullptr && active->empty()) copy["status"].erase("activePods");
    if (copy == *step.vmi) return Done{};
    TRY(replace(step.cluster, kInstances, copy));
    return Done{};
}

}  // namespace

Status update_vmi_status(VmiStep& step) {
    Json copy = *step.vmi;
    if (!copy.contains("status") || !copy["status"].is_object()) copy["status"] = Json::object();
    set_active_pods(step, copy);
    update_condition(copy, ready_condition(step));
    if (step.pod) {
        set_launcher_image(step, copy);
        TRY(sync_paused_to_pod(step));
        TRY(sync_labels_to_pod(step, copy));
    }
    follow_phase(step, copy);
    const auto phase = phase_of(*step.vmi);
    if (phase == "Running" || phase == "Scheduled") return patch_vmi(step, copy);
    return replace_vmi(step, copy);
}

}  // namespace lab::virt
