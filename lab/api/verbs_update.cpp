// update and patch. Sources: apiserver pkg/registry/rest/update.go,
// pkg/registry/generic/registry/store.go, pkg/endpoints/handlers/patch.go.
#include <nlohmann/json.hpp>
#include <utility>

#include "lab/api/admission.hpp"
#include "lab/api/body.hpp"
#include "lab/api/object_meta.hpp"
#include "lab/api/options.hpp"
#include "lab/api/patch.hpp"
#include "lab/api/pod_rules.hpp"
#include "lab/api/rules.hpp"
#include "lab/api/schema.hpp"

namespace lab {

using kubeclient::find;
using kubeclient::integer_at;
using kubeclient::text_at;

namespace {

// What belongs to the server, whoever writes.
void keep(Json& metadata, const Json& before, const char* field) {
    if (const Json* value = find(before, field)) {
        metadata[field] = *value;
    } else {
        metadata.erase(field);
    }
}

void replace_member(Json& object, const Json& from, const char* name) {
    if (from.contains(name)) {
        object[name] = from.at(name);
    } else {
        object.erase(name);
    }
}

bool is_same_but(Json left, Json right, std::initializer_list<const char*> members) {
    for (const char* member : members) {
        left.erase(member);
        right.erase(member);
    }
    return left == right;
}

// Where status is a sub-resource, each of the two ways changes only its own part. Kinds that are
// built in let status writers change labels and annotations as well.
Json only_own_part(const Call& call, const Json& before, Json object) {
    if (call.subresource == "status") {
        Json result = before;
        replace_member(result, object, "status");
        if (call.kind.origin == Origin::built_in) result["metadata"] = object["metadata"];
        return result;
    }
    if (call.subresource == "finalize") {
        Json result = before;
        replace_member(result["spec"], object["spec"], "finalizers");
        return result;
    }
    if (call.version.has_status) replace_member(object, before, "status");
    if (call.kind.kind == "Namespace") replace_member(object, before, "spec");
    return object;
}

// The key under which kube-apiserver has it in etcd, which it tells in some refusals.
std::string storage_key(const Call& call) {
    const Kind& kind = call.kind;
    std::string path = kind.resource.plural;
    if (kind.kind == "Node") path = "minions";
    if (kind.kind == "Service") path = "services/specs";
    if (kind.kind == "Endpoints") path = "services/endpoints";
    if (kind.origin == Origin::custom || kind.resource.group == "apiextensions.k8s.io") {
        path = kind.resource.group + "/" + path;
    }
    return "/registry/" + path + "/" + (call.key.ns.empty() ? "" : call.key.ns + "/") +
           call.key.name;
}

Verdict check_identity(const Call& call, const Json& metadata, const Json& before) {
    const std::string& name = call.key.name;
    const auto own = text_at(metadata, {"name"}).value_or("");
    if (own != name && (!own.empty() || call.request.method == kubeclient::Method::patch)) {
        return bad_request("the name of the object (" + own +
                           ") does not match the name on the URL (" + name + ")");
    }
    if (text_at(metadata, {"namespace"}).value_or(call.key.ns) != call.key.ns) {
        return bad_request(
            "the namespace of the provided object does not match the namespace sent "
            "on the request");
    }
    const auto uid = text_at(metadata, {"uid"}).value_or("");
    const auto is = text_at(before, {"uid"}).value_or("");
    if (call.request.method == kubeclient::Method::put && !uid.empty() && uid != is) {
        return conflict(call.kind, name,
                        "StorageError: invalid object, Code: 4, Key: " + storage_key(call) +
                            ", ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID "
                            "in precondition: " +
                            uid + ", UID in object meta: " + is);
    }
    return allowed();
}

Verdict check_version(const Call& call, const Json& metadata, const Json& before) {
    const auto version = text_at(metadata, {"resourceVersion"}).value_or("");
    if (version.empty() || version == "0") {
        if (allows_unconditional_update(call.kind)) return allowed();
        Refusal refusal =
            invalid(call.kind, call.key.name,
                    {{"FieldValueInvalid", "Invalid value: 0: must be specified for an update",
                      "metadata.resourceVersion"}});
        // Here the API server names the resource instead of the kind.
        refusal.message =
            call.kind.qualified() + refusal.message.substr(refusal.message.find(" \""));
        refusal.kind = call.kind.resource.plural;
        return refusal;
    }
    const auto number = revision_of(version, "");
    if (!number.ok()) {
        return internal("strconv.ParseUint: parsing \"" + version + "\": invalid syntax");
    }
    if (version == text_at(before, {"resourceVersion"})) return allowed();
    return modified_meanwhile(call.kind, call.key.name);
}

void take_over_metadata(Json& object, const Json& before) {
    Json& metadata = object["metadata"];
    for (const char* field :
         {"creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation",
          "resourceVersion", "name", "namespace", "generateName"}) {
        keep(metadata, before, field);
    }
    if (text_at(metadata, {"uid"}).value_or("").empty()) keep(metadata, before, "uid");
    drop_empty_metadata(metadata);
}

// A custom resource without a status sub-resource counts changes of status as well.
void count_generation(const Call& call, const Json& before, Json& object) {
    if (!counts_generations(call.kind) || !call.subresource.empty()) return;
    const bool separate = call.version.has_status || call.kind.origin == Origin::built_in;
    const bool same = separate ? is_same_but(before, object, {"metadata", "status"})
                               : is_same_but(before, object, {"metadata"});
    if (same) return;
    const auto generation = integer_at(before, {"metadata", "generation"}).value_or(0);
    object["metadata"]["generation"] = generation + 1;
}

std::vector<Cause> problems_of(const Call& call, const Json& object, const Json& before) {
    auto causes = problems_of_changed_metadata(object.at("metadata"), before.at("metadata"));
    auto more = call.version.schema        ? problems_by_schema(object, *call.version.schema)
                : call.subresource.empty() ? problems_of_changed_object(call.kind, object, before)
                                           : std::vector<Cause>{};
    causes.insert(causes.end(), more.begin(), more.end());
    return causes;
}

bool has_any(const Json& object, std::initializer_list<std::string_view> path) {
    const Json* list = find(object, path);
    return list != nullptr && !list->empty();
}

// What was only held by finalizers goes with the last of them.
bool is_let_go(const Kind& kind, const Json& object) {
    if (find(object, {"metadata", "deletionTimestamp"}) == nullptr) return false;
    if (has_any(object, {"metadata", "finalizers"})) return false;
    if (kind.kind == "Namespace" && has_any(object, {"spec", "finalizers"})) return false;
    return integer_at(object, {"metadata", "deletionGracePeriodSeconds"}).value_or(0) == 0;
}

// Stores what `body` makes of `before`.
Outcome<Reply> replace_by(ServerState& state, const Call& call, const Object& before, Body body) {
    Json object = std::move(*body.object);
    if (!object["metadata"].is_object()) object["metadata"] = Json::object();
    const Json& old_metadata = before->at("metadata");
    TRY(check_identity(call, object["metadata"], old_metadata));
    TRY(check_version(call, object["metadata"], old_metadata));
    object["apiVersion"] = before->at("apiVersion");
    object["kind"] = before->at("kind");
    object = only_own_part(call, *before, std::move(object));
    take_over_metadata(object, old_metadata);
    if (call.version.schema) fill_in_defaults(object, *call.version.schema);
    if (call.kind.kind == "Pod" && call.subresource.empty()) add_default_tolerations(object);
    count_generation(call, *before, object);
    const auto causes = problems_of(call, object, *before);
    if (!causes.empty()) return invalid(call.kind, call.key.name, causes);
    TRY_ASSIGN(admitted, admit_object(state, call, "update", call.key, before, std::move(object)));
    Reply reply{200, before, warnings_of(call, std::move(body.complaints))};
    if (admitted == *before) return reply;
    if (is_let_go(call.kind, admitted) && !call.dry_run) {
        reply.body = std::make_shared<const Json>(std::move(admitted));
        remove_object(state, call.kind, call.key);
        return reply;
    }
    reply.body = call.dry_run ? std::make_shared<const Json>(std::move(admitted))
                              : store_object(state, call.kind, call.key, std::move(admitted));
    return reply;
}

enum class PatchType { json, merge, strategic };

Outcome<PatchType> patch_type(const Call& call) {
    const std::string& whole = call.request.content_type;
    const std::string type = whole.substr(0, whole.find(';'));
    if (type == "application/json-patch+json") return PatchType::json;
    if (type == "application/merge-patch+json") return PatchType::merge;
    const bool custom = call.kind.origin == Origin::custom;
    if (type == "application/strategic-merge-patch+json" && !custom) return PatchType::strategic;
    const bool apply = type == "application/apply-patch+yaml";  // not in the lab
    if (custom) {
        std::vector<std::string> types{"application/json-patch+json",
                                       "application/merge-patch+json"};
        if (!apply) types.push_back("application/apply-patch+yaml");
        return unsupported_media_type(types);
    }
    Refusal refusal{415, "UnsupportedMediaType", "415: Unsupported Media Type"};
    refusal.empty_details = true;
    return refusal;
}

Outcome<Json> decoded_patch(const std::string& text, PatchType type) {
    auto patch = kubeclient::parse_json(text, "patch");
    const std::string before = type == PatchType::strategic ? "" : "error decoding patch: ";
    if (!patch.ok()) {
        const std::string& ours = patch.error().message;
        const bool ends = ours.find("unexpected end of input") != std::string::npos;
        return bad_request(before + (ends ? "unexpected end of JSON input" : ours));
    }
    const bool list = type == PatchType::json;
    if (list ? patch.value().is_array() : patch.value().is_object()) {
        return std::move(patch).value();
    }
    return bad_request(before + "json: cannot unmarshal " + patch.value().type_name() +
                       " into Go value of type " +
                       (list ? "[]handlers.jsonPatchOp" : "map[string]interface {}"));
}

Outcome<Json> patched(Json object, const Json& patch, PatchType type) {
    if (type == PatchType::json) return apply_json_patch(std::move(object), patch);
    if (type == PatchType::strategic) return apply_strategic_merge(std::move(object), patch);
    return apply_merge_patch(std::move(object), patch);
}

}  // namespace

Outcome<Reply> update_object(ServerState& state, const Call& call) {
    TRY(check_write_options(call, "UpdateOptions"));
    TRY_ASSIGN(body, object_of(call));
    const Object before = state.store.get(call.kind.resource, call.key);
    if (!before) return not_found(call.kind, call.key.name);
    return replace_by(state, call, before, std::move(body));
}

Outcome<Reply> patch_object(ServerState& state, const Call& call) {
    TRY_ASSIGN(type, patch_type(call));
    TRY(check_write_options(call, "PatchOptions"));
    const Object before = state.store.get(call.kind.resource, call.key);
    if (!before) return not_found(call.kind, call.key.name);
    TRY_ASSIGN(patch, decoded_patch(call.request.body, type));
    Json object = *before;
    object["apiVersion"] = call.kind.api_version(call.version);
    TRY_ASSIGN(result, patched(std::move(object), patch, type));
    auto duplicates =
        type == PatchType::json ? std::vector<std::string>{} : duplicate_fields(call.request.body);
    TRY_ASSIGN(body, object_of_patch(call, std::move(result), std::move(duplicates)));
    return replace_by(state, call, before, std::move(body));
}

}  // namespace lab
