#include "kubeclient/api.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/support/fake_transport.hpp"

using namespace kubeclient;
using support::FakeTransport;

namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

std::string page(const std::string& names, const std::string& token) {
    std::string items;
    for (const char name : names) {
        if (!items.empty()) items += ",";
        items += R"({"metadata":{"name":")" + std::string(1, name) + R"("}})";
    }
    return R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":")" +
           token + R"("},"items":[)" + items + "]}";
}

std::string names_of(const ObjectList& list) {
    std::string names;
    for (const auto& item : list.items) names += text_at(item, {"metadata", "name"}).value_or("?");
    return names;
}

const std::string kExpired =
    R"({"kind":"Status","status":"Failure","reason":"Expired","code":410,"message":"too old"})";

}  // namespace

TEST_CASE("a path has group, version, namespace, resource, name and subresource") {
    CHECK(path_of({"", "v1", "nodes", "", "", ""}).value() == "/api/v1/nodes");
    CHECK(path_of({"", "v1", "pods", "web", "db-0", "log"}).value() ==
          "/api/v1/namespaces/web/pods/db-0/log");
    CHECK(path_of({"subresources.kubevirt.io", "v1", "virtualmachineinstances", "web", "db",
                   "evacuate/cancel"})
              .value() ==
          "/apis/subresources.kubevirt.io/v1/namespaces/web/virtualmachineinstances/db/evacuate/"
          "cancel");
    CHECK(path_of({"rbac.authorization.k8s.io", "v1", "clusterroles", "", "system:node", ""})
              .value() == "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode");
    CHECK(path_of({"", "v1", "nodes", "", "a b?c#d", ""}).value() == "/api/v1/nodes/a%20b%3Fc%23d");
}

TEST_CASE("names that lead elsewhere are refused in every place") {
    for (const std::string bad : {".", "..", "a/b", "a%2fb", "a\nb", "../secrets"}) {
        CAPTURE(bad);
        for (const auto& path : std::vector<ResourcePath>{{bad, "v1", "pods", "n", "x", ""},
                                                          {"", bad, "pods", "n", "x", ""},
                                                          {"", "v1", bad, "n", "x", ""},
                                                          {"", "v1", "pods", bad, "x", ""},
                                                          {"", "v1", "pods", "n", bad, ""}}) {
            CHECK(path_of(path).error().kind == ErrorKind::usage);
        }
    }
    CHECK(path_of({"", "v1", "pods", "n", "x", "../y"}).error().kind == ErrorKind::usage);
    CHECK(path_of({"", "v1", "pods", "n", "", "log"}).error().kind == ErrorKind::usage);
    CHECK(path_of({"", "", "pods", "n", "", ""}).error().kind == ErrorKind::usage);
}

TEST_CASE("KubeVirt's subresources are asked for with any type allowed") {
    FakeTransport transport;
    transport.then(200, "{}").then(200, "{}");
    Api api(transport);
    CHECK(api.get("/apis/subresources.kubevirt.io/v1/version").ok());
    CHECK(api.get("/apis/kubevirt.io/v1").ok());
    CHECK(transport.asked[0].accept == "application/json, */*");
    CHECK(transport.asked[1].accept == "application/json");
}

TEST_CASE("a list is put together from its pages, each item with its kind") {
    FakeTransport transport;
    transport.then(200, page("ab", "t1")).then(200, page("c", "t2")).then(200, page("d", ""));
    Api api(transport);
    ListOptions options;
    options.label_selector = "app=web";
    options.field_selector = "spec.nodeName=n1";
    const auto list = api.list("/api/v1/pods", options);
    REQUIRE(list.ok());
    CHECK(names_of(*list) == "abcd");
    CHECK(list->kind == "Pod");
    CHECK(list->resource_version == "7");
    CHECK(to_line(list->items[0]) == R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}})");
    CHECK(transport.asked[0].query == Query{{"labelSelector", "app=web"},
                                            {"fieldSelector", "spec.nodeName=n1"},
                                            {"limit", "500"}});
    CHECK(transport.asked[2].query == Query{{"labelSelector", "app=web"},
                                            {"fieldSelector", "spec.nodeName=n1"},
                                            {"limit", "500"},
                                            {"continue", "t2"}});
}

TEST_CASE("a version that expires between pages means the whole list again") {
    FakeTransport transport;
    transport.then(200, page("ab", "t1")).then(410, kExpired).then(200, page("abc", ""));
    const auto list = Api(transport).list("/api/v1/pods");
    REQUIRE(list.ok());
    CHECK(names_of(*list) == "abc");
    CHECK(transport.asked[2].query == Query{});
    FakeTransport at_once;
    at_once.then(410, kExpired);
    CHECK(Api(at_once).list("/api/v1/pods").error().http_status == 410);
}

TEST_CASE("a failure on a later page is a failure, not half a list") {
    FakeTransport transport;
    transport.then(200, page("ab", "t1")).then(Error{ErrorKind::transport, "gone"});
    CHECK(Api(transport).list("/api/v1/pods").error().message == "gone");
}

TEST_CASE("a list from the cache is one request without a limit") {
    FakeTransport transport;
    transport.then(200, page("a", ""));
    ListOptions options;
    options.source = ListSource::cache;
    CHECK(Api(transport).list("/api/v1/pods", options).ok());
    CHECK(transport.asked[0].query == Query{{"resourceVersion", "0"}});
}

TEST_CASE("pages that do not end are an error") {
    FakeTransport transport;
    transport.then(200, page("a", "t")).then(200, page("a", "t"));
    CHECK(Api(transport).list("/api/v1/pods").error().message ==
          "GET /api/v1/pods: the pages of the list do not end");
}

TEST_CASE("what is no list is not taken for one") {
    const std::string start = "GET /api/v1/pods: ";
    for (const auto& [body, message] : std::vector<std::pair<std::string, std::string>>{
             {R"({"kind":"Pod"})", "the reply is a Pod where a list was expected"},
             {R"({"kind":"List"})", "the reply is a List where a list was expected"},
             {R"({"items":[]})", "the reply is an object without kind where a list was expected"},
             {R"({"kind":"PodList"})", "the reply is a PodList where a list was expected"},
             {R"({"kind":"PodList","items":{}})",
              "the reply is a PodList where a list was expected"},
             {R"({"kind":"Status","status":"Success"})",
              "the reply is a Status where an object was expected"},
             {"[]", "the reply is JSON but no object"},
             {"", "empty reply where an object was expected"}}) {
        FakeTransport transport;
        transport.then(200, body);
        const auto error = Api(transport).list("/api/v1/pods").error();
        CHECK(error.message == start + message);
        CHECK(error.kind == ErrorKind::protocol);
    }
    FakeTransport transport;
    transport.then(200, R"({"kind":"PodList","items":null})");
    CHECK(Api(transport).list("/api/v1/pods")->items.empty());
}

TEST_CASE("a reply of another kind is told") {
    FakeTransport transport;
    transport.then(200, R"({"kind":"Table"})").then(200, R"({"kind":"Pod"})");
    Api api(transport);
    CHECK(api.get("/api/v1/x", "Pod").error().message ==
          "GET /api/v1/x: the reply is of kind \"Table\" where \"Pod\" was expected");
    CHECK(api.get("/api/v1/x", "Pod").ok());
}

TEST_CASE("an access review asks for what is named and says why") {
    FakeTransport transport;
    transport.then(201, R"({"status":{"allowed":true,"reason":"RBAC: x"}})")
        .then(201, R"({"status":{"allowed":false,"denied":true,"evaluationError":"oops"}})")
        .then(201, R"({"status":{}})");
    Api api(transport);
    AccessAttributes attributes;
    attributes.verb = "create";
    attributes.group = "kubevirt.io";
    attributes.resource = "virtualmachineinstancemigrations";
    attributes.ns = "web";
    CHECK(api.self_subject_access_review(attributes).value() ==
          AccessReview{true, false, "RBAC: x"});
    CHECK(api.self_subject_access_review(attributes).value() == AccessReview{false, true, "oops"});
    CHECK(api.self_subject_access_review(attributes).error().kind == ErrorKind::protocol);
    CHECK(transport.asked[0].body ==
          R"({"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview",)"
          R"("spec":{"resourceAttributes":{"group":"kubevirt.io","namespace":"web",)"
          R"("resource":"virtualmachineinstancemigrations","verb":"create"}}})");
    CHECK(transport.asked[0].repeatable == Repeatable::yes);
}

TEST_CASE("warnings are shown once each") {
    FakeTransport transport;
    transport.then(200, "{}", {{"warning", R"(299 - "old API")"}, {"warning", R"(299 - "other")"}})
        .then(404, "{}", {{"warning", R"(299 - "old API", 299 k "third")"}});
    std::vector<std::string> seen;
    Api api(transport, [&](const std::string& text) { seen.push_back(text); });
    CHECK(api.get("/a").ok());
    CHECK_FALSE(api.get("/b").ok());
    CHECK(seen == std::vector<std::string>{"old API", "other", "third"});
}

TEST_CASE("warning headers are read as RFC 7234 has them") {
    using Texts = std::vector<std::string>;
    CHECK(warnings_of(R"(299 - "a \"b\" \\c" "Sat, 25 Aug 2012 23:34:45 GMT", 299 - "d")") ==
          Texts{"a \"b\" \\c", "d"});
    CHECK(warnings_of(R"(199 - "misc", 299 - "d")") == Texts{"d"});
    CHECK(warnings_of("299 - \"a\x1b[31mb\"") == Texts{"a?[31mb"});
    for (const auto* broken : {"", "299", "299 -", "299 - text", "299 - \"open", "\"x\"", ",,,",
                               "299 - \"\"", "299 - \"open\\"}) {
        CAPTURE(broken);
        CHECK(warnings_of(broken).empty());
    }
}
