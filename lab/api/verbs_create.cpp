// Source: apiserver pkg/registry/rest/create.go, pkg/registry/generic/registry/store.go.
#include <nlohmann/json.hpp>
#include <utility>

#include "lab/api/admission.hpp"
#include "lab/api/body.hpp"
#include "lab/api/object_meta.hpp"
#include "lab/api/options.hpp"
#include "lab/api/pod_rules.hpp"
#include "lab/api/quota.hpp"
#include "lab/api/rules.hpp"
#include "lab/api/schema.hpp"

namespace lab {

using kubeclient::text_at;

namespace {

// The name, made up from generateName where there is none.
std::string name_of(ServerState& state, Json& metadata) {
    const auto name = text_at(metadata, {"name"}).value_or("");
    const auto prefix = text_at(metadata, {"generateName"}).value_or("");
    if (!name.empty() || prefix.empty()) return name;
    metadata["name"] = prefix.substr(0, 58) + state.names.suffix();
    return metadata["name"].get<std::string>();
}

void identify(ServerState& state, const Call& call, Json& object) {
    Json& metadata = object["metadata"];
    for (const char* field :
         {"resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"}) {
        metadata.erase(field);
    }
    drop_empty_metadata(metadata);
    if (call.kind.scope == Scope::namespaced) metadata["namespace"] = call.key.ns;
    metadata["uid"] = state.names.uid();
    metadata["creationTimestamp"] = now_text(state);
    if (counts_generations(call.kind)) metadata["generation"] = 1;
    object["kind"] = call.kind.kind;
    object["apiVersion"] = call.kind.api_version(call.kind.storage_version());
}

std::vector<Cause> problems_of(const Call& call, const Json& object) {
    auto causes = problems_of_new_metadata(call.kind, object.at("metadata"));
    auto more = call.version.schema ? problems_by_schema(object, *call.version.schema)
                                    : problems_of_new_object(call.kind, object);
    causes.insert(causes.end(), more.begin(), more.end());
    return causes;
}

Refusal exists_already(const Kind& kind, const Object& present) {
    const auto name = text_at(*present, {"metadata", "name"}).value_or("");
    Refusal refusal = already_exists(kind, name);
    if (kubeclient::find(*present, {"metadata", "deletionTimestamp"}) != nullptr) {
        refusal.message = "object is being deleted: " + refusal.message;
    }
    return refusal;
}

}  // namespace

Outcome<Reply> create_object(ServerState& state, const Call& call) {
    TRY(check_write_options(call, "CreateOptions"));
    TRY_ASSIGN(body, object_of(call));
    Json object = std::move(*body.object);
    if (!object.contains("metadata") || object["metadata"].is_null()) {
        object["metadata"] = Json::object();
    }
    Json& metadata = object["metadata"];
    const ObjectKey key{call.key.ns, name_of(state, metadata)};
    if (call.kind.scope == Scope::namespaced &&
        text_at(metadata, {"namespace"}).value_or(key.ns) != key.ns) {
        return bad_request(
            "the namespace of the provided object does not match the namespace sent "
            "on the request");
    }
    if (!text_at(metadata, {"resourceVersion"}).value_or("").empty()) {
        return internal("resourceVersion should not be set on objects to be created");
    }
    TRY(namespace_accepts(state, call, key.name));
    identify(state, call, object);
    if (call.version.has_status) object.erase("status");
    fill_in_new_object(state, call.kind, object);
    if (call.kind.kind == "Pod") TRY(admit_priority(state, call.kind, object));
    if (call.version.schema) fill_in_defaults(object, *call.version.schema);
    const auto causes = problems_of(call, object);
    if (!causes.empty()) return invalid(call.kind, key.name, causes);
    TRY_ASSIGN(admitted, admit_object(state, call, "create", key, nullptr, std::move(object)));
    TRY(charge_quotas(state, call, admitted));
    if (const Object present = state.store.get(call.kind.resource, key)) {
        return exists_already(call.kind, present);
    }
    Reply reply{201, nullptr, warnings_of(call, body.complaints)};
    reply.body = call.dry_run ? std::make_shared<const Json>(std::move(admitted))
                              : store_object(state, call.kind, key, std::move(admitted));
    return reply;
}

}  // namespace lab
