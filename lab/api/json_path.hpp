// The paths that printer columns of CustomResourceDefinitions may have: names, indices, wildcards
// and filters by equality, as in .status.conditions[?(@.type=='Ready')].status. Pure.
// Source: client-go util/jsonpath, of which this is the part that KubeVirt's definitions use.
#pragma once

#include <string_view>
#include <vector>

#include "kubeclient/json.hpp"

namespace lab {

using kubeclient::Json;

// What the path leads to, in order; nothing where it leads nowhere or is no such path. The pointers
// belong to `object`.
std::vector<const Json*> at_json_path(const Json& object, std::string_view path);

}  // namespace lab
