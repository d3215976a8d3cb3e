#include "kubeclient/time.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>

namespace kubeclient {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

// Reads fixed-width fields off the front; once one is missing, all is.
class Fields {
public:
    explicit Fields(std::string_view text) : rest_(text) {}

    int number(std::size_t width) {
        int value = 0;
        if (rest_.size() < width) return fail();
        for (const char c : rest_.substr(0, width)) {
            if (c < '0' || c > '9') return fail();
            value = value * 10 + (c - '0');
        }
        rest_.remove_prefix(width);
        return value;
    }
    bool literal(std::string_view any_of) {
        if (rest_.empty() || any_of.find(rest_[0]) == std::string_view::npos) {
            return fail() != 0;
        }
        rest_.remove_prefix(1);
        return true;
    }
    bool next_is(std::string_view any_of) const {
        return !rest_.empty() && any_of.find(rest_[0]) != std::string_view::npos;
    }
    bool ok() const { return ok_; }
    bool done() const { return ok_ && rest_.empty(); }

private:
    int fail() {
        ok_ = false;
        return 0;
    }
    std::string_view rest_;
    bool ok_ = true;
};

int fraction_in_microseconds(Fields& fields) {
    int value = 0;
    int digits = 0;
    while (fields.ok() && fields.next_is("0123456789")) {
        const int digit = fields.number(1);
        if (digits++ < 6) value = value * 10 + digit;
    }
    if (digits == 0) fields.number(1);  // a point with nothing after it
    for (; digits < 6; ++digits) value *= 10;
    return value;
}

std::optional<Instant> read_time(std::string_view text) {
    Fields fields(text);
    const int year = fields.number(4);
    fields.literal("-");
    const int month = fields.number(2);
    fields.literal("-");
    const int day = fields.number(2);
    fields.literal("Tt");
    const int hour = fields.number(2);
    fields.literal(":");
    const int minute = fields.number(2);
    fields.literal(":");
    const int second = fields.number(2);
    int micro = 0;
    if (fields.next_is(".")) {
        fields.literal(".");
        micro = fraction_in_microseconds(fields);
    }
    int offset = 0;
    if (fields.next_is("+-")) {
        const int sign = fields.next_is("-") ? -1 : 1;
        fields.literal("+-");
        const int hours = fields.number(2);
        fields.literal(":");
        const int minutes = fields.number(2);
        if (hours > 23 || minutes > 59) return std::nullopt;
        offset = sign * (hours * 60 + minutes);
    } else {
        fields.literal("Zz");
    }
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!fields.done() || !date.ok() || hour > 23 || minute > 59 || second > 60) {
        return std::nullopt;
    }
    return std::chrono::sys_days(date) + std::chrono::hours(hour) +
           std::chrono::minutes(minute - offset) + std::chrono::seconds(second) +
           microseconds(micro);
}

struct Unit {
    std::string_view name;
    std::int64_t nanoseconds;
};
constexpr std::array<Unit, 8> units{{{"ns", 1},
                                     {"us", 1'000},
                                     {"\xc2\xb5s", 1'000},  // U+00B5, micro sign
                                     {"\xce\xbcs", 1'000},  // U+03BC, Greek mu
                                     {"ms", 1'000'000},
                                     {"s", 1'000'000'000},
                                     {"m", 60'000'000'000},
                                     {"h", 3'600'000'000'000}}};

std::string_view take(std::string_view& text, std::size_t count) {
    const auto front = text.substr(0, count);
    text.remove_prefix(front.size());
    return front;
}

// One "12.5ms" off the front, in nanoseconds; nullopt where malformed or too large.
std::optional<std::int64_t> take_term(std::string_view& text) {
    constexpr std::string_view digits = "0123456789";
    const auto whole_text = take(text, std::min(text.find_first_not_of(digits), text.size()));
    std::string_view fraction_text;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        fraction_text = take(text, std::min(text.find_first_not_of(digits), text.size()));
    }
    if (whole_text.empty() && fraction_text.empty()) return std::nullopt;
    const auto name = take(text, std::min(text.find_first_of("0123456789."), text.size()));
    const Unit* unit = nullptr;
    for (const auto& known : units) {
        if (known.name == name) unit = &known;
    }
    if (unit == nullptr) return std::nullopt;
    std::int64_t total = 0;
    if (!whole_text.empty()) {
        const auto [stop, problem] =
            std::from_chars(whole_text.data(), whole_text.data() + whole_text.size(), total);
        if (problem != std::errc()) return std::nullopt;
    }
    if (__builtin_mul_overflow(total, unit->nanoseconds, &total)) return std::nullopt;
    double share = 0;
    double place = 0.1;
    for (const char digit : fraction_text.substr(0, 18)) {
        share += (digit - '0') * place;
        place /= 10;
    }
    const auto part = static_cast<std::int64_t>(share * static_cast<double>(unit->nanoseconds) +
                                                1e-3);  // 0.3 s is not 299999999 ns
    if (__builtin_add_overflow(total, part, &total)) return std::nullopt;
    return total;
}

std::string pair_text(std::int64_t large, char large_unit, std::int64_t small, char small_unit) {
    auto text = std::to_string(large) + large_unit;
    if (small != 0) text += std::to_string(small) + small_unit;
    return text;
}

}  // namespace

Result<Instant> parse_time(std::string_view text) {
    const auto time = read_time(text);
    if (!time) {
        return Error{ErrorKind::protocol,
                     "\"" + std::string(text.substr(0, 64)) +
                         "\" is not a time: RFC 3339 is expected, as in 2026-01-02T15:04:05Z"};
    }
    return *time;
}

std::string format_time(std::chrono::sys_seconds time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    std::array<char, 40> text{};
    const int length = std::snprintf(
        text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
        static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
        static_cast<int>(clock.seconds().count()));
    return {text.data(), static_cast<std::size_t>(length)};
}

std::string format_micro_time(Instant time) {
    const auto second = std::chrono::floor<std::chrono::seconds>(time);
    auto fraction = std::to_string(1'000'000 + (time - second).count());
    fraction[0] = '.';
    auto text = format_time(second);
    text.pop_back();
    return text + fraction + "Z";
}

Result<nanoseconds> parse_duration(std::string_view text) {
    const Error malformed{ErrorKind::usage,
                          "invalid duration \"" + std::string(text.substr(0, 64)) +
                              "\": a number with a unit is expected, as in 30s, 2m30s or 1h"};
    auto rest = text;
    const bool negative = rest.starts_with('-');
    if (negative || rest.starts_with('+')) rest.remove_prefix(1);
    if (rest == "0") return nanoseconds(0);
    if (rest.empty()) return malformed;
    std::int64_t total = 0;
    while (!rest.empty()) {
        const auto term = take_term(rest);
        if (!term || __builtin_add_overflow(total, *term, &total)) return malformed;
    }
    return nanoseconds(negative ? -total : total);
}

Result<nanoseconds> parse_request_timeout(std::string_view text) {
    const Error malformed{
        ErrorKind::usage,
        "invalid timeout value \"" + std::string(text.substr(0, 64)) +
            "\": timeout must be a single integer in seconds, or an integer followed by a "
            "corresponding time unit (e.g. 1s | 2m | 3h)"};
    std::int64_t seconds = 0;
    const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (problem == std::errc() && stop == text.data() + text.size() && !text.empty()) {
        constexpr auto most = std::numeric_limits<std::int64_t>::max() / 1'000'000'000;
        if (seconds < 0 || seconds > most) return malformed;
        return nanoseconds(std::chrono::seconds(seconds));
    }
    const auto duration = parse_duration(text);
    if (!duration.ok() || duration->count() < 0) return malformed;
    return *duration;
}

std::string human_duration(nanoseconds duration) {
    using std::chrono::hours;
    using std::chrono::minutes;
    using std::chrono::seconds;
    const auto s = duration_cast<seconds>(duration).count();
    const auto m = duration_cast<minutes>(duration).count();
    const auto h = duration_cast<hours>(duration).count();
    const auto d = h / 24;
    if (s < -1) return "<invalid>";  // the clocks of two machines may differ by a second
    if (s < 0) return "0s";
    if (s < 120) return std::to_string(s) + "s";
    if (m < 10) return pair_text(m, 'm', s % 60, 's');
    if (m < 180) return std::to_string(m) + "m";
    if (h < 8) return pair_text(h, 'h', m % 60, 'm');
    if (h < 48) return std::to_string(h) + "h";
    if (d < 8) return pair_text(d, 'd', h % 24, 'h');
    if (d / 365 < 2) return std::to_string(d) + "d";
    if (d / 365 < 8) return pair_text(d / 365, 'y', d % 365, 'd');
    return std::to_string(d / 365) + "y";
}

}  // namespace kubeclient
