#include "lab/controllers/attach_detach.hpp"

#include <doctest/doctest.h>

#include "lab_kube_builders.hpp"

using namespace lab_test;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr auto unique = "kubernetes.io/csi/csi.example.com^handle-pv";

struct Disk : KubeWorld {
    Disk() {
        add<lab::AttachDetach>();
        add<lab::CsiAttacher>();
        for (const char* name : {"a", "b"}) seed(node(name));
        seed(volume("pv", "disk"));
        seed(claim("disk", "pv"));
    }
    // "NODE" or "NODE (not yet)", separated by blanks.
    std::string attached() {
        std::string nodes;
        for (const auto& [key, object] : world.objects().all(lab::kube::kAttachments)) {
            const bool done = object->value("/status/attached"_json_pointer, false);
            nodes += (nodes.empty() ? "" : " ") + text(*object, {"spec", "nodeName"}) +
                     (done ? "" : " (not yet)");
        }
        return nodes;
    }
    void report_in_use(const std::string& name, const Json& volumes) {
        patch(lab::kube::kNodes, {"", name}, {{"status", {{"volumesInUse", volumes}}}}, "status");
    }
    void go_silent(const std::string& name) {
        Json conditions = node(name)["status"]["conditions"];
        conditions[0]["status"] = "Unknown";
        patch(lab::kube::kNodes, {"", name}, {{"status", {{"conditions", conditions}}}}, "status");
    }
    void end(const std::string& name) {
        patch(lab::kube::kPods, {"default", name}, {{"status", {{"phase", "Succeeded"}}}},
              "status");
    }
};

}  // namespace

TEST_CASE("a bound pod's volume is attached after a while, and the pod and node are told") {
    Disk lab;
    lab.seed(with_claim(pod("p", "a"), "disk"));
    lab.world.settle();
    CHECK(lab.attached() == "a (not yet)");
    lab.world.advance(seconds(1));
    CHECK(lab.attached() == "a");
    const Json status = lab.get(lab::kube::kNodes, "a")["status"];
    CHECK(status["volumesAttached"] == Json{{{"name", unique}, {"devicePath", ""}}});
    CHECK(lab.events() == std::vector<std::string>{
                              "SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume "
                              "\"pv\" "});
    // sha256("handle-pv" "csi.example.com" "a")
    CHECK_FALSE(lab.get(lab::kube::kAttachments,
                        "csi-"
                        "33acb622b7934f1f2b2f72b1a74a535a6655dfd740d6374e3d16dc724c4bc7e5")
                    .is_null());
}

TEST_CASE("a volume for one node is refused to a second one until the first lets go") {
    Disk lab;
    lab.seed(with_claim(pod("first", "a"), "disk"));
    lab.world.advance(seconds(1));
    lab.report_in_use("a", {unique});
    lab.seed(with_claim(pod("second", "b"), "disk"));
    lab.world.advance(minutes(10));
    CHECK(lab.attached() == "a");
    REQUIRE(lab.events().size() == 2);
    CHECK(lab.events()[1] ==
          "FailedAttachVolume: Multi-Attach error for volume \"pv\" Volume is already used by "
          "pod(s) first");
    lab.end("first");
    lab.world.advance(seconds(5));
    CHECK(lab.attached() == "a");  // still mounted
    lab.report_in_use("a", Json::array());
    lab.world.advance(seconds(5));
    CHECK(lab.attached() == "b");
    CHECK(lab.get(lab::kube::kNodes, "a")["status"]["volumesAttached"].empty());
}

TEST_CASE("a volume for many nodes is attached to both ends of a migration") {
    Disk lab;
    Json shared = volume("pv", "disk");
    shared["spec"]["accessModes"] = {"ReadWriteMany"};
    lab.seed(shared);
    lab.seed(with_claim(pod("source", "a"), "disk"));
    lab.seed(with_claim(pod("target", "b"), "disk"));
    lab.world.advance(seconds(1));
    CHECK(lab.attached().find("a") != std::string::npos);
    CHECK(lab.attached().find("b") != std::string::npos);
}

TEST_CASE("a volume that a silent node has in use is taken from it after six minutes") {
    Disk lab;
    lab.seed(with_claim(pod("p", "a"), "disk"));
    lab.world.advance(seconds(1));
    lab.report_in_use("a", {unique});
    lab.go_silent("a");
    lab.end("p");
    lab.world.advance(minutes(6) - seconds(1));
    CHECK(lab.attached() == "a");
    lab.world.advance(seconds(3));
    CHECK(lab.attached() == "");
}

TEST_CASE("a healthy node keeps a volume that it has in use, however long") {
    Disk lab;
    lab.seed(with_claim(pod("p", "a"), "disk"));
    lab.world.advance(seconds(1));
    lab.report_in_use("a", {unique});
    lab.end("p");
    lab.world.advance(minutes(60));
    CHECK(lab.attached() == "a");
}

TEST_CASE("an out-of-service node loses its volumes at once") {
    Disk lab;
    lab.seed(with_claim(pod("p", "a"), "disk"));
    lab.world.advance(seconds(1));
    lab.report_in_use("a", {unique});
    lab.go_silent("a");
    lab.end("p");
    lab.world.advance(seconds(5));
    CHECK(lab.attached() == "a");
    lab.patch(lab::kube::kNodes, {"", "a"},
              {{"spec",
                {{"taints",
                  {{{"key", "node.kubernetes.io/out-of-service"}, {"effect", "NoExecute"}}}}}}});
    lab.world.advance(seconds(2));
    CHECK(lab.attached() == "");
}

TEST_CASE("a pod on a node that will not end keeps its volume attached") {
    Disk lab;
    lab.seed(with_claim(pod("p", "a"), "disk"));
    lab.world.advance(seconds(1));
    lab.remove(lab::kube::kPods, {"default", "p"});  // its kubelet does not answer
    lab.world.advance(minutes(60));
    CHECK(lab.attached() == "a");
}

TEST_CASE("a driver that needs no attaching gets no VolumeAttachment") {
    Disk lab;
    lab.seed({{"apiVersion", "storage.k8s.io/v1"},
              {"kind", "CSIDriver"},
              {"metadata", {{"name", "csi.example.com"}}},
              {"spec", {{"attachRequired", false}}}});
    lab.seed(with_claim(pod("p", "a"), "disk"));
    lab.world.advance(seconds(5));
    CHECK(lab.attached() == "");
}
