#include "kubeclient/json.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

namespace kubeclient {

const Json* find(const Json& object, std::string_view key) {
    if (!object.is_object()) return nullptr;
    const auto member = object.find(key);
    return member == object.end() || member->is_null() ? nullptr : &*member;
}

const Json* find(const Json& object, std::initializer_list<std::string_view> path) {
    const Json* here = &object;
    for (const auto key : path) {
        here = find(*here, key);
        if (here == nullptr) return nullptr;
    }
    return here;
}

std::optional<std::string> text_at(const Json& object,
                                   std::initializer_list<std::string_view> path) {
    const Json* member = find(object, path);
    if (member == nullptr || !member->is_string()) return std::nullopt;
    return member->get<std::string>();
}

std::optional<std::int64_t> integer_at(const Json& object,
                                       std::initializer_list<std::string_view> path) {
    const Json* member = find(object, path);
    if (member == nullptr || !member->is_number_integer()) return std::nullopt;
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (member->is_number_unsigned() && member->get<std::uint64_t>() > most) return std::nullopt;
    return member->get<std::int64_t>();
}

std::optional<bool> bool_at(const Json& object, std::initializer_list<std::string_view> path) {
    const Json* member = find(object, path);
    if (member == nullptr || !member->is_boolean()) return std::nullopt;
    return member->get<bool>();
}

const std::vector<Json>& items_at(const Json& object,
                                  std::initializer_list<std::string_view> path) {
    static const std::vector<Json> none;
    const Json* member = find(object, path);
    if (member == nullptr || !member->is_array()) return none;
    return member->get_ref<const Json::array_t&>();
}

namespace {

// How deep brackets nest outside of texts. A look ahead is many times cheaper than asking the
// parser's callback at every value.
std::size_t nesting(std::string_view text) {
    std::size_t depth = 0;
    std::size_t deepest = 0;
    bool quoted = false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '"') {
            quoted = !quoted;
        } else if (quoted) {
            if (c == '\\') ++at;
        } else if (c == '{' || c == '[') {
            deepest = std::max(deepest, ++depth);
        } else if ((c == '}' || c == ']') && depth > 0) {
            --depth;
        }
    }
    return deepest;
}

// The parser quotes what it read last, however long that is.
std::string shortened(std::string text) {
    constexpr std::size_t most = 200;
    if (text.size() > most) text = text.substr(0, most) + "…";
    return text;
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::string_view name) {
    constexpr std::size_t deepest = 512;
    if (nesting(text) > deepest) {
        return Error{ErrorKind::protocol, std::string(name) + ": nested deeper than 512 levels"};
    }
    try {
        return Json::parse(text);
    } catch (const Json::exception& problem) {
        std::string text_of_problem = problem.what();
        const auto bracket = text_of_problem.find("] ");
        if (bracket != std::string::npos) text_of_problem.erase(0, bracket + 2);
        return Error{ErrorKind::protocol, std::string(name) + ": " + shortened(text_of_problem)};
    }
}

std::string to_line(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_indented(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace kubeclient
