// Sources: virt-api/rest/lifecycle.go and evacuate_cancel.go, whose refusals come in this order.
#include "lab/controllers/virt_api_actions.hpp"

#include <nlohmann/json.hpp>

#include "lab/api/status.hpp"

namespace lab::virt_api {

using kubeclient::find;
using kubeclient::integer_at;
using kubeclient::Response;
using kubeclient::text_at;

namespace {

// v1.Resource("virtualmachine"): the singular, unlike the API server's own refusals.
constexpr const char* machine = "virtualmachine";
constexpr const char* instance = "virtualmachineinstance";

Refusal about(int code, const char* reason, const char* kind, const std::string& name,
              const std::string& before, const std::string& after) {
    Refusal refusal{code, reason, before + kind + ".kubevirt.io \"" + name + "\"" + after};
    refusal.name = name;
    refusal.group = "kubevirt.io";
    refusal.kind = kind;
    return refusal;
}

Response missing(const char* kind, const std::string& name) {
    return reply(about(404, "NotFound", kind, name, "", " not found"));
}

Response conflicting(const std::string& name, const std::string& why) {
    return reply(
        about(409, "Conflict", machine, name, "Operation cannot be fulfilled on ", ": " + why));
}

Response internal_error(const std::string& text) {
    Refusal refusal{500, "InternalError", "Internal error occurred: " + text};
    refusal.causes.push_back({"", text, ""});
    return reply(refusal);
}

Response done(int status) {
    return {status, {}, ""};
}

Response accepted_or(const Reply& reply) {
    return reply.ok() ? done(202) : internal_error(reply.message);
}

std::vector<std::string> dry_run(const Call& call) {
    std::vector<std::string> values;
    for (const Json& value : kubeclient::items_at(call.options, {"dryRun"})) {
        if (value.is_string()) values.push_back(value.get<std::string>());
    }
    return values;
}

std::string run_strategy(const Json& vm) {
    if (const auto strategy = text_at(vm, {"spec", "runStrategy"})) return *strategy;
    return kubeclient::bool_at(vm, {"spec", "running"}).value_or(false) ? "Always" : "Halted";
}

// virt-controller finds the request in the machine's status and acts on it.
Reply request_change(const Backend& backend, const Call& call, const Json& vm, Json changes) {
    Json patch = Json::array();
    const Json* status = find(vm, "status");
    if (status == nullptr || status->empty()) {
        patch.push_back({{"op", "add"},
                         {"path", "/status"},
                         {"value", {{"stateChangeRequests", std::move(changes)}}}});
    } else {
        const Json* waiting = find(*status, "stateChangeRequests");
        const bool only_stop = changes.size() == 1 && changes[0].value("action", "") == "Stop";
        if (waiting != nullptr && !waiting->empty() && !only_stop) {
            return {500, "unable to complete request: stop/start already underway"};
        }
        patch.push_back({{"op", "test"},
                         {"path", "/status/stateChangeRequests"},
                         {"value", waiting != nullptr ? *waiting : Json()}});
        patch.push_back({{"op", waiting == nullptr || waiting->empty() ? "add" : "replace"},
                         {"path", "/status/stateChangeRequests"},
                         {"value", std::move(changes)}});
        if (find(*status, "startFailure") != nullptr) {
            patch.push_back({{"op", "remove"}, {"path", "/status/startFailure"}});
        }
    }
    return backend.json_patch(virtual_machines, {call.ns, call.name}, "status", patch,
                              dry_run(call));
}

Json stop_request(const Json& vmi) {
    return {{"action", "Stop"}, {"uid", text_at(vmi, {"metadata", "uid"}).value_or("")}};
}

Json start_request(const Call& call) {
    Json request{{"action", "Start"}};
    if (kubeclient::bool_at(call.options, {"paused"}).value_or(false)) {
        request["data"] = {{"paused", "true"}};
    }
    return request;
}

Reply set_running(const Backend& backend, const Call& call, const Json& vm, bool running) {
    const Json* strategy = find(vm, {"spec", "runStrategy"});
    const char* path = strategy != nullptr ? "/spec/runStrategy" : "/spec/running";
    const Json before = strategy != nullptr ? *strategy : vm["spec"].value("running", Json());
    const Json after = strategy != nullptr ? Json(running ? "Always" : "Halted") : Json(running);
    return backend.json_patch(virtual_machines, {call.ns, call.name}, "",
                              Json::array({{{"op", "test"}, {"path", path}, {"value", before}},
                                           {{"op", "replace"}, {"path", path}, {"value", after}}}),
                              dry_run(call));
}

// Whether the node carries the deprecated taint that empties it; it would undo the cancelling.
std::optional<Response> refuse_drained(const Backend& backend, const Json& vmi) {
    const Json* configured = backend.configuration({"migrations", "nodeDrainTaintKey"});
    const std::string key = configured != nullptr && configured->is_string()
                                ? configured->get<std::string>()
                                : "kubevirt.io/drain";
    std::string name = text_at(vmi, {"status", "evacuationNodeName"}).value_or("");
    if (name.empty()) name = text_at(vmi, {"status", "nodeName"}).value_or("");
    const Object node = backend.objects.get(nodes, {"", name});
    if (!node) return internal_error("nodes \"" + name + "\" not found");
    for (const Json& taint : kubeclient::items_at(*node, {"spec", "taints"})) {
        if (text_at(taint, {"key"}) != key || text_at(taint, {"effect"}) != "NoSchedule") continue;
        return reply(
            bad_request("Node \"" + name + "\" has NodeDrainTaintKey \"" + key + ":NoSchedule\""));
    }
    return std::nullopt;
}

Response cancel_evacuation(const Backend& backend, const Call& call) {
    const Object vmi = backend.objects.get(instances, {call.ns, call.name});
    if (!vmi) return missing(instance, call.name);
    if (auto refused = refuse_drained(backend, *vmi)) return *refused;
    if (text_at(*vmi, {"status", "evacuationNodeName"}).value_or("").empty()) return done(200);
    const std::string node = text_at(call.options, {"evacuationNodeName"}).value_or("");
    const std::string path = "/status/evacuationNodeName";
    const Reply reply =
        backend.json_patch(instances, {call.ns, call.name}, "",
                           Json::array({{{"op", "test"}, {"path", path}, {"value", node}},
                                        {{"op", "remove"}, {"path", path}}}),
                           dry_run(call));
    return reply.ok() ? done(200) : internal_error(reply.message);
}

}  // namespace

Response migrate(const Backend& backend, const Call& call) {
    if (!backend.objects.get(virtual_machines, {call.ns, call.name})) {
        return missing(machine, call.name);
    }
    const Object vmi = backend.objects.get(instances, {call.ns, call.name});
    if (!vmi) return missing(instance, call.name);
    if (text_at(*vmi, {"status", "phase"}) != "Running") {
        return conflicting(call.name, "VM is not running");
    }
    Json migration{{"apiVersion", "kubevirt.io/v1"},
                   {"kind", "VirtualMachineInstanceMigration"},
                   {"metadata", {{"generateName", "kubevirt-migrate-vm-"}}},
                   {"spec", {{"vmiName", call.name}}}};
    const Json* selector = find(call.options, "addedNodeSelector");
    if (selector != nullptr && !selector->empty()) {
        migration["spec"]["addedNodeSelector"] = *selector;
    }
    return accepted_or(backend.create_migration(call.ns, migration, dry_run(call)));
}

Response start(const Backend& backend, const Call& call) {
    const Object vm = backend.objects.get(virtual_machines, {call.ns, call.name});
    if (!vm) return missing(machine, call.name);
    const Object vmi = backend.objects.get(instances, {call.ns, call.name});
    const std::string phase = vmi ? text_at(*vmi, {"status", "phase"}).value_or("") : "";
    if (vmi && !is_final(*vmi) && !phase.empty() && phase != "Unknown") {
        return conflicting(call.name, "VM is already running");
    }
    if (condition_status(*vm, "ManualRecoveryRequired") == "True") {
        return conflicting(call.name,
                           "VM recovery required: Volume migration failed, leaving some volumes "
                           "pointing to non-consistent targets; manual intervention is needed to "
                           "reassign them to their original volumes.");
    }
    const std::string strategy = run_strategy(*vm);
    const Json begin = start_request(call);
    if (strategy == "Halted") {
        if (begin.contains("data")) {
            return accepted_or(request_change(backend, call, *vm, Json::array({begin})));
        }
        return accepted_or(set_running(backend, call, *vm, true));
    }
    if (strategy != "Manual" && strategy != "RerunOnFailure") {
        return conflicting(call.name, strategy + " does not support manual start requests");
    }
    if (strategy == "RerunOnFailure" && phase == "Failed") {
        return conflicting(call.name, strategy + " does not support starting VM from failed state");
    }
    Json changes = Json::array();
    if (vmi && is_final(*vmi)) changes.push_back(stop_request(*vmi));
    changes.push_back(begin);
    return accepted_or(request_change(backend, call, *vm, std::move(changes)));
}

Response stop(const Backend& backend, const Call& call) {
    const Object vm = backend.objects.get(virtual_machines, {call.ns, call.name});
    if (!vm) return missing(machine, call.name);
    const std::string strategy = run_strategy(*vm);
    const Object vmi = backend.objects.get(instances, {call.ns, call.name});
    const bool runs = vmi && !is_final(*vmi);
    const auto grace = integer_at(call.options, {"gracePeriod"});
    const Json* before = vmi ? find(*vmi, {"spec", "terminationGracePeriodSeconds"}) : nullptr;
    if (runs && grace) {
        const std::string path = "/spec/terminationGracePeriodSeconds";
        const Reply shortened = backend.json_patch(
            instances, {call.ns, call.name}, "",
            Json::array({{{"op", "test"}, {"path", path}, {"value", before ? *before : Json()}},
                         {{"op", "replace"}, {"path", path}, {"value", *grace}}}),
            dry_run(call));
        if (!shortened.ok()) return internal_error(shortened.message);
    }
    if (strategy == "Always" || strategy == "Once") {
        return accepted_or(set_running(backend, call, *vm, false));
    }
    if (!runs) return conflicting(call.name, "VM is not running");
    if (strategy == "Halted" && (!grace || (before && Json(*grace) >= *before))) {
        return conflicting(call.name,
                           "Halted only supports manual stop requests with a shorter graceperiod");
    }
    return accepted_or(request_change(backend, call, *vm, Json::array({stop_request(*vmi)})));
}

Response restart(const Backend& backend, const Call& call) {
    const auto grace = integer_at(call.options, {"gracePeriodSeconds"});
    if (grace && *grace > 0) {
        return reply(bad_request("For force restart, only gracePeriod=0 is supported for now"));
    }
    if (grace && *grace < 0) {
        return reply(bad_request("gracePeriod has to be greater or equal to 0"));
    }
    const Object vm = backend.objects.get(virtual_machines, {call.ns, call.name});
    if (!vm) return missing(machine, call.name);
    const std::string strategy = run_strategy(*vm);
    if (strategy == "Halted" || strategy == "Once") {
        return conflicting(call.name,
                           "RunStategy " + strategy + " does not support manual restart requests");
    }
    const Object vmi = backend.objects.get(instances, {call.ns, call.name});
    if (!vmi) return conflicting(call.name, "VM is not running: Halted");
    const Reply asked = request_change(
        backend, call, *vm, Json::array({stop_request(*vmi), Json{{"action", "Start"}}}));
    if (!asked.ok()) return internal_error(asked.message);
    if (!grace) return done(202);
    // One second is the shortest that is safe.
    for (const auto& [key, pod] : backend.objects.all(pods)) {
        if (key.ns == call.ns && text_at(*pod, {"status", "phase"}) == "Running" &&
            text_at(*pod, {"metadata", "labels", "kubevirt.io/created-by"}) ==
                text_at(*vmi, {"metadata", "uid"})) {
            const ObjectKey launcher = key;
            return accepted_or(backend.delete_pod(launcher, 1));
        }
    }
    return done(202);
}

Response cancel_evacuation_of_machine(const Backend& backend, const Call& call) {
    if (!backend.objects.get(virtual_machines, {call.ns, call.name})) {
        return missing(machine, call.name);
    }
    return cancel_evacuation(backend, call);
}

Response cancel_evacuation_of_instance(const Backend& backend, const Call& call) {
    return cancel_evacuation(backend, call);
}

}  // namespace lab::virt_api
