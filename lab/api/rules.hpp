// What single kinds do beyond the common rules: their defaults, what they refuse, what they set
// themselves. Private to lab/api.
// Sources: Kubernetes pkg/registry/*/strategy.go, pkg/apis/*/v1/defaults.go and validation.
#pragma once

#include <optional>
#include <vector>

#include "lab/api/server_state.hpp"

namespace lab {

// Whether metadata.generation counts the changes of this kind's spec.
bool counts_generations(const Kind& kind);
// Whether an update without a resourceVersion replaces whatever is there.
bool allows_unconditional_update(const Kind& kind);
// Whether a deletion answers with the object, although it is gone.
bool returns_deleted_object(const Kind& kind);

// Fills in what the API server does when an object of this kind is created.
void fill_in_new_object(const ServerState& state, const Kind& kind, Json& object);

std::vector<Cause> problems_of_new_object(const Kind& kind, const Json& object);
std::vector<Cause> problems_of_changed_object(const Kind& kind, const Json& object,
                                              const Json& before);

}  // namespace lab
