#include "lab/world.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace std::chrono_literals;

namespace {

const lab::ResourceId config_maps{"", "configmaps"};

// Notes when it is asked to look at something.
class Witness final : public lab::Controller {
public:
    explicit Witness(std::vector<kubeclient::Instant>& seen) : seen_(seen) {}

    std::string_view name() const override { return "witness"; }
    std::vector<lab::WorkItem> concerned(const lab::Change& change,
                                         const lab::Store&) const override {
        if (change.resource != config_maps) return {};
        return {{change.resource, change.key}};
    }
    kubeclient::Result<std::optional<lab::Duration>> sync(const lab::WorkItem&,
                                                          lab::Cluster& cluster) override {
        seen_.push_back(cluster.now);
        return std::optional<lab::Duration>();
    }

private:
    std::vector<kubeclient::Instant>& seen_;
};

// Makes a copy of everything.
class Copyist final : public lab::Controller {
public:
    std::string_view name() const override { return "copyist"; }
    std::vector<lab::WorkItem> concerned(const lab::Change& change,
                                         const lab::Store&) const override {
        if (change.resource != config_maps) return {};
        return {{change.resource, change.key}};
    }
    kubeclient::Result<std::optional<lab::Duration>> sync(const lab::WorkItem&,
                                                          lab::Cluster& cluster) override {
        TRY(cluster.api.create(
            "/api/v1/namespaces/default/configmaps",
            {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", "copy"}}}},
            kubeclient::DryRun::none));
        return std::optional<lab::Duration>();
    }
};

void put(lab::World& world, const std::string& color) {
    world.objects().put(config_maps, {"default", "a"},
                        {{"metadata", {{"name", "a"}}}, {"data", {{"color", color}}}});
}

}  // namespace

TEST_CASE("a controller acts on a change at once, or after the time it takes to react") {
    std::vector<kubeclient::Instant> quick;
    std::vector<kubeclient::Instant> slow;
    lab::World world({.seed = 1, .start = {}});
    world.add(std::make_unique<Witness>(quick), {});
    world.add(std::make_unique<Witness>(slow), {}, 150ms);
    const auto begin = world.now();
    put(world, "red");
    world.advance(100ms);
    put(world, "green");  // seen together with the first
    world.advance(1s);
    CHECK(quick == std::vector{begin, begin + 100ms});
    CHECK(slow == std::vector{begin + 150ms});
}

TEST_CASE("a controller may write elsewhere than it reads") {
    lab::World here({.seed = 1, .start = {}});
    lab::World there({.seed = 1, .start = {}});
    here.add_remote(std::make_unique<Copyist>(),
                    lab::transport_as(there.server(), {"copyist", {"system:masters"}}), 20ms);
    put(here, "red");
    here.advance(1s);
    CHECK_FALSE(here.objects().get(config_maps, {"default", "copy"}));
    CHECK(there.objects().get(config_maps, {"default", "copy"}));
}
