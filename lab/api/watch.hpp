// Private to lab/api.
#pragma once

#include <memory>

#include "lab/api/server_state.hpp"

namespace lab {

// `state` outlives the cursor.
Outcome<std::unique_ptr<WatchCursor>> watch_objects(const ServerState& state, const Call& call);

}  // namespace lab
