// Scenarios that objects alone make.
#include <string>

#include "lab/scenario_builders.hpp"

namespace lab {

std::string node_name(int number) {
    return "node-" + std::to_string(number);
}

void furnish(Simulation& simulation, const ClusterSize& size, const Furnishing& furnishing) {
    ClusterBuilder builder(simulation.world());
    builder.add_system();
    for (int number = 1; number <= size.nodes; ++number) {
        NodeShape shape;
        shape.name = node_name(number);
        furnishing.node(number, shape);
        builder.add_node(shape);
    }
    builder.finish();
    for (int number = 1; number <= size.machines; ++number) {
        MachineShape shape;
        shape.name = "vm-" + std::to_string(number);
        shape.node = node_name((number - 1) % size.nodes + 1);
        furnishing.machine(number, shape);
        builder.add_machine(shape);
    }
}

void furnish_and_start(Simulation& simulation, const ClusterSize& size,
                       const Furnishing& furnishing) {
    furnish(simulation, size, furnishing);
    simulation.start();
    simulation.world().settle();
}

void build_healthy(Simulation& simulation, const ClusterSize& size) {
    furnish_and_start(simulation, size);
}

void build_rwo_disk(Simulation& simulation, const ClusterSize& size) {
    Furnishing furnishing;
    furnishing.machine = [](int number, MachineShape& shape) {
        if (number == 1) shape.disk = DiskAccess::single_node;
    };
    furnish_and_start(simulation, size, furnishing);
}

void build_cpu_mismatch(Simulation& simulation, const ClusterSize& size) {
    Furnishing furnishing;
    furnishing.node = [](int number, NodeShape& shape) {
        if (number > 1) shape.cpu_model = "Broadwell";
    };
    furnish_and_start(simulation, size, furnishing);
}

void build_no_room(Simulation& simulation, const ClusterSize& size) {
    // Each node has memory for the machines on it and for a quarter of another one.
    const int overhead = memory_overhead_mib(2, 2);
    Furnishing furnishing;
    furnishing.node = [&](int number, NodeShape& shape) {
        const int carried = (size.machines - number + size.nodes) / size.nodes;
        constexpr int handler = 325;
        constexpr int spare = 512;
        shape.memory = std::to_string(carried * (2048 + overhead) + handler + spare) + "Mi";
    };
    furnish_and_start(simulation, size, furnishing);
}

void build_bare(Simulation& simulation, const ClusterSize& size) {
    furnish(simulation, size);
}

}  // namespace lab
