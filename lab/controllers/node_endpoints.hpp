// What the API server fetches from nodes: pods' logs from kubelets and metrics from virt-handlers.
// Of a node that cannot be reached, or whose agent does not run, there is only the connection's
// error.
//
// pods/log serves the log of a virt-launcher's compute container; other containers have an empty
// one. With follow=true what there is now comes at once and whole: the reader asks again, as after
// a connection that was closed.
// pods/…/proxy serves /metrics of virt-handler pods (label kubevirt.io=virt-handler), port 8443.
#pragma once

#include <functional>

#include "lab/api/api_server.hpp"
#include "lab/hardware/hardware.hpp"

namespace lab {

class NodeEndpoints final : public Extension {
public:
    using Clock = std::function<Instant()>;

    // Both outlive it.
    NodeEndpoints(const Store& objects, Hardware& hardware, Clock clock)
        : objects_(objects), hardware_(hardware), clock_(std::move(clock)) {}

    std::optional<kubeclient::Response> serve(const User& user,
                                              const kubeclient::Request& request) override;

private:
    kubeclient::Response log(const ObjectKey& key, const kubeclient::Request& request);
    kubeclient::Response metrics(const ObjectKey& key);
    std::string launcher_log(const Json& pod, const kubeclient::Request& request);
    std::string measured(const std::string& node);

    const Store& objects_;
    Hardware& hardware_;
    Clock clock_;
};

}  // namespace lab
