#include "lab/controllers/volume_binder.hpp"

#include <doctest/doctest.h>

#include "lab/controllers/scheduler.hpp"
#include "lab_kube_builders.hpp"

using namespace lab_test;
using lab::kube::kClaims;
using lab::kube::kVolumes;

namespace {

Json storage_class(const std::string& name, const std::string& mode) {
    return {{"apiVersion", "storage.k8s.io/v1"},
            {"kind", "StorageClass"},
            {"metadata", {{"name", name}}},
            {"provisioner", "csi.example.com"},
            {"volumeBindingMode", mode}};
}

Json unbound(const std::string& name, const std::string& storage_class) {
    Json fresh = claim(name, "");
    fresh["metadata"].erase("annotations");
    fresh["spec"].erase("volumeName");
    fresh["spec"]["storageClassName"] = storage_class;
    fresh.erase("status");
    return fresh;
}

Json free_volume(const std::string& name, const std::string& size) {
    Json fresh = volume(name, "");
    fresh["spec"].erase("claimRef");
    fresh["spec"]["storageClassName"] = "now";
    fresh["spec"]["capacity"]["storage"] = size;
    fresh.erase("status");
    return fresh;
}

std::string phase(const Json& object) {
    return text(object, {"status", "phase"});
}

}  // namespace

TEST_CASE("a claim and the volume made for it are bound from both sides") {
    KubeWorld lab;
    lab.add<lab::VolumeBinder>();
    Json fresh = unbound("disk", "now");
    fresh["spec"]["volumeName"] = "pv";
    lab.seed(fresh);
    lab.seed(volume("pv", "disk"));
    lab.world.settle();
    const Json bound = lab.get(kClaims, "disk");
    CHECK(phase(bound) == "Bound");
    CHECK(bound["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] == "yes");
    CHECK(bound["status"]["capacity"]["storage"] == "1Gi");
    const Json held = lab.get(kVolumes, "pv");
    CHECK(phase(held) == "Bound");
    CHECK(held["spec"]["claimRef"]["uid"] == bound["metadata"]["uid"]);
}

TEST_CASE("of the free volumes the smallest that suits is taken") {
    KubeWorld lab;
    lab.add<lab::VolumeBinder>();
    lab.seed(storage_class("now", "Immediate"));
    for (const auto& [name, size] : {std::pair{"tiny", "500Mi"}, {"big", "9Gi"}, {"fit", "2Gi"}}) {
        lab.seed(free_volume(name, size));
    }
    lab.seed(unbound("disk", "now"));
    lab.world.settle();
    CHECK(lab.get(kClaims, "disk")["spec"]["volumeName"] == "fit");
    CHECK(phase(lab.get(kVolumes, "fit")) == "Bound");
    CHECK(phase(lab.get(kVolumes, "big")) == "Available");
}

TEST_CASE("a claim without a volume gets one from the provisioner after a while") {
    KubeWorld lab;
    lab.add<lab::VolumeBinder>();
    lab.add<lab::VolumeProvisioner>();
    lab.seed(storage_class("now", "Immediate"));
    lab.seed(unbound("disk", "now"));
    lab.world.settle();
    CHECK(phase(lab.get(kClaims, "disk")) == "Pending");
    lab.world.advance(std::chrono::seconds(1));
    const Json bound = lab.get(kClaims, "disk");
    CHECK(phase(bound) == "Bound");
    const auto name = bound["spec"]["volumeName"].get<std::string>();
    CHECK(name == "pvc-" + bound["metadata"]["uid"].get<std::string>());
    lab.remove(kClaims, {"default", "disk"});
    lab.world.settle();
    CHECK(lab.get(kVolumes, name).is_null());
}

TEST_CASE("a claim that waits for its first consumer is provisioned when a pod comes") {
    KubeWorld lab;
    lab.add<lab::Scheduler>();
    lab.add<lab::VolumeBinder>();
    lab.add<lab::VolumeProvisioner>();
    lab.seed(node("a"));
    lab.seed(storage_class("later", "WaitForFirstConsumer"));
    lab.seed(unbound("disk", "later"));
    lab.world.advance(std::chrono::minutes(1));
    CHECK(phase(lab.get(kClaims, "disk")) == "Pending");
    CHECK(lab.events() ==
          std::vector<std::string>{"WaitForFirstConsumer: waiting for first consumer to be "
                                   "created before binding"});
    lab.seed(with_claim(pod("p"), "disk"));
    lab.world.advance(std::chrono::seconds(5));
    CHECK(phase(lab.get(kClaims, "disk")) == "Bound");
    CHECK(lab.node_of("p") == "a");
}

TEST_CASE("a claim whose volume is gone is Lost, a volume whose claim is gone is Released") {
    KubeWorld lab;
    lab.add<lab::VolumeBinder>();
    for (const char* name : {"one", "two"}) {
        lab.seed(claim(name, std::string("pv-") + name));
        lab.seed(volume(std::string("pv-") + name, name));
        const Json uid = lab.get(kClaims, name)["metadata"]["uid"];
        lab.patch(kVolumes, {"", std::string("pv-") + name},
                  {{"spec", {{"claimRef", {{"uid", uid}}}}}});
    }
    lab.world.settle();
    lab.remove(kVolumes, {"", "pv-one"});
    lab.remove(kClaims, {"default", "two"});
    lab.world.settle();
    CHECK(phase(lab.get(kClaims, "one")) == "Lost");
    CHECK(phase(lab.get(kVolumes, "pv-two")) == "Released");
}
