// The lab as the recordings' cluster was: three nodes, KubeVirt, storage, one namespace, and every
// controller.
#pragma once

#include <memory>
#include <vector>

#include "lab/simulation.hpp"
#include "session.hpp"

namespace lab_replay {

class Stage {
public:
    // What was there before the scene began, as far as its recording lets on.
    explicit Stage(const Session& recorded);

    lab::World& world() { return simulation_.world(); }
    // Who asked for the recorded Actions, and who wrote what set the stage.
    const lab::User& admin() const { return admin_; }
    const lab::User& virt_handler() const { return virt_handler_; }

private:
    void seed_cluster();
    void seed_node(const std::string& name, int number);
    void seed_other_pods(int count);

    lab::Simulation simulation_;
    lab::User admin_;
    lab::User virt_handler_;
};

}  // namespace lab_replay
