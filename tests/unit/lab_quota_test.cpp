#include "lab/controllers/quota.hpp"

#include <doctest/doctest.h>

#include "lab_kube_builders.hpp"

using namespace lab_test;

namespace {

Json quota(const Json& hard) {
    return {{"apiVersion", "v1"},
            {"kind", "ResourceQuota"},
            {"metadata", {{"name", "q"}, {"namespace", "default"}}},
            {"spec", {{"hard", hard}}}};
}

}  // namespace

TEST_CASE("a quota's status follows the pods of its namespace") {
    KubeWorld lab;
    lab.add<lab::QuotaController>();
    lab.seed(quota({{"pods", "3"}, {"requests.cpu", "2500m"}, {"requests.memory", "4Gi"}}));
    for (const char* name : {"p1", "p2"}) lab.seed(pod(name, "a"));
    Json done = pod("done", "a");
    done["status"]["phase"] = "Succeeded";
    lab.seed(done);
    lab.world.settle();
    CHECK(lab.get(lab::kube::kQuotas, "q")["status"]["used"] ==
          Json{{"pods", "2"}, {"requests.cpu", "2"}, {"requests.memory", "2Gi"}});
    lab.patch(lab::kube::kPods, {"default", "p1"}, {{"status", {{"phase", "Failed"}}}}, "status");
    lab.world.settle();
    CHECK(lab.get(lab::kube::kQuotas, "q")["status"]["used"]["pods"] == "1");
}

TEST_CASE("a pod beyond the quota is refused in the API server's words") {
    KubeWorld lab;
    lab.add<lab::QuotaController>();
    lab.seed(quota({{"pods", "1"}}));
    lab.seed(pod("p1", "a"));
    lab.world.settle();
    const auto refused =
        lab.api.create("/api/v1/namespaces/default/pods", pod("p2"), kubeclient::DryRun::none);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().http_status == 403);
    CHECK(refused.error().message.find(
              "pods \"p2\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, "
              "limited: pods=1") != std::string::npos);
}

TEST_CASE("a new pod tolerates a lost node for five minutes, unless it says itself") {
    KubeWorld lab;
    REQUIRE(
        lab.api.create("/api/v1/namespaces/default/pods", pod("p"), kubeclient::DryRun::none).ok());
    const Json tolerations = lab.get(lab::kube::kPods, "p")["spec"]["tolerations"];
    REQUIRE(tolerations.size() == 2);
    CHECK(tolerations[0]["key"] == "node.kubernetes.io/not-ready");
    CHECK(tolerations[1]["key"] == "node.kubernetes.io/unreachable");
    CHECK(tolerations[1]["tolerationSeconds"] == 300);
    Json all = pod("all");
    all["spec"]["tolerations"] = {{{"operator", "Exists"}}};
    REQUIRE(lab.api.create("/api/v1/namespaces/default/pods", all, kubeclient::DryRun::none).ok());
    CHECK(lab.get(lab::kube::kPods, "all")["spec"]["tolerations"].size() == 1);
}
