#include <nlohmann/json.hpp>
#include <string>

#include "lab/api/discovery.hpp"

namespace lab {

namespace {

Json gvk(const Kind& kind, const KindVersion& version) {
    return {{"group", kind.resource.group}, {"version", version.name}, {"kind", kind.kind}};
}

std::string schema_name(const Kind& kind, const KindVersion& version) {
    return (kind.resource.group.empty() ? "core" : kind.resource.group) + "." + version.name + "." +
           kind.kind;
}

// cli-runtime pkg/resource/query_param_verifier_v3.go asks whether PATCH of the kind knows it.
Json operation(const Kind& kind, const KindVersion& version) {
    Json parameters = Json::array();
    for (const char* name : {"dryRun", "fieldManager", "fieldValidation"}) {
        parameters.push_back({{"name", name},
                              {"in", "query"},
                              {"schema", {{"type", "string"}, {"uniqueItems", true}}}});
    }
    const Json reference{
        {"$ref", "#/components/schemas/" + schema_name(kind, version)},
    };
    return {
        {"parameters", std::move(parameters)},
        {"responses",
         {{"200",
           {{"description", "OK"}, {"content", {{"application/json", {{"schema", reference}}}}}}}}},
        {"x-kubernetes-group-version-kind", gvk(kind, version)}};
}

std::string object_path(const Kind& kind, const KindVersion& version) {
    const std::string root =
        kind.resource.group.empty() ? "/api/" : "/apis/" + kind.resource.group + "/";
    return root + version.name +
           (kind.scope == Scope::namespaced ? "/namespaces/{namespace}" : "") + "/" +
           kind.resource.plural + "/{name}";
}

Json schema_of(const Kind& kind, const KindVersion& version) {
    Json schema =
        version.schema
            ? *version.schema
            : Json{{"type", "object"},
                   {"description", "A built-in kind: the lab keeps no schema of its fields."}};
    schema["x-kubernetes-group-version-kind"] = Json::array({gvk(kind, version)});
    return schema;
}

}  // namespace

Json openapi_index(const Kinds& kinds) {
    Json paths = Json::object();
    for (const auto& [resource, kind] : kinds.all()) {
        for (const auto& version : kind.versions) {
            if (!version.served) continue;
            const std::string path =
                (resource.group.empty() ? "api/" : "apis/" + resource.group + "/") + version.name;
            paths[path] = {{"serverRelativeURL", "/openapi/v3/" + path}};
        }
    }
    return {{"paths", std::move(paths)}};
}

std::optional<Json> openapi_document(const Kinds& kinds, const std::string& group,
                                     const std::string& version) {
    Json paths = Json::object();
    Json schemas = Json::object();
    for (const auto& [resource, kind] : kinds.all()) {
        const KindVersion* found = resource.group == group ? kind.version(version) : nullptr;
        if (found == nullptr) continue;
        paths[object_path(kind, *found)] = {{"get", operation(kind, *found)},
                                            {"patch", operation(kind, *found)}};
        schemas[schema_name(kind, *found)] = schema_of(kind, *found);
    }
    if (paths.empty()) return std::nullopt;
    return Json{{"openapi", "3.0.0"},
                {"info", {{"title", "Kubernetes"}, {"version", "v1.36.3"}}},
                {"paths", std::move(paths)},
                {"components", {{"schemas", std::move(schemas)}}}};
}

}  // namespace lab
