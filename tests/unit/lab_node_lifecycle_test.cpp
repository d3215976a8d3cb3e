#include "lab/controllers/node_lifecycle.hpp"

#include <doctest/doctest.h>

#include "lab_kube_builders.hpp"

using namespace lab_test;
using lab::kube::condition;
using lab::kube::has_taint;
using std::chrono::seconds;

namespace {

constexpr auto unreachable = "node.kubernetes.io/unreachable";

Json lease(const std::string& node, const std::string& time) {
    return {{"apiVersion", "coordination.k8s.io/v1"},
            {"kind", "Lease"},
            {"metadata", {{"name", node}, {"namespace", "kube-node-lease"}}},
            {"spec", {{"holderIdentity", node}, {"renewTime", time}}}};
}

Json tolerating(Json pod, const std::string& key, int time) {
    pod["spec"]["tolerations"] = {{{"key", key},
                                   {"operator", "Exists"},
                                   {"effect", "NoExecute"},
                                   {"tolerationSeconds", time}}};
    return pod;
}

std::string ready(const Json& object) {
    const Json* found = condition(object, "Ready");
    return found == nullptr ? "" : text(*found, {"status"});
}

}  // namespace

TEST_CASE("a node that falls silent becomes Unknown and unreachable, its pods not ready") {
    KubeWorld lab;
    lab.add<lab::NodeLifecycle>();
    lab.seed(node("a"));
    lab.seed(lease("a", "2026-11-21T00:00:00.000000Z"));
    lab.seed(pod("p", "a"));
    lab.world.advance(seconds(49));
    CHECK(ready(lab.get(lab::kube::kNodes, "a")) == "True");
    lab.world.advance(seconds(1));
    const Json silent = lab.get(lab::kube::kNodes, "a");
    CHECK(ready(silent) == "Unknown");
    CHECK(text(*condition(silent, "Ready"), {"reason"}) == "NodeStatusUnknown");
    CHECK(text(*condition(silent, "Ready"), {"message"}) == "Kubelet stopped posting node status.");
    const Json& taints = silent["spec"]["taints"];
    REQUIRE(taints.size() == 2);
    CHECK(taints[0]["effect"] == "NoSchedule");
    CHECK(taints[1]["effect"] == "NoExecute");
    for (const Json& taint : taints) CHECK(taint["key"] == unreachable);
    CHECK(ready(lab.get(lab::kube::kPods, "p")) == "False");
    CHECK(lab.events() ==
          std::vector<std::string>{"NodeNotReady: Node a status is now: NodeNotReady",
                                   "NodeNotReady: Node is not ready"});
}

TEST_CASE("a renewed Lease keeps a node alive, and a node that comes back loses its taints") {
    KubeWorld lab;
    lab.add<lab::NodeLifecycle>();
    lab.seed(node("a"));
    lab.seed(lease("a", "2026-11-21T00:00:00.000000Z"));
    lab.world.advance(seconds(40));
    lab.seed(lease("a", "2026-11-21T00:00:40.000000Z"));
    lab.world.advance(seconds(49));
    CHECK(ready(lab.get(lab::kube::kNodes, "a")) == "True");
    lab.world.advance(seconds(10));
    REQUIRE(has_taint(lab.get(lab::kube::kNodes, "a"), unreachable));
    Json back = node("a");
    back["status"]["conditions"][0]["lastHeartbeatTime"] = "2026-11-21T00:02:00Z";
    lab.patch(lab::kube::kNodes, {"", "a"}, {{"status", back["status"]}}, "status");
    lab.world.settle();
    CHECK_FALSE(has_taint(lab.get(lab::kube::kNodes, "a"), unreachable));
}

TEST_CASE("cordoning a node taints it, and taints of others stay") {
    KubeWorld lab;
    lab.add<lab::NodeLifecycle>();
    Json tainted = node("a");
    tainted["spec"]["taints"] = {{{"key", "mine"}, {"effect", "NoSchedule"}}};
    lab.seed(tainted);
    lab.patch(lab::kube::kNodes, {"", "a"}, {{"spec", {{"unschedulable", true}}}});
    lab.world.settle();
    CHECK(has_taint(lab.get(lab::kube::kNodes, "a"), "node.kubernetes.io/unschedulable"));
    lab.patch(lab::kube::kNodes, {"", "a"}, {{"spec", {{"unschedulable", nullptr}}}});
    lab.world.settle();
    const Json now = lab.get(lab::kube::kNodes, "a");
    CHECK_FALSE(has_taint(now, "node.kubernetes.io/unschedulable"));
    CHECK(has_taint(now, "mine"));
}

TEST_CASE("pods leave a node with a NoExecute taint when their toleration ends") {
    KubeWorld lab;
    lab.add<lab::TaintEviction>();
    Json lost = node("a");
    lost["spec"]["taints"] = {{{"key", unreachable}, {"effect", "NoExecute"}}};
    lab.seed(node("a"));
    lab.seed(pod("now", "a"));
    lab.seed(tolerating(pod("later", "a"), unreachable, 300));
    Json always = pod("never", "a");
    always["spec"]["tolerations"] = {{{"operator", "Exists"}}};
    lab.seed(always);
    lab.seed(lost);
    lab.world.settle();
    CHECK(lab::kube::is_deleting(lab.get(lab::kube::kPods, "now")));
    CHECK_FALSE(lab::kube::is_deleting(lab.get(lab::kube::kPods, "later")));
    lab.world.advance(seconds(299));
    CHECK_FALSE(lab::kube::is_deleting(lab.get(lab::kube::kPods, "later")));
    lab.world.advance(seconds(1));
    const Json evicted = lab.get(lab::kube::kPods, "later");
    CHECK(lab::kube::is_deleting(evicted));
    CHECK(text(*condition(evicted, "DisruptionTarget"), {"reason"}) == "DeletionByTaintManager");
    CHECK_FALSE(lab::kube::is_deleting(lab.get(lab::kube::kPods, "never")));
}

TEST_CASE("a node that comes back in time keeps its pods") {
    KubeWorld lab;
    lab.add<lab::TaintEviction>();
    Json lost = node("a");
    lost["spec"]["taints"] = {{{"key", unreachable}, {"effect", "NoExecute"}}};
    lab.seed(lost);
    lab.seed(tolerating(pod("p", "a"), unreachable, 300));
    lab.world.advance(seconds(200));
    lab.seed(node("a"));
    lab.world.advance(seconds(200));
    CHECK_FALSE(lab::kube::is_deleting(lab.get(lab::kube::kPods, "p")));
    CHECK(lab.events() ==
          std::vector<std::string>{"TaintManagerEviction: Cancelling deletion of Pod default/p"});
}

TEST_CASE("pods of a node that is gone are removed after a quarantine") {
    KubeWorld lab;
    lab.add<lab::PodGarbageCollector>();
    lab.seed(node("a"));
    lab.seed(pod("p", "a"));
    lab.world.settle();
    lab.remove(lab::kube::kNodes, {"", "a"});
    lab.world.advance(seconds(39));
    CHECK_FALSE(lab.get(lab::kube::kPods, "p").is_null());
    lab.world.advance(seconds(1));
    CHECK(lab.get(lab::kube::kPods, "p").is_null());
}

TEST_CASE("going pods stay on a silent node, and are removed once it is out of service") {
    KubeWorld lab;
    lab.add<lab::PodGarbageCollector>();
    Json lost = node("a");
    lost["status"]["conditions"][0]["status"] = "Unknown";
    lab.seed(lost);
    lab.seed(pod("p", "a"));
    lab.remove(lab::kube::kPods, {"default", "p"});
    lab.world.advance(seconds(600));
    CHECK(lab::kube::is_deleting(lab.get(lab::kube::kPods, "p")));
    lost["spec"]["taints"] = {
        {{"key", "node.kubernetes.io/out-of-service"}, {"effect", "NoExecute"}}};
    lab.seed(lost);
    lab.world.advance(seconds(20));
    CHECK(lab.get(lab::kube::kPods, "p").is_null());
}
