// Deletion in all its ways.
#include <doctest/doctest.h>

#include "lab_api_builders.hpp"

using namespace lab_test;

namespace {

Json held(Json object) {
    object["metadata"]["finalizers"] = {"example.com/hold"};
    return object;
}

Json bound_pod(const std::string& name) {
    Json object = pod(name);
    object["spec"]["nodeName"] = "n1";
    return object;
}

}  // namespace

TEST_CASE("preconditions that fail name both sides") {
    Server server;
    const Json object = server.create(kVmis, vmi("web")).body;
    const auto uid = object.at("metadata").at("uid").get<std::string>();
    auto refused = server.remove(kVmis + "/web", {{"preconditions", {{"uid", "another"}}}});
    CHECK(refused.status == 409);
    CHECK(refused.body.at("message") ==
          "Operation cannot be fulfilled on VirtualMachineInstance.kubevirt.io \"web\": the UID in "
          "the precondition (another) does not match the UID in record (" +
              uid + "). The object might have been deleted and then recreated");
    refused = server.remove(kVmis + "/web", {{"preconditions", {{"resourceVersion", "1"}}}});
    CHECK(refused.status == 409);
    CHECK(server
              .remove(kVmis + "/web",
                      {{"preconditions", {{"uid", uid}, {"resourceVersion", version_of(object)}}}})
              .status == 200);
}

TEST_CASE("an object that is held counts its deletion as a change, once") {
    Server server;
    server.create(kVms, held(vm("db")));
    const auto dying = server.remove(kVms + "/db");
    CHECK(dying.body.at("metadata").at("generation") == 2);
    CHECK(dying.body.at("metadata").at("deletionGracePeriodSeconds") == 0);
    server.now += std::chrono::seconds(10);
    CHECK(server.remove(kVms + "/db").body == dying.body);
    const auto more = server.merge(kVms + "/db", {{"metadata", {{"finalizers", {"a/b", "c/d"}}}}});
    CHECK(more.status == 422);
    CHECK(more.body.at("message") ==
          "VirtualMachine.kubevirt.io \"db\" is invalid: metadata.finalizers: Forbidden: no new "
          "finalizers can be added if the object is being deleted, found new finalizers "
          "[]string{\"a/b\", \"c/d\"}");
    const auto again = server.create(kVms, vm("db"));
    CHECK(again.body.at("message") ==
          "object is being deleted: virtualmachines.kubevirt.io \"db\" already exists");
    const auto gone = server.merge(kVms + "/db", {{"metadata", {{"finalizers", nullptr}}}});
    CHECK(gone.status == 200);
    CHECK(server.get(kVms + "/db").status == 404);
}

TEST_CASE("the grace of a pod can be made shorter, not longer") {
    Server server;
    server.create(kPods, bound_pod("p"));
    server.remove(kPods + "/p");
    server.now += std::chrono::seconds(2);
    const auto shorter = server.remove(kPods + "/p", {{"gracePeriodSeconds", 5}});
    CHECK(shorter.body.at("metadata").at("deletionTimestamp") == "2026-11-21T04:45:55Z");
    CHECK(shorter.body.at("metadata").at("deletionGracePeriodSeconds") == 5);
    CHECK(server.remove(kPods + "/p", {{"gracePeriodSeconds", 50}}).body == shorter.body);
    CHECK(server.get(kPods + "/p").body == shorter.body);
    server.remove(kPods + "/p", {{"gracePeriodSeconds", 0}});
    CHECK(server.get(kPods + "/p").status == 404);
}

TEST_CASE("a pod that runs nowhere, or has ended, goes at once") {
    Server server;
    server.create(kPods, pod("unbound"));
    server.create(kPods, bound_pod("ended"));
    server.merge(kPods + "/ended/status", {{"status", {{"phase", "Succeeded"}}}});
    CHECK(server.remove(kPods + "/unbound").body.at("kind") == "Pod");
    CHECK(server.get(kPods + "/unbound").status == 404);
    server.remove(kPods + "/ended");
    CHECK(server.get(kPods + "/ended").status == 404);
}

TEST_CASE("a bound pod with a finalizer outlives its kubelet") {
    Server server;
    server.create(kPods, held(bound_pod("p")));
    server.remove(kPods + "/p");
    server.remove(kPods + "/p", {{"gracePeriodSeconds", 0}});
    const auto held = server.get(kPods + "/p");
    CHECK(held.body.at("metadata").at("deletionGracePeriodSeconds") == 0);
    server.merge(kPods + "/p", {{"metadata", {{"finalizers", nullptr}}}});
    CHECK(server.get(kPods + "/p").status == 404);
}

TEST_CASE("foreground and orphan are left to the garbage collector as finalizers") {
    Server server;
    server.create(kConfigMaps, config_map("a"));
    server.create(kConfigMaps, config_map("b"));
    CHECK(server.remove(kConfigMaps + "/a", {{"propagationPolicy", "Foreground"}})
              .body.at("metadata")
              .at("finalizers") == Json{"foregroundDeletion"});
    CHECK(server.remove(kConfigMaps + "/b", nullptr, {{"propagationPolicy", "Orphan"}})
              .body.at("metadata")
              .at("finalizers") == Json{"orphan"});
    CHECK(server.remove(kConfigMaps + "/b", {{"propagationPolicy", "x"}}).status == 422);
    CHECK(server.remove(kConfigMaps + "/b", {{"dryRun", {"x"}}}).status == 422);
}

TEST_CASE("a collection is deleted as far as it is selected") {
    Server server;
    for (const char* name : {"a", "b"}) {
        Json object = config_map(name);
        object["metadata"]["labels"] = {{"is", name}};
        server.create(kConfigMaps, object);
    }
    auto removed =
        server.remove(kConfigMaps, nullptr, {{"labelSelector", "is=a"}, {"dryRun", "All"}});
    CHECK(names(removed.body) == std::vector<std::string>{"a"});
    CHECK(server.get(kConfigMaps).body.at("items").size() == 2);
    removed = server.remove(kConfigMaps, nullptr, {{"labelSelector", "is=a"}});
    CHECK(removed.body.at("kind") == "ConfigMapList");
    CHECK(names(server.get(kConfigMaps).body) == std::vector<std::string>{"b"});
}

TEST_CASE("a namespace ends when its finalizer is taken off") {
    Server server;
    const std::string path = "/api/v1/namespaces/n1";
    server.create("/api/v1/namespaces",
                  {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "n1"}}}});
    CHECK(server.get(path).body.at("status").at("phase") == "Active");
    const auto ending = server.remove(path);
    CHECK(ending.body.at("status").at("phase") == "Terminating");
    const auto refused = server.create(path + "/configmaps", config_map("a"));
    CHECK(refused.status == 403);
    CHECK(refused.body.at("message") ==
          "configmaps \"a\" is forbidden: unable to create new content in namespace n1 because it "
          "is being terminated");
    CHECK(refused.body.at("details").at("causes").at(0).at("reason") == "NamespaceTerminating");
    CHECK(server.remove(path).status == 409);
    Json empty = ending.body;
    empty["spec"]["finalizers"] = Json::array();
    CHECK(server.replace(path + "/finalize", empty).status == 200);
    CHECK(server.get(path).status == 404);
    CHECK(server.remove("/api/v1/namespaces/default").status == 403);
}

TEST_CASE("a definition adds a kind, and takes its objects along when it goes") {
    Server server;
    const Json definition = Json::parse(R"({"apiVersion":"apiextensions.k8s.io/v1",
      "kind":"CustomResourceDefinition","metadata":{"name":"tests.example.com"},
      "spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"tests","kind":"Test"},
      "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":
      {"type":"object","properties":{"spec":{"type":"object","properties":
        {"n":{"type":"integer"}}}}}}}]}})");
    const std::string definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    const std::string tests = "/apis/example.com/v1/namespaces/default/tests";
    CHECK(server.get(tests).status == 404);
    const auto created = server.create(definitions, definition);
    CHECK(created.status == 201);
    CHECK(created.body.at("status").at("conditions").at(1).at("type") == "Established");
    CHECK(created.body.at("spec").at("names").at("listKind") == "TestList");
    CHECK(server
              .create(tests, {{"apiVersion", "example.com/v1"},
                              {"kind", "Test"},
                              {"metadata", {{"name", "t"}}},
                              {"spec", {{"n", 1}, {"m", 2}}}})
              .body.at("spec") == Json{{"n", 1}});
    server.remove(definitions + "/tests.example.com");
    CHECK(server.get(tests).status == 404);
    CHECK(server.store.all({"example.com", "tests"}).empty());
}
