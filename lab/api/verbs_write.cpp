// create, update and patch. Sources: apiserver pkg/registry/rest/{create,update,meta}.go and
// pkg/registry/generic/registry/store.go.
#include <nlohmann/json.hpp>
#include <utility>

#include "lab/api/pod_status.hpp"
#include "lab/api/server_state.hpp"

namespace lab {

using kubeclient::find;
using kubeclient::integer_at;
using kubeclient::text_at;

namespace {

// What belongs to the server, whoever writes.
void keep(Json& metadata, const Json& old_metadata, const char* field) {
    if (const Json* value = find(old_metadata, field)) {
        metadata[field] = *value;
    } else {
        metadata.erase(field);
    }
}

bool same_apart_from(const Json& a, const Json& b, std::initializer_list<const char*> fields) {
    Json left = a;
    Json right = b;
    for (const char* field : fields) {
        left.erase(field);
        right.erase(field);
    }
    return left == right;
}

// Kinds that count their changes: those with a status of their own and what custom resources do.
bool counts_generations(const Kind& kind) {
    return kind.origin == Origin::custom || kind.resource.group == "apps" ||
           kind.resource.group == "batch" || kind.resource.group == "policy" ||
           kind.resource.group == "networking.k8s.io" ||
           kind.resource.group == "apiextensions.k8s.io";
}

std::optional<Refusal> admitted(ServerState& state, Admission& admission) {
    for (Extension* extension : state.extensions) {
        if (auto refusal = extension->admit(admission)) return refusal;
    }
    return std::nullopt;
}

Outcome<Json> admitted_object(ServerState& state, const Call& call, const char* verb,
                              const ObjectKey& key, Object before, Json object) {
    Admission admission;
    admission.verb = verb;
    admission.resource = call.kind.resource;
    admission.subresource = call.subresource;
    admission.key = key;
    admission.user = call.user;
    admission.dry_run = call.dry_run;
    admission.before = std::move(before);
    admission.object = std::make_shared<Json>(std::move(object));
    if (auto refusal = admitted(state, admission)) return *refusal;
    return std::move(*admission.object);
}

Verdict namespace_accepts(const ServerState& state, const Call& call, const std::string& name) {
    if (call.kind.scope == Scope::cluster) return allowed();
    const Kind& namespaces = *state.kinds.find({"", "namespaces"});
    const Object ns = state.store.get(namespaces.resource, {"", call.key.ns});
    if (!ns) return not_found(namespaces, call.key.ns);
    if (find(*ns, {"metadata", "deletionTimestamp"}) == nullptr) return allowed();
    Refusal refusal = forbidden(call.kind, name,
                                "unable to create new content in namespace " + call.key.ns +
                                    " because it is being terminated");
    refusal.causes.push_back({"NamespaceTerminating",
                              "namespace " + call.key.ns + " is being terminated",
                              "metadata.namespace"});
    return refusal;
}

bool being_removed(const Json& object) {
    const Json* finalizers = find(object, {"metadata", "finalizers"});
    return find(object, {"metadata", "deletionTimestamp"}) != nullptr &&
           (finalizers == nullptr || finalizers->empty()) &&
           integer_at(object, {"metadata", "deletionGracePeriodSeconds"}).value_or(0) == 0;
}

// The parts of the new object that this request may change.
Json merged(const Call& call, const Object& before, Json object) {
    if (call.subresource == "status") {
        Json result = *before;
        if (object.contains("status")) {
            result["status"] = object["status"];
        } else {
            result.erase("status");
        }
        return result;
    }
    if (!call.version.has_status) return object;
    if (before->contains("status")) {
        object["status"] = before->at("status");
    } else {
        object.erase("status");
    }
    return object;
}

Outcome<Json> prepared(ServerState& state, const Call& call, const Object& before, Json object) {
    const std::string& name = call.key.name;
    Json& metadata = object["metadata"];
    if (text_at(metadata, {"name"}).value_or(name) != name) {
        return bad_request("the name of the object (" + text_at(metadata, {"name"}).value_or("") +
                           ") does not match the name on the URL (" + name + ")");
    }
    const auto version = text_at(metadata, {"resourceVersion"}).value_or("");
    const Json& old_metadata = before->at("metadata");
    if (version.empty() && call.kind.origin == Origin::custom &&
        call.request.method == kubeclient::Method::put) {
        return invalid(call.kind, name,
                       {{"FieldValueInvalid", "Invalid value: 0x0: must be specified for an update",
                         "metadata.resourceVersion"}});
    }
    if (!version.empty() && version != text_at(old_metadata, {"resourceVersion"})) {
        return modified_meanwhile(call.kind, name);
    }
    object = merged(call, before, std::move(object));
    for (const char* field :
         {"uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
          "generation", "resourceVersion", "name", "namespace", "generateName"}) {
        keep(object["metadata"], old_metadata, field);
    }
    object["metadata"].erase("managedFields");
    object["apiVersion"] = before->at("apiVersion");
    object["kind"] = before->at("kind");
    if (counts_generations(call.kind) && call.subresource.empty()) {
        const bool same = call.version.has_status || call.kind.origin == Origin::built_in
                              ? same_apart_from(*before, object, {"metadata", "status"})
                              : same_apart_from(*before, object, {"metadata"});
        const auto generation = integer_at(old_metadata, {"generation"}).value_or(0);
        if (!same) object["metadata"]["generation"] = generation + 1;
    }
    return admitted_object(state, call, "update", call.key, before, std::move(object));
}

}  // namespace

Outcome<Reply> create_object(ServerState& state, const Call& call, Json body) {
    Json& metadata = body["metadata"];
    ObjectKey key{call.key.ns, text_at(metadata, {"name"}).value_or("")};
    if (key.name.empty()) {
        const auto prefix = text_at(metadata, {"generateName"}).value_or("");
        if (prefix.empty()) {
            return invalid(call.kind, "",
                           {{"FieldValueRequired",
                             "Required value: name or generateName is "
                             "required",
                             "metadata.name"}});
        }
        key.name = prefix + state.names.suffix();
        metadata["name"] = key.name;
    }
    if (text_at(metadata, {"namespace"}).value_or(key.ns) != key.ns) {
        return bad_request(
            "the namespace of the provided object does not match the namespace sent "
            "on the request");
    }
    TRY(namespace_accepts(state, call, key.name));
    if (!key.ns.empty()) metadata["namespace"] = key.ns;
    metadata["uid"] = state.names.uid();
    metadata["creationTimestamp"] = now_text(state);
    for (const char* field : {"resourceVersion", "deletionTimestamp", "managedFields",
                              "deletionGracePeriodSeconds", "selfLink", "generation"}) {
        metadata.erase(field);
    }
    if (counts_generations(call.kind)) metadata["generation"] = 1;
    if (call.version.has_status) body.erase("status");
    if (call.kind.resource == ResourceId{"", "pods"}) body["status"] = first_pod_status(body);
    body["kind"] = call.kind.kind;
    body["apiVersion"] = call.kind.api_version(call.kind.storage_version());
    TRY_ASSIGN(object, admitted_object(state, call, "create", key, nullptr, std::move(body)));
    if (state.store.get(call.kind.resource, key)) return already_exists(call.kind, key.name);
    const Object stored = call.dry_run ? std::make_shared<const Json>(std::move(object))
                                       : store_object(state, call.kind, key, std::move(object));
    return Reply{201, shown(stored, call)};
}

Outcome<Reply> update_object(ServerState& state, const Call& call, Json body) {
    const Object before = state.store.get(call.kind.resource, call.key);
    if (!before) return not_found(call.kind, call.key.name);
    TRY_ASSIGN(object, prepared(state, call, before, std::move(body)));
    if (object == *before) return Reply{200, shown(before, call)};
    if (call.dry_run) {
        return Reply{200, shown(std::make_shared<const Json>(std::move(object)), call)};
    }
    if (being_removed(object)) {
        const Object last = std::make_shared<const Json>(std::move(object));
        remove_object(state, call.kind, call.key);
        return Reply{200, shown(last, call)};
    }
    return Reply{200, shown(store_object(state, call.kind, call.key, std::move(object)), call)};
}

Outcome<Reply> patch_object(ServerState& state, const Call& call) {
    const Object before = state.store.get(call.kind.resource, call.key);
    if (!before) return not_found(call.kind, call.key.name);
    auto patch = kubeclient::parse_json(call.request.body, "patch");
    if (!patch.ok()) return bad_request(patch.error().message);
    Json object = *shown(before, call);
    if (call.request.content_type == "application/merge-patch+json") {
        object.merge_patch(patch.value());
    } else if (call.request.content_type == "application/json-patch+json") {
        try {
            object = object.patch(patch.value());
        } catch (const Json::exception& error) {
            Refusal refusal{422, "Invalid",
                            "the server rejected our request due to an error in "
                            "our request"};
            return refusal;
        }
    } else {
        return unsupported_media_type(
            {"application/json-patch+json", "application/merge-patch+json"});
    }
    return update_object(state, call, std::move(object));
}

}  // namespace lab
