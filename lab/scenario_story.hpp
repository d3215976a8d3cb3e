// Who acts in a scenario after it is furnished: an operator with all rights at the API, and the
// world's failures in between. Private to lab/scenario*.cpp.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "kubeclient/api.hpp"
#include "lab/scenario_builders.hpp"
#include "lab/simulation.hpp"

namespace lab {

class Story {
public:
    explicit Story(Simulation& simulation);

    // Everything runs, over wires of 1 Gbit/s: the two GiB of a virtual machine are on their way
    // for some twenty seconds, long enough for something to happen meanwhile.
    void begin(const ClusterSize& size, const Furnishing& furnishing = {});
    // Wires of this speed from the node to all others, in bytes/s.
    void slow_down(const std::string& node, const ClusterSize& size, std::int64_t bandwidth);

    // Creates the migration; its name is given so that pages can speak of it.
    void migrate(const std::string& vm, const std::string& migration);
    void cancel(const std::string& migration);
    // A MigrationPolicy for the virtual machine: what it allows ("allowPostCopy") when 20 s for
    // each GB have passed.
    void give_policy(const std::string& vm, const std::string& allows);
    // A ResourceQuota for the memory that pods in the machines' namespace ask for.
    void set_memory_quota(int mib);
    void cordon(const std::string& node);
    // Asks once for the eviction of every launcher on the node, as `kubectl drain` does.
    void evict_launchers(const std::string& node);

    // Lets time pass until it is so, at most `patience`: a situation that does not come about
    // shows in the scenario's test.
    void until(const std::function<bool()>& so, Duration patience = std::chrono::minutes(10));
    void until_phase(const std::string& migration, const std::string& phase);
    void until_silent(const std::string& node);  // its Ready condition is Unknown

    // At which the memory is through and what remains is sent with the guest stopped.
    void until_switch_over(const std::string& migration);

    std::string phase(const std::string& migration);
    std::string target_node(const std::string& vm);  // of its launcher that is a target; or empty

    Simulation& simulation() { return simulation_; }
    Hardware& hardware() { return simulation_.hardware(); }
    void advance(Duration duration) { simulation_.world().advance(duration); }

private:
    Simulation& simulation_;
    std::unique_ptr<kubeclient::Transport> transport_;
    kubeclient::Api api_;
};

}  // namespace lab
