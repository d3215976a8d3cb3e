// Guests where they run: start, end, and whether they can be migrated.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "lab/controllers/node_knobs.hpp"
#include "lab/controllers/virt_handler_steps.hpp"
#include "preflight/decode.hpp"
#include "preflight/judged.hpp"
#include "preflight/migratability.hpp"

namespace lab {

using kubeclient::find;
using kubeclient::items_at;
using kubeclient::text_at;

namespace {

// The machine type that libvirt makes of "q35" in the recorded release.
constexpr auto kMachineAlias = "q35";
constexpr auto kMachineType = "pc-q35-rhel9.4.0";

// Of the VMI's launchers the one on its node that is alive; nullptr: none.
const Launcher* launcher_of(const Json& vmi, const Surroundings& around) {
    const auto node = text_at(vmi, {"status", "nodeName"});
    const Json* pods = find(vmi, {"status", "activePods"});
    if (!node || pods == nullptr || !pods->is_object()) return nullptr;
    for (const auto& [uid, where] : pods->items()) {
        const Launcher* launcher = around.hardware.launcher(uid);
        if (launcher != nullptr && launcher->node == *node && !launcher->exit_code &&
            !launcher->guest_left && where == *node) {
            return launcher;
        }
    }
    return nullptr;
}

// The guest has ended by itself, not with a pod that was told to go.
bool crashed(const Json& vmi, const Surroundings& around) {
    const auto node = text_at(vmi, {"status", "nodeName"});
    const Json* pods = find(vmi, {"status", "activePods"});
    if (pods == nullptr || !pods->is_object() || launcher_of(vmi, around) != nullptr) return false;
    for (const auto& [uid, where] : pods->items()) {
        const Launcher* launcher = around.hardware.launcher(uid);
        if (launcher != nullptr && launcher->node == node && !launcher->guest_left &&
            launcher->exit_code.value_or(0) != 0) {
            return true;
        }
    }
    return false;
}

HandlerStep start(const Json& vmi, const Surroundings& around) {
    HandlerStep step;
    const Launcher* launcher = launcher_of(vmi, around);
    if (launcher == nullptr) {
        step.again = kHandlerPoll;
        return step;
    }
    around.hardware.start_guest(launcher->pod_uid, disks_of(vmi, around.objects));
    step.vmi = std::make_shared<Json>(vmi);
    Json& status = (*step.vmi)["status"];
    status["phase"] = "Running";
    write_migratability(*step.vmi, around);
    if (!text_at(vmi, {"status", "selinuxContext"})) status["selinuxContext"] = "none";
    if (!text_at(vmi, {"status", "machine", "type"})) {
        const std::string type = text_at(vmi, {"spec", "domain", "machine", "type"}).value_or("");
        status["machine"] = {{"type", type.empty() || type == kMachineAlias ? kMachineType : type}};
    }
    step.before.push_back({"Normal", "Created", "VirtualMachineInstance defined."});
    step.after.push_back({"Normal", "Started", "VirtualMachineInstance started."});
    return step;
}

HandlerStep end(const Json& vmi, const std::string& phase) {
    HandlerStep step;
    step.vmi = std::make_shared<Json>(vmi);
    (*step.vmi)["status"]["phase"] = phase;
    step.after.push_back(
        phase == "Failed"
            ? ToldEvent{"Warning", "Stopped", "The VirtualMachineInstance crashed."}
            : ToldEvent{"Normal", "Stopped", "The VirtualMachineInstance was shut down."});
    return step;
}

preflight::Recomputed recomputed(const Json& vmi, const Surroundings& around) {
    facts::Snapshot snapshot;
    const auto add = [&](const Json& object) {
        // What cannot be decoded is missing from the snapshot, and the answer says Unknown.
        static_cast<void>(preflight::add_object(snapshot, object).ok());
    };
    add(vmi);
    const auto node = text_at(vmi, {"status", "nodeName"}).value_or("");
    if (const Object object = around.objects.get(kNodes, {"", node})) add(*object);
    for (const auto& [key, object] : around.objects.all({"kubevirt.io", "kubevirts"})) add(*object);
    snapshot.nodes.complete = true;
    snapshot.kubevirts.complete = true;
    if (snapshot.vmis.items.empty()) return {};
    const auto belongings = preflight::belongings_of(snapshot);
    const auto judged =
        preflight::judge_vmi(snapshot, belongings, nullptr, snapshot.vmis.items.front());
    return preflight::recompute(judged, preflight::kubevirt_of(snapshot), "kubevirts",
                                preflight::RuleSet::v1_9)
        .answer;
}

Json condition(const std::string& type, const preflight::RecomputedCondition& seen,
               const std::string& time) {
    Json result{{"type", type},
                {"status", seen.status == "False" ? "False" : "True"},
                {"lastProbeTime", nullptr},
                {"lastTransitionTime", time}};
    if (seen.status == "False") {
        result["reason"] = seen.reason;
        result["message"] = seen.message;
    }
    return result;
}

// A condition that says something else than the present one takes its place at the end.
bool set_condition(Json& vmi, const Json& wanted) {
    Json& conditions = vmi["status"]["conditions"];
    if (!conditions.is_array()) conditions = Json::array();
    const auto type = text_at(wanted, {"type"});
    const auto same = [&](const Json& other) { return text_at(other, {"type"}) == type; };
    const auto place = std::find_if(conditions.begin(), conditions.end(), same);
    if (place != conditions.end()) {
        const auto agrees = [&](const char* field) {
            return text_at(*place, {field}) == text_at(wanted, {field});
        };
        if (agrees("status") && agrees("reason") && agrees("message")) return false;
        conditions.erase(place);
    }
    conditions.push_back(wanted);
    return true;
}

preflight::RecomputedCondition scripted(const std::string& text) {
    const auto colon = text.find(": ");
    if (colon == std::string::npos) return {"False", text, ""};
    return {"False", text.substr(0, colon), text.substr(colon + 2)};
}

}  // namespace

bool write_migratability(Json& vmi, const Surroundings& around) {
    preflight::Recomputed answer = recomputed(vmi, around);
    const std::string knob = knobs_of(vmi).unmigratable;
    if (!knob.empty()) answer.live_migratable = scripted(knob);
    bool changed =
        set_condition(vmi, condition("LiveMigratable", answer.live_migratable, around.time()));
    changed |= set_condition(
        vmi, condition("StorageLiveMigratable", answer.storage_live_migratable, around.time()));
    if (!answer.migration_method.empty() &&
        text_at(vmi, {"status", "migrationMethod"}) != answer.migration_method) {
        vmi["status"]["migrationMethod"] = answer.migration_method;
        changed = true;
    }
    return changed;
}

HandlerStep run_guest(const Json& vmi, const Surroundings& around) {
    const std::string node = text_at(vmi, {"status", "nodeName"}).value_or("");
    const std::string phase = text_at(vmi, {"status", "phase"}).value_or("");
    const bool deleting = text_at(vmi, {"metadata", "deletionTimestamp"}).has_value();
    HandlerStep step;
    if (node.empty() || (phase != "Scheduled" && phase != "Running")) return step;
    if (!around.handler_works(node)) {
        if (phase == "Scheduled" || deleting) step.again = kHandlerPoll;
        return step;
    }
    const Launcher* launcher = launcher_of(vmi, around);
    if (phase == "Scheduled" && !deleting) return start(vmi, around);
    if (deleting && launcher == nullptr) return end(vmi, "Succeeded");
    if (crashed(vmi, around)) return end(vmi, "Failed");
    // A guest that was there before the lab was: objects of a scenario. Its launcher comes to be
    // when the kubelet has seen the pod.
    if (launcher == nullptr && !deleting) step.again = kHandlerPoll;
    if (launcher != nullptr && launcher->qemu == QemuState::none) {
        around.hardware.start_guest(launcher->pod_uid, disks_of(vmi, around.objects));
    }
    return step;
}

HandlerStep judge_guest(const Json& vmi, const Surroundings& around) {
    HandlerStep step;
    const std::string node = text_at(vmi, {"status", "nodeName"}).value_or("");
    if (text_at(vmi, {"status", "phase"}) != "Running" || !around.handler_works(node) ||
        text_at(vmi, {"metadata", "deletionTimestamp"})) {
        return step;
    }
    auto written = std::make_shared<Json>(vmi);
    if (!write_migratability(*written, around)) return step;
    step.vmi = std::move(written);
    const auto strategy = text_at(vmi, {"spec", "evictionStrategy"});
    for (const Json& each : items_at(*step.vmi, {"status", "conditions"})) {
        if (strategy == "LiveMigrate" && text_at(each, {"type"}) == "LiveMigratable" &&
            text_at(each, {"status"}) == "False") {
            step.after.push_back({"Warning", "Migrated",
                                  "EvictionStrategy is set but vmi is not migratable; " +
                                      text_at(each, {"message"}).value_or("")});
        }
    }
    return step;
}

}  // namespace lab
