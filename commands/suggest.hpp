// What the user probably meant. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "kubeclient/result.hpp"

namespace commands {

// What the user typed, in double quotes and harmless for the terminal (text.hpp).
std::string quoted(std::string_view word);

// The candidate that `word` is a mistyping or a beginning of, in any letter case; nullopt when none
// is close. Of two equally close, the first.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);

// The usage error for a check id or slug that nobody knows, naming the nearest. `program` is what
// the user types to run the tool.
kubeclient::Error unknown_check(std::string_view word, std::string_view program);

}  // namespace commands
