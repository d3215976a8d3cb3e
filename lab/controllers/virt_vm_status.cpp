#include "lab/controllers/virt_vm_status.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "kubeclient/json.hpp"
#include "lab/controllers/virt_objects.hpp"

namespace lab::virt {

using kubeclient::bool_at;
using kubeclient::find;
using kubeclient::integer_at;
using kubeclient::items_at;
using std::chrono::seconds;

namespace {

constexpr std::int64_t kLongestBackoff = 300;  // seconds
constexpr std::int64_t kBackoffStep = 10;

bool restarts_by_itself(const Json& vm) {
    const auto strategy = run_strategy(vm);
    return strategy == "Always" || strategy == "RerunOnFailure" || strategy == "Once";
}

bool has_run(const Json& vmi) {
    const auto& times = items_at(vmi, {"status", "phaseTransitionTimestamps"});
    return std::any_of(times.begin(), times.end(),
                       [](const Json& one) { return text(one, {"phase"}) == "Running"; });
}

// KubeVirt adds up to half as much by chance; the lab waits the least.
void sync_start_failure(const Json& vm, const Object& vmi, Json& status, kubeclient::Instant now) {
    if ((vmi && (has_run(*vmi) || is_running(*vmi))) || !restarts_by_itself(vm)) {
        status.erase("startFailure");
        return;
    }
    if (!vmi || !is_final(*vmi)) return;
    const Json* before = find(status, "startFailure");
    if (before != nullptr && text(*before, {"lastFailedVMIUID"}) == uid_of(*vmi)) return;
    std::int64_t count = 1;
    if (before != nullptr) count += integer_at(*before, {"consecutiveFailCount"}).value_or(0);
    const auto wait = std::min(kBackoffStep * count * count, kLongestBackoff);
    status["startFailure"] = {{"lastFailedVMIUID", uid_of(*vmi)},
                              {"consecutiveFailCount", count},
                              {"retryAfterTimestamp", seconds_text(now + seconds(wait))}};
}

Json ready_condition(const Object& vmi, kubeclient::Instant now) {
    const auto not_ready = [&](const char* reason, const char* message) {
        return Json{{"type", "Ready"},
                    {"status", "False"},
                    {"reason", reason},
                    {"message", message},
                    {"lastProbeTime", seconds_text(now)},
                    {"lastTransitionTime", seconds_text(now)}};
    };
    if (!vmi) return not_ready("VMINotExists", "VMI does not exist");
    const Json* ready = condition(*vmi, "Ready");
    if (ready == nullptr) {
        return not_ready("VMIConditionMissing", "VMI is missing the Ready condition");
    }
    return *ready;
}

bool is_own(const std::string& type) {
    return type == "Ready" || type == "Failure" || type == "RestartRequired";
}

// `holder` is an object with the status in it, as the condition functions want it.
void sync_conditions(Json& holder, const Object& vmi, const VmTrouble& trouble,
                     kubeclient::Instant now) {
    update_condition(holder, ready_condition(vmi, now));
    if (trouble.reason.empty()) {
        remove_condition(holder, "Failure");
    } else {
        update_condition(holder, {{"type", "Failure"},
                                  {"status", "True"},
                                  {"reason", trouble.reason},
                                  {"message", trouble.message},
                                  {"lastProbeTime", nullptr},
                                  {"lastTransitionTime", seconds_text(now)}});
    }
    if (!vmi) return;
    for (const Json& one : items_at(*vmi, {"status", "conditions"})) {
        if (!is_own(text(one, {"type"}))) update_condition(holder, one);
    }
    const auto before = items_at(holder, {"status", "conditions"});
    for (const Json& one : before) {
        const auto type = text(one, {"type"});
        if (!is_own(type) && condition(*vmi, type) == nullptr) remove_condition(holder, type);
    }
}

bool is_told(const Object& vmi, std::string_view type, std::string_view reason) {
    const Json* found = vmi ? condition(*vmi, type) : nullptr;
    return found != nullptr && text(*found, {"status"}) == "False" &&
           text(*found, {"reason"}) == reason;
}

std::string printable(const Json& vm, const Object& vmi, VmMove move, const Json& status) {
    const auto phase = vmi ? phase_of(*vmi) : std::string();
    const bool over = vmi && is_final(*vmi);
    if (is_deleting(vm)) return "Terminating";
    if (vmi && !over && (is_deleting(*vmi) || move == VmMove::stopping)) return "Stopping";
    if (vmi && is_migrating(*vmi)) return "Migrating";
    if (phase == "Running") return has_condition(*vmi, "Paused", "True") ? "Paused" : "Running";
    if (is_told(vmi, "Synchronized", "FailedPvcNotFound")) return "ErrorPvcNotFound";
    if (is_told(vmi, "PodScheduled", "Unschedulable")) return "ErrorUnschedulable";
    if (is_told(vmi, "Synchronized", "ErrImagePull")) return "ErrImagePull";
    if (is_told(vmi, "Synchronized", "ImagePullBackOff")) return "ImagePullBackOff";
    if (vmi ? !over : move == VmMove::starting) return "Starting";
    if (find(status, "startFailure") != nullptr && restarts_by_itself(vm)) {
        return "CrashLoopBackOff";
    }
    return "Stopped";
}

// A request that has been met goes away. To start is met by a VMI that does not go.
void drop_met_request(const Json& vm, const Object& vmi, VmMove move, Json& status) {
    const auto& requests = items_at(vm, {"status", "stateChangeRequests"});
    if (requests.empty()) return;
    const bool start = text(requests.front(), {"action"}) == "Start";
    const bool runs = vmi && !is_deleting(*vmi) && move != VmMove::stopping;
    const bool met = start ? runs : !vmi || text(requests.front(), {"uid"}) != uid_of(*vmi);
    if (!met) return;
    if (requests.size() == 1) {
        status.erase("stateChangeRequests");
    } else {
        status["stateChangeRequests"].erase(0);
    }
}

void set_flag(Json& status, const char* name, bool value) {
    if (value) {
        status[name] = true;
    } else {
        status.erase(name);  // as Go's omitempty
    }
}

}  // namespace

std::string run_strategy(const Json& vm) {
    if (auto given = text(vm, {"spec", "runStrategy"}); !given.empty()) return given;
    return bool_at(vm, {"spec", "running"}).value_or(false) ? "Always" : "Halted";
}

bool has_start_request(const Json& vm) {
    const auto& requests = items_at(vm, {"status", "stateChangeRequests"});
    return !requests.empty() && text(requests.front(), {"action"}) == "Start";
}

bool has_stop_request_for(const Json& vm, const Json& vmi) {
    const auto& requests = items_at(vm, {"status", "stateChangeRequests"});
    return !requests.empty() && text(requests.front(), {"action"}) == "Stop" &&
           text(requests.front(), {"uid"}) == uid_of(vmi);
}

Duration start_backoff_left(const Json& vm, kubeclient::Instant now) {
    const auto retry =
        kubeclient::parse_time(text(vm, {"status", "startFailure", "retryAfterTimestamp"}));
    if (!retry.ok() || *retry <= now) return Duration(0);
    return *retry - now;
}

Json vm_status(const Json& vm, const Object& vmi, VmMove move, const VmTrouble& trouble,
               kubeclient::Instant now) {
    Json holder{{"status", Json::object()}};
    if (const Json* before = find(vm, "status")) holder["status"] = *before;
    Json& status = holder["status"];
    set_flag(status, "created", vmi != nullptr);
    set_flag(status, "ready", vmi && has_condition(*vmi, "Ready", "True"));
    if (vmi || !text(status, {"runStrategy"}).empty()) status["runStrategy"] = run_strategy(vm);
    if (vmi) {
        const auto seen = annotation(*vmi, "kubevirt.io/vm-generation");
        if (!seen.empty() && seen.find_first_not_of("0123456789") == std::string::npos) {
            status["observedGeneration"] = std::stoll(seen);
        }
        status["desiredGeneration"] = integer_at(vm, {"metadata", "generation"}).value_or(0);
    }
    drop_met_request(vm, vmi, move, status);
    sync_start_failure(vm, vmi, status, now);
    sync_conditions(holder, vmi, trouble, now);
    holder["status"]["printableStatus"] = printable(vm, vmi, move, holder["status"]);
    return holder["status"];
}

}  // namespace lab::virt
