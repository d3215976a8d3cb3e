#include "lab/api/quota.hpp"

#include <doctest/doctest.h>

#include "lab_api_builders.hpp"

using namespace lab_test;

namespace {

const std::string kQuotas = "/api/v1/namespaces/default/resourcequotas";

void limit(Server& server, const Json& hard) {
    REQUIRE(server
                .create(kQuotas, {{"apiVersion", "v1"},
                                  {"kind", "ResourceQuota"},
                                  {"metadata", {{"name", "q"}}},
                                  {"spec", {{"hard", hard}}}})
                .status == 201);
}

Json sized(const std::string& name, const char* cpu, const char* memory) {
    Json object = pod(name);
    object["spec"]["containers"][0]["resources"] = {
        {"requests", {{"cpu", cpu}, {"memory", memory}}}};
    return object;
}

}  // namespace

TEST_CASE("a pod that exceeds the quota is refused with the sums") {
    Server server;
    limit(server, {{"pods", "1"}});
    CHECK(server.create(kPods, pod("a")).status == 201);
    const auto refused = server.create(kPods, pod("b"));
    CHECK(refused.status == 403);
    CHECK(refused.body.at("message") ==
          "pods \"b\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: "
          "pods=1");
    const Json status = server.get(kQuotas + "/q").body.at("status");
    CHECK(status == Json{{"hard", {{"pods", "1"}}}, {"used", {{"pods", "1"}}}});
    server.merge(kPods + "/a/status", {{"status", {{"phase", "Succeeded"}}}});
    CHECK(server.create(kPods, pod("b")).status == 201);
}

TEST_CASE("requests are added up, and have to be there") {
    Server server;
    limit(server, {{"requests.cpu", "1"}, {"requests.memory", "3Gi"}});
    CHECK(server.create(kPods, sized("a", "500m", "1Gi")).status == 201);
    CHECK(server.create(kPods, sized("b", "1", "2Gi")).body.at("message") ==
          "pods \"b\" is forbidden: exceeded quota: q, requested: requests.cpu=1, used: "
          "requests.cpu=500m, limited: requests.cpu=1");
    CHECK(server.create(kPods, sized("b", "500m", "2560Mi")).body.at("message") ==
          "pods \"b\" is forbidden: exceeded quota: q, requested: requests.memory=2560Mi, used: "
          "requests.memory=1Gi, limited: requests.memory=3Gi");
    CHECK(server.create(kPods, pod("c")).body.at("message") ==
          "pods \"c\" is forbidden: failed quota: q: must specify requests.cpu for: c; "
          "requests.memory for: c");
}

TEST_CASE("other objects are counted by name and claims by size") {
    Server server;
    limit(server, {{"count/virtualmachines.kubevirt.io", "1"},
                   {"persistentvolumeclaims", "2"},
                   {"requests.storage", "3Gi"}});
    CHECK(server.create(kVms, vm("a")).status == 201);
    CHECK(server.create(kVms, vm("b")).status == 403);
    const auto claim = [](const char* name) {
        return Json{{"metadata", {{"name", name}}},
                    {"spec", {{"resources", {{"requests", {{"storage", "2Gi"}}}}}}}};
    };
    const std::string claims = "/api/v1/namespaces/default/persistentvolumeclaims";
    CHECK(server.create(claims, claim("a")).status == 201);
    CHECK(server.create(claims, claim("b")).body.at("message") ==
          "persistentvolumeclaims \"b\" is forbidden: exceeded quota: q, requested: "
          "requests.storage=2Gi, used: requests.storage=2Gi, limited: requests.storage=3Gi");
    server.remove(claims + "/a");
    CHECK(server.get(kQuotas + "/q").body.at("status").at("used").at("requests.storage") == "0");
    CHECK(server.create(claims, claim("b")).status == 201);
}
