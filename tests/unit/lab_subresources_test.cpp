#include "lab/api/subresources.hpp"

#include <doctest/doctest.h>

#include "lab_api_builders.hpp"

using namespace lab_test;

namespace {

const Json kBinding{{"apiVersion", "v1"},
                    {"kind", "Binding"},
                    {"metadata", {{"name", "p"}}},
                    {"target", {{"kind", "Node"}, {"name", "n1"}}}};
const Json kEviction{
    {"apiVersion", "policy/v1"}, {"kind", "Eviction"}, {"metadata", {{"name", "p"}}}};

// A pod on a node, running and ready, that a budget of `allowed` disruptions guards.
void guard(Server& server, int allowed) {
    Json object = pod("p");
    object["metadata"]["labels"] = {{"app", "web"}};
    server.create(kPods, object);
    server.create(kPods + "/p/binding", kBinding);
    server.merge(kPods + "/p/status", Json::parse(R"({"status":{"phase":"Running","conditions":
                     [{"type":"Ready","status":"True"}]}})"));
    server.create("/apis/policy/v1/namespaces/default/poddisruptionbudgets",
                  Json::parse(R"({"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":
                     {"name":"b"},"spec":{"minAvailable":1,"selector":{"matchLabels":
                     {"app":"web"}}}})"));
    server.merge("/apis/policy/v1/namespaces/default/poddisruptionbudgets/b/status",
                 {{"status",
                   {{"observedGeneration", 1},
                    {"disruptionsAllowed", allowed},
                    {"currentHealthy", 1},
                    {"desiredHealthy", 1}}}});
}

}  // namespace

TEST_CASE("a pod is bound once") {
    Server server;
    server.create(kPods, pod("p"));
    const auto bound = server.create(kPods + "/p/binding", kBinding);
    CHECK(bound.status == 201);
    CHECK(bound.body.at("status") == "Success");
    const Json stored = server.get(kPods + "/p").body;
    CHECK(stored.at("spec").at("nodeName") == "n1");
    CHECK(stored.at("status").at("conditions").at(0).at("type") == "PodScheduled");
    const auto again = server.create(kPods + "/p/binding", kBinding);
    CHECK(again.status == 409);
    CHECK(again.body.at("message") ==
          "Operation cannot be fulfilled on pods/binding \"p\": pod p is already assigned to node "
          "\"n1\"");
    CHECK(server.create(kPods + "/q/binding", kBinding).status == 400);
    CHECK(server.get(kPods + "/p/binding").status == 405);
}

TEST_CASE("an eviction deletes the pod and says why") {
    Server server;
    guard(server, 1);
    CHECK(server.create(kPods + "/p/eviction", kEviction, {{"dryRun", "All"}}).status == 201);
    CHECK_FALSE(server.get(kPods + "/p").body.at("metadata").contains("deletionTimestamp"));
    CHECK(server.create(kPods + "/p/eviction", kEviction).status == 201);
    const Json evicted = server.get(kPods + "/p").body;
    CHECK(evicted.at("metadata").at("deletionGracePeriodSeconds") == 30);
    CHECK(evicted.at("status").at("conditions").back().at("reason") == "EvictionByEvictionAPI");
    const Json budget =
        server.get("/apis/policy/v1/namespaces/default/poddisruptionbudgets/b").body;
    CHECK(budget.at("status").at("disruptionsAllowed") == 0);
    CHECK(budget.at("status").at("disruptedPods").contains("p"));
}

TEST_CASE("a budget without room refuses the eviction") {
    Server server;
    guard(server, 0);
    const auto refused = server.create(kPods + "/p/eviction", kEviction);
    CHECK(refused.status == 429);
    CHECK(refused.body.at("reason") == "TooManyRequests");
    CHECK(refused.body.at("message") ==
          "Cannot evict pod as it would violate the pod's disruption budget.");
    CHECK(refused.body.at("details").at("causes").at(0).at("message") ==
          "The disruption budget b needs 1 healthy pods and has 1 currently");
    server.merge(kPods + "/p/status", {{"status", {{"phase", "Succeeded"}}}});
    CHECK(server.create(kPods + "/p/eviction", kEviction).status == 201);
    CHECK(server.get(kPods + "/p").status == 404);
}

TEST_CASE("an eviction is put to the extensions as one, and the deletion is not") {
    struct Interceptor final : lab::Extension {
        std::vector<std::string> asked{};
        std::optional<lab::Refusal> admit(lab::Admission& admission) override {
            asked.push_back(admission.verb + " " + admission.resource.plural + "/" +
                            admission.subresource);
            if (admission.dry_run) return lab::Refusal{429, "", "not this one"};
            return std::nullopt;
        }
    } interceptor;
    Server server;
    server.create(kPods, pod("p"));
    server.api.extend(interceptor);
    CHECK(server.create(kPods + "/p/eviction", kEviction, {{"dryRun", "All"}}).status == 429);
    CHECK(server.create(kPods + "/p/eviction", kEviction).status == 201);
    CHECK(interceptor.asked == std::vector<std::string>(2, "create pods/eviction"));
}

TEST_CASE("what the API server does not serve itself is offered to the extensions") {
    struct Logs final : lab::Extension {
        std::optional<kubeclient::Response> serve(const lab::User& user,
                                                  const kubeclient::Request& request) override {
            if (request.path != kPods + "/p/log") return std::nullopt;
            return kubeclient::Response{200, {}, "\"for " + user.name + "\""};
        }
    } logs;
    Server server;
    server.api.extend(logs);
    CHECK(server.get(kPods + "/p/log").body == "for alice");
    CHECK(server.get(kPods + "/q/log").status == 404);
    CHECK(server.get("/nowhere").status == 404);
}
