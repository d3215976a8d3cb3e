#include "lab/api/discovery.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "lab/api/status.hpp"

namespace lab {

namespace {

using kubeclient::Request;
using kubeclient::Response;

// Resources that hold no objects of their own.
struct Extra {
    std::string_view group;
    std::string_view version;
    std::string_view name;  // with a slash: a sub-resource
    std::string_view singular;
    std::string_view kind;
    std::string_view kind_group;  // of the kind, where it is another's
    std::string_view kind_version;
    Scope scope;
    std::string_view verb;
};

constexpr std::array kExtras{
    Extra{"", "v1", "pods/binding", "", "Binding", "", "", Scope::namespaced, "create"},
    Extra{"", "v1", "pods/eviction", "", "Eviction", "policy", "v1", Scope::namespaced, "create"},
    Extra{"", "v1", "pods/log", "", "Pod", "", "", Scope::namespaced, "get"},
    Extra{"authentication.k8s.io", "v1", "selfsubjectreviews", "selfsubjectreview",
          "SelfSubjectReview", "", "", Scope::cluster, "create"},
    Extra{"authorization.k8s.io", "v1", "selfsubjectaccessreviews", "selfsubjectaccessreview",
          "SelfSubjectAccessReview", "", "", Scope::cluster, "create"},
    Extra{"authorization.k8s.io", "v1", "selfsubjectrulesreviews", "selfsubjectrulesreview",
          "SelfSubjectRulesReview", "", "", Scope::cluster, "create"},
};

// Group to versions, the preferred one first.
using Groups = std::map<std::string, std::vector<std::string>>;

Groups groups_of(const Kinds& kinds) {
    Groups groups;
    const auto add = [&](const std::string& group, const std::string& version, bool first) {
        auto& versions = groups[group];
        if (std::find(versions.begin(), versions.end(), version) != versions.end()) return;
        versions.insert(first ? versions.begin() : versions.end(), version);
    };
    for (const auto& [resource, kind] : kinds.all()) {
        for (const auto& version : kind.versions) {
            if (version.served) add(resource.group, version.name, version.storage);
        }
    }
    for (const Extra& extra : kExtras) {
        add(std::string(extra.group), std::string(extra.version), false);
    }
    return groups;
}

std::string group_version(const std::string& group, const std::string& version) {
    return group.empty() ? version : group + "/" + version;
}

std::vector<std::string> verbs_of(const Kind& kind) {
    if (kind.origin == Origin::custom) {
        return {"delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"};
    }
    return {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
}

// What is served under one group version, as rows of an APIResourceList.
struct Resource {
    std::string name{};  // with a slash: a sub-resource
    std::string singular{};
    std::string kind{};
    std::string kind_group{};
    std::string kind_version{};
    Scope scope = Scope::namespaced;
    std::vector<std::string> verbs{};
    std::vector<std::string> short_names{};
    std::vector<std::string> categories{};
};

std::vector<Resource> resources_of(const Kinds& kinds, const std::string& group,
                                   const std::string& version) {
    std::vector<Resource> resources;
    for (const auto& [resource, kind] : kinds.all()) {
        if (resource.group != group || kind.version(version) == nullptr) continue;
        resources.push_back({resource.plural, kind.singular, kind.kind, group, version, kind.scope,
                             verbs_of(kind), kind.short_names, kind.categories});
        if (!kind.version(version)->has_status) continue;
        resources.push_back({resource.plural + "/status",
                             "",
                             kind.kind,
                             group,
                             version,
                             kind.scope,
                             {"get", "patch", "update"},
                             {},
                             {}});
    }
    for (const Extra& extra : kExtras) {
        if (extra.group != group || extra.version != version) continue;
        const bool own = extra.kind_version.empty();
        resources.push_back({std::string(extra.name),
                             std::string(extra.singular),
                             std::string(extra.kind),
                             own ? group : std::string(extra.kind_group),
                             own ? version : std::string(extra.kind_version),
                             extra.scope,
                             {std::string(extra.verb)},
                             {},
                             {}});
    }
    std::sort(resources.begin(), resources.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    return resources;
}

// metav1.APIResourceList.
Json resource_list(const Kinds& kinds, const std::string& group, const std::string& version) {
    Json rows = Json::array();
    for (const Resource& resource : resources_of(kinds, group, version)) {
        Json row{{"name", resource.name},
                 {"singularName", resource.singular},
                 {"namespaced", resource.scope == Scope::namespaced},
                 {"kind", resource.kind},
                 {"verbs", resource.verbs}};
        if (resource.kind_group != group) {
            row["group"] = resource.kind_group;
            row["version"] = resource.kind_version;
        }
        if (!resource.short_names.empty()) row["shortNames"] = resource.short_names;
        if (!resource.categories.empty()) row["categories"] = resource.categories;
        rows.push_back(std::move(row));
    }
    return {{"kind", "APIResourceList"},
            {"apiVersion", "v1"},
            {"groupVersion", group_version(group, version)},
            {"resources", std::move(rows)}};
}

Json api_group(const std::string& group, const std::vector<std::string>& versions) {
    Json rows = Json::array();
    for (const auto& version : versions) {
        rows.push_back({{"groupVersion", group_version(group, version)}, {"version", version}});
    }
    return {{"name", group}, {"versions", rows}, {"preferredVersion", rows.at(0)}};
}

Json discovered(const Resource& resource) {
    Json row{{"responseKind",
              {{"group", resource.kind_group},
               {"version", resource.kind_version},
               {"kind", resource.kind}}},
             {"verbs", resource.verbs}};
    const auto slash = resource.name.find('/');
    if (slash != std::string::npos) {
        row["subresource"] = resource.name.substr(slash + 1);
        return row;
    }
    row["resource"] = resource.name;
    row["scope"] = resource.scope == Scope::namespaced ? "Namespaced" : "Cluster";
    row["singularResource"] = resource.singular;
    if (!resource.short_names.empty()) row["shortNames"] = resource.short_names;
    if (!resource.categories.empty()) row["categories"] = resource.categories;
    return row;
}

// apidiscovery.k8s.io/v2 APIGroupDiscovery.
Json group_discovery(const Kinds& kinds, const std::string& group,
                     const std::vector<std::string>& versions) {
    Json rows = Json::array();
    for (const auto& version : versions) {
        Json resources = Json::array();
        for (const Resource& resource : resources_of(kinds, group, version)) {
            Json row = discovered(resource);
            if (row.contains("subresource")) {
                resources.back()["subresources"].push_back(std::move(row));
            } else {
                resources.push_back(std::move(row));
            }
        }
        rows.push_back({{"version", version}, {"resources", resources}, {"freshness", "Current"}});
    }
    Json metadata = Json::object();
    if (!group.empty()) metadata["name"] = group;
    return {{"metadata", std::move(metadata)}, {"versions", std::move(rows)}};
}

constexpr std::string_view kAggregated =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

Response aggregated(const Kinds& kinds, bool core) {
    Json items = Json::array();
    for (const auto& [group, versions] : groups_of(kinds)) {
        if (group.empty() == core) items.push_back(group_discovery(kinds, group, versions));
    }
    const Json list{{"kind", "APIGroupDiscoveryList"},
                    {"apiVersion", "apidiscovery.k8s.io/v2"},
                    {"metadata", Json::object()},
                    {"items", std::move(items)}};
    return {200, {{"content-type", std::string(kAggregated)}}, kubeclient::to_line(list) + "\n"};
}

Response versions_list() {
    return reply(200, {{"kind", "APIVersions"},
                       {"versions", {"v1"}},
                       {"serverAddressByClientCIDRs", Json::array()}});
}

Response group_list(const Kinds& kinds) {
    Json groups = Json::array();
    for (const auto& [group, versions] : groups_of(kinds)) {
        if (!group.empty()) groups.push_back(api_group(group, versions));
    }
    return reply(200, {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", groups}});
}

// Of the release that the lab is held against (ARCHITECTURE.md).
Response server_version() {
    return reply(200, {{"major", "1"},
                       {"minor", "36"},
                       {"gitVersion", "v1.36.3"},
                       {"gitCommit", ""},
                       {"gitTreeState", "clean"},
                       {"buildDate", "1970-01-01T00:00:00Z"},
                       {"goVersion", "lab"},
                       {"compiler", "lab"},
                       {"platform", "linux/amd64"}});
}

std::vector<std::string> segments_of(std::string_view path) {
    std::vector<std::string> segments;
    while (!path.empty()) {
        const auto segment = path.substr(0, path.find('/'));
        path.remove_prefix(std::min(path.size(), segment.size() + 1));
        if (!segment.empty()) segments.emplace_back(segment);
    }
    return segments;
}

std::optional<Response> serve_group(const Kinds& kinds, const std::vector<std::string>& path) {
    const auto groups = groups_of(kinds);
    const bool core = path.front() == "api";
    const auto group = groups.find(core ? "" : path.at(1));
    if (group == groups.end()) return std::nullopt;
    if (!core && path.size() == 2) {
        Json document = api_group(group->first, group->second);
        document.update({{"kind", "APIGroup"}, {"apiVersion", "v1"}});
        return reply(200, document);
    }
    const auto& versions = group->second;
    const bool known = std::find(versions.begin(), versions.end(), path.back()) != versions.end();
    if (!known) return std::nullopt;
    return reply(200, resource_list(kinds, group->first, path.back()));
}

std::optional<Response> serve_openapi(const Kinds& kinds, const std::vector<std::string>& path) {
    if (path.size() < 2 || path.at(1) != "v3") return std::nullopt;
    if (path.size() == 2) return reply(200, openapi_index(kinds));
    const bool core = path.size() == 4 && path.at(2) == "api";
    if (!core && (path.size() != 5 || path.at(2) != "apis")) return std::nullopt;
    const auto document = openapi_document(kinds, core ? "" : path.at(3), path.back());
    if (!document) return std::nullopt;
    return reply(200, *document);
}

}  // namespace

std::optional<Response> Discovery::serve(const User& /*user*/, const Request& request) {
    if (request.method != kubeclient::Method::get) return std::nullopt;
    const auto path = segments_of(request.path);
    if (path.empty()) return std::nullopt;
    const auto& first = path.front();
    if (path.size() == 1 && (first == "healthz" || first == "livez" || first == "readyz")) {
        return Response{200, {{"content-type", "text/plain; charset=utf-8"}}, "ok"};
    }
    if (path.size() == 1 && first == "version") return server_version();
    if (first == "openapi") return serve_openapi(kinds_, path);
    if (first != "api" && first != "apis") return std::nullopt;
    if (path.size() == 1) {
        if (request.accept.find(kAggregated) != std::string::npos) {
            return aggregated(kinds_, first == "api");
        }
        return first == "api" ? versions_list() : group_list(kinds_);
    }
    if (path.size() > (first == "api" ? 2U : 3U)) return std::nullopt;
    return serve_group(kinds_, path);
}

}  // namespace lab
