// The fields of kinds that are built in, as far as a table of them is cheap. Pure.
#pragma once

#include <string>
#include <vector>

#include "kubeclient/json.hpp"
#include "lab/api/kinds.hpp"

namespace lab {

// Drops members at the top and of spec that the kind does not have, and returns their paths.
std::vector<std::string> drop_unknown_fields(Json& object, const Kind& kind);

}  // namespace lab
