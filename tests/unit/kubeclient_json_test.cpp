#include "kubeclient/json.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using kubeclient::Json;

TEST_CASE("a null, absent or foreign member is no value") {
    const auto json =
        kubeclient::parse_json(R"({"a":null,"b":"x","c":{"d":7},"big":18446744073709551615,
        "half":1.5,"list":[1,2]})",
                               "test");
    REQUIRE(json.ok());
    CHECK(kubeclient::find(*json, "a") == nullptr);
    CHECK(kubeclient::find(*json, "z") == nullptr);
    CHECK(kubeclient::text_at(*json, {"b"}) == "x");
    CHECK_FALSE(kubeclient::text_at(*json, {"c"}).has_value());
    CHECK(kubeclient::integer_at(*json, {"c", "d"}) == 7);
    CHECK_FALSE(kubeclient::integer_at(*json, {"big"}).has_value());
    CHECK_FALSE(kubeclient::integer_at(*json, {"half"}).has_value());
    CHECK_FALSE(kubeclient::bool_at(*json, {"b"}).has_value());
    CHECK(kubeclient::items_at(*json, {"list"}).size() == 2);
    CHECK(kubeclient::items_at(*json, {"b"}).empty());
}

TEST_CASE("a broken document says where it broke") {
    const auto json = kubeclient::parse_json("{\n  \"a\": }", "web.json");
    REQUIRE_FALSE(json.ok());
    CHECK(json.error().message.find("web.json: parse error at line 2, column 8") == 0);
}

TEST_CASE("nesting is bounded") {
    const std::string deep = std::string(600, '[') + std::string(600, ']');
    const auto json = kubeclient::parse_json(deep, "deep.json");
    REQUIRE_FALSE(json.ok());
    CHECK(json.error().message == "deep.json: nested deeper than 512 levels");
}

TEST_CASE("bytes that are no UTF-8 are replaced when printed") {
    CHECK(kubeclient::to_line(Json("a\xff")) == "\"a\xef\xbf\xbd\"");
}
