// The whole cluster in one piece: a World with every controller of Kubernetes and KubeVirt, a
// generic CSI driver, and the machines below them.
#pragma once

#include <chrono>
#include <memory>

#include "lab/controllers/node_endpoints.hpp"
#include "lab/hardware/hardware.hpp"
#include "lab/kubernetes.hpp"
#include "lab/world.hpp"

namespace lab {

struct SimulationOptions {
    WorldOptions world{};
    // What components take from a change to their reaction: about that of the recorded ones.
    KubernetesTimes control_plane{.reaction = std::chrono::milliseconds(20)};
    Duration node_side = std::chrono::milliseconds(150);
};

class Simulation {
public:
    explicit Simulation(const SimulationOptions& options);

    World& world() { return world_; }
    Hardware& hardware() { return hardware_; }

    // The controllers, KubeVirt's webhooks and the nodes begin to work; on what is in the store,
    // and on what comes. Before, the API server is alone.
    void start();

private:
    SimulationOptions options_;
    World world_;
    Hardware hardware_;
    NodeEndpoints endpoints_;
    std::unique_ptr<Extension> virt_api_;
};

}  // namespace lab
