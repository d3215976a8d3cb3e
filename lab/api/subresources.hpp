// Sub-resources that do something else than show a part of the object: binding and eviction of
// pods. Private to lab/api.
#pragma once

#include <optional>

#include "lab/api/server_state.hpp"

namespace lab {

// Whether the API server itself serves the sub-resource; status is one of the object's parts and
// is not asked about here.
bool is_action(const Kind& kind, const std::string& subresource);

// POST to it. Source: Kubernetes pkg/registry/core/pod/storage/{storage,eviction}.go.
Outcome<Reply> act(ServerState& state, const Call& call);

}  // namespace lab
