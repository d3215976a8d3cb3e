#include "lab/api/json_path.hpp"

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace lab {

namespace {

using Found = std::vector<const Json*>;

bool is_quoted(std::string_view text) {
    return text.size() >= 2 && (text.front() == '\'' || text.front() == '"') &&
           text.back() == text.front();
}

void step_name(const Json& from, std::string_view name, Found& to) {
    if (!from.is_object()) return;
    const auto member = from.find(name);
    if (member != from.end()) to.push_back(&*member);
}

void step_index(const Json& from, int index, Found& to) {
    if (!from.is_array()) return;
    const auto size = static_cast<int>(from.size());
    if (index < 0) index += size;
    if (index >= 0 && index < size) to.push_back(&from[static_cast<std::size_t>(index)]);
}

void step_all(const Json& from, Found& to) {
    if (!from.is_structured()) return;
    for (const Json& item : from) to.push_back(&item);
}

// ?(@.type=='Ready')
void step_filter(const Json& from, std::string_view filter, Found& to) {
    const auto equals = filter.find("==");
    if (!from.is_array() || !filter.starts_with("?(@") || !filter.ends_with(')') ||
        equals == std::string_view::npos) {
        return;
    }
    const auto path = filter.substr(3, equals - 3);
    const auto value = filter.substr(equals + 2, filter.size() - equals - 3);
    if (!is_quoted(value)) return;
    for (const Json& item : from) {
        for (const Json* found : at_json_path(item, path)) {
            if (*found == std::string(value.substr(1, value.size() - 2))) to.push_back(&item);
        }
    }
}

void step(const Json& from, std::string_view bracket, Found& to) {
    int index = 0;
    const auto* end = bracket.data() + bracket.size();
    if (bracket == "*") {
        step_all(from, to);
    } else if (is_quoted(bracket)) {
        step_name(from, bracket.substr(1, bracket.size() - 2), to);
    } else if (const auto [stop, problem] = std::from_chars(bracket.data(), end, index);
               problem == std::errc() && stop == end) {
        step_index(from, index, to);
    } else {
        step_filter(from, bracket, to);
    }
}

// The first step of `path`, without its brackets, which is taken off; nullopt: no such path.
struct Step {
    std::string_view text;
    bool bracket = false;
};

std::optional<Step> take(std::string_view& path) {
    if (path.front() == '[') {
        const auto end = path.starts_with("[?(") ? path.find(")]") + 1 : path.find(']');
        if (end == std::string_view::npos || end == 0) return std::nullopt;
        const Step step{path.substr(1, end - 1), true};
        path.remove_prefix(end + 1);
        return step;
    }
    if (path.front() != '.') return std::nullopt;
    const auto end = path.find_first_of(".[", 1);
    const Step step{path.substr(1, end == std::string_view::npos ? end : end - 1), false};
    path.remove_prefix(std::min(path.size(), step.text.size() + 1));
    return step;
}

}  // namespace

Found at_json_path(const Json& object, std::string_view path) {
    Found found{&object};
    while (!path.empty()) {
        const auto next = take(path);
        if (!next) return {};
        Found further;
        for (const Json* from : found) {
            if (next->bracket) {
                step(*from, next->text, further);
            } else {
                step_name(*from, next->text, further);
            }
        }
        found = std::move(further);
    }
    return found;
}

}  // namespace lab
