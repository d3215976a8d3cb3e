#include "kubeclient/yaml.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <random>

using kubeclient::DuplicateKeys;
using kubeclient::Json;
using kubeclient::parse_yaml;
using kubeclient::YamlLimits;

namespace {

// The value of the only document; a string "error: …" where there is none.
Json read(const std::string& text, DuplicateKeys duplicates = DuplicateKeys::refuse) {
    const auto documents = parse_yaml(text, "vm.yaml", {}, duplicates);
    if (!documents.ok()) return "error: " + documents.error().message;
    if (documents->size() != 1) return "error: " + std::to_string(documents->size()) + " documents";
    return *documents->front().value;
}

}  // namespace

TEST_CASE("unquoted scalars mean what they mean to kubectl") {
    const std::pair<const char*, Json> rows[] = {
        {"null", nullptr},
        {"~", nullptr},
        {"", nullptr},
        {"NULL", nullptr},
        {"nULL", "nULL"},
        {"yes", true},
        {"y", true},
        {"On", true},
        {"TRUE", true},
        {"tRUE", "tRUE"},
        {"off", false},
        {"N", false},
        {"17", 17},
        {"-17", -17},
        {"+17", 17},
        {"0x1F", 31},
        {"0X1f", 31},
        {"017", 15},
        {"0o17", 15},
        {"0b11", 3},
        {"-0b11", -3},
        {"0b", "0b"},
        {"0x", "0x"},
        {"08", 8},
        {"1_000", 1000},
        {"9223372036854775807", 9223372036854775807LL},
        {"-9223372036854775808", std::numeric_limits<std::int64_t>::min()},
        {"18446744073709551615", 18446744073709551615ULL},
        {"18446744073709551616", 18446744073709551616.0},
        {"1.5", 1.5},
        {".5", 0.5},
        {"5.", 5},
        {"1e3", 1000},
        {"1E-2", 0.01},
        {"1e", "1e"},
        {"1e400", "1e400"},
        {"-", "error: vm.yaml:1: block sequence entries are not allowed in this context"},
        {".", "."},
        {"..", ".."},
        {"+", "+"},
        {"-.", "-."},
        {"1:30", "1:30"},
        {"2001-01-01", "2001-01-01"},
        {"2026-11-21T04:45:50Z", "2026-11-21T04:45:50Z"},
        {"10Gi", "10Gi"},
        {"1.2.3", "1.2.3"},
        {"plain words", "plain words"},
        {"'17'", "17"},
        {"\"yes\"", "yes"},
        {"!!str 17", "17"},
        {"!!str yes", "yes"},
        {"! '17'", "17"},
        {"!mine 17", "17"},
        {"!!int \"17\"", 17},
        {"!!float \"2.5\"", 2.5},
        {"!!null ''", nullptr},
        {"!!bool 'on'", true},
        {"!!binary aGVsbG8=", "hello"},
        {"!!binary /w==", "\xef\xbf\xbd"},
        {"!!int x", "error: vm.yaml:1: a value tagged !!int is none"},
        {"!!binary x", "error: vm.yaml:1: !!binary value: illegal base64 data at byte 1"},
        {".nan", "error: vm.yaml:1: unsupported value: .nan"},
        {"-.inf", "error: vm.yaml:1: unsupported value: -.inf"},
        {"|\n  a\n  b\n", "a\nb\n"},
        {">-\n  a\n  b\n", "a b"},
    };
    for (const auto& [text, expected] : rows) {
        CAPTURE(std::string(text));
        const Json seen = read("v: " + std::string(text));
        if (expected.is_string() && expected.get<std::string>().starts_with("error")) {
            CHECK(seen == expected);
        } else {
            REQUIRE(seen.is_object());
            CHECK(seen.at("v") == expected);
            CHECK(seen.at("v").is_number_integer() == expected.is_number_integer());
        }
    }
}

TEST_CASE("keys become text as they do on their way through JSON") {
    CHECK(read("1: a\nyes: b\n1.5: c\n'2': d\n") ==
          Json{{"1", "a"}, {"true", "b"}, {"1.5", "c"}, {"2", "d"}});
    CHECK(read("null: 1") == "error: vm.yaml:1: a key cannot be null");
    CHECK(read("a: 1\n? [b]\n: 1") == "error: vm.yaml:2: a key cannot be a list or a mapping");
}

TEST_CASE("several documents come with the lines they start on") {
    const auto documents = parse_yaml("# head\n---\nkind: A\n---\n# none\n---\n\nkind: B\n", "x");
    REQUIRE(documents.ok());
    REQUIRE(documents->size() == 3);
    CHECK(documents->at(0).line == 3);
    CHECK(*documents->at(0).value == Json{{"kind", "A"}});
    CHECK(documents->at(1).value->is_null());
    CHECK(documents->at(2).line == 8);
    CHECK(parse_yaml("# nothing\n", "x")->empty());
    CHECK(parse_yaml("", "x")->empty());
}

TEST_CASE("an anchor of one document is unknown in the next") {
    CHECK(parse_yaml("a: &x 1\n---\nb: *x\n", "two.yaml").error().message ==
          "two.yaml:3: unknown anchor 'x' referenced");
}

TEST_CASE("JSON is read as JSON, surrogate pairs and tabs included") {
    CHECK(read("{\n\t\"a\": \"\\ud83d\\ude00\\/\", \"b\": [1, 2.5, null]\n}") ==
          Json{{"a", "\xf0\x9f\x98\x80/"}, {"b", {1, 2.5, nullptr}}});
    CHECK(parse_yaml("\n\n {\"a\":1}", "x")->front().line == 3);
    CHECK(read("{a: b, c: [d]}") == Json{{"a", "b"}, {"c", {"d"}}});
    CHECK(read("{\"a\": 1,\n\"a\": 2}") ==
          "error: vm.yaml:2: key \"a\" appears twice in one mapping");
    CHECK(read("{\"a\": 1, \"a\": 2}", DuplicateKeys::last_wins) == Json{{"a", 2}});
    CHECK(parse_yaml("{\"a\": 1}\n---\n{\"b\": 2}\n", "x")->size() == 2);
    CHECK(read("{\"a\": [1}").get<std::string>().starts_with("error: vm.yaml:1: did not find"));
}

TEST_CASE("a key given twice is refused with its line, or the last one wins") {
    const std::string text = "a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n";
    CHECK(read(text) == "error: vm.yaml:5: key \"c\" appears twice in one mapping");
    CHECK(read(text, DuplicateKeys::last_wins) == Json{{"a", 1}, {"b", {{"c", 3}, {"d", 2}}}});
    CHECK(read("1: a\n'1': b") == "error: vm.yaml:2: key \"1\" appears twice in one mapping");
}

TEST_CASE("merge keys follow go-yaml v2") {
    const std::string base = "base: &x {server: one, proxy: p}\n";
    CHECK(read(base + "v: {<<: *x, server: two}")["v"] == Json{{"server", "two"}, {"proxy", "p"}});
    // Not the YAML specification, but what kubectl does.
    CHECK(read(base + "v: {server: two, <<: *x}")["v"] == Json{{"server", "one"}, {"proxy", "p"}});
    CHECK(read(base + "v: {<<: [{server: three}, *x]}")["v"] ==
          Json{{"server", "three"}, {"proxy", "p"}});
    CHECK(read("v: {'<<': 1}")["v"] == Json{{"<<", 1}});
    CHECK(read("a: 1\n<<: 7") ==
          "error: vm.yaml:2: a merge needs a mapping, or a list of mappings");
    CHECK(read("<<: [[{}]]") == "error: vm.yaml:1: a merge needs a mapping, or a list of mappings");
}

TEST_CASE("an alias can neither reach into itself nor blow up") {
    CHECK(read("a: &x [*x]") == "error: vm.yaml:1: anchor 'x' contains itself");
    CHECK(read("a: *x") == "error: vm.yaml:1: unknown anchor 'x' referenced");
    CHECK(read("a: &x 1\nb: &x 2\nc: *x")["c"] == 2);
    std::string bomb = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
    for (int level = 1; level < 10; ++level) {
        const auto below = "*a" + std::to_string(level - 1);
        bomb += "a" + std::to_string(level) + ": &a" + std::to_string(level) + " [" + below;
        for (int copy = 0; copy < 8; ++copy) bomb += ", " + below;
        bomb += "]\n";
    }
    CHECK(read(bomb).get<std::string>().find("anchors and aliases expand to more than") !=
          std::string::npos);
}

TEST_CASE("size and depth and number of values are bounded") {
    const YamlLimits small{.bytes = 100, .depth = 4, .nodes = 10, .expansion = 100};
    CHECK(parse_yaml(std::string(101, ' '), "x", small).error().message ==
          "x: larger than 100 bytes");
    CHECK(parse_yaml("a:\n b:\n  c:\n   - 1", "x", small).error().message ==
          "x:4: nested deeper than 4 levels");
    CHECK(parse_yaml("[[[1]]]", "x", small).ok());
    CHECK(parse_yaml("[[[[1]]]]", "x", small).error().message ==
          "x:1: nested deeper than 4 levels");
    CHECK(parse_yaml("[1,2,3,4,5,\n6,7,8,9,10]", "x", small).error().message ==
          "x:2: more than 10 values");
    const auto deep = parse_yaml(std::string(100000, '['), "x");
    CHECK(deep.error().message == "x:1: nested deeper than 128 levels");
}

TEST_CASE("broken text is an error with file and line") {
    CHECK(read("a:\n\tb: 1\n") == "error: vm.yaml:2: found character that cannot start any token");
    CHECK(read("a: 1\nb: \xff\n") == "error: vm.yaml:2: invalid leading UTF-8 octet");
    CHECK(read(std::string("a: 1\n\nb: \0", 10)) ==
          "error: vm.yaml:3: control characters are not allowed");
    CHECK(read("a: [1\nb: 2").get<std::string>().starts_with("error: vm.yaml:2: did not find"));
    CHECK(read("a: 'x").get<std::string>().starts_with("error: vm.yaml:"));
    CHECK(read("a: 1\nb").get<std::string>().starts_with("error: vm.yaml:"));
}

TEST_CASE("text is quoted where any reader could take it for something else") {
    const std::pair<Json, const char*> rows[] = {
        {"web", "web\n"},
        {"a b", "a b\n"},
        {"yes", "\"yes\"\n"},
        {"n", "\"n\"\n"},
        {"null", "\"null\"\n"},
        {"", "\"\"\n"},
        {"17", "\"17\"\n"},
        {"0o17", "\"0o17\"\n"},
        {"1e3", "\"1e3\"\n"},
        {"10Gi", "10Gi\n"},
        {"10.0.0.1", "10.0.0.1\n"},
        {"1:30", "\"1:30\"\n"},
        {"2001-01-01", "\"2001-01-01\"\n"},
        {"quay.io/a/b:v1", "quay.io/a/b:v1\n"},
        {"a: b", "\"a: b\"\n"},
        {"a:", "\"a:\"\n"},
        {"a #b", "\"a #b\"\n"},
        {"-a", "\"-a\"\n"},
        {"*a", "\"*a\"\n"},
        {" a", "\" a\"\n"},
        {"a ", "\"a \"\n"},
        {"a\nb", "\"a\\nb\"\n"},
        {"\x7f", "\"\\x7f\"\n"},
        {"\xc2\x85", "\"\\x85\"\n"},
        {"\xe2\x80\xa8", "\"\\u2028\"\n"},
        {"\xff", "\"\xef\xbf\xbd\"\n"},
        {nullptr, "null\n"},
        {true, "true\n"},
        {1.5, "1.5\n"},
        {Json::array(), "[]\n"},
        {Json::object(), "{}\n"},
    };
    for (const auto& [json, expected] : rows) {
        CAPTURE(expected);
        CHECK(kubeclient::to_yaml(json) == expected);
    }
}

TEST_CASE("a block is laid out as kubectl lays it out") {
    const Json json{
        {"items", {{{"kind", "VM"}, {"names", {"a", "b"}}}, Json::object(), {{1, 2}, 3}}},
        {"kind", "List"},
        {"meta", {{"empty", Json::array()}, {"n", 1}}}};
    CHECK(kubeclient::to_yaml(json) ==
          "items:\n"
          "- kind: VM\n"
          "  names:\n"
          "  - a\n"
          "  - b\n"
          "- {}\n"
          "- - - 1\n"
          "    - 2\n"
          "  - 3\n"
          "kind: List\n"
          "meta:\n"
          "  empty: []\n"
          "  \"n\": 1\n");
}

namespace {

Json random_json(std::mt19937& random, int depth) {
    const auto pick = [&](int most) { return std::uniform_int_distribution<int>(0, most)(random); };
    static const char* const pieces[] = {
        "a",  "yes",  "1",  "-",  ":", " ", "#", "\n", "\"", "'", "0x", "\xc2\x85", "\xe2\x80\xa9",
        "~",  "e5",   "[",  "{",  "*", "&", "!", "|",  ">",  "%", "?",  ",",        ".",
        "\t", "\x01", "\\", "<<", "é"};
    const auto text = [&] {
        std::string out;
        for (int count = pick(5); count > 0; --count) out += pieces[pick(std::size(pieces) - 1)];
        return out;
    };
    Json json;
    switch (pick(depth > 0 ? 7 : 5)) {
        case 0:
            return nullptr;
        case 1:
            return pick(1) == 1;
        case 2:
            return static_cast<std::int64_t>(random()) - 2147483648LL;
        case 3:
            return (pick(2000) - 1000) / 64.0;
        case 6:
            json = Json::array();
            for (int count = pick(4); count > 0; --count)
                json.push_back(random_json(random, depth - 1));
            return json;
        case 7:
            json = Json::object();
            for (int count = pick(4); count > 0; --count)
                json[text()] = random_json(random, depth - 1);
            return json;
        default:
            return text();
    }
}

}  // namespace

TEST_CASE("whatever is written as YAML reads back the same") {
    std::mt19937 random(20261121);
    for (int round = 0; round < 3000; ++round) {
        const Json json = random_json(random, 5);
        const auto yaml = kubeclient::to_yaml(json);
        CAPTURE(yaml);
        const auto back = parse_yaml(yaml, "back");
        REQUIRE(back.ok());
        REQUIRE(back->size() == 1);
        REQUIRE(*back->front().value == json);
    }
    Json long_key;
    long_key[std::string(5000, 'k')]["a"] = Json{1, 2};
    long_key["list"] = Json{long_key, "x"};
    CHECK(*parse_yaml(kubeclient::to_yaml(long_key), "back")->front().value == long_key);
}
