#include "kubeclient/base64.hpp"

#include <doctest/doctest.h>

using kubeclient::decode_base64;
using kubeclient::encode_base64;

TEST_CASE("base64 follows RFC 4648's own vectors, both ways") {
    const std::pair<const char*, const char*> rows[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (const auto& [plain, coded] : rows) {
        CAPTURE(plain);
        CHECK(encode_base64(plain) == coded);
        CHECK(decode_base64(coded).value() == plain);
    }
    std::string bytes;
    for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
    CHECK(decode_base64(encode_base64(bytes)).value() == bytes);
}

TEST_CASE("line breaks in base64 are skipped, everything else foreign is refused") {
    CHECK(decode_base64("Zm9v\r\nYmFy\n").value() == "foobar");
    for (const char* text : {"Zg", "Zg=", "Z", "Z===", "=", "Zg==Zg==", "Zg=g", "Zm9v=", "Zm 9v",
                             "Zm9-", "Zm9_", "====", "Zg== "}) {
        CAPTURE(text);
        CHECK_FALSE(decode_base64(text).ok());
    }
    CHECK(decode_base64("Zm9v!").error().message == "illegal base64 data at byte 4");
}
