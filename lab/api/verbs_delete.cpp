// Sources: apiserver pkg/registry/rest/delete.go, pkg/registry/generic/registry/store.go,
// Kubernetes pkg/registry/core/{pod,namespace}.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "lab/api/admission.hpp"
#include "lab/api/list.hpp"
#include "lab/api/options.hpp"
#include "lab/api/rules.hpp"

namespace lab {

using kubeclient::find;
using kubeclient::integer_at;
using kubeclient::items_at;
using kubeclient::text_at;

namespace {

std::string kind_and_group(const Kind& kind) {
    return kind.resource.group.empty() ? kind.kind : kind.kind + "." + kind.resource.group;
}

// Here the API server names the kind instead of the resource.
Refusal precondition_failed(const Call& call, const std::string& what, const std::string& wanted,
                            const std::string& is, const std::string& perhaps) {
    Refusal refusal = conflict(call.kind, call.key.name, "");
    refusal.kind = call.kind.kind;
    refusal.message = "Operation cannot be fulfilled on " + kind_and_group(call.kind) + " \"" +
                      call.key.name + "\": the " + what + " in the precondition (" + wanted +
                      ") does not match the " + what + " in record (" + is +
                      "). The object might have been " + perhaps;
    return refusal;
}

Verdict preconditions_hold(const Call& call, const Json& object, const DeletionOptions& options) {
    const auto uid = text_at(object, {"metadata", "uid"}).value_or("");
    const auto version = text_at(object, {"metadata", "resourceVersion"}).value_or("");
    if (!options.uid.empty() && options.uid != uid) {
        return precondition_failed(call, "UID", options.uid, uid, "deleted and then recreated");
    }
    if (!options.resource_version.empty() && options.resource_version != version) {
        return precondition_failed(call, "ResourceVersion", options.resource_version, version,
                                   "modified");
    }
    return allowed();
}

// How long a pod is given; pods that run nowhere go at once. Other kinds know no grace.
std::optional<std::int64_t> grace_of(const Kind& kind, const Json& object,
                                     const DeletionOptions& options) {
    if (kind.kind != "Pod" || kind.origin == Origin::custom) return std::nullopt;
    const auto phase = text_at(object, {"status", "phase"}).value_or("");
    const bool nowhere = text_at(object, {"spec", "nodeName"}).value_or("").empty();
    if (nowhere || phase == "Failed" || phase == "Succeeded") return 0;
    const auto own = integer_at(object, {"spec", "terminationGracePeriodSeconds"}).value_or(0);
    const auto grace = options.grace_seconds.value_or(own);
    return grace < 0 ? 1 : grace;
}

void set_finalizers(Json& object, const std::string& propagation) {
    if (propagation.empty()) return;
    Json list = Json::array();
    for (const Json& name : items_at(object, {"metadata", "finalizers"})) {
        if (name != "orphan" && name != "foregroundDeletion") list.push_back(name);
    }
    if (propagation == "Orphan") list.push_back("orphan");
    if (propagation == "Foreground") list.push_back("foregroundDeletion");
    object["metadata"].erase("finalizers");
    if (!list.empty()) object["metadata"]["finalizers"] = std::move(list);
}

void mark(Json& object, kubeclient::Instant end, std::int64_t grace) {
    Json& metadata = object["metadata"];
    metadata["deletionTimestamp"] =
        kubeclient::format_time(std::chrono::floor<std::chrono::seconds>(end));
    metadata["deletionGracePeriodSeconds"] = grace;
}

void count_generation(Json& object) {
    if (const auto generation = integer_at(object, {"metadata", "generation"})) {
        object["metadata"]["generation"] = *generation + 1;
    }
}

// The object as its deletion leaves it, if it stays at all. A grace can only be made shorter.
Json dying(const ServerState& state, const Kind& kind, Json object,
           const DeletionOptions& options) {
    const auto grace = grace_of(kind, object, options);
    const auto running = integer_at(object, {"metadata", "deletionGracePeriodSeconds"});
    const auto now = state.clock();
    set_finalizers(object, options.propagation);
    if (!running) {
        const bool held = !items_at(object, {"metadata", "finalizers"}).empty();
        if (grace || held) {
            mark(object, now + std::chrono::seconds(grace.value_or(0)), grace.value_or(0));
            count_generation(object);
        }
        return object;
    }
    if (!options.grace_seconds || !grace || *grace >= *running) return object;
    const auto old_end =
        kubeclient::parse_time(text_at(object, {"metadata", "deletionTimestamp"}).value_or(""));
    const auto began = (old_end.ok() ? old_end.value() : now) - std::chrono::seconds(*running);
    const auto end = began + std::chrono::seconds(*grace);
    mark(object, std::max(end, now), end < now && *grace != 0 ? 1 : *grace);
    return object;
}

bool stays(const Json& object) {
    return !items_at(object, {"metadata", "finalizers"}).empty() ||
           integer_at(object, {"metadata", "deletionGracePeriodSeconds"}).value_or(0) > 0;
}

Object success(const Call& call, const Json& object) {
    Json details{{"name", call.key.name},
                 {"kind", call.kind.resource.plural},
                 {"uid", text_at(object, {"metadata", "uid"}).value_or("")}};
    if (!call.kind.resource.group.empty()) details["group"] = call.kind.resource.group;
    return std::make_shared<const Json>(Json{{"kind", "Status"},
                                             {"apiVersion", "v1"},
                                             {"metadata", Json::object()},
                                             {"status", "Success"},
                                             {"details", details}});
}

// A namespace stays until whoever empties it takes its own finalizer away.
Outcome<Reply> delete_namespace(ServerState& state, const Call& call, const Object& object) {
    const std::string& name = call.key.name;
    if (name == "default" || name == "kube-system" || name == "kube-public") {
        return forbidden(call.kind, name, "this namespace may not be deleted");
    }
    if (find(*object, {"metadata", "deletionTimestamp"}) != nullptr) {
        return conflict(call.kind, name,
                        "The system is ensuring all content is removed from this namespace.  Upon "
                        "completion, this namespace will automatically be purged by the system.");
    }
    Json ending = *object;
    ending["metadata"]["deletionTimestamp"] = now_text(state);
    ending["status"]["phase"] = "Terminating";
    if (call.dry_run) return Reply{200, std::make_shared<const Json>(std::move(ending))};
    return Reply{200, store_object(state, call.kind, call.key, std::move(ending))};
}

// With the definition go the objects of its kind.
void delete_instances(ServerState& state, const Json& definition) {
    const Kind kind = kind_of_definition(definition);
    const Store::Objects objects = state.store.all(kind.resource);
    for (const auto& [key, object] : objects) remove_object(state, kind, key);
}

Outcome<Reply> delete_one(ServerState& state, const Call& call, const Object& object,
                          const DeletionOptions& options, AskAdmission ask) {
    TRY(preconditions_hold(call, *object, options));
    if (ask == AskAdmission::yes) TRY(admit_deletion(state, call, object));
    if (call.kind.kind == "Namespace" && !items_at(*object, {"spec", "finalizers"}).empty()) {
        return delete_namespace(state, call, object);
    }
    Json end = dying(state, call.kind, *object, options);
    const bool remains = stays(end);
    Object last = object;
    if (call.dry_run) {
        last = std::make_shared<const Json>(std::move(end));
    } else if (end != *object) {
        last = store_object(state, call.kind, call.key, std::move(end));
    }
    if (remains) return Reply{200, last};
    if (!call.dry_run) {
        if (call.kind.kind == "CustomResourceDefinition") delete_instances(state, *last);
        remove_object(state, call.kind, call.key);
    }
    return Reply{200, returns_deleted_object(call.kind) ? last : success(call, *last)};
}

}  // namespace

Outcome<Reply> delete_object(ServerState& state, const Call& call, const DeletionOptions& options,
                             AskAdmission ask) {
    const Object object = state.store.get(call.kind.resource, call.key);
    if (!object) return not_found(call.kind, call.key.name);
    Call own = call;
    own.dry_run = options.dry_run;
    return delete_one(state, own, object, options, ask);
}

Outcome<Listing> delete_collection(ServerState& state, const Call& call) {
    TRY_ASSIGN(options, deletion_options(call));
    TRY_ASSIGN(listing, list_objects(state, call));
    for (Object& object : listing.items) {
        Call one = call;
        one.dry_run = options.dry_run;
        one.key = {text_at(*object, {"metadata", "namespace"}).value_or(""),
                   text_at(*object, {"metadata", "name"}).value_or("")};
        const auto outcome = delete_one(state, one, object, options, AskAdmission::yes);
        if (!outcome.ok()) return outcome.error();
    }
    return listing;
}

}  // namespace lab
