#include "lab/api/names.hpp"

#include <algorithm>

namespace lab {

namespace {

enum class Letters { lower, any };

bool is_alphanumeric(char c, Letters letters) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) return true;
    return letters == Letters::any && c >= 'A' && c <= 'Z';
}

// Alphanumeric at both ends, and between them also `inner`.
bool is_word(std::string_view text, Letters letters, std::string_view inner) {
    if (text.empty() || !is_alphanumeric(text.front(), letters) ||
        !is_alphanumeric(text.back(), letters)) {
        return false;
    }
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return is_alphanumeric(c, letters) || inner.find(c) != std::string_view::npos;
    });
}

bool is_subdomain(std::string_view text) {
    while (true) {
        const auto dot = text.find('.');
        if (!is_word(text.substr(0, dot), Letters::lower, "-")) return false;
        if (dot == std::string_view::npos) return true;
        text.remove_prefix(dot + 1);
    }
}

std::string too_long(int most) {
    return "must be no more than " + std::to_string(most) + " characters";
}

constexpr const char* kSubdomain =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr const char* kLabel =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
constexpr const char* kQualifiedName =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr const char* kManySlashes =
    "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex "
    "used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS "
    "subdomain prefix and '/' (e.g. 'example.com/MyName')";
constexpr const char* kLabelValue =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

}  // namespace

std::optional<std::string> problem_of_dns_subdomain(std::string_view name) {
    if (name.size() > 253) return too_long(253);
    if (!is_subdomain(name)) return kSubdomain;
    return std::nullopt;
}

std::optional<std::string> problem_of_dns_label(std::string_view name) {
    if (name.size() > 63) return too_long(63);
    if (!is_word(name, Letters::lower, "-")) return kLabel;
    return std::nullopt;
}

std::optional<std::string> problem_of_path_segment(std::string_view name) {
    if (name == "." || name == "..") return "may not be '" + std::string(name) + "'";
    for (const char c : {'/', '%'}) {
        if (name.find(c) != std::string_view::npos)
            return std::string("may not contain '") + c + "'";
    }
    return std::nullopt;
}

std::optional<std::string> problem_of_qualified_name(std::string_view name) {
    const auto slash = name.find('/');
    if (slash != std::string_view::npos) {
        const auto prefix = name.substr(0, slash);
        if (name.find('/', slash + 1) != std::string_view::npos) return kManySlashes;
        if (prefix.empty()) return "prefix part must be non-empty";
        if (const auto problem = problem_of_dns_subdomain(prefix)) {
            return "prefix part " + *problem;
        }
        name.remove_prefix(slash + 1);
    }
    if (name.empty()) return "name part must be non-empty";
    if (name.size() > 63) return "name part " + too_long(63);
    if (!is_word(name, Letters::any, "-_.")) return kQualifiedName;
    return std::nullopt;
}

std::optional<std::string> problem_of_label_value(std::string_view value) {
    if (value.size() > 63) return too_long(63);
    if (!value.empty() && !is_word(value, Letters::any, "-_.")) return kLabelValue;
    return std::nullopt;
}

}  // namespace lab
