// What tests do to the lab's server and no client of Kubernetes can: paths below /lab, for those
// who may post there (cluster-admin alone).
//   POST /lab/advance?seconds=N   lets time pass, at once; up to a day. With a clock that stands
//                                 still nothing happens by itself in between, so a session of
//                                 commands gives the same answers each time.
//   POST /lab/compact   forgets the history: versions from before are expired from now on
//   POST /lab/restart   ends every connection, this one too, as a server that restarts does
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "lab/api/api_server.hpp"
#include "lab/world.hpp"

namespace lab {

class Controls final : public Extension {
public:
    // `world` outlives it; requests and `restart` come under World::lock().
    Controls(World& world, std::function<void()> restart)
        : world_(world), restart_(std::move(restart)) {}

    std::optional<kubeclient::Response> serve(const User& user,
                                              const kubeclient::Request& request) override;

private:
    World& world_;
    std::function<void()> restart_;
};

}  // namespace lab
