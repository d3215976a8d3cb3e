// KubeVirt and the nodes of a cluster whose API server is another one: the lab's virt-api,
// virt-controller, virt-handler, kubelet and CSI driver as its clients, in real time. The scheduler
// and kube-controller-manager are the cluster's own, or missing.
//
// For tests. It takes charge of every pod and node that it finds, so a cluster has to say that it
// may: see kMark.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "kubeclient/result.hpp"
#include "kubeclient/transport.hpp"
#include "lab/api/api_server.hpp"

namespace lab {

// ConfigMap kube-public/virt-handoff-lab with this as its data.mark.
inline constexpr const char* kMarkNamespace = "kube-public";
inline constexpr const char* kMarkName = "virt-handoff-lab";
inline constexpr const char* kMark = "this cluster may be played with";

struct RemoteOptions {
    // A client of the API server, impersonating the user; called from one thread.
    std::function<kubeclient::Result<std::unique_ptr<kubeclient::Transport>>(const User&)> connect;
    std::function<kubeclient::Instant()> now;
    // What went wrong and will be tried again: watches that broke, and "refused PATCH /api/…" for a
    // write. Called from several threads, one at a time.
    std::function<void(const std::string&)> told;
};

class RemoteCluster {
public:
    // Reads all there is and registers virt-api. usage: the cluster does not carry the mark, and
    // nothing has been done to it.
    static kubeclient::Result<std::unique_ptr<RemoteCluster>> join(RemoteOptions options,
                                                                   const std::stop_token& stop);
    ~RemoteCluster();
    RemoteCluster(const RemoteCluster&) = delete;
    RemoteCluster& operator=(const RemoteCluster&) = delete;

    // Until `stop` is requested, or the API server refuses to let us watch.
    kubeclient::Status run(const std::stop_token& stop);

private:
    struct State;
    explicit RemoteCluster(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace lab
