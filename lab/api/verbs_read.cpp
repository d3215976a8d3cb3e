#include "lab/api/server_state.hpp"

#include <nlohmann/json.hpp>

namespace lab {

// Every read is of the newest state; an older version asked for is no reason to wait.
Outcome<Reply> get_object(const ServerState& state, const Call& call) {
    const auto revision = revision_of(parameter(call.request, "resourceVersion"), "");
    if (!revision.ok()) return internal(revision.error().message);
    if (revision.value() > state.store.revision()) {
        return too_large_version(revision.value(), state.store.revision());
    }
    const Object object = state.store.get(call.kind.resource, call.key);
    if (!object) return not_found(call.kind, call.key.name);
    return Reply{200, object};
}

}  // namespace lab
