// What tests do to the lab's server and no client of Kubernetes can: paths below /lab, for those
// who may post there (cluster-admin alone).
//   POST /lab/compact   forgets the history: versions from before are expired from now on
//   POST /lab/restart   ends every connection, this one too, as a server that restarts does
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "lab/api/api_server.hpp"
#include "lab/api/store.hpp"

namespace lab {

class Controls final : public Extension {
public:
    // `store` outlives it. `restart` is called under World::lock().
    Controls(Store& store, std::function<void()> restart)
        : store_(store), restart_(std::move(restart)) {}

    std::optional<kubeclient::Response> serve(const User& user,
                                              const kubeclient::Request& request) override;

private:
    Store& store_;
    std::function<void()> restart_;
};

}  // namespace lab
