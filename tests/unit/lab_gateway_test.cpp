#include "lab/gateway.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "lab/api/protobuf.hpp"
#include "lab/cluster_builder.hpp"
#include "lab/http_message.hpp"

namespace {

using kubeclient::Json;
using kubeclient::Method;

struct Lab {
    lab::World world{{1, kubeclient::parse_time("2026-11-21T04:45:50Z").value()}};
    lab::Gateway gateway{
        world.server(),
        [this] { return world.now(); },
        {{"root-token", {"admin", {"system:masters"}}}, {"viewer-token", {"viewer", {}}}}};
    lab::Caller caller{"root-token", {}};

    Lab() {
        lab::ClusterBuilder builder(world);
        builder.add_system();
        lab::NodeShape node;
        node.name = "node-1";
        builder.add_node(node);
    }

    kubeclient::Response raw(const kubeclient::Request& request) {
        return gateway.handle(caller, request);
    }
    Json get(const std::string& path, const std::string& accept = "application/json") {
        kubeclient::Request request;
        request.path = path;
        request.accept = accept;
        return Json::parse(raw(request).body, nullptr, false);
    }
    Json post(const std::string& path, const char* body) {
        kubeclient::Request request;
        request.method = Method::post;
        request.path = path;
        request.content_type = "application/json";
        request.body = body;
        return Json::parse(raw(request).body);
    }
};

const char* const kWhoAmI = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const char* const kReview =
    R"({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})";

}  // namespace

TEST_CASE("a token that nobody has is unauthorized, none at all is anonymous") {
    Lab lab;
    lab.caller.token = "guess";
    CHECK(lab.get("/api/v1/nodes").at("code") == 401);
    CHECK(lab.get("/api/v1/nodes").at("message") == "Unauthorized");
    lab.caller.token = std::nullopt;
    CHECK(lab.get("/version").at("gitVersion") == "v1.36.3");
    CHECK(lab.get("/api").at("message") ==
          "forbidden: User \"system:anonymous\" cannot get path \"/api\"");
}

TEST_CASE("impersonation takes the right to it, and then the other's rights") {
    Lab lab;
    lab.caller.impersonate.user = "viewer";
    CHECK(lab.get("/api/v1/secrets").at("message") ==
          "secrets is forbidden: User \"viewer\" cannot list resource \"secrets\" in API group "
          "\"\" at "
          "the cluster scope");
    CHECK(lab.post(kWhoAmI, kReview).at("status").at("userInfo") ==
          Json::parse(R"({"username": "viewer", "groups": ["system:authenticated"]})"));
    lab.caller.token = "viewer-token";
    lab.caller.impersonate.user = "system:serviceaccount:prod:bot";
    CHECK(lab.get("/api/v1/nodes").at("message") ==
          "serviceaccounts \"bot\" is forbidden: User \"viewer\" cannot impersonate resource "
          "\"serviceaccounts\" in API group \"\" in the namespace \"prod\"");
    lab.caller.impersonate = {};
    lab.caller.impersonate.groups = {"system:masters"};
    CHECK(lab.get("/api/v1/nodes").at("code") == 400);
}

TEST_CASE("a service account that is impersonated has its groups") {
    Lab lab;
    lab.caller.impersonate.user = "system:serviceaccount:prod:bot";
    CHECK(lab.post(kWhoAmI, kReview).at("status").at("userInfo").at("groups") ==
          Json::parse(R"(["system:serviceaccounts", "system:serviceaccounts:prod",
                          "system:authenticated"])"));
}

TEST_CASE("users may ask what they may do") {
    Lab lab;
    lab.caller.token = "viewer-token";
    const char* path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    const auto allowed = [&](const char* attributes) {
        const std::string body =
            std::string(R"({"spec": {"resourceAttributes": )") + attributes + "}}";
        return lab.post(path, body.c_str()).at("status").at("allowed");
    };
    CHECK(allowed(R"({"verb": "list", "resource": "pods"})") == true);
    CHECK(allowed(R"({"verb": "list", "resource": "secrets"})") == false);
    const auto rules = lab.post("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
                                R"({"spec": {"namespace": "prod"}})");
    CHECK(rules.at("status").at("resourceRules").size() > 3);
    CHECK(rules.at("status").at("nonResourceRules").size() == 2);
}

TEST_CASE("lists and objects come as tables to those who ask") {
    Lab lab;
    const std::string table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    CHECK(lab.get("/api/v1/nodes", table).at("rows").at(0).at("cells").at(0) == "node-1");
    CHECK(lab.get("/api/v1/nodes/node-1", table).at("rows").size() == 1);
    CHECK(lab.get("/api/v1/nodes/node-2", table).at("kind") == "Status");
    CHECK(lab.get("/api/v1/nodes").at("kind") == "NodeList");
}

TEST_CASE("discovery names every kind, sub-resources and all, in both forms") {
    Lab lab;
    const auto list = lab.get("/apis/kubevirt.io/v1");
    const auto has = [&](const Json& resources, const char* name) {
        return std::any_of(resources.begin(), resources.end(),
                           [&](const Json& each) { return each.at("name") == name; });
    };
    CHECK(has(list.at("resources"), "virtualmachines"));
    CHECK(has(list.at("resources"), "virtualmachines/status"));
    CHECK(has(lab.get("/api/v1").at("resources"), "pods/eviction"));
    CHECK(lab.get("/apis/kubevirt.io").at("preferredVersion").at("version") == "v1");
    const std::string aggregated =
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
    const auto groups = lab.get("/apis", aggregated);
    CHECK(groups.at("kind") == "APIGroupDiscoveryList");
    CHECK(lab.get("/api", aggregated).at("items").size() == 1);
    CHECK(lab.get("/apis").at("kind") == "APIGroupList");
    CHECK(lab.get("/apis/nobody.example.com/v1").is_discarded());
}

TEST_CASE("OpenAPI says that writes are validated, and has the schemas of definitions") {
    Lab lab;
    CHECK(lab.get("/openapi/v3").at("paths").contains("apis/kubevirt.io/v1"));
    const auto document = lab.get("/openapi/v3/apis/kubevirt.io/v1");
    const auto& patch =
        document.at("paths")
            .at("/apis/kubevirt.io/v1/namespaces/{namespace}/virtualmachines/{name}")
            .at("patch");
    CHECK(patch.at("x-kubernetes-group-version-kind").at("kind") == "VirtualMachine");
    CHECK(patch.at("parameters").at(2).at("name") == "fieldValidation");
    CHECK(document.at("components").at("schemas").contains("kubevirt.io.v1.VirtualMachine"));
    CHECK(lab.get("/openapi/v3/apis/nobody/v1").is_discarded());
}

TEST_CASE("a protobuf body of kubectl is read, any other refused") {
    // k8s\0, type meta {v1, Namespace}, the object {metadata {name: dev}}.
    const std::string body(
        "k8s\0\x0a\x0f\x0a\x02v1\x12\x09Namespace\x12\x07\x0a\x05\x0a\x03"
        "dev",
        30);
    CHECK(lab::decode_protobuf(body) ==
          Json::parse(R"({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "dev"}})"));
    for (std::size_t length = 0; length < body.size(); ++length) {
        const auto cut = lab::decode_protobuf(body.substr(0, length));
        CHECK((!cut || !cut->contains("metadata")));
    }
    Lab lab;
    kubeclient::Request request;
    request.method = Method::post;
    request.path = "/api/v1/namespaces";
    request.content_type = "application/vnd.kubernetes.protobuf";
    request.body = body;
    CHECK(lab.raw(request).status == 201);
    request.body = "{}";
    CHECK(lab.raw(request).status == 415);
}

TEST_CASE("a request line and headers become a call") {
    const auto call = lab::read_call("GET", "/api/v1/pods?labelSelector=a%3Db+c&limit=5&watch=1&",
                                     {{"Authorization", "Bearer t"},
                                      {"Impersonate-User", "bob"},
                                      {"impersonate-group", "g1"},
                                      {"Impersonate-Group", "g2"},
                                      {"Impersonate-Extra-Acme.com%2Fx", "y"},
                                      {"ACCEPT", "a/b"}},
                                     "");
    REQUIRE(call.ok());
    CHECK(call->request.path == "/api/v1/pods");
    CHECK(call->request.query == std::vector<std::pair<std::string, std::string>>{
                                     {"labelSelector", "a=b c"}, {"limit", "5"}, {"watch", "1"}});
    CHECK(call->request.accept == "a/b");
    CHECK(call->caller.token == "t");
    CHECK(call->caller.impersonate.user == "bob");
    CHECK(call->caller.impersonate.groups == std::vector<std::string>{"g1", "g2"});
    CHECK(call->caller.impersonate.extra.at("acme.com/x") == std::vector<std::string>{"y"});
    CHECK(lab::is_watch(call->request));
    for (const char* target : {"", "api", "/a%", "/a%zz", "/a?x=%4", "http://x/y"}) {
        CHECK_FALSE(lab::read_call("GET", target, {}, "").ok());
    }
    CHECK_FALSE(lab::read_call("TRACE", "/", {}, "").ok());
}
