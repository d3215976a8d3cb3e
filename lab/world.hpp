// A simulated cluster: store, API server, controllers and machines under one clock that only moves
// when told to. Deterministic: the same seed and the same calls give the same objects.
// Not thread-safe: the lab's server takes lock() around every request and every advance().
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lab/api/api_server.hpp"
#include "lab/controllers/controller.hpp"

namespace lab {

struct WorldOptions {
    std::uint64_t seed = 1;
    kubeclient::Instant start{};
};

class World {
public:
    explicit World(const WorldOptions& options);
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    Store& objects() { return store_; }
    ApiServer& server() { return server_; }
    kubeclient::Instant now() const { return now_; }
    std::mutex& lock() { return lock_; }

    // The controller works as this user, from what is in the store on. `reaction` is what its
    // informers and its work take until it acts on a change.
    void add(std::unique_ptr<Controller> controller, User user, Duration reaction = Duration(0));
    // The same for one that writes through another client than this world's own API server.
    void add_remote(std::unique_ptr<Controller> controller,
                    std::unique_ptr<kubeclient::Transport> transport, Duration reaction);

    // Does all that is due now. A controller that never comes to rest is a bug: after
    // `most` steps without time passing the rest waits for the next instant.
    void settle(int most = 100'000);
    // Lets time pass, doing each thing when it is due.
    void advance(Duration duration);
    // When something is due next; now() where work is left. nullopt: nothing will happen by itself.
    std::optional<kubeclient::Instant> next_due() const;

private:
    struct Worker;
    void feed();
    bool step();

    Store store_;
    kubeclient::Instant now_;
    ApiServer server_;
    std::mutex lock_{};
    std::uint64_t fed_ = 0;
    std::uint64_t suffixes_;
    std::vector<std::unique_ptr<Worker>> workers_{};
};

}  // namespace lab
