// What an unquoted YAML scalar means, by go-yaml v2's resolve.go. Pure.
#pragma once

#include <string_view>

#include "kubeclient/json.hpp"

namespace kubeclient {

// null, a boolean, an integer, a number, or else the text itself. Whole numbers are integers
// however they were written ("1e3"), because that is what they become on their way through JSON.
// NaN and the infinities come back as such numbers: JSON cannot hold them.
Json resolve_plain_scalar(std::string_view text);

}  // namespace kubeclient
