#include "lab/scenarios.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "kubeclient/api.hpp"

namespace {

using kubeclient::Json;

struct Built {
    lab::Simulation simulation{
        {.world = {1, kubeclient::parse_time("2026-11-21T04:45:50Z").value()}}};
    lab::World& world = simulation.world();

    explicit Built(std::string_view scenario, const lab::ClusterSize& size = {}) {
        lab::find_scenario(scenario)->build(simulation, size);
    }
    const lab::Store::Objects& all(const char* group, const char* plural) {
        return world.objects().all({group, plural});
    }
};

}  // namespace

TEST_CASE("every scenario builds, and says what it is") {
    std::set<std::string_view> names;
    for (const auto& scenario : lab::all_scenarios()) {
        CAPTURE(scenario.name);
        CHECK(names.insert(scenario.name).second);
        CHECK_FALSE(scenario.summary.empty());
        CHECK_FALSE(scenario.page.empty());
        Built built(scenario.name, {4, 5});
        CHECK(built.all("", "nodes").size() == 4);
        CHECK(built.all("kubevirt.io", "virtualmachineinstances").size() == 5);
        CHECK(built.all("storage.k8s.io", "volumeattachments").size() >= 5);
        CHECK(built.simulation.hardware().ledger().two_writers().empty());
    }
    CHECK(lab::find_scenario("unheard-of") == nullptr);
}

TEST_CASE("the bare scenario leaves everything as it is") {
    Built built("bare");
    CHECK_FALSE(built.world.next_due());
    const auto revision = built.world.objects().revision();
    built.world.advance(std::chrono::minutes(10));
    CHECK(built.world.objects().revision() == revision);
}

TEST_CASE("no word of a template is left open") {
    Built built("healthy");
    for (const char* plural : {"nodes", "pods", "persistentvolumes", "persistentvolumeclaims"}) {
        for (const auto& [key, object] : built.all("", plural)) {
            CHECK(object->dump().find('$') == std::string::npos);
        }
    }
    for (const auto& [key, object] : built.all("kubevirt.io", "virtualmachineinstances")) {
        CHECK(object->dump().find('$') == std::string::npos);
        CHECK(object->at("spec").at("domain").at("cpu").at("cores") == 2);
    }
}

TEST_CASE("the same scenario gives the same objects") {
    const Built once("healthy");
    const Built again("healthy");
    const lab::ResourceId pods{"", "pods"};
    auto& first = const_cast<lab::World&>(once.world).objects().all(pods);
    auto& second = const_cast<lab::World&>(again.world).objects().all(pods);
    REQUIRE(first.size() == second.size());
    for (auto a = first.begin(), b = second.begin(); a != first.end(); ++a, ++b) {
        CHECK(*a->second == *b->second);
    }
}

TEST_CASE("owners, pods and claims refer to each other by uid") {
    Built built("healthy");
    for (const auto& [key, vmi] : built.all("kubevirt.io", "virtualmachineinstances")) {
        const auto vm = built.world.objects().get({"kubevirt.io", "virtualmachines"}, key);
        REQUIRE(vm);
        CHECK(vmi->at("metadata").at("ownerReferences").at(0).at("uid") ==
              vm->at("metadata").at("uid"));
        const auto pod = vmi->at("status").at("activePods").items().begin();
        bool found = false;
        for (const auto& [pod_key, each] : built.all("", "pods")) {
            if (each->at("metadata").at("uid") != pod.key()) continue;
            found = true;
            CHECK(each->at("spec").at("nodeName") == pod.value());
            CHECK(each->at("metadata").at("ownerReferences").at(0).at("uid") ==
                  vmi->at("metadata").at("uid"));
        }
        CHECK(found);
    }
}

TEST_CASE("so many nodes are made as the machines need") {
    CHECK(lab::nodes_for(0) == 3);
    CHECK(lab::nodes_for(270) == 3);
    CHECK(lab::nodes_for(271) == 4);
    CHECK(lab::nodes_for(10000) == 112);
}

TEST_CASE("the launcher's overhead is the recorded one") {
    CHECK(lab::memory_overhead_mib(1, 3) == 288);
}

TEST_CASE("a machine that starts in a scenario may migrate there") {
    Built built("healthy");
    const lab::ResourceId instances{"kubevirt.io", "virtualmachineinstances"};
    const lab::ResourceId migrations{"kubevirt.io", "virtualmachineinstancemigrations"};
    const auto key = built.all("kubevirt.io", "virtualmachineinstances").begin()->first;
    const auto transport = lab::transport_as(built.world.server(), {"admin", {"system:masters"}});
    kubeclient::Api api(*transport);
    const std::string folder = "/apis/kubevirt.io/v1/namespaces/" + key.ns + "/";
    const auto before = built.world.objects().get(instances, key);
    REQUIRE(api.remove(folder + instances.plural + "/" + key.name).ok());
    built.world.advance(std::chrono::minutes(5));
    const auto after = built.world.objects().get(instances, key);
    REQUIRE(after);
    REQUIRE(after->at("metadata").at("uid") != before->at("metadata").at("uid"));
    REQUIRE(api.create(folder + migrations.plural,
                       {{"apiVersion", "kubevirt.io/v1"},
                        {"kind", "VirtualMachineInstanceMigration"},
                        {"metadata", {{"name", "goes-well"}}},
                        {"spec", {{"vmiName", key.name}}}},
                       kubeclient::DryRun::none)
                .ok());
    built.world.advance(std::chrono::minutes(2));
    const auto migration = built.world.objects().get(migrations, {key.ns, "goes-well"});
    CHECK(migration->at("status").at("phase") == "Succeeded");
}
