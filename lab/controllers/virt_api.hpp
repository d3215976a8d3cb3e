// KubeVirt's virt-api: its admission webhooks, and the aggregated API subresources.kubevirt.io/v1.
// Words and codes as recorded from KubeVirt d923fdb815; where nothing was recorded, as in its
// pkg/virt-api/webhooks and pkg/virt-api/rest.
// Left out: everything that needs a connection into virt-handler or virt-launcher (console, vnc,
// pause, guest agent, hot-plugged volumes), and decentralized migration, which is refused as with
// its feature gate off.
#pragma once

#include <memory>

#include "lab/api/api_server.hpp"

namespace lab {

// Reads `objects` as its informers would, and writes through `server` as `user`, its service
// account. Both outlive it.
std::unique_ptr<Extension> make_virt_api(ApiServer& server, const Store& objects, User user,
                                         ApiServer::Clock clock);
// The same, writing through `client`, which is logged in as the service account.
std::unique_ptr<Extension> make_virt_api(std::unique_ptr<kubeclient::Transport> client,
                                         const Store& objects, ApiServer::Clock clock);

}  // namespace lab
