#include "lab/api/api_server.hpp"

#include <doctest/doctest.h>

#include "kubeclient/api.hpp"
#include "lab_api_builders.hpp"

using namespace lab_test;

TEST_CASE("a created object is given its identity, and read back as it is stored") {
    Server server;
    const auto created = server.create(kVmis, vmi("web"));
    REQUIRE(created.status == 201);
    const Json& metadata = created.body.at("metadata");
    CHECK(metadata.at("creationTimestamp") == "2026-11-21T04:45:50Z");
    CHECK(metadata.at("namespace") == "default");
    CHECK(metadata.at("generation") == 1);
    CHECK(metadata.at("uid").get<std::string>().size() == 36);
    CHECK(metadata.at("resourceVersion") == std::to_string(server.store.revision()));
    CHECK(server.get(kVmis + "/web").body == created.body);
    CHECK(server.get("/apis/kubevirt.io/v1/virtualmachineinstances").body.at("items").size() == 1);
}

TEST_CASE("another served version shows the same object under its own name") {
    Server server;
    server.create(kVmis, vmi("web"));
    const auto old =
        server.get("/apis/kubevirt.io/v1alpha3/namespaces/default/virtualmachineinstances/web");
    CHECK(old.body.at("apiVersion") == "kubevirt.io/v1alpha3");
    CHECK(
        server.get("/apis/kubevirt.io/v2/namespaces/default/virtualmachineinstances/web").status ==
        404);
}

TEST_CASE("generateName is completed by five characters") {
    Server server;
    Json object = config_map("");
    object["metadata"] = {{"generateName", "web-"}};
    const auto created = server.create(kConfigMaps, object);
    REQUIRE(created.status == 201);
    const auto name = created.body.at("metadata").at("name").get<std::string>();
    CHECK(name.size() == 9);
    CHECK(name.substr(0, 4) == "web-");
}

TEST_CASE("a second object of the same name is refused") {
    Server server;
    server.create(kVmis, vmi("web"));
    const auto again = server.create(kVmis, vmi("web"));
    CHECK(again.status == 409);
    CHECK(again.body.at("reason") == "AlreadyExists");
    CHECK(again.body.at("message") == "virtualmachineinstances.kubevirt.io \"web\" already exists");
}

TEST_CASE("nothing is created in a namespace that is not there") {
    Server server;
    const auto refused = server.create("/api/v1/namespaces/nowhere/configmaps", config_map("a"));
    CHECK(refused.status == 404);
    CHECK(refused.body.at("message") == "namespaces \"nowhere\" not found");
}

TEST_CASE("an update needs the version it was made from") {
    Server server;
    Json object = server.create(kVmis, vmi("web")).body;
    object["metadata"]["labels"] = {{"a", "b"}};
    const auto updated = server.replace(kVmis + "/web", object);
    REQUIRE(updated.status == 200);
    CHECK(updated.body.at("metadata").at("generation") == 1);
    const auto stale = server.replace(kVmis + "/web", object);
    CHECK(stale.status == 409);
    CHECK(stale.body.at("message") ==
          "Operation cannot be fulfilled on virtualmachineinstances.kubevirt.io \"web\": the "
          "object has been modified; please apply your changes to the latest version and try "
          "again");
}

TEST_CASE("an update that changes nothing leaves the version alone") {
    Server server;
    const Json object = server.create(kVmis, vmi("web")).body;
    CHECK(server.replace(kVmis + "/web", object).body == object);
}

TEST_CASE("a kind with a status sub-resource keeps status and the rest apart") {
    Server server;
    server.create(kVms, vm("db"));
    auto patched = server.merge(kVms + "/db", {{"status", {{"ready", true}}}});
    CHECK_FALSE(patched.body.contains("status"));
    patched = server.merge(kVms + "/db/status",
                           {{"status", {{"ready", true}}}, {"spec", {{"running", true}}}});
    CHECK(patched.body.at("status").at("ready") == true);
    CHECK_FALSE(patched.body.at("spec").contains("running"));
    CHECK(patched.body.at("metadata").at("generation") == 1);
}

TEST_CASE("a kind without one takes status with the rest") {
    Server server;
    server.create(kVmis, vmi("web"));
    CHECK(server.merge(kVmis + "/web", {{"status", {{"phase", "Running"}}}})
              .body.at("status")
              .at("phase") == "Running");
    CHECK(server.merge(kVmis + "/web/status", {{"status", {}}}).status == 404);
}

TEST_CASE("a JSON patch applies as a whole or not at all") {
    Server server;
    server.create(kConfigMaps, config_map("a"));
    const Json good = Json::parse(R"([{"op":"test","path":"/data/color","value":"red"},
        {"op":"replace","path":"/data/color","value":"blue"}])");
    CHECK(server.json_patch(kConfigMaps + "/a", good).body.at("data").at("color") == "blue");
    const auto refused = server.json_patch(kConfigMaps + "/a", good);
    CHECK(refused.status == 422);
    CHECK(server.get(kConfigMaps + "/a").body.at("data").at("color") == "blue");
}

TEST_CASE("a deletion that knows another uid is refused") {
    Server server;
    server.create(kVmis, vmi("web"));
    const auto refused =
        server.remove(kVmis + "/web", {{"preconditions", {{"uid", "somebody else"}}}});
    CHECK(refused.status == 409);
    const auto removed = server.remove(kVmis + "/web");
    CHECK(removed.status == 200);
    CHECK(removed.body.at("status") == "Success");
    CHECK(server.get(kVmis + "/web").status == 404);
}

TEST_CASE("a finalizer holds an object until it is taken off") {
    Server server;
    Json object = vmi("web");
    object["metadata"]["finalizers"] = {"kubevirt.io/virtualMachineControllerFinalize"};
    server.create(kVmis, object);
    const auto removed = server.remove(kVmis + "/web");
    CHECK(removed.body.at("metadata").at("deletionTimestamp") == "2026-11-21T04:45:50Z");
    CHECK(server.get(kVmis + "/web").status == 200);
    server.merge(kVmis + "/web", {{"metadata", {{"finalizers", nullptr}}}});
    CHECK(server.get(kVmis + "/web").status == 404);
}

TEST_CASE("a bound pod stays until the kubelet deletes it without grace") {
    Server server;
    Json object = pod("p");
    object["spec"]["nodeName"] = "n1";
    server.create(kPods, object);
    const auto removed = server.remove(kPods + "/p");
    CHECK(removed.body.at("metadata").at("deletionTimestamp") == "2026-11-21T04:46:20Z");
    CHECK(removed.body.at("metadata").at("deletionGracePeriodSeconds") == 30);
    CHECK(server.get(kPods + "/p").status == 200);
    server.remove(kPods + "/p", {{"gracePeriodSeconds", 0}});
    CHECK(server.get(kPods + "/p").status == 404);
}

TEST_CASE("a dry run answers as the real one would and changes nothing") {
    Server server;
    const auto revision = server.store.revision();
    CHECK(server.create(kVmis, vmi("web"), {{"dryRun", "All"}}).status == 201);
    CHECK(server.store.revision() == revision);
    CHECK(server.get(kVmis + "/web").status == 404);
}

TEST_CASE("an extension may change what is stored, or refuse it in its own words") {
    struct Webhook final : lab::Extension {
        std::optional<lab::Refusal> admit(lab::Admission& admission) override {
            if (admission.verb == "delete") return lab::Refusal{400, "", "not now"};
            (*admission.object)["metadata"]["labels"]["seen"] = "yes";
            return std::nullopt;
        }
    } webhook;
    Server server;
    server.api.extend(webhook);
    CHECK(server.create(kVmis, vmi("web")).body.at("metadata").at("labels").at("seen") == "yes");
    const auto refused = server.remove(kVmis + "/web");
    CHECK(refused.status == 400);
    CHECK(refused.body.at("message") == "not now");
    CHECK_FALSE(refused.body.contains("reason"));
}

TEST_CASE("the authorizer is asked first") {
    Server server;
    lab::Attributes asked;
    server.api.authorize_with([&](const lab::User&, const lab::Attributes& attributes) {
        asked = attributes;
        return lab::Refusal{403, "Forbidden", "no"};
    });
    CHECK(server.remove(kVmis).status == 403);
    CHECK(asked.verb == "deletecollection");
    CHECK(asked.resource == "virtualmachineinstances");
    CHECK(asked.group == "kubevirt.io");
    CHECK(asked.ns == "default");
}

TEST_CASE("a seeded object keeps its status and is read through the client") {
    Server server;
    server.api.seed({{"apiVersion", "v1"},
                     {"kind", "Node"},
                     {"metadata", {{"name", "n1"}}},
                     {"status", {{"phase", "Running"}}}});
    const auto transport = lab::transport_as(server.api, server.user);
    kubeclient::Api api(*transport);
    const auto node = api.get("/api/v1/nodes/n1", "Node");
    REQUIRE(node.ok());
    CHECK(node.value().at("status").at("phase") == "Running");
    CHECK(api.list("/api/v1/nodes").value().items.size() == 1);
}
