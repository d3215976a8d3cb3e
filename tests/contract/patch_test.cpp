#include "tests/contract/contract.hpp"

using namespace contract;

namespace {

Json step(const char* operation, const char* where, const Json& value = nullptr) {
    Json json{{"op", operation}, {"path", where}};
    if (!value.is_null()) json["value"] = value;
    return json;
}

const std::string kRefused =
    "422 Invalid: The request is invalid: the server rejected our request due to an error in our "
    "request";

}  // namespace

TEST_CASE("a JSON patch tests, changes and removes") {
    Bench bench;
    auto& api = bench.admin.api;
    bench.create(bench.maps(), config_map("a"));
    const auto patched = must(
        api.patch(bench.maps("a"), PatchKind::json,
                  Json::array({step("test", "/data/key", "value"),
                               step("replace", "/data/key", "new"), step("add", "/data/more", "x"),
                               step("add", "/metadata/annotations", {{"a.b/c", "d"}})}),
                  DryRun::none));
    CHECK(patched["data"] == Json{{"key", "new"}, {"more", "x"}});
    CHECK(text_at(patched, {"metadata", "annotations", "a.b/c"}) == "d");
    const auto removed = must(api.patch(
        bench.maps("a"), PatchKind::json,
        Json::array({step("remove", "/data/more"), step("remove", "/metadata/annotations/a.b~1c")}),
        DryRun::none));
    CHECK(removed["data"] == Json{{"key", "new"}});
    CHECK(find(removed, {"metadata", "annotations"}) == nullptr);
}

TEST_CASE("a JSON patch whose test fails changes nothing") {
    Bench bench;
    auto& api = bench.admin.api;
    const auto before = bench.create(bench.maps(), config_map("a"));
    for (const auto& patch :
         {Json::array({step("remove", "/data/key"), step("test", "/metadata/name", "b")}),
          Json::array({step("test", "/data/none", "x")}),
          Json::array({step("remove", "/data/none")}),
          Json::array({step("test", "/metadata/uid", "another")})}) {
        CAPTURE(to_line(patch));
        const auto refused = api.patch(bench.maps("a"), PatchKind::json, patch, DryRun::none);
        CHECK(told(refused) == kRefused);
        CHECK(refused.error().kind == ErrorKind::invalid);
    }
    CHECK(must(api.get(bench.maps("a"))) == before);
    bench.create(bench.machines(), machine_instance("v"));
    CHECK(told(api.patch(bench.machines("v"), PatchKind::json,
                         Json::array({step("test", "/spec/domain", "x")}), DryRun::none)) ==
          kRefused);
}

TEST_CASE("a JSON patch may replace what is not there, and test that it is not") {
    Bench bench;
    bench.create(bench.maps(), config_map("a"));
    Json absent{{"op", "test"}, {"path", "/data/none"}, {"value", nullptr}};
    const auto patched = must(bench.admin.api.patch(
        bench.maps("a"), PatchKind::json, Json::array({absent, step("replace", "/data/none", "x")}),
        DryRun::none));
    CHECK(patched["data"] == Json{{"key", "value"}, {"none", "x"}});
}

TEST_CASE("a patch that is none is refused") {
    Bench bench;
    bench.create(bench.maps(), config_map("a"));
    CHECK(told(bench.admin.api.patch(bench.maps("a"), PatchKind::json, Json{{"op", "remove"}},
                                     DryRun::none)) ==
          "400 BadRequest: Error from server (BadRequest): error decoding patch: json: cannot "
          "unmarshal object into Go value of type []handlers.jsonPatchOp");
}

TEST_CASE("a merge patch merges objects, replaces lists and removes by null") {
    Bench bench;
    auto& api = bench.admin.api;
    Json object = migration("m");
    object["metadata"]["labels"] = {{"a", "1"}, {"b", "2"}};
    object["metadata"]["finalizers"] = {"example.com/one", "example.com/two"};
    bench.create(bench.migrations(), object);
    const auto patched = must(api.patch(
        bench.migrations("m"), PatchKind::merge,
        {{"metadata",
          {{"labels", {{"b", nullptr}, {"c", "3"}}}, {"finalizers", {"example.com/two"}}}}},
        DryRun::none));
    CHECK(patched["metadata"]["labels"] == Json{{"a", "1"}, {"c", "3"}});
    CHECK(patched["metadata"]["finalizers"] == Json::array({"example.com/two"}));
    must(api.patch(bench.migrations("m"), PatchKind::merge,
                   {{"metadata", {{"finalizers", nullptr}}}}, DryRun::none));
}

TEST_CASE("a patch may name the version and the identity it is meant for") {
    Bench bench;
    auto& api = bench.admin.api;
    const auto first = bench.create(bench.maps(), config_map("a"));
    const auto with = [&](const char* field, const std::string& value) {
        return api.patch(bench.maps("a"), PatchKind::merge,
                         {{"metadata", {{field, value}, {"labels", {{"x", value.substr(0, 8)}}}}}},
                         DryRun::none);
    };
    CHECK(with("resourceVersion", version_of(first)).ok());
    const auto stale = with("resourceVersion", version_of(first));
    CHECK(
        told(stale) ==
        "409 Conflict: Error from server (Conflict): Operation cannot be fulfilled on configmaps "
        "\"a\": the object has been modified; please apply your changes to the latest version and "
        "try again");
    CHECK(with("uid", uid_of(first)).ok());
    const auto other = with("uid", "another");
    CHECK(told(other) ==
          "422 Invalid: The ConfigMap \"a\" is invalid: metadata.uid: Invalid value: \"another\": "
          "field is immutable");
}

TEST_CASE("a patch that changes nothing keeps the version") {
    Bench bench;
    const auto first = bench.create(bench.maps(), config_map("a"));
    const auto same = must(bench.admin.api.patch(bench.maps("a"), PatchKind::merge,
                                                 {{"data", {{"key", "value"}}}}, DryRun::none));
    CHECK(version_of(same) == version_of(first));
}

TEST_CASE("nothing that is absent is patched") {
    Bench bench;
    for (const auto kind : {PatchKind::json, PatchKind::merge, PatchKind::strategic}) {
        const Json patch = kind == PatchKind::json ? Json::array({step("remove", "/data/key")})
                                                   : Json{{"data", {{"key", "x"}}}};
        CHECK(told(bench.admin.api.patch(bench.maps("none"), kind, patch, DryRun::none)) ==
              "404 NotFound: Error from server (NotFound): configmaps \"none\" not found");
    }
}

TEST_CASE("a strategic merge patch merges lists by their keys") {
    Bench bench;
    auto& api = bench.admin.api;
    bench.create(bench.pods(), pod("p", "node-of-" + bench.ns));
    const auto patch = [&](const Json& conditions) {
        return must(api.patch(bench.pods("p", "status"), PatchKind::strategic,
                              {{"status", {{"conditions", conditions}}}}, DryRun::none));
    };
    patch({{{"type", "Ready"}, {"status", "False"}}});
    const auto both = patch({{{"type", "Initialized"}, {"status", "True"}}});
    CHECK(items_at(both, {"status", "conditions"}).size() == 2);
    const auto changed = patch({{{"type", "Ready"}, {"status", "True"}}});
    for (const auto& condition : items_at(changed, {"status", "conditions"})) {
        CHECK(text_at(condition, {"status"}) == "True");
    }
    const auto deleted = patch({{{"type", "Ready"}, {"$patch", "delete"}}});
    REQUIRE(items_at(deleted, {"status", "conditions"}).size() == 1);
    CHECK(text_at(deleted["status"]["conditions"][0], {"type"}) == "Initialized");

    Json tolerated{{"spec", {{"containers", {{{"name", "compute"}, {"image", "other"}}}}}}};
    const auto image =
        must(api.patch(bench.pods("p"), PatchKind::strategic, tolerated, DryRun::none));
    REQUIRE(items_at(image, {"spec", "containers"}).size() == 1);
    CHECK(text_at(image["spec"]["containers"][0], {"image"}) == "other");
}

TEST_CASE("a strategic merge patch of a node replaces the whole list of taints") {
    Bench bench;
    auto& api = bench.admin.api;
    const auto name = "node-of-" + bench.ns;
    const auto where = path(core("", "nodes", name));
    const Json taints = Json::array(
        {{{"key", "a"}, {"effect", "NoSchedule"}}, {{"key", "b"}, {"effect", "NoSchedule"}}});
    bench.create(path(core("", "nodes")),
                 {{"metadata", {{"name", name}}}, {"spec", {{"taints", taints}}}});
    const auto patched =
        must(api.patch(where, PatchKind::strategic,
                       {{"spec",
                         {{"unschedulable", true},
                          {"taints", Json::array({{{"key", "c"}, {"effect", "NoExecute"}}})}}}},
                       DryRun::none));
    CHECK(patched["spec"] ==
          Json{{"unschedulable", true},
               {"taints", Json::array({{{"key", "c"}, {"effect", "NoExecute"}}})}});
    // The status has a door of its own.
    const Json ready{
        {"status", {{"conditions", Json::array({{{"type", "Ready"}, {"status", "True"}}})}}}};
    const auto ignored = must(api.patch(where, PatchKind::strategic, ready, DryRun::none));
    CHECK(find(ignored, {"status", "conditions"}) == nullptr);
    CHECK(version_of(ignored) == version_of(patched));
    const auto taken =
        must(api.patch(where + "/status", PatchKind::strategic, ready, DryRun::none));
    CHECK(items_at(taken, {"status", "conditions"}).size() == 1);
    must(api.remove(where));
}

TEST_CASE("custom objects have no strategic merge patch") {
    Bench bench;
    bench.create(bench.machines(), machine_instance("v"));
    const auto refused =
        bench.admin.api.patch(bench.machines("v"), PatchKind::strategic,
                              {{"metadata", {{"labels", {{"a", "b"}}}}}}, DryRun::none);
    CHECK(
        told(refused) ==
        "415 UnsupportedMediaType: Error from server (UnsupportedMediaType): the body of the "
        "request was in an unknown format - accepted media types include: "
        "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml");
    CHECK(refused.error().kind == ErrorKind::invalid);
}

TEST_CASE("a patch of an unknown type is refused") {
    Bench bench;
    bench.create(bench.maps(), config_map("a"));
    Request request;
    request.method = Method::patch;
    request.path = bench.maps("a");
    request.content_type = "text/plain";
    request.body = "{}";
    const auto reply = must(bench.admin.transport().send(request));
    CHECK(reply.status == 415);
    CHECK(text_at(must(parse_json(reply.body, "reply")), {"reason"}) == "UnsupportedMediaType");
}

TEST_CASE("what a pod runs on and as may not be patched") {
    Bench bench;
    bench.create(bench.pods(), pod("p", "node-of-" + bench.ns));
    const auto refused = bench.admin.api.patch(bench.pods("p"), PatchKind::strategic,
                                               {{"spec", {{"nodeName", "another"}}}}, DryRun::none);
    CHECK(refused.error().http_status == 422);
    CHECK(refused.error().message.starts_with(
        "The Pod \"p\" is invalid: spec: Forbidden: pod updates may not change fields other than "
        "`spec.containers[*].image`,"));
}
