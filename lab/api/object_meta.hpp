// The rules for metadata that hold for every kind. Pure.
// Sources: apimachinery pkg/api/validation/objectmeta.go, apiserver pkg/registry/rest/update.go.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/api/kinds.hpp"
#include "lab/api/status.hpp"

namespace lab {

// Go's complaint about a member of another type; nullopt: all as metav1.ObjectMeta has it, and the
// texts of ConfigMaps and Secrets too. After that the rest of the API server may take these types
// for granted.
std::optional<std::string> misfit_of(const Kind& kind, const Json& object);

// Members that ObjectMeta does not know, as "metadata.bogus".
std::vector<std::string> unknown_metadata(const Json& metadata);

std::vector<Cause> problems_of_new_metadata(const Kind& kind, const Json& metadata);
std::vector<Cause> problems_of_changed_metadata(const Json& metadata, const Json& before);

// Empty members that Go leaves out when it writes: labels of {}, finalizers of [], "".
void drop_empty_metadata(Json& metadata);

}  // namespace lab
