#include "lab/api/schema.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using kubeclient::Json;

namespace {

const Json kSchema = Json::parse(R"({"type":"object","required":["spec"],"properties":{
  "spec":{"type":"object","required":["a"],"properties":{
    "a":{"type":"string"},
    "n":{"type":"integer","minimum":1,"maximum":5},
    "f":{"type":"number","minimum":0,"exclusiveMinimum":true,"multipleOf":0.5},
    "e":{"type":"string","enum":["x","y"]},
    "p":{"type":"string","pattern":"^[a-z]+$","minLength":2,"maxLength":4},
    "l":{"type":"array","minItems":1,"maxItems":2,"items":
      {"type":"object","required":["k"],"properties":{"k":{"type":"string"}}}},
    "m":{"type":"object","additionalProperties":{"type":"string"}},
    "d":{"type":"string","default":"dd"},
    "o":{"type":"object","properties":{"q":{"type":"integer","default":3}}},
    "nul":{"type":"string","nullable":true,"default":"z"},
    "ios":{"x-kubernetes-int-or-string":true},
    "pu":{"type":"object","x-kubernetes-preserve-unknown-fields":true,"properties":
      {"x":{"type":"object","properties":{"y":{"type":"string"}}}}},
    "s":{"type":"array","items":{"type":"string"},"x-kubernetes-list-type":"set"},
    "one":{"type":"object","properties":{"g":{"type":"string"},"h":{"type":"string"}},
      "oneOf":[{"required":["g"]},{"required":["h"]}]},
    "t":{"type":"string","format":"date-time"}}}}})");

std::string problem(const char* spec) {
    Json object{{"spec", Json::parse(spec)}};
    object["spec"]["a"] = "1";
    std::string text;
    for (const auto& cause : lab::problems_by_schema(object, kSchema)) {
        text += cause.field + ": " + cause.message + "; ";
    }
    return text;
}

}  // namespace

TEST_CASE("what a schema forbids is told in the API server's words") {
    const std::pair<const char*, const char*> rows[] = {
        {R"({"n":0})",
         "spec.n: Invalid value: 0: spec.n in body should be greater than or equal "
         "to 1; "},
        {R"({"n":9})",
         "spec.n: Invalid value: 9: spec.n in body should be less than or equal to "
         "5; "},
        {R"({"n":"1"})",
         "spec.n: Invalid value: \"string\": spec.n in body must be of type "
         "integer: \"string\"; "},
        {R"({"f":0.7})",
         "spec.f: Invalid value: 0.7: spec.f in body should be a multiple of "
         "0.5; "},
        {R"({"f":0})", "spec.f: Invalid value: 0: spec.f in body should be greater than 0; "},
        {R"({"e":"z"})", "spec.e: Unsupported value: \"z\": supported values: \"x\", \"y\"; "},
        {R"({"p":"A"})",
         "spec.p: Invalid value: \"A\": spec.p in body should be at least 2 chars "
         "long; "},
        {R"({"p":"AB"})",
         "spec.p: Invalid value: \"AB\": spec.p in body should match "
         "'^[a-z]+$'; "},
        {R"({"p":"abcdef"})", "spec.p: Too long: may not be more than 4 bytes; "},
        {R"({"l":[]})", "spec.l: Invalid value: 0: spec.l in body should have at least 1 items; "},
        {R"({"l":[{"k":"1"},{"k":"1"},{"k":"1"}]})",
         "spec.l: Too many: 3: must have at most 2 "
         "items; "},
        {R"({"l":[{}]})", "spec.l[0].k: Required value; "},
        {R"({"m":{"x":1}})",
         "spec.m.x: Invalid value: \"integer\": spec.m.x in body must be of "
         "type string: \"integer\"; "},
        {R"({"ios":1.5})",
         "spec.ios: Invalid value: \"number\": spec.ios in body must be of type "
         "integer,string: \"number\"; "},
        {R"({"s":["a","a"]})", "spec.s[1]: Duplicate value: \"a\"; "},
        {R"({"one":{}})",
         "<nil>: Invalid value: \"\": \"spec.one\" must validate one and only one "
         "schema (oneOf). Found none valid; "},
        {R"({"t":"x"})",
         "spec.t: Invalid value: \"x\": spec.t in body must be of type date-time: "
         "\"x\"; "},
        {R"({"n":2.0,"ios":"5%","nul":null,"one":{"g":""},"t":"2026-11-21T04:45:50Z"})", ""},
    };
    for (const auto& [spec, expected] : rows) {
        CAPTURE(spec);
        CHECK(problem(spec) == expected);
    }
    const auto missing = lab::problems_by_schema(Json::object(), kSchema);
    REQUIRE(missing.size() == 1);
    CHECK(missing[0] == lab::Cause{"FieldValueRequired", "Required value", "spec"});
}

TEST_CASE("what a schema does not know is dropped and told") {
    Json object = Json::parse(R"({"apiVersion":"v","kind":"K","metadata":{"name":"x"},"bogus":1,
        "spec":{"a":"1","zz":1,"l":[{"k":"1","q":2}],"m":{"any":"1"},
                "pu":{"z":1,"x":{"y":"1","w":2}}}})");
    CHECK(lab::prune(object, kSchema) ==
          std::vector<std::string>{"bogus", "spec.l[0].q", "spec.pu.x.w", "spec.zz"});
    CHECK(object.at("spec") == Json::parse(R"({"a":"1","l":[{"k":"1"}],"m":{"any":"1"},
                                               "pu":{"z":1,"x":{"y":"1"}}})"));
    CHECK(object.contains("metadata"));
}

TEST_CASE("defaults go where nothing was said") {
    Json object = Json::parse(R"({"spec":{"a":"1","o":{},"d":null,"nul":null}})");
    lab::fill_in_defaults(object, kSchema);
    CHECK(object == Json::parse(R"({"spec":{"a":"1","d":"dd","o":{"q":3},"nul":null}})"));
}
