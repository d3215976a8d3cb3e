// Checked access to JSON that somebody else wrote: a field may be absent, null or of another type,
// and none of that may throw or be taken for a value. Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubeclient/result.hpp"

namespace kubeclient {

using Json = nlohmann::json;

// The member, or nullptr where `object` is no object, the member is absent, or it is null.
const Json* find(const Json& object, std::string_view key);
// The same along a path: find(vmi, {"spec", "domain", "cpu"}).
const Json* find(const Json& object, std::initializer_list<std::string_view> path);

// nullopt where the member is absent, null or of another type. Integers outside int64 and
// fractions are "another type": nothing is ever truncated.
std::optional<std::string> text_at(const Json& object,
                                   std::initializer_list<std::string_view> path);
std::optional<std::int64_t> integer_at(const Json& object,
                                       std::initializer_list<std::string_view> path);
std::optional<bool> bool_at(const Json& object, std::initializer_list<std::string_view> path);
// The elements of an array member; an empty list where it is absent or no array.
const std::vector<Json>& items_at(const Json& object, std::initializer_list<std::string_view> path);

// Parses one JSON document. `name` is put in front of the error, which has line and column.
// Nesting deeper than 512 levels is refused.
Result<Json> parse_json(std::string_view text, std::string_view name);

// One line, or indented by two; invalid UTF-8 is replaced, never thrown at.
std::string to_line(const Json& json);
std::string to_indented(const Json& json);

}  // namespace kubeclient
