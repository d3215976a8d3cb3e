#include "kubeclient/json.hpp"

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

Result<Json> parse_json(std::string_view text, std::string_view name) {
    constexpr int deepest = 512;
    bool too_deep = false;
    try {
        auto json = Json::parse(text, [&](int depth, Json::parse_event_t, Json&) {
            too_deep = too_deep || depth > deepest;
            return !too_deep;
        });
        if (too_deep) {
            return Error{ErrorKind::protocol,
                         std::string(name) + ": nested deeper than 512 levels"};
        }
        return json;
    } catch (const Json::exception& problem) {
        std::string text_of_problem = problem.what();
        const auto bracket = text_of_problem.find("] ");
        if (bracket != std::string::npos) text_of_problem.erase(0, bracket + 2);
        return Error{ErrorKind::protocol, std::string(name) + ": " + text_of_problem};
    }
}

std::string to_line(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_indented(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace kubeclient
