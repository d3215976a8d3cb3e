#include "lab/api/api_server.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "lab/api/list.hpp"
#include "lab/api/options.hpp"
#include "lab/api/render.hpp"
#include "lab/api/rules.hpp"
#include "lab/api/server_state.hpp"
#include "lab/api/subresources.hpp"
#include "lab/api/watch.hpp"

namespace lab {

using kubeclient::Method;
using kubeclient::Request;
using kubeclient::Response;

struct ApiServer::State : ServerState {};

namespace {

template <class T>
Response to_response(const Call& call, const Outcome<T>& outcome) {
    if (!outcome.ok()) return reply(outcome.error());
    return render({call.kind, call.version, call.request.accept}, outcome.value());
}

Response answer_collection(ServerState& state, const Call& call) {
    switch (call.request.method) {
        case Method::get:
            return to_response(call, list_objects(state, call));
        case Method::del:
            return to_response(call, delete_collection(state, call));
        case Method::post:
            if (call.kind.scope == Scope::namespaced && call.key.ns.empty()) break;
            return to_response(call, create_object(state, call));
        case Method::put:
        case Method::patch:
            break;
    }
    return reply(method_not_allowed());
}

Outcome<Reply> delete_asked(ServerState& state, const Call& call) {
    TRY_ASSIGN(options, deletion_options(call));
    return delete_object(state, call, options);
}

Response answer_object(ServerState& state, const Call& call) {
    const bool action = is_action(call.kind, call.subresource);
    if ((call.request.method == Method::post) != action) return reply(method_not_allowed());
    switch (call.request.method) {
        case Method::get:
            return to_response(call, get_object(state, call));
        case Method::put:
            return to_response(call, update_object(state, call));
        case Method::patch:
            return to_response(call, patch_object(state, call));
        case Method::post:
            return to_response(call, act(state, call));
        case Method::del:
            break;
    }
    if (!call.subresource.empty()) return reply(method_not_allowed());
    return to_response(call, delete_asked(state, call));
}

// Whether the API server itself has this under the kind.
bool serves(const Kind& kind, const KindVersion& version, const Route& route) {
    const bool cluster = kind.scope == Scope::cluster;
    if (cluster && !route.key.ns.empty()) return false;
    if (!cluster && route.key.ns.empty() && !route.key.name.empty()) return false;
    const std::string& part = route.subresource;
    return part.empty() || (part == "status" && version.has_status) || is_action(kind, part) ||
           (part == "finalize" && kind.kind == "Namespace");
}

// What nobody serves. Each of the API servers in a real one says it in its own way.
Response unknown_path(const ServerState& state, const std::optional<Route>& route) {
    if (!route) return page_not_found();
    const Kind* kind = state.kinds.find(route->resource);
    if (kind != nullptr && kind->origin == Origin::custom && kind->version(route->version) &&
        !route->subresource.empty()) {
        return reply(not_found(*kind, route->key.name));
    }
    for (const auto& [resource, other] : state.kinds.all()) {
        const bool group = resource.group == route->resource.group;
        if (group && other.origin == Origin::built_in) return reply(no_such_resource());
    }
    return page_not_found();
}

Response extended(ServerState& state, const User& user, const Request& request) {
    for (Extension* extension : state.extensions) {
        if (auto response = extension->serve(user, request)) return std::move(*response);
    }
    return unknown_path(state, route_of(request.path));
}

// The request as one of a kind that is served; nullopt: of another.
std::optional<Call> call_of(const ServerState& state, const User& user, const Request& request) {
    const auto route = route_of(request.path);
    const Kind* kind = route ? state.kinds.find(route->resource) : nullptr;
    const KindVersion* version = kind != nullptr ? kind->version(route->version) : nullptr;
    if (version == nullptr || !serves(*kind, *version, *route)) return std::nullopt;
    Call call{user, request, *kind, *version, route->key, route->subresource};
    call.dry_run = parameter(request, "dryRun") == "All";
    return call;
}

std::string group_of(const Json& object) {
    const std::string api_version = object.at("apiVersion").get<std::string>();
    const auto slash = api_version.find('/');
    return slash == std::string::npos ? "" : api_version.substr(0, slash);
}

std::optional<Refusal> refused(const ServerState& state, const User& user, const Request& request) {
    if (!state.authorizer) return std::nullopt;
    return state.authorizer(user, attributes_of(request, route_of(request.path)));
}

}  // namespace

ApiServer::ApiServer(Store& store, Clock clock, std::uint64_t seed)
    : state_(std::make_unique<State>(State{{store, std::move(clock), Names(seed)}})) {
    if (store.revision() > 1) return;
    const auto filled_in = [&](Json object) {
        const Kind* kind =
            state_->kinds.of_kind(group_of(object), object.at("kind").get<std::string>());
        fill_in_new_object(*state_, *kind, object);
        return object;
    };
    for (const char* name : {"default", "kube-node-lease", "kube-public", "kube-system"}) {
        this->seed(filled_in(
            {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}}));
    }
    for (const Json& definition : bundled_definitions()) this->seed(filled_in(definition));
}
ApiServer::~ApiServer() = default;

void ApiServer::extend(Extension& extension) {
    state_->extensions.push_back(&extension);
}
void ApiServer::authorize_with(Authorizer authorizer) {
    state_->authorizer = std::move(authorizer);
}
const Kinds& ApiServer::kinds() const {
    return state_->kinds;
}
const Store& ApiServer::objects() const {
    return state_->store;
}

Response ApiServer::handle(const User& user, const Request& request) {
    if (const auto refusal = refused(*state_, user, request)) return reply(*refusal);
    const auto call = call_of(*state_, user, request);
    if (!call) return extended(*state_, user, request);
    Response response =
        call->key.name.empty() ? answer_collection(*state_, *call) : answer_object(*state_, *call);
    if (call->version.deprecated && response.status / 100 == 2) {
        response.headers.emplace(response.headers.begin(), "warning",
                                 warning_header(call->version.deprecation_warning));
    }
    return response;
}

std::unique_ptr<WatchCursor> ApiServer::watch(const User& user, const Request& request,
                                              Response& refusal) {
    if (const auto reason = refused(*state_, user, request)) {
        refusal = reply(*reason);
        return nullptr;
    }
    const auto call = call_of(*state_, user, request);
    if (!call) {
        refusal = unknown_path(*state_, route_of(request.path));
        return nullptr;
    }
    auto cursor = watch_objects(*state_, *call);
    if (cursor.ok()) return std::move(cursor).value();
    refusal = reply(cursor.error());
    return nullptr;
}

std::unique_ptr<Stream> ApiServer::follow(const User& user, const Request& request) {
    if (refused(*state_, user, request)) return nullptr;
    for (Extension* extension : state_->extensions) {
        if (auto stream = extension->follow(user, request)) return stream;
    }
    return nullptr;
}

Object ApiServer::seed(Json object) {
    const Kind* kind =
        state_->kinds.of_kind(group_of(object), object.at("kind").get<std::string>());
    assert(kind != nullptr);
    Json& metadata = object["metadata"];
    if (!metadata.contains("uid")) metadata["uid"] = state_->names.uid();
    if (!metadata.contains("creationTimestamp")) {
        metadata["creationTimestamp"] = now_text(*state_);
    }
    ObjectKey key{"", metadata.at("name").get<std::string>()};
    if (kind->scope == Scope::namespaced) key.ns = metadata.value("namespace", "default");
    return store_object(*state_, *kind, key, std::move(object));
}

}  // namespace lab
