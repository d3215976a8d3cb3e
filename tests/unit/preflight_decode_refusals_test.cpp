// What decoding refuses, and the decoders that judge rather than copy.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "preflight/decode.hpp"
#include "preflight/selection.hpp"

using namespace preflight;
using facts::Snapshot;
using kubeclient::Json;

namespace {

std::string refusal(const std::string& text) {
    Snapshot all;
    const auto done = add_object(all, Json::parse(text));
    CAPTURE(text);
    REQUIRE_FALSE(done.ok());
    CHECK(done.error().kind == kubeclient::ErrorKind::protocol);
    // What was not understood is no fact.
    CHECK(all == Snapshot{});
    return done.error().message;
}

std::string object(const std::string& api, const std::string& kind, const std::string& rest) {
    return R"({"apiVersion":")" + api + R"(","kind":")" + kind +
           R"(","metadata":{"name":"x","namespace":"ns"})" + (rest.empty() ? "" : "," + rest) + "}";
}

facts::NetworkPolicy policy(const std::string& spec) {
    Snapshot all;
    REQUIRE(add_object(all, Json::parse(object("networking.k8s.io/v1", "NetworkPolicy",
                                               R"("spec":)" + spec)))
                .ok());
    return all.network_policies.items.at(0);
}

bool selects(const std::string& selector) {
    const LabelSelector read{policy(R"({"podSelector":)" + selector + "}").selector};
    return read.matches({{"kubevirt.io", "virt-handler"}});
}
bool allows(const std::string& rules) {
    return policy(R"({"podSelector":{},"ingress":)" + rules + "}").allows_handlers_in;
}

}  // namespace

TEST_CASE("an object without kind, apiVersion or name is refused") {
    CHECK(refusal("{}") == "the object has no kind");
    CHECK(refusal("null") == "the object has no kind");
    CHECK(refusal("[]") == "the object has no kind");
    CHECK(refusal(R"({"kind":7,"apiVersion":"v1"})") == "the object has no kind");
    CHECK(refusal(R"({"kind":"Node"})") == "Node has no apiVersion");
    CHECK(refusal(R"({"kind":"Node","apiVersion":"v1"})") == "Node has no metadata.name");
    CHECK(refusal(R"({"kind":"Node","apiVersion":"v1","metadata":{"name":""}})") ==
          "Node has no metadata.name");
    CHECK(refusal(R"({"kind":"Node","apiVersion":"v1","metadata":"x"})") ==
          "Node has no metadata.name");
}

TEST_CASE("a wrong type is refused with object and path") {
    CHECK(refusal(object("kubevirt.io/v1", "VirtualMachineInstance",
                         R"("spec":{"domain":{"devices":{"disks":[{"name":5}]}}})")) ==
          "VirtualMachineInstance ns/x: spec.domain.devices.disks[0].name: expected text");
    CHECK(refusal(object("kubevirt.io/v1", "VirtualMachine", R"("spec":[])")) ==
          "VirtualMachine ns/x: spec: expected an object");
    CHECK(refusal(object("v1", "PersistentVolumeClaim", R"("spec":{"accessModes":"RWX"})")) ==
          "PersistentVolumeClaim ns/x: spec.accessModes: expected a list");
    CHECK(refusal(object("v1", "Pod", R"("status":{"phase":1})")) ==
          "Pod ns/x: status.phase: expected text");
    CHECK(refusal(object("apps/v1", "DaemonSet", R"("status":{"numberReady":"all"})")) ==
          "DaemonSet ns/x: status.numberReady: expected a whole number");
    CHECK(refusal(object("kubevirt.io/v1", "KubeVirt", R"("spec":{"configuration":
        {"migrations":{"bandwidthPerMigration":"fast"}}})")) ==
          "KubeVirt ns/x: spec.configuration.migrations.bandwidthPerMigration: expected a "
          "quantity");
}

TEST_CASE("kinds of other groups, and kinds nobody needs, are passed over") {
    for (const auto& text : {object("example.com/v1", "VirtualMachine", R"("spec":[])"),
                             object("v1", "VirtualMachine", ""), object("v1", "ConfigMap", ""),
                             object("apps/v1", "DaemonSet", ""), object("v1", "Pod", ""),
                             object("kubevirt.io/v1", "virtualmachine", "")}) {
        CAPTURE(text);
        Snapshot all;
        const auto done = add_object(all, Json::parse(text));
        REQUIRE(done.ok());
        CHECK_FALSE(done->used);
        CHECK(all == Snapshot{});
    }
}

TEST_CASE("every version of a group is read alike") {
    Snapshot all;
    CHECK(add_object(all, Json::parse(object("kubevirt.io/v1alpha3", "VirtualMachine", "")))->used);
    CHECK(add_object(all, Json::parse(object("cdi.kubevirt.io/v1beta1", "DataVolume", "")))->used);
    CHECK(all.vms.items.size() == 1);
    CHECK(all.data_volumes.items.size() == 1);
}

TEST_CASE("quotas of any size are read") {
    Snapshot all;
    REQUIRE(add_object(all, Json::parse(object("v1", "ResourceQuota", R"("status":{"hard":
        {"requests.storage":"20Pi","pods":"10"},"used":{"pods":"3"}})")))
                .ok());
    CHECK(all.quotas.items.at(0).hard.at("pods") == 10'000);
    CHECK(all.quotas.items.at(0).used.at("pods") == 3'000);
}

TEST_CASE("a volume's driver is its CSI driver or its kind in the tree") {
    const auto volume = [](const std::string& spec) {
        Snapshot all;
        REQUIRE(add_object(all, Json::parse(object("v1", "PersistentVolume", R"("spec":)" + spec)))
                    .ok());
        return all.volumes.items.at(0);
    };
    CHECK(volume(R"({"csi":{"driver":"d","fsType":"ext4"}})").driver == "d");
    CHECK(volume(R"({"nfs":{"server":"s"}})").driver == "kubernetes.io/nfs");
    CHECK(volume(R"({"local":{}})").driver == "kubernetes.io/local");
    CHECK(volume("{}").driver.empty());
    CHECK_FALSE(volume("{}").node_terms);
    CHECK(volume(R"({"nodeAffinity":{"required":{"nodeSelectorTerms":[]}}})").node_terms->empty());
}

TEST_CASE("a network policy selects the handlers by label or expression") {
    CHECK(selects("{}"));
    CHECK(selects(R"({"matchLabels":{"kubevirt.io":"virt-handler"}})"));
    CHECK_FALSE(selects(R"({"matchLabels":{"kubevirt.io":"virt-api"}})"));
    CHECK_FALSE(selects(R"({"matchLabels":{"app":"x"}})"));
    const auto rule = [](const std::string& key, const std::string& op, const std::string& values) {
        return R"({"matchExpressions":[{"key":")" + key + R"(","operator":")" + op +
               R"(","values":[)" + values + "]}]}";
    };
    CHECK(selects(rule("kubevirt.io", "In", R"("virt-api","virt-handler")")));
    CHECK_FALSE(selects(rule("kubevirt.io", "In", R"("virt-api")")));
    CHECK(selects(rule("kubevirt.io", "NotIn", R"("virt-api")")));
    CHECK_FALSE(selects(rule("kubevirt.io", "NotIn", R"("virt-handler")")));
    CHECK(selects(rule("kubevirt.io", "Exists", "")));
    CHECK_FALSE(selects(rule("kubevirt.io", "DoesNotExist", "")));
    CHECK(selects(rule("app", "DoesNotExist", "")));
}

TEST_CASE("a network policy allows the handlers only where nothing narrows it") {
    CHECK(allows("[{}]"));
    CHECK(allows(R"([{"from":[]}])"));
    CHECK(allows(R"([{"from":[{"podSelector":{}}]}])"));
    CHECK(allows(R"([{"from":[{"podSelector":{"matchLabels":{"kubevirt.io":"virt-handler"}}}]}])"));
    CHECK(allows(R"([{"from":[{"namespaceSelector":{}}]}])"));
    CHECK(allows(R"([{"ports":[{"port":1}]},{}])"));
    CHECK_FALSE(allows("[]"));
    CHECK_FALSE(allows("null"));
    CHECK_FALSE(allows(R"([{"ports":[{"port":49152}]}])"));
    CHECK_FALSE(allows(R"([{"from":[{"podSelector":{"matchLabels":{"app":"x"}}}]}])"));
    CHECK_FALSE(allows(R"([{"from":[{"ipBlock":{"cidr":"10.0.0.0/8"}}]}])"));
}

TEST_CASE("without policyTypes a policy is about ingress, and about egress where it has rules") {
    CHECK(policy("{}").ingress);
    CHECK_FALSE(policy("{}").egress);
    CHECK(policy(R"({"egress":[]})").egress);
    CHECK_FALSE(policy(R"({"policyTypes":["Egress"]})").ingress);
    CHECK(policy(R"({"policyTypes":["Egress"]})").egress);
    CHECK(policy(R"({"policyTypes":["Egress"],"egress":[{}]})").allows_handlers_out);
}

TEST_CASE("a rollout has been observed when the status has the generation") {
    const auto observed = [](const std::string& generation, const std::string& status) {
        Snapshot all;
        REQUIRE(add_object(all, Json::parse(R"({"apiVersion":"apps/v1","kind":"DaemonSet",
            "metadata":{"name":"virt-handler","namespace":"kubevirt","generation":)" +
                                            generation + R"(},"status":{"observedGeneration":)" +
                                            status + R"(,"desiredNumberScheduled":3}})"))
                    .ok());
        CHECK(all.handler_sets.items.at(0).desired == 3);
        return all.handler_sets.items.at(0).observed;
    };
    CHECK(observed("2", "2"));
    CHECK_FALSE(observed("3", "2"));
    CHECK_FALSE(observed("1", "null"));
}

TEST_CASE("whether a kind lives in a namespace is known by group and kind") {
    CHECK(is_namespaced(Json::parse(object("kubevirt.io/v1", "VirtualMachine", ""))));
    CHECK_FALSE(is_namespaced(Json::parse(object("v1", "Node", ""))));
    CHECK_FALSE(is_namespaced(Json::parse(object("v1", "ConfigMap", ""))));
    CHECK_FALSE(is_namespaced(Json::parse("[]")));
}
