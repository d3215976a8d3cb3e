#include <nlohmann/json.hpp>
#include <utility>

#include "lab/api/server_state.hpp"

namespace lab {

using kubeclient::find;
using kubeclient::integer_at;
using kubeclient::text_at;

namespace {

Verdict preconditions_hold(const Call& call, const Object& object, const Json& options) {
    const auto uid = text_at(options, {"preconditions", "uid"});
    const auto version = text_at(options, {"preconditions", "resourceVersion"});
    const auto is_uid = text_at(*object, {"metadata", "uid"}).value_or("");
    const auto is_version = text_at(*object, {"metadata", "resourceVersion"}).value_or("");
    if (uid && *uid != is_uid) {
        return conflict(call.kind, call.key.name,
                        "the UID in the precondition (" + *uid +
                            ") does not match the UID in record (" + is_uid +
                            "). The object might have been deleted and then recreated");
    }
    if (version && *version != is_version) {
        return conflict(call.kind, call.key.name,
                        "the ResourceVersion in the precondition (" + *version +
                            ") does not match the ResourceVersion in record (" + is_version +
                            "). The object might have been modified");
    }
    return allowed();
}

// Pods that run somewhere end by themselves: the kubelet deletes them with no grace left.
std::int64_t grace_of(const Call& call, const Object& object, const Json& options) {
    if (call.kind.resource != ResourceId{"", "pods"}) return 0;
    const auto node = text_at(*object, {"spec", "nodeName"}).value_or("");
    const auto phase = text_at(*object, {"status", "phase"}).value_or("");
    if (node.empty() || phase == "Failed" || phase == "Succeeded") return 0;
    const auto own = integer_at(*object, {"spec", "terminationGracePeriodSeconds"}).value_or(30);
    return integer_at(options, {"gracePeriodSeconds"}).value_or(own);
}

Json success(const Call& call, const Object& object) {
    Json details{{"name", call.key.name},
                 {"kind", call.kind.resource.plural},
                 {"uid", text_at(*object, {"metadata", "uid"}).value_or("")}};
    if (!call.kind.resource.group.empty()) details["group"] = call.kind.resource.group;
    return {{"kind", "Status"},
            {"apiVersion", "v1"},
            {"metadata", Json::object()},
            {"status", "Success"},
            {"details", details}};
}

}  // namespace

Outcome<Reply> delete_object(ServerState& state, const Call& call) {
    const Object object = state.store.get(call.kind.resource, call.key);
    if (!object) return not_found(call.kind, call.key.name);
    Json options = Json::object();
    if (!call.request.body.empty()) {
        auto body = kubeclient::parse_json(call.request.body, "body");
        if (!body.ok()) return bad_request(body.error().message);
        options = std::move(body).value();
    }
    TRY(preconditions_hold(call, object, options));
    Admission admission;
    admission.verb = "delete";
    admission.resource = call.kind.resource;
    admission.key = call.key;
    admission.user = call.user;
    admission.dry_run = call.dry_run;
    admission.before = object;
    for (Extension* extension : state.extensions) {
        if (auto refusal = extension->admit(admission)) return *refusal;
    }
    const std::int64_t grace = grace_of(call, object, options);
    const Json* finalizers = find(*object, {"metadata", "finalizers"});
    const bool held = finalizers != nullptr && !finalizers->empty();
    if (grace == 0 && !held) {
        if (!call.dry_run) remove_object(state, call.kind, call.key);
        if (call.kind.resource.plural == "pods") return Reply{200, shown(object, call)};
        return Reply{200, std::make_shared<const Json>(success(call, object))};
    }
    if (find(*object, {"metadata", "deletionTimestamp"}) != nullptr &&
        integer_at(*object, {"metadata", "deletionGracePeriodSeconds"}).value_or(0) <= grace) {
        return Reply{200, shown(object, call)};
    }
    Json dying = *object;
    const auto end = state.clock() + std::chrono::seconds(grace);
    dying["metadata"]["deletionTimestamp"] =
        kubeclient::format_time(std::chrono::floor<std::chrono::seconds>(end));
    dying["metadata"]["deletionGracePeriodSeconds"] = grace;
    if (call.dry_run) {
        return Reply{200, shown(std::make_shared<const Json>(std::move(dying)), call)};
    }
    return Reply{200, shown(store_object(state, call.kind, call.key, std::move(dying)), call)};
}

}  // namespace lab
