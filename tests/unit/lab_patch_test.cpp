#include "lab/api/patch.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using kubeclient::Json;

namespace {

Json strategic(const char* object, const char* patch) {
    return lab::apply_strategic_merge(Json::parse(object), Json::parse(patch)).value();
}

}  // namespace

TEST_CASE("a JSON patch is applied in order, or not at all") {
    const Json object = Json::parse(R"({"a":{"b":1},"l":[1,2]})");
    const auto patched =
        lab::apply_json_patch(object, Json::parse(R"([{"op":"test","path":"/a/b","value":1},
            {"op":"add","path":"/l/-","value":3},{"op":"remove","path":"/l/0"}])"));
    CHECK(patched.value() == Json::parse(R"({"a":{"b":1},"l":[2,3]})"));
    for (const char* patch :
         {R"([{"op":"test","path":"/a/b","value":2}])", R"([{"op":"remove","path":"/x"}])",
          R"([{"op":"add","path":"/x/y","value":1}])", R"([{"op":"frob","path":"/a"}])",
          R"([{"path":"/a"}])", R"([{"op":"add","path":"/l/9","value":1}])", R"(["x"])"}) {
        CAPTURE(patch);
        const auto refused = lab::apply_json_patch(object, Json::parse(patch));
        REQUIRE_FALSE(refused.ok());
        CHECK(refused.error().code == 422);
        CHECK(refused.error().message ==
              "the server rejected our request due to an error in our request");
    }
}

TEST_CASE("a JSON patch treats missing members as the API server does") {
    const auto patched = lab::apply_json_patch(
        Json::parse(R"({"a":{}})"), Json::parse(R"([{"op":"test","path":"/a/x","value":null},
            {"op":"replace","path":"/a/b","value":1},{"op":"copy","from":"/a/y","path":"/a/z"}])"));
    CHECK(patched.value() == Json::parse(R"({"a":{"b":1,"z":null}})"));
}

TEST_CASE("a strategic merge patch merges lists by their key") {
    CHECK(
        strategic(R"({"spec":{"containers":[{"name":"a","image":"1"},{"name":"b","image":"2"}]}})",
                  R"({"spec":{"$setElementOrder/containers":[{"name":"b"},{"name":"c"}],
                  "containers":[{"name":"b","image":"3"},{"name":"c"},
                                {"name":"a","$patch":"delete"}]}})") ==
        Json::parse(R"({"spec":{"containers":[{"name":"b","image":"3"},{"name":"c"}]}})"));
}

TEST_CASE("a strategic merge patch replaces lists without a key") {
    CHECK(strategic(R"({"spec":{"taints":[{"key":"a"}],"x":1}})",
                    R"({"spec":{"taints":[{"key":"b"}],"x":null}})") ==
          Json::parse(R"({"spec":{"taints":[{"key":"b"}]}})"));
}

TEST_CASE("a strategic merge patch follows its directives") {
    const char* object = R"({"metadata":{"finalizers":["a/1","b/2"]},"d":{"x":1},"e":{"y":1}})";
    CHECK(strategic(object, R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["a/1"]},
                               "d":{"$patch":"replace","z":2},"e":{"$patch":"delete"}})") ==
          Json::parse(R"({"metadata":{"finalizers":["b/2"]},"d":{"z":2},"e":{}})"));
    CHECK(strategic(object, R"({"metadata":{"finalizers":["b/2","c/3"]}})")
              .at("metadata")
              .at("finalizers") == Json::parse(R"(["a/1","b/2","c/3"])"));  // in the patch's order
    CHECK(
        strategic(R"({"strategy":{"a":1,"b":2}})", R"({"strategy":{"$retainKeys":["b"],"b":3}})") ==
        Json::parse(R"({"strategy":{"b":3}})"));
    CHECK(strategic(R"({"status":{"conditions":[{"type":"A"}]}})",
                    R"({"status":{"conditions":[{"$patch":"replace"},{"type":"B"}]}})") ==
          Json::parse(R"({"status":{"conditions":[{"type":"B"}]}})"));
}

TEST_CASE("a merged list has the patch's order, new items first") {
    const char* object = R"({"status":{"conditions":[{"type":"A"},{"type":"B"},{"type":"C"}]}})";
    const auto types = [&](const char* patch) {
        const Json merged = strategic(object, patch);
        std::string text;
        for (const Json& one : merged.at("status").at("conditions")) {
            text += one.at("type").get<std::string>();
        }
        return text;
    };
    CHECK(types(R"({"status":{"conditions":[{"type":"D"}]}})") == "DABC");
    CHECK(types(R"({"status":{"conditions":[{"type":"B","x":1}]}})") == "ABC");
    CHECK(types(R"({"status":{"$setElementOrder/conditions":[{"type":"C"},{"type":"A"}],
                    "conditions":[{"type":"A","x":1}]}})") == "BCA");
}

TEST_CASE("a merge patch drops nulls wherever they are") {
    CHECK(lab::apply_merge_patch(Json::parse(R"({"a":{"x":1,"y":2},"b":1,"l":[1]})"),
                                 Json::parse(R"({"a":{"x":null},"b":null,"c":{"d":null},
                                                 "l":[{"p":null,"q":1}]})")) ==
          Json::parse(R"({"a":{"y":2},"c":{},"l":[{"q":1}]})"));
}

TEST_CASE("an item without its merge key is refused") {
    const auto refused =
        lab::apply_strategic_merge(Json::parse(R"({"spec":{"containers":[{"name":"a"}]}})"),
                                   Json::parse(R"({"spec":{"containers":[{"image":"1"}]}})"));
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().message.find("does not contain declared merge key: name") !=
          std::string::npos);
}
