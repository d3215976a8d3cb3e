#include "lab/api/subresources.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "lab/api/admission.hpp"
#include "lab/api/options.hpp"
#include "lab/api/selectors.hpp"

namespace lab {

using kubeclient::find;
using kubeclient::integer_at;
using kubeclient::items_at;
using kubeclient::text_at;

namespace {

const ResourceId kBudgets{"policy", "poddisruptionbudgets"};

Reply done() {
    return {201, std::make_shared<const Json>(Json{{"kind", "Status"},
                                                   {"apiVersion", "v1"},
                                                   {"metadata", Json::object()},
                                                   {"status", "Success"},
                                                   {"code", 201}})};
}

Outcome<Json> body_of(const Call& call) {
    auto body = kubeclient::parse_json(call.request.body, "body");
    if (!body.ok()) return bad_request(body.error().message);
    if (!body.value().is_object()) return bad_request("the body is no JSON object");
    return std::move(body).value();
}

Json condition(const ServerState& state, const char* type, const char* reason,
               const char* message) {
    Json result{{"type", type}, {"status", "True"}, {"lastTransitionTime", now_text(state)}};
    if (*reason != '\0') result["reason"] = reason;
    if (*message != '\0') result["message"] = message;
    return result;
}

// A new one, or one that has another value, is written; the same one stays as it is.
void set_condition(Json& pod, Json wanted) {
    Json& conditions = pod["status"]["conditions"];
    for (Json& present : conditions) {
        if (present["type"] != wanted["type"]) continue;
        if (present["status"] != wanted["status"]) present = std::move(wanted);
        return;
    }
    conditions.push_back(std::move(wanted));
}

Outcome<Reply> bind_to_node(ServerState& state, const Call& call, const Json& binding,
                            const Object& object) {
    const auto node = text_at(binding, {"target", "name"}).value_or("");
    const auto kind = text_at(binding, {"target", "kind"}).value_or("");
    if (!kind.empty() && kind != "Node") {
        return internal("target.kind: Unsupported value: \"" + kind +
                        "\": supported values: \"Node\", \"<empty>\"");
    }
    if (node.empty()) return internal("target.name: Required value");
    const auto refused = [&](const std::string& why) {
        Refusal refusal = conflict(call.kind, call.key.name, why);
        refusal.message =
            "Operation cannot be fulfilled on pods/binding \"" + call.key.name + "\": " + why;
        refusal.kind = "pods/binding";
        return refusal;
    };
    const auto present = text_at(*object, {"spec", "nodeName"}).value_or("");
    if (find(*object, {"metadata", "deletionTimestamp"}) != nullptr) {
        return refused("pod " + call.key.name + " is being deleted, cannot be assigned to a host");
    }
    if (!present.empty()) {
        return refused("pod " + call.key.name + " is already assigned to node \"" + present + "\"");
    }
    if (call.dry_run) return done();
    Json pod = *object;
    pod["spec"]["nodeName"] = node;
    if (const Json* annotations = find(binding, {"metadata", "annotations"})) {
        pod["metadata"]["annotations"].update(*annotations);
    }
    set_condition(pod, condition(state, "PodScheduled", "", ""));
    store_object(state, call.kind, call.key, std::move(pod));
    return done();
}

std::vector<Object> budgets_of(const ServerState& state, const Json& pod, const std::string& ns) {
    std::vector<Object> budgets;
    for (const auto& [key, budget] : state.store.all(kBudgets)) {
        const Json* selector = find(*budget, {"spec", "selector"});
        if (key.ns != ns || selector == nullptr) continue;
        if (matches(requirements_of(*selector), pod)) budgets.push_back(budget);
    }
    return budgets;
}

bool is_ready(const Json& pod) {
    for (const Json& one : items_at(pod, {"status", "conditions"})) {
        if (text_at(one, {"type"}) == "Ready") return text_at(one, {"status"}) == "True";
    }
    return false;
}

Refusal disruption(const std::string& why, int retry_after) {
    Refusal refusal{429, "TooManyRequests",
                    "Cannot evict pod as it would violate the pod's disruption budget."};
    refusal.causes = {{"DisruptionBudget", "The disruption budget " + why}};
    refusal.retry_after_seconds = retry_after;
    return refusal;
}

// Takes one disruption from the budget, where there is one left.
Verdict take_disruption(ServerState& state, const Call& call, const Object& budget) {
    const auto name = text_at(*budget, {"metadata", "name"}).value_or("");
    const auto number = [&](const char* field) {
        return integer_at(*budget, {"status", field}).value_or(0);
    };
    if (number("observedGeneration") <
        integer_at(*budget, {"metadata", "generation"}).value_or(0)) {
        return disruption(name + " is still being processed by the server.", 10);
    }
    if (number("disruptionsAllowed") == 0) {
        const auto healthy = number("currentHealthy");
        const auto desired = number("desiredHealthy");
        if (healthy > desired) {
            return disruption(name + " does not allow evicting pods currently", 0);
        }
        return disruption(name + " needs " + std::to_string(desired) + " healthy pods and has " +
                              std::to_string(healthy) + " currently",
                          0);
    }
    if (call.dry_run) return allowed();
    Json taken = *budget;
    taken["status"]["disruptionsAllowed"] = number("disruptionsAllowed") - 1;
    taken["status"]["disruptedPods"][call.key.name] = now_text(state);
    state.store.put(kBudgets, {call.key.ns, name}, std::move(taken));
    return allowed();
}

// Pods that are ending or have not begun are no loss.
Verdict budgets_allow(ServerState& state, const Call& call, const Json& pod) {
    const auto phase = text_at(pod, {"status", "phase"}).value_or("");
    if (phase == "Succeeded" || phase == "Failed" || phase == "Pending" ||
        find(pod, {"metadata", "deletionTimestamp"}) != nullptr) {
        return allowed();
    }
    const auto budgets = budgets_of(state, pod, call.key.ns);
    if (budgets.empty()) return allowed();
    if (budgets.size() > 1) {
        return internal(
            "This pod has more than one PodDisruptionBudget, which the eviction "
            "subresource does not support.");
    }
    const Object& budget = budgets.front();
    const auto desired = integer_at(*budget, {"status", "desiredHealthy"}).value_or(0);
    const auto healthy = integer_at(*budget, {"status", "currentHealthy"}).value_or(0);
    const bool always = text_at(*budget, {"spec", "unhealthyPodEvictionPolicy"}) == "AlwaysAllow";
    if (!is_ready(pod) && (always || (healthy >= desired && desired > 0))) return allowed();
    return take_disruption(state, call, budget);
}

Outcome<Reply> evict(ServerState& state, const Call& call, const Json& eviction,
                     const Object& object) {
    const Json wanted = eviction.value("deleteOptions", Json::object());
    TRY_ASSIGN(options, deletion_options(call, wanted));
    Call own = call;
    own.dry_run = call.dry_run || options.dry_run;
    options.dry_run = own.dry_run;
    TRY(budgets_allow(state, own, *object));
    if (!own.dry_run) {
        Json pod = *object;
        set_condition(pod, condition(state, "DisruptionTarget", "EvictionByEvictionAPI",
                                     "Eviction API: evicting"));
        if (pod != *object) store_object(state, call.kind, call.key, std::move(pod));
    }
    own.subresource.clear();
    const auto deleted = delete_object(state, own, options, AskAdmission::no);
    if (!deleted.ok()) return deleted.error();
    return done();
}

}  // namespace

bool is_action(const Kind& kind, const std::string& subresource) {
    return kind.resource == ResourceId{"", "pods"} &&
           (subresource == "binding" || subresource == "eviction");
}

Outcome<Reply> act(ServerState& state, const Call& call) {
    TRY_ASSIGN(body, body_of(call));
    const bool eviction = call.subresource == "eviction";
    const auto name = text_at(body, {"metadata", "name"}).value_or("");
    if (name != call.key.name) {
        return bad_request(eviction ? "name in URL does not match name in Eviction object"
                                    : "name in URL does not match name in Binding object");
    }
    const Object object = state.store.get(call.kind.resource, call.key);
    if (!object) return not_found(call.kind, call.key.name);
    TRY_ASSIGN(admitted, admit_object(state, call, "create", call.key, nullptr, std::move(body)));
    return eviction ? evict(state, call, admitted, object)
                    : bind_to_node(state, call, admitted, object);
}

}  // namespace lab
