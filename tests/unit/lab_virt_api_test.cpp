#include "lab/controllers/virt_api.hpp"

#include <doctest/doctest.h>

#include "lab_api_builders.hpp"

using namespace lab_test;

namespace {

const std::string migrations_path =
    "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstancemigrations";
const std::string vm_path = "/apis/subresources.kubevirt.io/v1/namespaces/default/virtualmachines/";
const std::string vmi_path =
    "/apis/subresources.kubevirt.io/v1/namespaces/default/virtualmachineinstances/";
const std::string pods_path = "/api/v1/namespaces/default/pods/";
const lab::User virt_api_user{"system:serviceaccount:kubevirt:kubevirt-apiserver", {}};

// A server with virt-api, one machine "web" that runs on node-a, and its launcher.
struct VirtServer : Server {
    std::unique_ptr<lab::Extension> virt_api =
        lab::make_virt_api(api, store, virt_api_user, [this] { return now; });

    VirtServer() {
        api.extend(*virt_api);
        api.seed({{"apiVersion", "v1"}, {"kind", "Node"}, {"metadata", {{"name", "node-a"}}}});
        api.seed({{"apiVersion", "kubevirt.io/v1"},
                  {"kind", "VirtualMachine"},
                  {"metadata", {{"name", "web"}, {"namespace", "default"}}},
                  {"spec",
                   {{"runStrategy", "Always"},
                    {"template", {{"spec", {{"domain", {{"devices", Json::object()}}}}}}}}}});
        seed_instance();
        seed_launcher("virt-launcher-web-abcde", "node-a");
    }

    void seed_instance(const std::string& strategy = "LiveMigrate",
                       const std::string& migratable = "True") {
        Json condition{{"type", "LiveMigratable"}, {"status", migratable}};
        if (migratable == "False") {
            condition["reason"] = "DisksNotLiveMigratable";
            condition["message"] = "cannot migrate VMI: PVC x is not shared";
        }
        Json spec{{"domain", {{"devices", Json::object()}}}};
        if (!strategy.empty()) spec["evictionStrategy"] = strategy;
        store.remove({"kubevirt.io", "virtualmachineinstances"}, {"default", "web"});
        api.seed({{"apiVersion", "kubevirt.io/v1"},
                  {"kind", "VirtualMachineInstance"},
                  {"metadata", {{"name", "web"}, {"namespace", "default"}, {"uid", "vmi-uid"}}},
                  {"spec", spec},
                  {"status",
                   {{"phase", "Running"},
                    {"nodeName", "node-a"},
                    {"conditions", Json::array({condition})}}}});
    }
    void seed_launcher(const std::string& name, const std::string& node,
                       const std::string& phase = "Running") {
        api.seed({{"apiVersion", "v1"},
                  {"kind", "Pod"},
                  {"metadata",
                   {{"name", name},
                    {"namespace", "default"},
                    {"labels", {{"kubevirt.io", "virt-launcher"}}},
                    {"annotations", {{"kubevirt.io/domain", "web"}}}}},
                  {"spec", {{"nodeName", node}, {"containers", Json::array()}}},
                  {"status", {{"phase", phase}}}});
    }
    Answer migrate(const Json& spec, const Query& query = {}) {
        return create(migrations_path,
                      {{"apiVersion", "kubevirt.io/v1"},
                       {"kind", "VirtualMachineInstanceMigration"},
                       {"metadata", {{"name", "m"}}},
                       {"spec", spec}},
                      query);
    }
    Answer evict(const std::string& pod, const Query& query = {}) {
        return create(pods_path + pod + "/eviction",
                      {{"apiVersion", "policy/v1"},
                       {"kind", "Eviction"},
                       {"metadata", {{"name", pod}, {"namespace", "default"}}}},
                      query);
    }
    Answer call(const std::string& path, const std::string& body = "",
                const std::string& accept = "application/json, */*") {
        kubeclient::Request request;
        request.method = Method::put;
        request.path = path;
        request.accept = accept;
        request.content_type = "application/json";
        request.body = body;
        const auto response = api.handle(user, request);
        Json reply = Json::parse(response.body, nullptr, false);
        if (reply.is_discarded()) reply = response.body;
        return {response.status, reply, response.headers};
    }
    Json instance() {
        return *store.get({"kubevirt.io", "virtualmachineinstances"}, {"default", "web"});
    }
};

Json status_of(int code, const std::string& message) {
    return {{"kind", "Status"},    {"apiVersion", "v1"}, {"metadata", Json::object()},
            {"status", "Failure"}, {"message", message}, {"code", code}};
}

Json create_refusal(int code, const std::string& message) {
    return status_of(code,
                     "admission webhook \"migration-create-validator.kubevirt.io\" denied the "
                     "request: " +
                         message);
}

Json eviction_refusal(const std::string& message) {
    return status_of(429,
                     "admission webhook \"virt-launcher-eviction-interceptor.kubevirt.io\" denied "
                     "the request: " +
                         message);
}

}  // namespace

TEST_CASE("a migration is given the label of its instance and virt-controller's finalizer") {
    VirtServer server;
    const auto created = server.migrate({{"vmiName", "web"}});
    REQUIRE(created.status == 201);
    const Json& metadata = created.body.at("metadata");
    CHECK(metadata.at("labels") == Json{{"kubevirt.io/vmi-name", "web"}});
    CHECK(metadata.at("finalizers") == Json::array({"kubevirt.io/migrationJobFinalize"}));
}

TEST_CASE("a dry run of a migration is admitted and stores nothing") {
    VirtServer server;
    CHECK(server.migrate({{"vmiName", "web"}}, {{"dryRun", "All"}}).status == 201);
    CHECK(server.get(migrations_path).body.at("items").empty());
}

TEST_CASE("a migration of nothing names the field it misses") {
    VirtServer server;
    Json expected = create_refusal(422, "vmiName is missing");
    expected["reason"] = "Invalid";
    expected["details"]["causes"] = Json::array({{{"reason", "FieldValueRequired"},
                                                  {"message", "vmiName is missing"},
                                                  {"field", "spec.vmiName"}}});
    const auto refused = server.migrate({{"vmiName", ""}});
    CHECK(refused.status == 422);
    CHECK(refused.body == expected);
}

TEST_CASE("only virt-controller gives a migration its priority") {
    VirtServer server;
    const Json spec{{"vmiName", "web"}, {"priority", "system-critical"}};
    const auto refused = server.migrate(spec);
    CHECK(refused.status == 422);
    CHECK(refused.body.at("details").at("causes").at(0).at("field") == "spec.migrationPriority");
    server.user = {"system:serviceaccount:kubevirt:kubevirt-controller", {}};
    CHECK(server.migrate(spec).status == 201);
}

TEST_CASE("the priority is refused before the missing instance") {
    VirtServer server;
    CHECK(server.migrate({{"vmiName", "no"}, {"priority", "high"}}).status == 422);
    CHECK(server.migrate({{"vmiName", "no"}}).body ==
          create_refusal(400, "the VMI \"default/no\" does not exist"));
}

TEST_CASE("an instance that has ended is not migrated") {
    VirtServer server;
    Json ended = server.instance();
    ended["status"]["phase"] = "Succeeded";
    server.store.put({"kubevirt.io", "virtualmachineinstances"}, {"default", "web"}, ended);
    CHECK(server.migrate({{"vmiName", "web"}}).body ==
          create_refusal(400, "Cannot migrate VMI in finalized state."));
}

TEST_CASE("an instance that says it cannot be migrated is not, one that says nothing is") {
    VirtServer server;
    server.seed_instance("LiveMigrate", "False");
    CHECK(server.migrate({{"vmiName", "web"}}).body ==
          create_refusal(400,
                         "Cannot migrate VMI, Reason: DisksNotLiveMigratable, Message: cannot "
                         "migrate VMI: PVC x is not shared"));
    server.seed_instance("LiveMigrate", "Unknown");
    CHECK(server.migrate({{"vmiName", "web"}}).status == 201);
}

TEST_CASE("a second migration waits until the first has ended") {
    VirtServer server;
    const auto first = server.migrate({{"vmiName", "web"}});
    const auto uid = first.body.at("metadata").at("uid").get<std::string>();
    CHECK(server.migrate({{"vmiName", "web"}}, {{"dryRun", "All"}}).body ==
          create_refusal(400, "in-flight migration detected. Active migration job (" + uid +
                                  ") is currently already in progress for VMI web."));
    server.merge(migrations_path + "/m/status", {{"status", {{"phase", "Failed"}}}});
    Json second = first.body;
    second["metadata"] = {{"name", "m2"}};
    CHECK(server.create(migrations_path, second).status == 201);
}

TEST_CASE("a migration's spec and its instance's label stay as they are") {
    VirtServer server;
    server.migrate({{"vmiName", "web"}});
    const auto refused = server.merge(migrations_path + "/m", {{"spec", {{"vmiName", "other"}}}});
    CHECK(refused.status == 422);
    CHECK(refused.body.at("message") ==
          "admission webhook \"migration-update-validator.kubevirt.io\" denied the request: update "
          "of Migration object's spec is restricted");
    CHECK(refused.body.at("details").at("causes") ==
          Json::array({{{"reason", "FieldValueNotSupported"},
                        {"message", "update of Migration object's spec is restricted"}}}));
    const Json relabelled{{"metadata", {{"labels", {{"kubevirt.io/vmi-name", "other"}}}}}};
    CHECK(server.merge(migrations_path + "/m", relabelled).status == 422);
    server.merge(migrations_path + "/m/status", {{"status", {{"phase", "Succeeded"}}}});
    CHECK(server.merge(migrations_path + "/m", relabelled).status == 200);
}

TEST_CASE("an eviction marks a migratable instance and is refused, the second says so") {
    VirtServer server;
    const auto first = server.evict("virt-launcher-web-abcde");
    CHECK(first.status == 429);
    CHECK(first.body == eviction_refusal("Eviction triggered evacuation of VMI \"default/web\""));
    CHECK(server.instance().at("status").at("evacuationNodeName") == "node-a");
    CHECK(server.evict("virt-launcher-web-abcde").body ==
          eviction_refusal("Evacuation in progress: Eviction triggered evacuation of VMI "
                           "\"default/web\""));
}

TEST_CASE("a dry-run eviction is answered alike and marks nothing") {
    VirtServer server;
    CHECK(server.evict("virt-launcher-web-abcde", {{"dryRun", "All"}}).status == 429);
    const auto inside = server.create(
        pods_path + "virt-launcher-web-abcde/eviction",
        {{"apiVersion", "policy/v1"},
         {"kind", "Eviction"},
         {"metadata", {{"name", "virt-launcher-web-abcde"}, {"namespace", "default"}}},
         {"deleteOptions", {{"dryRun", Json::array({"All"})}}}});
    CHECK(inside.status == 429);
    CHECK_FALSE(server.instance().at("status").contains("evacuationNodeName"));
}

TEST_CASE("what an eviction does depends on the strategy and on whether the guest can move") {
    VirtServer server;
    server.seed_instance("LiveMigrate", "False");
    CHECK(server.evict("virt-launcher-web-abcde").body ==
          eviction_refusal("VMI web is configured with an eviction strategy but is not "
                           "live-migratable"));
    server.seed_instance("External", "False");
    CHECK(server.evict("virt-launcher-web-abcde").status == 429);
    server.seed_instance("LiveMigrateIfPossible", "True");
    CHECK(server.evict("virt-launcher-web-abcde", {{"dryRun", "All"}}).status == 429);
    for (const char* strategy : {"LiveMigrateIfPossible", "None", ""}) {
        server.seed_instance(strategy, "False");
        const auto admitted = server.evict("virt-launcher-web-abcde", {{"dryRun", "All"}});
        CAPTURE(strategy);
        CHECK(admitted.status == 201);
    }
}

TEST_CASE("the cluster's eviction strategy holds for instances without one") {
    VirtServer server;
    server.seed_instance("", "True");
    server.api.seed({{"apiVersion", "kubevirt.io/v1"},
                     {"kind", "KubeVirt"},
                     {"metadata", {{"name", "kubevirt"}, {"namespace", "default"}}},
                     {"spec", {{"configuration", {{"evictionStrategy", "LiveMigrate"}}}}}});
    CHECK(server.evict("virt-launcher-web-abcde").status == 429);
}

TEST_CASE("a migration's target pod is not evicted, a launcher that has ended is") {
    VirtServer server;
    server.seed_launcher("virt-launcher-web-target", "node-b");
    CHECK(server.evict("virt-launcher-web-target").body ==
          eviction_refusal("Eviction request for target Pod"));
    server.seed_launcher("virt-launcher-web-ended", "node-c", "Succeeded");
    CHECK(server.evict("virt-launcher-web-ended", {{"dryRun", "All"}}).status == 201);
}

TEST_CASE("a pod that holds the hot-plugged disks of a running guest is not evicted") {
    VirtServer server;
    server.api.seed({{"apiVersion", "v1"},
                     {"kind", "Pod"},
                     {"metadata",
                      {{"name", "hp-volume-x"},
                       {"namespace", "default"},
                       {"labels", {{"kubevirt.io", "hotplug-disk"}}},
                       {"ownerReferences", Json::array({{{"apiVersion", "v1"},
                                                         {"kind", "Pod"},
                                                         {"name", "virt-launcher-web-abcde"},
                                                         {"uid", "u"}}})}}},
                     {"spec", {{"nodeName", "node-a"}, {"containers", Json::array()}}}});
    CHECK(server.evict("hp-volume-x").body ==
          status_of(429,
                    "admission webhook \"hotplug-pod-eviction-interceptor.kubevirt.io\" denied the "
                    "request: cannot evict hotplug pod: hp-volume-x associated with running vmi: "
                    "web in namespace default"));
}

TEST_CASE("the migrate sub-resource makes a migration and does not name it") {
    VirtServer server;
    const auto accepted = server.call(vm_path + "web/migrate");
    CHECK(accepted.status == 202);
    CHECK(accepted.body == "");
    const auto list = server.get(migrations_path).body.at("items");
    REQUIRE(list.size() == 1);
    const auto name = list[0].at("metadata").at("name").get<std::string>();
    CHECK(name.starts_with("kubevirt-migrate-vm-"));
    const auto refused = server.call(vm_path + "web/migrate", "{}");
    const std::string text =
        "admission webhook \"migration-create-validator.kubevirt.io\" denied the request: "
        "in-flight migration detected. Active migration job (" +
        list[0].at("metadata").at("uid").get<std::string>() +
        ") is currently already in progress for VMI web.";
    Json expected = status_of(500, "Internal error occurred: " + text);
    expected["reason"] = "InternalError";
    expected["details"]["causes"] = Json::array({{{"message", text}}});
    CHECK(refused.body == expected);
}

TEST_CASE("the migrate sub-resource takes a dry run and a node selector") {
    VirtServer server;
    CHECK(server.call(vm_path + "web/migrate", R"({"dryRun":["All"]})").status == 202);
    CHECK(server.get(migrations_path).body.at("items").empty());
    CHECK(server.call(vm_path + "web/migrate", R"({"addedNodeSelector":{"zone":"b"}})").status ==
          202);
    CHECK(server.get(migrations_path).body.at("items")[0].at("spec").at("addedNodeSelector") ==
          Json{{"zone", "b"}});
}

TEST_CASE("sub-resources that act refuse a client that takes JSON alone") {
    VirtServer server;
    const auto refused = server.call(vm_path + "web/migrate", "{}", "application/json");
    CHECK(refused.status == 406);
    CHECK(refused.body == "406: Not Acceptable\n\nAvailable representations: ");
    CHECK(server.get(migrations_path).body.at("items").empty());
}

TEST_CASE("the migrate sub-resource needs the machine, its instance, and that it runs") {
    VirtServer server;
    Json expected = status_of(404, "virtualmachine.kubevirt.io \"no\" not found");
    expected["reason"] = "NotFound";
    expected["details"] = {{"name", "no"}, {"group", "kubevirt.io"}, {"kind", "virtualmachine"}};
    CHECK(server.call(vm_path + "no/migrate", "{}").body == expected);
    Json vmi = server.instance();
    vmi["status"]["phase"] = "Scheduling";
    server.store.put({"kubevirt.io", "virtualmachineinstances"}, {"default", "web"}, vmi);
    CHECK(server.call(vm_path + "web/migrate").status == 409);
    server.store.remove({"kubevirt.io", "virtualmachineinstances"}, {"default", "web"});
    CHECK(server.call(vm_path + "web/migrate").body.at("message") ==
          "virtualmachineinstance.kubevirt.io \"web\" not found");
}

TEST_CASE("an evacuation is taken back only by naming its node") {
    VirtServer server;
    const std::string path = vmi_path + "web/evacuate/cancel";
    CHECK(server.call(path, "{}").status == 200);  // nothing to take back
    server.evict("virt-launcher-web-abcde");
    Json expected = status_of(500,
                              "Internal error occurred: the server rejected our request due to an "
                              "error in our request");
    expected["reason"] = "InternalError";
    expected["details"]["causes"] = Json::array(
        {{{"message", "the server rejected our request due to an error in our request"}}});
    CHECK(server.call(path, "{}").body == expected);
    const std::string dry = R"({"evacuationNodeName":"node-a","dryRun":["All"]})";
    CHECK(server.call(path, dry).status == 200);
    CHECK(server.instance().at("status").contains("evacuationNodeName"));
    const auto taken_back =
        server.call(vm_path + "web/evacuate/cancel", R"({"evacuationNodeName":"node-a"})");
    CHECK(taken_back.status == 200);
    CHECK(taken_back.body == "");
    CHECK_FALSE(server.instance().at("status").contains("evacuationNodeName"));
}

TEST_CASE("an evacuation is not taken back while its node has the taint that empties it") {
    VirtServer server;
    server.evict("virt-launcher-web-abcde");
    server.merge(
        "/api/v1/nodes/node-a",
        {{"spec",
          {{"taints", Json::array({{{"key", "kubevirt.io/drain"}, {"effect", "NoSchedule"}}})}}}});
    const auto refused =
        server.call(vmi_path + "web/evacuate/cancel", R"({"evacuationNodeName":"node-a"})");
    CHECK(refused.status == 400);
    CHECK(refused.body.at("message") ==
          "Node \"node-a\" has NodeDrainTaintKey \"kubevirt.io/drain:NoSchedule\"");
}

TEST_CASE("stopping and starting set what the machine's run strategy allows") {
    VirtServer server;
    CHECK(server.call(vm_path + "web/start").status == 409);  // it runs
    CHECK(server.call(vm_path + "web/stop").status == 202);
    const auto strategy = [&server] {
        return server.get("/apis/kubevirt.io/v1/namespaces/default/virtualmachines/web")
            .body.at("spec")
            .at("runStrategy")
            .get<std::string>();
    };
    CHECK(strategy() == "Halted");
    CHECK(server.call(vm_path + "web/restart").status == 409);
    server.store.remove({"kubevirt.io", "virtualmachineinstances"}, {"default", "web"});
    CHECK(server.call(vm_path + "web/start").status == 202);
    CHECK(strategy() == "Always");
}

TEST_CASE("a restart asks virt-controller to stop this instance and start another") {
    VirtServer server;
    CHECK(server.call(vm_path + "web/restart").status == 202);
    const auto vm = server.get("/apis/kubevirt.io/v1/namespaces/default/virtualmachines/web").body;
    CHECK(vm.at("status").at("stateChangeRequests") ==
          Json::array({{{"action", "Stop"}, {"uid", "vmi-uid"}}, {{"action", "Start"}}}));
}

TEST_CASE("a body that cannot be read, another method and another path are refused") {
    VirtServer server;
    CHECK(server.call(vm_path + "web/migrate", "{").status == 400);
    CHECK(server.call(vm_path + "web/migrate", "[]").status == 400);
    CHECK(server.get(vm_path + "web/migrate").status == 405);
    CHECK(server.call(vm_path + "web/nothing").status == 404);
    CHECK(server.get("/apis/subresources.kubevirt.io/v1/version").status == 200);
}

TEST_CASE("an instance is given what KubeVirt fills in, and a first phase") {
    VirtServer server;
    const auto created = server.create(
        "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances",
        {{"apiVersion", "kubevirt.io/v1"},
         {"kind", "VirtualMachineInstance"},
         {"metadata", {{"name", "new"}}},
         {"spec", {{"domain", {{"memory", {{"guest", "1Gi"}}}, {"devices", Json::object()}}}}}});
    REQUIRE(created.status == 201);
    const Json& spec = created.body.at("spec");
    CHECK(spec.at("architecture") == "amd64");
    CHECK(spec.at("domain").at("machine") == Json{{"type", "q35"}});
    CHECK(spec.at("domain").at("cpu").at("model") == "host-model");
    CHECK_FALSE(spec.at("domain").at("resources").contains("requests"));
    CHECK(spec.at("networks").size() == 1);
    CHECK(created.body.at("status").at("phase") == "Pending");
    CHECK(created.body.at("status").at("memory").at("guestAtBoot") == "1Gi");
    CHECK(created.body.at("metadata").at("finalizers") ==
          Json::array({"kubevirt.io/foregroundDeleteVirtualMachine"}));
}

TEST_CASE("an instance's spec and KubeVirt's labels are KubeVirt's, its status is anybody's") {
    VirtServer server;
    const std::string path = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances/web";
    const Json spec{{"spec", {{"evictionStrategy", "None"}}}};
    const Json label{{"metadata", {{"labels", {{"kubevirt.io/nodeName", "node-b"}}}}}};
    CHECK(server.merge(path, spec).status == 422);
    CHECK(server.merge(path, label).status == 422);
    CHECK(server.merge(path, {{"status", {{"evacuationNodeName", "x"}}}}).status == 200);
    CHECK(server.merge(path, {{"metadata", {{"labels", {{"tier", "slow"}}}}}}).status == 200);
    server.user = {"system:serviceaccount:kubevirt:kubevirt-handler", {}};
    CHECK(server.merge(path, label).status == 200);
}
