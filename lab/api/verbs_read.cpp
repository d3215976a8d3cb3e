#include <nlohmann/json.hpp>

#include "lab/api/server_state.hpp"

namespace lab {

Outcome<Reply> get_object(ServerState& state, const Call& call) {
    const Object object = state.store.get(call.kind.resource, call.key);
    if (!object) return not_found(call.kind, call.key.name);
    return Reply{200, shown(object, call)};
}

Outcome<kubeclient::Response> list_objects(ServerState& state, const Call& call) {
    std::string items;
    for (const auto& [key, object] : state.store.all(call.kind.resource)) {
        if (!call.key.ns.empty() && key.ns != call.key.ns) continue;
        if (!items.empty()) items += ',';
        items += shown(object, call)->dump();
    }
    const Json head{{"kind", call.kind.list_kind()},
                    {"apiVersion", call.kind.api_version(call.version)},
                    {"metadata", {{"resourceVersion", std::to_string(state.store.revision())}}}};
    std::string body = head.dump();
    body.pop_back();
    return reply_text(200, body + ",\"items\":[" + items + "]}\n");
}

}  // namespace lab
