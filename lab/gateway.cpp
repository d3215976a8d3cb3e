#include "lab/gateway.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "lab/api/protobuf.hpp"
#include "lab/api/route.hpp"
#include "lab/api/table.hpp"

namespace lab {

namespace {

using kubeclient::Request;
using kubeclient::Response;

constexpr std::string_view kAccountPrefix = "system:serviceaccount:";

// Namespace and name; nullopt where it is no service account.
std::optional<ObjectKey> service_account(std::string_view user) {
    if (!user.starts_with(kAccountPrefix)) return std::nullopt;
    user.remove_prefix(kAccountPrefix.size());
    const auto colon = user.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    return ObjectKey{std::string(user.substr(0, colon)), std::string(user.substr(colon + 1))};
}

Attributes to_impersonate(std::string group, std::string resource, std::string name) {
    Attributes attributes;
    attributes.verb = "impersonate";
    attributes.group = std::move(group);
    attributes.resource = std::move(resource);
    attributes.name = std::move(name);
    return attributes;
}

// One right for each thing that is taken on.
std::vector<Attributes> rights_for(const kubeclient::Impersonation& wanted) {
    const std::string authentication = "authentication.k8s.io";
    std::vector<Attributes> rights;
    if (const auto account = service_account(wanted.user)) {
        rights.push_back(to_impersonate("", "serviceaccounts", account->name));
        rights.back().ns = account->ns;
    } else {
        rights.push_back(to_impersonate("", "users", wanted.user));
    }
    for (const auto& group : wanted.groups) rights.push_back(to_impersonate("", "groups", group));
    for (const auto& [key, values] : wanted.extra) {
        for (const auto& value : values) {
            rights.push_back(to_impersonate(authentication, "userextras", value));
            rights.back().subresource = key;
        }
    }
    if (!wanted.uid.empty()) {
        rights.push_back(to_impersonate(authentication, "uids", wanted.uid));
    }
    return rights;
}

RowObject row_object_of(const Request& request) {
    const auto wanted = parameter(request, "includeObject");
    if (wanted == "None") return RowObject::none;
    return wanted == "Object" ? RowObject::whole : RowObject::metadata;
}

}  // namespace

Gateway::Gateway(ApiServer& server, ApiServer::Clock clock, Tokens tokens)
    : server_(server),
      clock_(std::move(clock)),
      tokens_(std::move(tokens)),
      rbac_(server.objects()),
      reviews_(rbac_, clock_),
      discovery_(server.kinds()) {
    server_.authorize_with([this](const User& user, const Attributes& attributes) {
        return rbac_.authorize(user, attributes);
    });
    server_.extend(reviews_);
    server_.extend(discovery_);
}

Outcome<User> Gateway::user_of(const Caller& caller) const {
    User user{"system:anonymous", {"system:unauthenticated"}};
    if (caller.token) {
        const auto known = tokens_.find(*caller.token);
        if (known == tokens_.end()) return Refusal{401, "Unauthorized", "Unauthorized"};
        user = known->second;
        user.groups.emplace_back("system:authenticated");
    }
    const auto& as = caller.impersonate;
    const bool wanted =
        !as.user.empty() || !as.groups.empty() || !as.uid.empty() || !as.extra.empty();
    if (!wanted) return user;
    return impersonated(user, as);
}

// apiserver pkg/endpoints/filters/impersonation.go.
Outcome<User> Gateway::impersonated(const User& user,
                                    const kubeclient::Impersonation& wanted) const {
    if (wanted.user.empty()) {
        return bad_request("requested an impersonation without impersonating a user name");
    }
    for (const Attributes& right : rights_for(wanted)) {
        if (auto refusal = rbac_.authorize(user, right)) return std::move(*refusal);
    }
    User other{wanted.user, wanted.groups};
    const auto account = service_account(wanted.user);
    if (account && wanted.groups.empty()) {
        other.groups = {"system:serviceaccounts", "system:serviceaccounts:" + account->ns};
    }
    other.groups.emplace_back(wanted.user == "system:anonymous" ? "system:unauthenticated"
                                                                : "system:authenticated");
    return other;
}

// How objects of the resource that is asked for are to be shown; null: as they are.
std::function<Json(const Json&)> Gateway::shape_for(const Request& request) const {
    const Shape shape = shape_asked(request.accept);
    if (shape == Shape::object || shape == Shape::unknown ||
        request.method != kubeclient::Method::get)
        return {};
    const auto route = route_of(request.path);
    const Kind* kind = route ? server_.kinds().find(route->resource) : nullptr;
    const KindVersion* version = kind != nullptr ? kind->version(route->version) : nullptr;
    const bool own = route && (route->subresource.empty() || route->subresource == "status");
    if (version == nullptr || !own) return {};
    if (shape == Shape::metadata_only) return as_metadata;
    return
        [layout = table_layout(*kind, *version), row_object = row_object_of(request),
         clock = clock_](const Json& body) { return as_table(body, layout, row_object, clock()); };
}

Response Gateway::shaped(Response response, const Request& request) const {
    if (response.status != 200) return response;
    const auto shape = shape_for(request);
    if (!shape) return response;
    const auto body = kubeclient::parse_json(response.body, "body");
    if (!body.ok()) return response;
    response.body = kubeclient::to_line(shape(*body)) + "\n";
    return response;
}

Response Gateway::handle(const Caller& caller, const Request& request) {
    const auto user = user_of(caller);
    if (!user.ok()) return reply(user.error());
    const auto route = route_of(request.path);
    if (route && server_.kinds().find(route->resource) != nullptr && route->subresource.empty() &&
        shape_asked(request.accept) == Shape::unknown) {
        return reply(Refusal{406, "NotAcceptable",
                             "only the following media types are accepted: application/json"});
    }
    if (!is_protobuf(request.content_type) || request.body.empty()) {
        return shaped(server_.handle(user.value(), request), request);
    }
    const auto body = decode_protobuf(request.body);
    if (!body) return reply(unsupported_media_type({"application/json"}));
    Request in_json = request;
    in_json.content_type = "application/json";
    in_json.body = kubeclient::to_line(*body);
    return server_.handle(user.value(), in_json);
}

std::unique_ptr<WatchCursor> Gateway::watch(const Caller& caller, const Request& request,
                                            Response& refusal) {
    const auto user = user_of(caller);
    if (!user.ok()) {
        refusal = reply(user.error());
        return nullptr;
    }
    auto events = server_.watch(user.value(), request, refusal);
    auto shape = shape_for(request);
    if (!events || !shape) return events;
    // The first table names the columns for those that follow.
    return reshaped(std::move(events), [shape, first = true](const Json& object) mutable {
        Json shown = shape(object);
        if (!first && shown.contains("columnDefinitions")) shown["columnDefinitions"] = nullptr;
        first = false;
        return shown;
    });
}

std::unique_ptr<Stream> Gateway::follow(const Caller& caller, const Request& request) {
    const auto user = user_of(caller);
    return user.ok() ? server_.follow(user.value(), request) : nullptr;
}

}  // namespace lab
