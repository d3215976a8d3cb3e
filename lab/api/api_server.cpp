#include "lab/api/api_server.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "lab/api/server_state.hpp"

namespace lab {

using kubeclient::Method;
using kubeclient::Request;
using kubeclient::Response;

struct ApiServer::State : ServerState {};

namespace {

Response to_response(const Outcome<Reply>& outcome) {
    if (!outcome.ok()) return reply(outcome.error());
    Response response = reply(outcome.value().status, *outcome.value().body);
    for (const std::string& warning : outcome.value().warnings) {
        response.headers.emplace_back("warning", "299 - " + Json(warning).dump());
    }
    return response;
}

Outcome<Json> body_of(const Request& request) {
    auto body = kubeclient::parse_json(request.body, "body");
    if (!body.ok()) return bad_request(body.error().message);
    return std::move(body).value();
}

Outcome<Reply> write(ServerState& state, const Call& call) {
    if (call.request.method == Method::del) return delete_object(state, call);
    if (call.request.method == Method::patch) return patch_object(state, call);
    TRY_ASSIGN(body, body_of(call.request));
    if (call.request.method == Method::put) return update_object(state, call, std::move(body));
    return create_object(state, call, std::move(body));
}

Response answer(ServerState& state, const Call& call) {
    const bool one = !call.key.name.empty();
    if (call.request.method == Method::get && !one) {
        const auto list = list_objects(state, call);
        return list.ok() ? list.value() : reply(list.error());
    }
    if (call.request.method == Method::get) return to_response(get_object(state, call));
    if ((call.request.method == Method::post) == one) return reply(method_not_allowed());
    return to_response(write(state, call));
}

// Whether the API server itself has this under the kind.
bool serves(const Kind& kind, const KindVersion& version, const Route& route) {
    const bool cluster = kind.scope == Scope::cluster;
    if (cluster && !route.key.ns.empty()) return false;
    if (!cluster && route.key.ns.empty() && !route.key.name.empty()) return false;
    return route.subresource.empty() || (route.subresource == "status" && version.has_status);
}

Response extended(ServerState& state, const User& user, const Request& request) {
    for (Extension* extension : state.extensions) {
        if (auto response = extension->serve(user, request)) return std::move(*response);
    }
    return page_not_found();
}

}  // namespace

ApiServer::ApiServer(Store& store, Clock clock, std::uint64_t seed)
    : state_(std::make_unique<State>(State{{store, std::move(clock), Names(seed)}})) {
    if (store.revision() > 1) return;
    for (const char* name : {"default", "kube-node-lease", "kube-public", "kube-system"}) {
        this->seed({{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}});
    }
    for (const Json& definition : bundled_definitions()) this->seed(definition);
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
    ServerState& state = *state_;
    const auto route = route_of(request.path);
    if (state.authorizer) {
        if (const auto refusal = state.authorizer(user, attributes_of(request, route))) {
            return reply(*refusal);
        }
    }
    const Kind* kind = route ? state.kinds.find(route->resource) : nullptr;
    const KindVersion* version = kind != nullptr ? kind->version(route->version) : nullptr;
    if (version == nullptr || !serves(*kind, *version, *route)) {
        return extended(state, user, request);
    }
    Call call{user, request, *kind, *version, route->key, route->subresource};
    call.dry_run = parameter(request, "dryRun") == "All";
    return answer(state, call);
}

std::unique_ptr<WatchCursor> ApiServer::watch(const User& /*user*/, const Request& /*request*/,
                                              Response& refusal) {
    refusal = reply(method_not_allowed());
    return nullptr;
}

Object ApiServer::seed(Json object) {
    const std::string api_version = object.at("apiVersion").get<std::string>();
    const auto slash = api_version.find('/');
    const std::string group = slash == std::string::npos ? "" : api_version.substr(0, slash);
    const Kind* kind = state_->kinds.of_kind(group, object.at("kind").get<std::string>());
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

namespace {

class InProcess final : public kubeclient::Transport {
public:
    InProcess(ApiServer& server, User user) : server_(server), user_(std::move(user)) {}

    kubeclient::Result<Response> send(const Request& request) override {
        return server_.handle(user_, request);
    }

private:
    ApiServer& server_;
    User user_;
};

}  // namespace

std::unique_ptr<kubeclient::Transport> transport_as(ApiServer& server, User user) {
    return std::make_unique<InProcess>(server, std::move(user));
}

}  // namespace lab
