// Admission: what comes between a well-formed object and its being stored. Private to lab/api.
#pragma once

#include <string>

#include "lab/api/server_state.hpp"

namespace lab {

// NamespaceLifecycle: a namespace that takes new objects.
Verdict namespace_accepts(const ServerState& state, const Call& call, const std::string& name);

// The extensions, in order; the object as they leave it.
Outcome<Json> admit_object(ServerState& state, const Call& call, const char* verb,
                           const ObjectKey& key, Object before, Json object);
Verdict admit_deletion(ServerState& state, const Call& call, const Object& object);

}  // namespace lab
