#include "lab/api/kinds.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using lab::Kind;
using lab::Kinds;
using lab::Scope;

TEST_CASE("kinds are found by resource and by kind") {
    const Kinds kinds;
    const Kind* pods = kinds.find({"", "pods"});
    REQUIRE(pods != nullptr);
    CHECK(pods->kind == "Pod");
    CHECK(pods->api_version(pods->storage_version()) == "v1");
    CHECK(pods->version("v1")->has_status);
    CHECK(pods->version("v2") == nullptr);
    CHECK(kinds.of_kind("apps", "DaemonSet") == kinds.find({"apps", "daemonsets"}));
    CHECK(kinds.find({"apps", "pods"}) == nullptr);
    CHECK(kinds.of_kind("", "DaemonSet") == nullptr);
    CHECK(kinds.find({"apps", "daemonsets"})->qualified() == "daemonsets.apps");
}

TEST_CASE("the bundled definitions describe the kinds that KubeVirt adds") {
    Kinds kinds;
    for (const auto& definition : lab::bundled_definitions()) {
        kinds.add(lab::kind_of_definition(definition));
    }
    const Kind* vmi = kinds.of_kind("kubevirt.io", "VirtualMachineInstance");
    REQUIRE(vmi != nullptr);
    CHECK(vmi->storage_version().name == "v1");
    CHECK_FALSE(vmi->version("v1")->has_status);
    CHECK(vmi->version("v1alpha3")->deprecation_warning ==
          "kubevirt.io/v1alpha3 is now deprecated and will be removed in a future release.");
    CHECK(vmi->short_names == std::vector<std::string>{"vmi", "vmis"});
    CHECK(vmi->version("v1")->columns.at(5).name == "Live-Migratable");
    CHECK(vmi->version("v1")->columns.at(5).priority == 1);
    CHECK(kinds.of_kind("kubevirt.io", "VirtualMachine")->version("v1")->has_status);
    CHECK(kinds.of_kind("migrations.kubevirt.io", "MigrationPolicy")->scope == Scope::cluster);
    CHECK(kinds.find({"cdi.kubevirt.io", "datavolumes"}) != nullptr);
    CHECK(kinds.find({"k8s.cni.cncf.io", "network-attachment-definitions"}) != nullptr);
}
