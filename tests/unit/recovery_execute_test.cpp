#include "recovery/execute.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/support/fake_transport.hpp"

using kubeclient::Api;
using kubeclient::DryRun;
using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Json;
using kubeclient::Method;
using recovery::Executor;
using recovery::Order;
using support::FakeTransport;

namespace {

const Order kOrder{"prod", "web", "handoff-web-abcdefgh", {}};

std::string stored(const std::string& vmi = "web", const Json& selector = nullptr) {
    Json object{
        {"apiVersion", "kubevirt.io/v1"},
        {"kind", "VirtualMachineInstanceMigration"},
        {"metadata", {{"name", "handoff-web-abcdefgh"}, {"namespace", "prod"}, {"uid", "u-1"}}},
        {"spec", {{"vmiName", vmi}}}};
    if (!selector.is_null()) object["spec"]["addedNodeSelector"] = selector;
    return object.dump();
}

std::string status(int code, const std::string& reason) {
    return Json{{"kind", "Status"},
                {"apiVersion", "v1"},
                {"status", code < 300 ? "Success" : "Failure"},
                {"reason", reason},
                {"message", "no: " + reason},
                {"details", {{"name", "handoff-web-abcdefgh"}, {"kind", "x"}}},
                {"code", code}}
        .dump();
}

Error lost() {
    return {ErrorKind::unknown_outcome, "the connection broke", "", 0};
}

struct World {
    FakeTransport transport{};
    Api api{transport};
    Executor executor{api, [](std::chrono::milliseconds) { return true; }};

    int sent(Method method) const {
        int count = 0;
        for (const auto& request : transport.asked) count += request.method == method ? 1 : 0;
        return count;
    }
};

}  // namespace

TEST_CASE("a name is ours alone, and short enough behind recover- as a label") {
    CHECK(recovery::migration_name("web", "abcdefgh") == "handoff-web-abcdefgh");
    const auto longest = recovery::migration_name(std::string(200, 'x'), "abcdefgh");
    CHECK(("recover-" + longest).size() <= 63);
    CHECK(recovery::migration_name(std::string(34, 'x') + "-yyyy", "abcdefgh") ==
          "handoff-" + std::string(34, 'x') + "-abcdefgh");
}

TEST_CASE("a migration is created strictly, under its own name") {
    World world;
    world.transport.then(201, stored());
    const auto made = world.executor.create(kOrder, DryRun::none);
    REQUIRE(made.ok());
    CHECK(made->meta.uid == "u-1");
    const auto& request = world.transport.asked.at(0);
    CHECK(request.path == "/apis/kubevirt.io/v1/namespaces/prod/virtualmachineinstancemigrations");
    CHECK(Json::parse(request.body).at("metadata").at("name") == kOrder.name);
    CHECK(request.query.at(1) == std::pair<std::string, std::string>("fieldValidation", "Strict"));
}

TEST_CASE("a lost reply is settled by reading the name, not by a second create") {
    World world;
    world.transport.then(lost()).then(200, stored());
    const auto made = world.executor.create(kOrder, DryRun::none);
    REQUIRE(made.ok());
    CHECK(made->meta.uid == "u-1");
    CHECK(world.sent(Method::post) == 1);
}

TEST_CASE("what was lost before it arrived is created again under the same name") {
    World world;
    world.transport.then(lost()).then(404, status(404, "NotFound")).then(201, stored());
    REQUIRE(world.executor.create(kOrder, DryRun::none).ok());
    CHECK(world.sent(Method::post) == 2);
    CHECK(world.transport.asked.at(0).body == world.transport.asked.at(2).body);
}

TEST_CASE("a second create that is refused may mean that the first has arrived") {
    World world;
    world.transport.then(lost())
        .then(404, status(404, "NotFound"))
        .then(400, status(400, "BadRequest"))
        .then(200, stored());
    const auto made = world.executor.create(kOrder, DryRun::none);
    REQUIRE(made.ok());
    CHECK(made->meta.uid == "u-1");
}

TEST_CASE("where reading fails as well the outcome stays unknown, with what to read") {
    World world;
    world.transport.then(lost());
    for (int i = 0; i < 3; ++i) world.transport.then(Error{ErrorKind::transport, "refused"});
    const auto made = world.executor.create(kOrder, DryRun::none);
    REQUIRE_FALSE(made.ok());
    CHECK(made.error().kind == ErrorKind::unknown_outcome);
    CHECK(made.error().hint.find("kubectl get vmim handoff-web-abcdefgh -n prod") !=
          std::string::npos);
    CHECK(world.sent(Method::post) == 1);
}

TEST_CASE("a server that fails and shows nothing did nothing, unless it was out of time") {
    for (const int code : {500, 504}) {
        CAPTURE(code);
        World world;
        for (int i = 0; i < 3; ++i) {
            world.transport.then(code, status(code, "InternalError"))
                .then(404, status(404, "NotFound"));
        }
        const auto made = world.executor.create(kOrder, DryRun::none);
        REQUIRE_FALSE(made.ok());
        CHECK(made.error().kind == (code == 500 ? ErrorKind::server : ErrorKind::unknown_outcome));
    }
}

TEST_CASE("a refusal is final, and nothing is read after it") {
    World world;
    world.transport.then(400, status(400, "BadRequest"));
    const auto made = world.executor.create(kOrder, DryRun::none);
    REQUIRE_FALSE(made.ok());
    CHECK(made.error().kind == ErrorKind::invalid);
    CHECK(world.transport.asked.size() == 1);
}

TEST_CASE("a name that another VMI's migration has is a conflict") {
    World world;
    world.transport.then(lost()).then(200, stored("db"));
    const auto made = world.executor.create(kOrder, DryRun::none);
    REQUIRE_FALSE(made.ok());
    CHECK(made.error().kind == ErrorKind::conflict);
}

TEST_CASE("a server that would drop the node selector is asked first, and nothing is created") {
    Order order = kOrder;
    order.node_selector = {{"kubernetes.io/hostname", "node-2"}};
    World world;
    world.transport.then(201, stored());
    const auto made = world.executor.create(order, DryRun::none);
    REQUIRE_FALSE(made.ok());
    CHECK(made.error().message.find("any node") != std::string::npos);
    CHECK(world.transport.asked.size() == 1);
    CHECK(world.transport.asked.at(0).query.back() ==
          std::pair<std::string, std::string>("dryRun", "All"));
}

TEST_CASE("a migration whose selector was dropped all the same is taken back") {
    Order order = kOrder;
    order.node_selector = {{"kubernetes.io/hostname", "node-2"}};
    World world;
    world.transport.then(201, stored("web", {{"kubernetes.io/hostname", "node-2"}}))
        .then(201, stored())
        .then(200, status(200, ""));
    CHECK_FALSE(world.executor.create(order, DryRun::none).ok());
    CHECK(world.sent(Method::del) == 1);
}

TEST_CASE("a deletion names the uid, and what is gone is done") {
    facts::Meta meta;
    meta.ns = "prod";
    meta.name = "m";
    meta.uid = "u-1";
    for (const int code : {200, 404, 409}) {
        CAPTURE(code);
        World world;
        world.transport.then(code, code == 200 ? stored() : status(code, "X"));
        CHECK(world.executor.remove(meta, DryRun::none).ok());
        const auto body = Json::parse(world.transport.asked.at(0).body);
        CHECK(body.at("preconditions").at("uid") == "u-1");
    }
    World world;
    world.transport.then(403, status(403, "Forbidden"));
    CHECK(world.executor.remove(meta, DryRun::none).error().kind == ErrorKind::forbidden);
}

TEST_CASE("a deletion whose reply is lost is sent again: its uid keeps it harmless") {
    facts::Meta meta;
    meta.ns = "prod";
    meta.name = "virt-launcher-web-x";
    meta.uid = "u-1";
    World world;
    world.transport.then(lost()).then(404, status(404, "NotFound"));
    CHECK(world.executor.remove_target(meta, DryRun::none).ok());
    const auto body = Json::parse(world.transport.asked.at(1).body);
    CHECK(body.at("preconditions").at("uid") == "u-1");
    CHECK_FALSE(body.contains("gracePeriodSeconds"));
}

TEST_CASE("a mark is taken back with the node that it names") {
    World world;
    world.transport.then(200, "");
    CHECK(world.executor.take_back_mark("prod", "web", "node-1", DryRun::none).ok());
    const auto& request = world.transport.asked.at(0);
    CHECK(request.method == Method::put);
    CHECK(request.path ==
          "/apis/subresources.kubevirt.io/v1/namespaces/prod/virtualmachineinstances/web/"
          "evacuate/cancel");
    CHECK(Json::parse(request.body) == Json{{"evacuationNodeName", "node-1"}});
}
