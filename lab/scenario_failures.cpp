// Scenarios that a failure makes, while vm-1 is migrated.
#include "lab/scenario_builders.hpp"
#include "lab/scenario_story.hpp"

namespace lab {

using std::chrono::seconds;

namespace {

constexpr const char* kMigration = "migrate-vm-1";

// vm-1 is being copied for five seconds.
void begin_copying(Story& story, const ClusterSize& size) {
    story.begin(size);
    story.migrate("vm-1", kMigration);
    story.until_phase(kMigration, "Running");
    story.advance(seconds(5));
}

}  // namespace

void build_slow_network(Simulation& simulation, const ClusterSize& size) {
    Story story(simulation);
    story.begin(size);
    constexpr std::int64_t all_memory = 0;
    story.hardware().set_load("prod/vm-1", {400'000'000, all_memory});
    story.migrate("vm-1", kMigration);
    story.until_phase(kMigration, "Running");
    story.advance(seconds(60));
}

void build_source_node_lost(Simulation& simulation, const ClusterSize& size) {
    Story story(simulation);
    begin_copying(story, size);
    story.hardware().power_off("node-1");
    story.until_silent("node-1");
    story.until_phase(kMigration, "Failed");
}

void build_target_node_lost(Simulation& simulation, const ClusterSize& size) {
    Story story(simulation);
    begin_copying(story, size);
    const std::string target = story.target_node("vm-1");
    story.hardware().power_off(target);
    story.until_silent(target);
    story.until_phase(kMigration, "Failed");
}

void build_interrupted_handoff(Simulation& simulation, const ClusterSize& size) {
    Story story(simulation);
    story.begin(size);
    story.migrate("vm-1", kMigration);
    story.until_switch_over(kMigration);
    story.hardware().isolate("node-1");
    story.until_silent("node-1");
}

void build_stuck_terminating(Simulation& simulation, const ClusterSize& size) {
    Story story(simulation);
    story.begin(size);
    story.migrate("vm-1", kMigration);
    // The target's pod runs, and virt-handler next to it has not seen it yet.
    story.until_phase(kMigration, "Scheduled");
    const std::string target = story.target_node("vm-1");
    story.hardware().cut_from_api(target);
    story.until_phase(kMigration, "PreparingTarget");
    story.until_silent(target);
    story.cancel(kMigration);
    story.advance(seconds(30));
}

void build_two_launchers(Simulation& simulation, const ClusterSize& size) {
    Story story(simulation);
    story.begin(size);
    story.migrate("vm-1", kMigration);
    story.until_switch_over(kMigration);
    story.hardware().stop_handler("node-1");
    story.until_phase(kMigration, "Succeeded");
    story.advance(seconds(30));
    story.migrate("vm-1", "migrate-vm-1-again");
    story.advance(seconds(60));
}

void build_drain_blocked(Simulation& simulation, const ClusterSize& size) {
    // As many on the drained node as make a queue: two may leave it at a time.
    constexpr int drained = 6;
    Furnishing furnishing;
    furnishing.machine = [&](int number, MachineShape& shape) {
        if (number == 1) shape.disk = DiskAccess::single_node;
        if (number <= drained) shape.node = node_name(1);
    };
    Story story(simulation);
    story.begin(size, furnishing);
    story.cordon("node-1");
    for (int tries = 0; tries < 2; ++tries) {
        story.evict_launchers("node-1");
        story.advance(seconds(5));  // kubectl drain's
    }
}

}  // namespace lab
