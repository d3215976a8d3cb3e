// A lab in this process, its user, and what happens to it while a command under test waits.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "commands/environment.hpp"
#include "kubeclient/api.hpp"
#include "lab/scenarios.hpp"
#include "recovery/sight.hpp"

namespace support {

// Single-threaded and deterministic: time passes in advance_most() and the world's own advance()
// alone.
class LabCluster {
public:
    explicit LabCluster(std::string_view scenario = "healthy", const lab::ClusterSize& size = {});
    LabCluster(const LabCluster&) = delete;
    LabCluster& operator=(const LabCluster&) = delete;

    lab::World& world() { return simulation_.world(); }
    lab::Hardware& hardware() { return simulation_.hardware(); }
    recovery::Instant now();

    // --- the user of the command under test: one name, every right
    const lab::User& user() const { return user_; }
    // A client of that user; the cluster outlives it.
    std::unique_ptr<kubeclient::Transport> transport();
    // For Environment::connect.
    kubeclient::Result<commands::Connection> connect();
    // From now on the user may not use the resource ("pods/log"); and not this verb, or any.
    void forbid(const std::string& resource, const std::string& verb = {});
    void forbid_nothing();
    // Until it is empty again, no request of the user gets through: a transport error in these
    // words.
    void unreachable(std::string words) {
        trouble_ = std::move(words);
        ++turns_;
    }
    // How often what the user gets to see was changed by the three above.
    int turns() const { return turns_; }

    // --- what an operator does, with all rights. A refusal is an exception.
    kubeclient::Api& api() { return api_; }
    void migrate(const std::string& vm, const std::string& migration);
    void cancel(const std::string& migration);
    // A knob of lab/controllers/node_knobs.hpp: turn("vm-1", "sim/hold", "Running").
    void turn(const std::string& vm, const std::string& knob, const std::string& value);

    // --- what happens meanwhile
    // At this time since the cluster was made, as soon as somebody waits.
    void at(lab::Duration since_start, std::function<void()> what);
    // Before each wait of a follower.
    void each_wait(std::function<void()> what) { each_wait_ = std::move(what); }
    // For whoever waits: begins one; does what is due, true if there was anything; lets time pass
    // up to the next thing that happens, at most so much.
    void begin_wait();
    bool do_what_is_due();
    void advance_most(lab::Duration most);

private:
    class Client;
    struct Planned {
        lab::Instant at{};
        std::function<void()> what{};
    };

    lab::Simulation simulation_;
    lab::User user_{"tester", {"system:authenticated"}};
    std::unique_ptr<kubeclient::Transport> operator_;
    kubeclient::Api api_;
    std::string trouble_{};
    int turns_ = 0;
    std::multimap<std::string, std::string> forbidden_{};  // resource, verb
    std::vector<Planned> planned_{};                       // by time, earliest first
    std::function<void()> each_wait_{};
    lab::Instant started_{};
};

}  // namespace support
