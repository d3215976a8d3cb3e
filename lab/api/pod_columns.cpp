#include "lab/api/pod_columns.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "lab/api/table.hpp"

namespace lab {

namespace {

using kubeclient::bool_at;
using kubeclient::find;
using kubeclient::Instant;
using kubeclient::integer_at;
using kubeclient::items_at;
using kubeclient::text_at;

// What the containers of a pod add up to.
struct Summary {
    std::string reason{};
    std::size_t containers = 0;
    int ready = 0;
    std::int64_t restarts = 0;
    std::optional<Instant> last_restart{};
    bool initializing = false;
    bool running = false;
};

std::string text(const Json& json, std::initializer_list<std::string_view> path) {
    return text_at(json, path).value_or("");
}

// "Init:" or "", then why it ended: a reason, a signal or an exit code.
std::string end_of(const Json& terminated, const std::string& prefix) {
    const auto reason = text(terminated, {"reason"});
    if (!reason.empty()) return prefix + reason;
    const auto signal = integer_at(terminated, {"signal"}).value_or(0);
    if (signal != 0) return prefix + "Signal:" + std::to_string(signal);
    return prefix + "ExitCode:" + std::to_string(integer_at(terminated, {"exitCode"}).value_or(0));
}

void count_restarts(const Json& status, Summary& summary) {
    summary.restarts += integer_at(status, {"restartCount"}).value_or(0);
    const auto ended =
        kubeclient::parse_time(text(status, {"lastState", "terminated", "finishedAt"}));
    if (ended.ok() && (!summary.last_restart || *ended > *summary.last_restart)) {
        summary.last_restart = *ended;
    }
}

bool restartable(const Json& pod, const std::string& name) {
    const auto& containers = items_at(pod, {"spec", "initContainers"});
    return std::any_of(containers.begin(), containers.end(), [&](const Json& container) {
        return text(container, {"name"}) == name && text(container, {"restartPolicy"}) == "Always";
    });
}

void read_init_containers(const Json& pod, Summary& summary) {
    const auto total = items_at(pod, {"spec", "initContainers"}).size();
    std::size_t index = 0;
    for (const Json& status : items_at(pod, {"status", "initContainerStatuses"})) {
        count_restarts(status, summary);
        const bool sidecar = restartable(pod, text(status, {"name"}));
        if (sidecar) ++summary.containers;
        const std::size_t position = index++;
        const Json* terminated = find(status, {"state", "terminated"});
        if (terminated != nullptr && integer_at(*terminated, {"exitCode"}) == 0) continue;
        if (sidecar && bool_at(status, {"started"}) == true) {
            if (bool_at(status, {"ready"}) == true) ++summary.ready;
            continue;
        }
        const auto waiting = text(status, {"state", "waiting", "reason"});
        summary.initializing = true;
        if (terminated != nullptr) {
            summary.reason = end_of(*terminated, "Init:");
        } else if (!waiting.empty() && waiting != "PodInitializing") {
            summary.reason = "Init:" + waiting;
        } else {
            summary.reason = "Init:" + std::to_string(position) + "/" + std::to_string(total);
        }
        return;
    }
}

void read_containers(const Json& pod, Summary& summary) {
    const auto& statuses = items_at(pod, {"status", "containerStatuses"});
    for (auto status = statuses.rbegin(); status != statuses.rend(); ++status) {
        count_restarts(*status, summary);
        const auto waiting = text(*status, {"state", "waiting", "reason"});
        const Json* terminated = find(*status, {"state", "terminated"});
        if (!waiting.empty()) {
            summary.reason = waiting;
        } else if (terminated != nullptr) {
            summary.reason = end_of(*terminated, "");
        } else if (bool_at(*status, {"ready"}) == true &&
                   find(*status, {"state", "running"}) != nullptr) {
            summary.running = true;
            ++summary.ready;
        }
    }
    if (summary.reason != "Completed" || !summary.running) return;
    const auto& conditions = items_at(pod, {"status", "conditions"});
    const bool ready = std::any_of(conditions.begin(), conditions.end(), [](const Json& condition) {
        return text(condition, {"type"}) == "Ready" && text(condition, {"status"}) == "True";
    });
    summary.reason = ready ? "Running" : "NotReady";
}

Summary summary_of(const Json& pod) {
    Summary summary;
    summary.containers = items_at(pod, {"spec", "containers"}).size();
    summary.reason = text(pod, {"status", "phase"});
    const auto reason = text(pod, {"status", "reason"});
    if (!reason.empty()) summary.reason = reason;
    for (const Json& condition : items_at(pod, {"status", "conditions"})) {
        const bool gated = text(condition, {"type"}) == "PodScheduled" &&
                           text(condition, {"reason"}) == "SchedulingGated";
        if (gated) summary.reason = "SchedulingGated";
    }
    read_init_containers(pod, summary);
    if (!summary.initializing) read_containers(pod, summary);
    const auto phase = text(pod, {"status", "phase"});
    if (find(pod, {"metadata", "deletionTimestamp"}) != nullptr) {
        const bool ended = phase == "Failed" || phase == "Succeeded";
        if (reason == "NodeLost") summary.reason = "Unknown";
        if (reason != "NodeLost" && !ended) summary.reason = "Terminating";
    }
    return summary;
}

std::string readiness_gates(const Json& pod) {
    const auto& gates = items_at(pod, {"spec", "readinessGates"});
    if (gates.empty()) return "<none>";
    std::size_t ready = 0;
    for (const Json& gate : gates) {
        for (const Json& condition : items_at(pod, {"status", "conditions"})) {
            if (text(condition, {"type"}) == text(gate, {"conditionType"}) &&
                text(condition, {"status"}) == "True") {
                ++ready;
            }
        }
    }
    return std::to_string(ready) + "/" + std::to_string(gates.size());
}

Json or_none(const std::string& word) {
    return word.empty() ? "<none>" : word;
}

}  // namespace

std::vector<Json> pod_cells(const Json& pod, Instant now) {
    const Summary summary = summary_of(pod);
    std::string restarts = std::to_string(summary.restarts);
    if (summary.restarts != 0 && summary.last_restart) {
        restarts += " (" + kubeclient::human_duration(now - *summary.last_restart) + " ago)";
    }
    const auto& addresses = items_at(pod, {"status", "podIPs"});
    const auto address =
        addresses.empty() ? text(pod, {"status", "podIP"}) : text(addresses.front(), {"ip"});
    return {text(pod, {"metadata", "name"}),
            std::to_string(summary.ready) + "/" + std::to_string(summary.containers),
            summary.reason,
            restarts,
            age_of(find(pod, {"metadata", "creationTimestamp"}), now),
            or_none(address),
            or_none(text(pod, {"spec", "nodeName"})),
            or_none(text(pod, {"status", "nominatedNodeName"})),
            readiness_gates(pod)};
}

}  // namespace lab
