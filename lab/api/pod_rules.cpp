#include "lab/api/pod_rules.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "kubeclient/quantity.hpp"

namespace lab {

using kubeclient::find;
using kubeclient::integer_at;
using kubeclient::items_at;
using kubeclient::text_at;

namespace {

constexpr const char* kContainerLists[] = {"initContainers", "containers"};

void fall_back(Json& object, const char* field, const Json& value) {
    if (find(object, field) == nullptr) object[field] = value;
}

std::string pull_policy(const std::string& image) {
    const auto name = image.substr(image.rfind('/') == std::string::npos ? 0 : image.rfind('/'));
    const auto colon = name.rfind(':');
    const bool digest = name.find('@') != std::string::npos;
    const bool latest = !digest && (colon == std::string::npos || name.substr(colon) == ":latest");
    return latest ? "Always" : "IfNotPresent";
}

void fill_in_container(Json& container) {
    fall_back(container, "resources", Json::object());
    Json& resources = container["resources"];
    if (find(resources, "limits") != nullptr) {
        for (const auto& [name, value] : resources["limits"].items()) {
            if (find(resources, {"requests", name}) == nullptr) resources["requests"][name] = value;
        }
    }
    if (container.contains("ports")) {
        for (Json& port : container["ports"]) fall_back(port, "protocol", "TCP");
    }
    for (const char* name : {"livenessProbe", "readinessProbe", "startupProbe"}) {
        if (find(container, name) == nullptr) continue;
        Json& probe = container[name];
        fall_back(probe, "timeoutSeconds", 1);
        fall_back(probe, "periodSeconds", 10);
        fall_back(probe, "successThreshold", 1);
        fall_back(probe, "failureThreshold", 3);
    }
    fall_back(container, "terminationMessagePath", "/dev/termination-log");
    fall_back(container, "terminationMessagePolicy", "File");
    fall_back(container, "imagePullPolicy",
              pull_policy(text_at(container, {"image"}).value_or("")));
}

void fill_in_volume(Json& volume) {
    for (const char* source : {"configMap", "secret", "downwardAPI", "projected"}) {
        if (find(volume, source) != nullptr) fall_back(volume[source], "defaultMode", 420);
    }
    if (find(volume, "hostPath") != nullptr) fall_back(volume["hostPath"], "type", "");
    if (volume.size() == 1) volume["emptyDir"] = Json::object();
}

void tolerate(Json& spec, const char* taint) {
    for (const Json& toleration : items_at(spec, {"tolerations"})) {
        const auto key = text_at(toleration, {"key"}).value_or("");
        const auto effect = text_at(toleration, {"effect"}).value_or("");
        if ((key == taint || key.empty()) && (effect == "NoExecute" || effect.empty())) return;
    }
    spec["tolerations"].push_back({{"key", taint},
                                   {"operator", "Exists"},
                                   {"effect", "NoExecute"},
                                   {"tolerationSeconds", 300}});
}

bool is_positive(const Json& resources, const char* kind, const char* name) {
    const auto text = text_at(resources, {kind, name});
    const auto amount = text ? kubeclient::parse_milli(*text) : kubeclient::parse_milli("0");
    return amount.ok() && amount.value() > 0;
}

}  // namespace

std::string quality_of_service(const Json& pod) {
    bool any = false;
    bool all = true;
    for (const char* list : kContainerLists) {
        for (const Json& container : items_at(pod, {"spec", list})) {
            const Json resources = container.value("resources", Json::object());
            for (const char* name : {"cpu", "memory"}) {
                const bool limit = is_positive(resources, "limits", name);
                const bool request = is_positive(resources, "requests", name);
                any = any || limit || request;
                const bool same =
                    text_at(resources, {"requests", name}) == text_at(resources, {"limits", name});
                all = all && limit && (!request || same);
            }
        }
    }
    if (!any) return "BestEffort";
    return all ? "Guaranteed" : "Burstable";
}

void fill_in_new_pod(Json& pod) {
    if (!pod.contains("spec") || !pod["spec"].is_object()) pod["spec"] = Json::object();
    Json& spec = pod["spec"];
    for (const char* list : kContainerLists) {
        if (!spec.contains(list)) continue;
        for (Json& container : spec[list]) {
            if (container.is_object()) fill_in_container(container);
        }
    }
    if (spec.contains("volumes")) {
        for (Json& volume : spec["volumes"]) {
            if (volume.is_object()) fill_in_volume(volume);
        }
    }
    fall_back(spec, "restartPolicy", "Always");
    fall_back(spec, "terminationGracePeriodSeconds", 30);
    fall_back(spec, "dnsPolicy", "ClusterFirst");
    fall_back(spec, "securityContext", Json::object());
    fall_back(spec, "schedulerName", "default-scheduler");
    fall_back(spec, "enableServiceLinks", true);
    if (find(spec, "serviceAccountName") != nullptr) {
        spec["serviceAccount"] = spec["serviceAccountName"];
    }
    add_default_tolerations(pod);
    pod["status"] = {{"phase", "Pending"}, {"qosClass", quality_of_service(pod)}};
}

void add_default_tolerations(Json& pod) {
    tolerate(pod["spec"], "node.kubernetes.io/not-ready");
    tolerate(pod["spec"], "node.kubernetes.io/unreachable");
}

Verdict admit_priority(const ServerState& state, const Kind& kind, Json& pod) {
    Json& spec = pod["spec"];
    const auto wanted = text_at(spec, {"priorityClassName"}).value_or("");
    std::int64_t priority = 0;
    std::string policy = "PreemptLowerPriority";
    if (wanted == "system-cluster-critical" || wanted == "system-node-critical") {
        priority = wanted == "system-node-critical" ? 2000001000 : 2000000000;
    } else {
        Object chosen;
        for (const auto& [key, object] :
             state.store.all({"scheduling.k8s.io", "priorityclasses"})) {
            const bool fallback = kubeclient::bool_at(*object, {"globalDefault"}).value_or(false);
            if (wanted.empty() ? fallback : key.name == wanted) chosen = object;
        }
        if (!chosen && !wanted.empty()) {
            return forbidden(kind, text_at(pod, {"metadata", "name"}).value_or(""),
                             "no PriorityClass with name " + wanted + " was found");
        }
        if (chosen) {
            spec["priorityClassName"] = chosen->at("metadata").at("name");
            priority = integer_at(*chosen, {"value"}).value_or(0);
            policy = text_at(*chosen, {"preemptionPolicy"}).value_or(policy);
        }
    }
    spec["priority"] = priority;
    fall_back(spec, "preemptionPolicy", policy);
    return allowed();
}

std::vector<Cause> problems_of_new_pod(const Json& pod) {
    const auto required = [](const std::string& field) {
        return Cause{"FieldValueRequired", "Required value", field};
    };
    const auto& containers = items_at(pod, {"spec", "containers"});
    if (containers.empty()) return {required("spec.containers")};
    std::vector<Cause> causes;
    for (std::size_t i = 0; i < containers.size(); ++i) {
        const std::string place = "spec.containers[" + std::to_string(i) + "].";
        for (const char* field : {"name", "image"}) {
            if (text_at(containers[i], {field}).value_or("").empty()) {
                causes.push_back(required(place + field));
            }
        }
    }
    return causes;
}

std::vector<Cause> problems_of_changed_pod(const Json& pod, const Json& before) {
    Json now = pod.at("spec");
    Json then = before.at("spec");
    for (Json* spec : {&now, &then}) {
        for (const char* list : kContainerLists) {
            if (!spec->contains(list)) continue;
            for (Json& container : (*spec)[list]) container.erase("image");
        }
        spec->erase("activeDeadlineSeconds");
        spec->erase("schedulingGates");
    }
    const Json old_tolerations = then.value("tolerations", Json::array());
    const Json tolerations = now.value("tolerations", Json::array());
    const bool only_added =
        std::all_of(old_tolerations.begin(), old_tolerations.end(), [&](const Json& toleration) {
            return std::find(tolerations.begin(), tolerations.end(), toleration) !=
                   tolerations.end();
        });
    if (only_added) {
        now.erase("tolerations");
        then.erase("tolerations");
    }
    if (now == then) return {};
    return {{"FieldValueForbidden",
             "Forbidden: pod updates may not change fields other than "
             "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec."
             "activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
             "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously "
             "negative)",
             "spec"}};
}

}  // namespace lab
