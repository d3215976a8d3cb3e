#include "kubeclient/tls_digest.hpp"

#include <openssl/evp.h>

#include <array>

namespace kubeclient {

std::string sha256_hex(std::string_view text) {
    std::array<unsigned char, 32> digest{};
    // SHA-256 is always there, and one call with it cannot fail.
    EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
    static const char digits[] = "0123456789abcdef";
    std::string hex;
    for (const unsigned byte : digest) {
        hex.push_back(digits[byte / 16]);
        hex.push_back(digits[byte % 16]);
    }
    return hex;
}

}  // namespace kubeclient
