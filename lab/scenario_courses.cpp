// Scenarios in which nothing fails, and a migration still takes another course than it does in
// healthy.
#include <algorithm>

#include "lab/scenario_builders.hpp"
#include "lab/scenario_story.hpp"

namespace lab {

namespace {

constexpr std::int64_t kAllMemory = 0;

// vm-1 dirties its memory faster than the wires carry it.
void begin_busy(Story& story, const ClusterSize& size) {
    story.begin(size);
    story.hardware().set_load("prod/vm-1", {400'000'000, kAllMemory});
}

}  // namespace

void build_post_copy(Simulation& simulation, const ClusterSize& size) {
    Story story(simulation);
    begin_busy(story, size);
    story.give_policy("vm-1", "allowPostCopy");
}

void build_paused_guest(Simulation& simulation, const ClusterSize& size) {
    Story story(simulation);
    begin_busy(story, size);
    story.give_policy("vm-1", "allowWorkloadDisruption");
}

void build_queue(Simulation& simulation, const ClusterSize& size) {
    // One more than may leave a node at a time.
    const int leaving = std::min(3, size.machines);
    Furnishing furnishing;
    furnishing.machine = [&](int number, MachineShape& shape) {
        if (number <= leaving) shape.node = node_name(1);
    };
    Story story(simulation);
    story.begin(size, furnishing);
    // 200 Mbit/s: time enough to look at the queue.
    story.slow_down("node-1", size, 25'000'000);
    for (int number = 1; number <= leaving; ++number) {
        const std::string vm = "vm-" + std::to_string(number);
        story.hardware().set_load("prod/" + vm, {4 << 20, 256 << 20});
        story.migrate(vm, "migrate-" + vm);
        story.advance(std::chrono::seconds(1));
    }
    story.advance(std::chrono::seconds(5));
}

void build_quota(Simulation& simulation, const ClusterSize& size) {
    Story story(simulation);
    story.begin(size);
    // Enough for what runs, and for less than a half of one more.
    story.set_memory_quota(size.machines * (2048 + memory_overhead_mib(2, 2)) + 1024);
}

}  // namespace lab
