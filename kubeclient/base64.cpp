#include "kubeclient/base64.hpp"

#include <algorithm>
#include <cstdint>

namespace kubeclient {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

Error illegal(std::size_t position) {
    return {ErrorKind::config, "illegal base64 data at byte " + std::to_string(position)};
}

}  // namespace

Result<std::string> decode_base64(std::string_view text) {
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3);
    std::uint32_t bits = 0;
    int digits = 0;   // of the current group of four, padding included
    int padding = 0;  // once there is some, nothing else may follow
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '\r' || c == '\n') continue;
        const auto value = alphabet.find(c);
        const bool is_padding = c == '=' && digits >= 2;
        if ((!is_padding && (value == std::string_view::npos || padding > 0)) ||
            (padding > 0 && digits == 0)) {
            return illegal(at);
        }
        if (is_padding) ++padding;
        bits = (bits << 6U) | (is_padding ? 0U : static_cast<std::uint32_t>(value));
        if (++digits < 4) continue;
        for (int byte = 0; byte < 3 - padding; ++byte) {
            bytes.push_back(
                static_cast<char>((bits >> (16U - 8U * static_cast<unsigned>(byte))) & 0xffU));
        }
        bits = 0;
        digits = 0;
    }
    if (digits != 0) return illegal(text.size());
    return bytes;
}

std::string encode_base64(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        std::uint32_t bits = 0;
        for (std::size_t byte = 0; byte < 3; ++byte) {
            const bool present = at + byte < bytes.size();
            bits = (bits << 8U) | (present ? static_cast<unsigned char>(bytes[at + byte]) : 0U);
        }
        const std::size_t digits = std::min<std::size_t>(bytes.size() - at, 3) + 1;
        for (std::size_t digit = 0; digit < 4; ++digit) {
            const auto index = (bits >> (18U - 6U * static_cast<unsigned>(digit))) & 0x3fU;
            text.push_back(digit < digits ? alphabet[index] : '=');
        }
    }
    return text;
}

}  // namespace kubeclient
