#include "kubeclient/yaml_scalar.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace kubeclient {
namespace {

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
    return std::find(words.begin(), words.end(), text) != words.end();
}

std::optional<Json> resolve_word(std::string_view text) {
    constexpr std::array<std::string_view, 5> nulls{"", "~", "null", "Null", "NULL"};
    constexpr std::array<std::string_view, 11> yes{"y",    "Y",    "yes", "Yes", "YES", "true",
                                                   "True", "TRUE", "on",  "On",  "ON"};
    constexpr std::array<std::string_view, 11> no{"n",     "N",     "no",  "No",  "NO", "false",
                                                  "False", "FALSE", "off", "Off", "OFF"};
    constexpr std::array<std::string_view, 3> nan{".nan", ".NaN", ".NAN"};
    constexpr std::array<std::string_view, 6> infinite{".inf",  ".Inf",  ".INF",
                                                       "+.inf", "+.Inf", "+.INF"};
    constexpr std::array<std::string_view, 3> negative{"-.inf", "-.Inf", "-.INF"};
    if (is_one_of(text, nulls)) return Json(nullptr);
    if (is_one_of(text, yes)) return Json(true);
    if (is_one_of(text, no)) return Json(false);
    if (is_one_of(text, nan)) return Json(std::numeric_limits<double>::quiet_NaN());
    if (is_one_of(text, infinite)) return Json(std::numeric_limits<double>::infinity());
    if (is_one_of(text, negative)) return Json(-std::numeric_limits<double>::infinity());
    return std::nullopt;
}

// Go's strconv.ParseInt with base 0: 0x, 0o, 0b, and a bare leading zero for octal.
std::optional<Json> resolve_integer(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    int base = 10;
    if (text.size() > 1 && text[0] == '0') {
        const char mark = static_cast<char>(text[1] | 0x20);
        base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
        text.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
    }
    std::uint64_t magnitude = 0;
    const char* end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data(), end, magnitude, base);
    if (problem != std::errc() || stop != end) return std::nullopt;
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!negative) {
        if (magnitude > most) return Json(magnitude);
        return Json(static_cast<std::int64_t>(magnitude));
    }
    if (magnitude > most + 1) return std::nullopt;
    return Json(static_cast<std::int64_t>(0 - magnitude));
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool is_float(std::string_view text) {
    std::size_t at = 0;
    const auto digits = [&] {
        const std::size_t start = at;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
        return at - start;
    };
    const auto sign = [&] {
        if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    };
    sign();
    const auto whole = digits();
    if (at < text.size() && text[at] == '.') {
        ++at;
        if (digits() == 0 && whole == 0) return false;
    } else if (whole == 0) {
        return false;
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        sign();
        if (digits() == 0) return false;
    }
    return at == text.size();
}

std::optional<Json> resolve_float(const std::string& text) {
    if (!is_float(text)) return std::nullopt;
    const double number = std::strtod(text.c_str(), nullptr);
    if (!std::isfinite(number)) return std::nullopt;  // out of range: text, as in Go
    constexpr double integers_end = 9223372036854775808.0;
    if (std::trunc(number) == number && std::abs(number) < integers_end) {
        return Json(static_cast<std::int64_t>(number));
    }
    return Json(number);
}

}  // namespace

Json resolve_plain_scalar(std::string_view text) {
    if (auto word = resolve_word(text)) return *std::move(word);
    const char first = text.front();
    const bool numeric =
        first == '+' || first == '-' || first == '.' || (first >= '0' && first <= '9');
    if (!numeric) return Json(std::string(text));
    std::string plain(text);
    if (first != '.') plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
    if (auto integer = resolve_integer(plain)) return *std::move(integer);
    if (auto number = resolve_float(plain)) return *std::move(number);
    return Json(std::string(text));
}

}  // namespace kubeclient
