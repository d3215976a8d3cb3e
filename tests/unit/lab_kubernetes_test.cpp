#include "lab/kubernetes.hpp"

#include <doctest/doctest.h>

#include "lab_kube_builders.hpp"

using namespace lab_test;
using std::chrono::seconds;

namespace {

struct Cluster {
    lab::World world{{1, start()}};
    std::unique_ptr<kubeclient::Transport> transport =
        lab::transport_as(world.server(), {"admin", {"system:masters"}});
    kubeclient::Api api{*transport};

    Cluster() { lab::add_kubernetes(world); }

    Json pod_now(const std::string& name) {
        const auto object = world.objects().get(lab::kube::kPods, {"default", name});
        return object ? *object : Json();
    }
    std::size_t attachments() { return world.objects().all(lab::kube::kAttachments).size(); }
    // What its kubelet does every ten seconds.
    void beat(const std::string& name) {
        const auto time = kubeclient::format_micro_time(world.now());
        world.server().seed({{"apiVersion", "coordination.k8s.io/v1"},
                             {"kind", "Lease"},
                             {"metadata", {{"name", name}, {"namespace", "kube-node-lease"}}},
                             {"spec", {{"renewTime", time}}}});
    }
    void run(const std::vector<std::string>& alive, seconds time) {
        for (const auto until = world.now() + time; world.now() < until;) {
            for (const auto& name : alive) beat(name);
            world.advance(seconds(10));
        }
    }
    void patch(const lab::ResourceId& resource, const lab::ObjectKey& key, const Json& patch,
               const std::string& subresource = "") {
        REQUIRE(api.patch(lab::kube::path(resource, key, subresource).value(),
                          kubeclient::PatchKind::merge, patch, kubeclient::DryRun::none)
                    .ok());
    }
};

}  // namespace

TEST_CASE("a node is lost: its pod goes but stays, its volume is kept, until out of service") {
    Cluster lab;
    for (const char* name : {"a", "b"}) lab.world.server().seed(node(name));
    lab.world.server().seed(volume("pv", "disk"));
    lab.world.server().seed(claim("disk", "pv"));
    REQUIRE(lab.api
                .create("/api/v1/namespaces/default/pods", with_claim(pod("p"), "disk"),
                        kubeclient::DryRun::none)
                .ok());
    lab.run({"a", "b"}, seconds(10));
    REQUIRE(text(lab.pod_now("p"), {"spec", "nodeName"}) == "a");
    REQUIRE(lab.attachments() == 1);
    lab.patch(lab::kube::kPods, {"default", "p"}, {{"status", {{"phase", "Running"}}}}, "status");
    lab.patch(lab::kube::kNodes, {"", "a"},
              {{"status", {{"volumesInUse", {"kubernetes.io/csi/csi.example.com^handle-pv"}}}}},
              "status");

    lab.run({"b"}, seconds(330));  // 50 to notice since the last beat, 300 to tolerate
    CHECK_FALSE(lab::kube::is_deleting(lab.pod_now("p")));
    lab.run({"b"}, seconds(20));
    CHECK(lab::kube::is_deleting(lab.pod_now("p")));
    lab.run({"b"}, seconds(3600));
    CHECK_FALSE(lab.pod_now("p").is_null());
    CHECK(lab.attachments() == 1);

    const auto lost = lab.world.objects().get(lab::kube::kNodes, {"", "a"});
    Json taints = lost->at("spec").at("taints");
    taints.push_back({{"key", "node.kubernetes.io/out-of-service"}, {"effect", "NoExecute"}});
    lab.patch(lab::kube::kNodes, {"", "a"}, {{"spec", {{"taints", taints}}}});
    lab.run({"b"}, seconds(30));
    CHECK(lab.pod_now("p").is_null());
    CHECK(lab.attachments() == 0);
}
