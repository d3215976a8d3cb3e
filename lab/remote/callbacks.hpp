// What the mirrored API server asks of us over HTTPS: KubeVirt's webhooks, its aggregated API, and
// the kubelets' logs. It comes from this machine alone, and whoever comes is believed: the API
// server has checked rights before.
#pragma once

#include "lab/front_door.hpp"

namespace lab {

class Callbacks final : public FrontDoor {
public:
    // Both outlive it. `nodes` serves pods/log.
    Callbacks(Extension& virt_api, Extension& nodes) : virt_api_(virt_api), nodes_(nodes) {}

    kubeclient::Response handle(const Caller& caller, const kubeclient::Request& request) override;
    // There is nothing to watch.
    std::unique_ptr<WatchCursor> watch(const Caller& caller, const kubeclient::Request& request,
                                       kubeclient::Response& refusal) override;

private:
    kubeclient::Response log(const kubeclient::Request& request);

    Extension& virt_api_;
    Extension& nodes_;
};

}  // namespace lab
