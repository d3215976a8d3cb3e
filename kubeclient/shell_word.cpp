#include "kubeclient/shell_word.hpp"

#include <string_view>

namespace kubeclient {

// Control characters would let the hint rewrite the terminal; Go writes them as U+001B.
std::string harmless(const std::string& text) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool space = byte >= 0x09 && byte <= 0x0d;
        if ((byte < 0x20 && !space) || byte == 0x7f) {
            out += std::string("U+00") + hex[byte >> 4U] + hex[byte & 0xfU];
        } else {
            out += c;
        }
    }
    return out;
}

std::string shell_word(const std::string& text) {
    constexpr std::string_view safe =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@=+-";
    if (!text.empty() && text.find_first_not_of(safe) == std::string::npos) return text;
    std::string quoted = "'";
    for (const char c : harmless(text)) {
        quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return quoted + "'";
}

}  // namespace kubeclient
