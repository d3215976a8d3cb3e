// What clients send, and how strictly it is read.
#include <doctest/doctest.h>

#include "lab/api/body.hpp"
#include "lab_api_builders.hpp"

using namespace lab_test;
using Query = Server::Query;

TEST_CASE("duplicate fields are found with their paths, in the order of the text") {
    CHECK(lab::duplicate_fields(R"({"a":1,"b":{"c":1,"c":2},"l":[{"x":1},{"y":1,"y":2}],"a":3})") ==
          std::vector<std::string>{"duplicate field \"b.c\"", "duplicate field \"l[1].y\"",
                                   "duplicate field \"a\""});
    CHECK(lab::duplicate_fields(R"({"a":{"x":1},"b":{"x":1}})").empty());
    CHECK(lab::duplicate_fields("{").empty());
}

TEST_CASE("unknown and duplicate fields are refused, warned about or ignored") {
    Server server;
    const std::string body =
        R"({"kind":"VirtualMachineInstance","apiVersion":"kubevirt.io/v1","bogus":1,)"
        R"("metadata":{"name":"x","name":"web","odd":1},"spec":{"domain":{"devices":{}}}})";
    const auto post = [&](const Query& query) {
        return server.send(Method::post, kVmis, body, "application/json", query);
    };
    const auto strict = post({{"fieldValidation", "Strict"}});
    CHECK(strict.status == 400);
    CHECK(strict.body.at("message") ==
          "VirtualMachineInstance in version \"v1\" cannot be handled as a "
          "VirtualMachineInstance: strict decoding error: duplicate field \"metadata.name\", "
          "unknown field \"metadata.odd\", unknown field \"bogus\"");
    CHECK(post({{"fieldValidation", "x"}}).status == 422);
    CHECK(warning(post({{"fieldValidation", "Ignore"}, {"dryRun", "All"}})).empty());
    const auto warned = post({});
    CHECK(warned.status == 201);
    CHECK(warning(warned) ==
          "299 - \"duplicate field \\\"metadata.name\\\"\""
          "299 - \"unknown field \\\"metadata.odd\\\"\""
          "299 - \"unknown field \\\"bogus\\\"\"");
    CHECK_FALSE(warned.body.contains("bogus"));
    CHECK_FALSE(warned.body.at("metadata").contains("odd"));
}

TEST_CASE("fields of kinds that are built in are known at the top and in some specs") {
    Server server;
    Json object = pod("p");
    object["spec"]["bar"] = 2;
    object["foo"] = 1;
    const auto strict = server.create(kPods, object, {{"fieldValidation", "Strict"}});
    CHECK(strict.body.at("message") ==
          "Pod in version \"v1\" cannot be handled as a Pod: strict decoding error: unknown field "
          "\"foo\", unknown field \"spec.bar\"");
}

TEST_CASE("a patch is held to the same fields") {
    Server server;
    server.create(kVmis, vmi("web"));
    const Query strictly{{"fieldValidation", "Strict"}};
    const auto refused = server.merge(kVmis + "/web", {{"bogus", 1}}, strictly);
    CHECK(refused.status == 422);
    const auto message = refused.body.at("message").get<std::string>();
    CHECK(message.find(" \"\" is invalid: patch: Invalid value: \"{\\\"apiVersion\\\"") == 0);
    CHECK(message.find("strict decoding error: unknown field \"bogus\"") != std::string::npos);
    const auto twice = server.send(Method::patch, kVmis + "/web", R"({"spec":{"a":1,"a":2}})",
                                   "application/merge-patch+json", strictly);
    CHECK(twice.status == 422);
    CHECK(warning(server.merge(kVmis + "/web", {{"bogus", 1}})) ==
          "299 - \"unknown field \\\"bogus\\\"\"");
}

TEST_CASE("an object of another kind or version is not taken") {
    Server server;
    const auto message = [&](const std::string& path, const Json& object) {
        const auto refused = server.create(path, object);
        CHECK(refused.status / 100 == 4);
        return refused.body.at("message").get<std::string>();
    };
    CHECK(message(kVmis, config_map("a")) ==
          "the API version in the data (v1) does not match the expected API version "
          "(kubevirt.io/v1)");
    CHECK(message(kVmis, vm("a")) ==
          "VirtualMachine.kubevirt.io \"a\" is invalid: kind: Invalid "
          "value: \"VirtualMachine\": must be VirtualMachineInstance");
    CHECK(message(kConfigMaps, {{"apiVersion", "v2"}, {"kind", "ConfigMap"}}) ==
          "ConfigMap in version \"v2\" cannot be handled as a ConfigMap: no kind \"ConfigMap\" is "
          "registered for version \"v2\" in scheme \"pkg/runtime/scheme.go:111\"");
    CHECK(server.create(kConfigMaps, {{"metadata", {{"name", "plain"}}}}).body.at("kind") ==
          "ConfigMap");
}

TEST_CASE("metadata of another type is refused in Go's words") {
    Server server;
    Json object = vmi("a");
    object["metadata"]["labels"] = {{"a", 1}};
    CHECK(server.create(kVmis, object).body.at("message") ==
          "VirtualMachineInstance in version \"v1\" cannot be handled as a "
          "VirtualMachineInstance: json: cannot unmarshal number into Go struct field "
          "ObjectMeta.labels of type string");
    for (const Json& metadata : {Json("x"), Json::array(), Json{{"name", 1}},
                                 Json{{"ownerReferences", {1}}}, Json{{"finalizers", "x"}}}) {
        CAPTURE(metadata.dump());
        object["metadata"] = metadata;
        CHECK(server.create(kVmis, object).status == 400);
        CHECK(server.create(kConfigMaps, {{"metadata", metadata}}).status == 400);
    }
}

TEST_CASE("bodies that are no object, and media types that are unknown, are refused") {
    Server server;
    for (const char* body : {"", "{", "[]", "1", "null", "\"x\"", "\xff"}) {
        CAPTURE(body);
        CHECK(server.send(Method::post, kConfigMaps, body).status == 400);
        CHECK(server.send(Method::post, kVmis, body).status == 400);
        CHECK(server.send(Method::put, kVmis + "/a", body).status == 400);
    }
    server.create(kConfigMaps, config_map("a"));
    for (const char* body : {"", "{", "[]", "1", "\"x\""}) {
        CAPTURE(body);
        CHECK(server.send(Method::patch, kConfigMaps + "/a", body, "application/merge-patch+json")
                  .status == 400);
    }
    for (const char* type : {"text/plain", "application/apply-patch+yaml", ""}) {
        CHECK(server.send(Method::patch, kConfigMaps + "/a", "{}", type).status == 415);
    }
    CHECK(server.send(Method::post, kConfigMaps, "{}", "text/plain").status == 415);
    CHECK(server.send(Method::post, kConfigMaps, "metadata: {name: yaml}", "application/yaml")
              .status == 201);
}

TEST_CASE("names, labels and owners are checked") {
    Server server;
    const auto invalid = [&](const char* metadata) {
        Json object = config_map("x");
        object["metadata"].update(Json::parse(metadata));
        const auto refused = server.create(kConfigMaps, object);
        return refused.status == 422
                   ? refused.body.at("details").at("causes").at(0).at("field").get<std::string>()
                   : "";
    };
    CHECK(invalid(R"({"name":"A_b"})") == "metadata.name");
    CHECK(invalid(R"({"name":""})") == "metadata.name");
    CHECK(invalid(R"({"labels":{"a b":"c"}})") == "metadata.labels");
    CHECK(invalid(R"({"labels":{"a":"c d"}})") == "metadata.labels");
    CHECK(invalid(R"({"annotations":{"a b":"c"}})") == "metadata.annotations");
    CHECK(invalid(R"({"finalizers":["foo"]})") == "metadata.finalizers[0]");
    CHECK(invalid(R"({"ownerReferences":[{"kind":"Pod","name":"x","uid":"u"}]})") ==
          "metadata.ownerReferences.apiVersion");
    CHECK(invalid(R"({"annotations":{"A/b":"c d"},"finalizers":["a/b"]})").empty());
}
