#include "lab/controllers/scheduler.hpp"

#include <doctest/doctest.h>

#include "lab_kube_builders.hpp"

using namespace lab_test;
using lab::kube::condition;

TEST_CASE("a pending pod is bound to the node least spoken for") {
    KubeWorld lab;
    lab.add<lab::Scheduler>();
    lab.seed(node("a"));
    lab.seed(node("b"));
    lab.seed(pod("old", "a"));
    lab.seed(pod("new"));
    lab.world.settle();
    CHECK(lab.node_of("new") == "b");
    const Json stored = lab.get(lab::kube::kPods, "new");
    REQUIRE(condition(stored, "PodScheduled") != nullptr);
    CHECK(text(*condition(stored, "PodScheduled"), {"status"}) == "True");
    CHECK(lab.events() ==
          std::vector<std::string>{"Scheduled: Successfully assigned default/new to b"});
}

TEST_CASE("what was assigned a moment ago counts for the next pod") {
    KubeWorld lab;
    lab.add<lab::Scheduler>();
    for (const char* name : {"a", "b"}) lab.seed(node(name));
    for (const char* name : {"p1", "p2", "p3", "p4"}) lab.seed(pod(name));
    lab.world.settle();
    CHECK(lab.node_of("p1") == "a");
    CHECK(lab.node_of("p2") == "b");
    CHECK(lab.node_of("p3") == "a");
    CHECK(lab.node_of("p4") == "b");
}

TEST_CASE("a pod that fits nowhere is told why, once, and is tried again when that changes") {
    KubeWorld lab;
    lab.add<lab::Scheduler>();
    Json cordoned = node("a");
    cordoned["spec"]["unschedulable"] = true;
    lab.seed(cordoned);
    lab.seed(pod("p"));
    lab.world.settle();
    const std::string message =
        "0/1 nodes are available: 1 node(s) were unschedulable. no new claims to deallocate, "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
    const Json waiting = lab.get(lab::kube::kPods, "p");
    REQUIRE(condition(waiting, "PodScheduled") != nullptr);
    CHECK(text(*condition(waiting, "PodScheduled"), {"reason"}) == "Unschedulable");
    CHECK(text(*condition(waiting, "PodScheduled"), {"message"}) == message);
    lab.world.advance(std::chrono::minutes(20));
    CHECK(lab.events() == std::vector<std::string>{"FailedScheduling: " + message});
    lab.patch(lab::kube::kNodes, {"", "a"}, {{"spec", {{"unschedulable", nullptr}}}});
    lab.world.advance(std::chrono::seconds(11));  // its back-off
    CHECK(lab.node_of("p") == "a");
}

TEST_CASE("a heartbeat alone brings no further attempt") {
    KubeWorld lab;
    lab.add<lab::Scheduler>();
    Json small = node("a");
    small["status"]["allocatable"]["cpu"] = "500m";
    lab.seed(small);
    lab.seed(pod("p"));
    lab.world.settle();
    const auto revision = lab.world.objects().revision();
    lab.patch(lab::kube::kNodes, {"", "a"}, {{"metadata", {{"annotations", {{"beat", "1"}}}}}});
    lab.world.settle();
    CHECK(lab.world.objects().revision() == revision + 1);
}

TEST_CASE("pods of other schedulers, gated pods and going pods are left alone") {
    KubeWorld lab;
    lab.add<lab::Scheduler>();
    lab.seed(node("a"));
    Json other = pod("other");
    other["spec"]["schedulerName"] = "another";
    lab.seed(other);
    Json gated = pod("gated");
    gated["spec"]["schedulingGates"] = {{{"name", "wait"}}};
    lab.seed(gated);
    Json going = pod("going");
    going["metadata"]["deletionTimestamp"] = "2026-11-21T00:00:00Z";
    lab.seed(going);
    lab.world.settle();
    for (const char* name : {"other", "gated", "going"}) CHECK(lab.node_of(name) == "");
}

TEST_CASE("a claim that waits for its first consumer is sent to the pod's node") {
    KubeWorld lab;
    lab.add<lab::Scheduler>();
    lab.seed(node("a"));
    lab.seed({{"apiVersion", "storage.k8s.io/v1"},
              {"kind", "StorageClass"},
              {"metadata", {{"name", "late"}}},
              {"provisioner", "csi.example.com"},
              {"volumeBindingMode", "WaitForFirstConsumer"}});
    Json unbound = claim("disk", "");
    unbound["metadata"].erase("annotations");
    unbound["spec"].erase("volumeName");
    unbound["spec"]["storageClassName"] = "late";
    lab.seed(unbound);
    lab.seed(with_claim(pod("p"), "disk"));
    lab.world.settle();
    CHECK(lab.node_of("p") == "");
    const Json asked = lab.get(lab::kube::kClaims, "disk");
    CHECK(asked["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] == "a");
}
