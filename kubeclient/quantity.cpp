#include "kubeclient/quantity.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace kubeclient {
namespace {

// 0.DIGITS × 10^point × 2^doublings, digits as characters.
struct Decimal {
    bool negative = false;
    std::string digits{};
    long point = 0;
    int doublings = 0;
};

Error malformed(std::string_view text) {
    return {ErrorKind::protocol,
            "\"" + std::string(text.substr(0, 64)) +
                "\" is not a quantity: a number with an optional suffix such as Gi, M, m or e3 "
                "is expected"};
}

struct Suffix {
    std::string_view text;
    int ten;
    int two;
};
constexpr std::array<Suffix, 16> suffixes{{{"", 0, 0},
                                           {"n", -9, 0},
                                           {"u", -6, 0},
                                           {"m", -3, 0},
                                           {"k", 3, 0},
                                           {"M", 6, 0},
                                           {"G", 9, 0},
                                           {"T", 12, 0},
                                           {"P", 15, 0},
                                           {"E", 18, 0},
                                           {"Ki", 0, 10},
                                           {"Mi", 0, 20},
                                           {"Gi", 0, 30},
                                           {"Ti", 0, 40},
                                           {"Pi", 0, 50},
                                           {"Ei", 0, 60}}};

bool apply_suffix(std::string_view text, Decimal& number) {
    const auto* known = std::find_if(suffixes.begin(), suffixes.end(),
                                     [&](const Suffix& suffix) { return suffix.text == text; });
    if (known != suffixes.end()) {
        number.point += known->ten;
        number.doublings = known->two;
        return true;
    }
    if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return false;
    text.remove_prefix(1);
    if (text[0] == '+' && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
    int exponent = 0;
    const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), exponent);
    number.point += exponent;
    return problem == std::errc() && stop == text.data() + text.size();
}

std::optional<Decimal> parse(std::string_view text) {
    Decimal number;
    if (text.starts_with('-') || text.starts_with('+')) {
        number.negative = text[0] == '-';
        text.remove_prefix(1);
    }
    const auto take_digits = [&] {
        const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
        const auto digits = text.substr(0, end);
        text.remove_prefix(end);
        return std::string(digits);
    };
    const auto whole = take_digits();
    std::string fraction;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        fraction = take_digits();
    }
    if (whole.empty() && fraction.empty()) return std::nullopt;
    number.digits = whole + fraction;
    number.point = static_cast<long>(whole.size());
    if (!apply_suffix(text, number)) return std::nullopt;
    return number;
}

void double_digits(std::string& digits, long& point) {
    int carry = 0;
    for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
        const int twice = 2 * (*digit - '0') + carry;
        *digit = static_cast<char>('0' + twice % 10);
        carry = twice / 10;
    }
    if (carry == 0) return;
    digits.insert(digits.begin(), '1');
    ++point;
}

// The whole part, rounded away from zero; nullopt where it does not fit.
std::optional<std::int64_t> round_up(Decimal number) {
    auto& digits = number.digits;
    for (int time = 0; time < number.doublings; ++time) double_digits(digits, number.point);
    const auto zeros = std::min(digits.find_first_not_of('0'), digits.size());
    digits.erase(0, zeros);
    number.point -= static_cast<long>(zeros);
    if (digits.empty()) return 0;
    if (number.point > std::numeric_limits<std::uint64_t>::digits10) return std::nullopt;
    std::uint64_t magnitude = 0;
    for (long place = 0; place < number.point; ++place) {
        const auto at = static_cast<std::size_t>(place);
        magnitude =
            magnitude * 10 + (at < digits.size() ? static_cast<unsigned>(digits[at] - '0') : 0U);
    }
    const auto whole_digits = static_cast<std::size_t>(std::max(number.point, 0L));
    const bool rest = whole_digits < digits.size() &&
                      digits.find_first_not_of('0', whole_digits) != std::string::npos;
    if (rest) ++magnitude;
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (magnitude > most) return std::nullopt;
    const auto value = static_cast<std::int64_t>(magnitude);
    return number.negative ? -value : value;
}

Result<std::int64_t> parse_scaled(std::string_view text, int scale) {
    constexpr std::size_t longest = 1024;  // work grows with the length
    auto number = text.size() <= longest ? parse(text) : std::nullopt;
    if (!number) return malformed(text);
    number->point += scale;
    const auto value = round_up(*std::move(number));
    if (!value) {
        return Error{ErrorKind::protocol,
                     "quantity \"" + std::string(text.substr(0, 64)) + "\" is larger than 2^63-1"};
    }
    return *value;
}

}  // namespace

Result<std::int64_t> parse_bytes(std::string_view quantity) {
    return parse_scaled(quantity, 0);
}

Result<std::int64_t> parse_milli(std::string_view quantity) {
    return parse_scaled(quantity, 3);
}

std::string describe_bytes(std::int64_t bytes) {
    constexpr std::array<std::string_view, 7> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    const std::string sign = bytes < 0 ? "-" : "";
    const auto magnitude =
        bytes < 0 ? 0 - static_cast<std::uint64_t>(bytes) : static_cast<std::uint64_t>(bytes);
    if (magnitude < 1024) return sign + std::to_string(magnitude) + " B";
    std::size_t unit = 1;
    std::uint64_t whole = magnitude / 1024;
    std::uint64_t rest = magnitude % 1024;
    std::uint64_t tenths = (rest * 10 + 512) / 1024;
    // 1023.95 KiB and more reads better as 1.0 MiB.
    while (unit + 1 < units.size() && (whole >= 1024 || (whole == 1023 && tenths == 10))) {
        const std::uint64_t size = std::uint64_t{1} << (10 * ++unit);
        whole = magnitude / size;
        rest = (magnitude % size) / (size / 1024);
        tenths = (rest * 10 + 512) / 1024;
    }
    whole += tenths / 10;
    return sign + std::to_string(whole) + "." + std::to_string(tenths % 10) + " " +
           std::string(units[unit]);
}

}  // namespace kubeclient
