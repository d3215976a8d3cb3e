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
