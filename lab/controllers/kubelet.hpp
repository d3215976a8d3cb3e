// The kubelets of all nodes: run the pods bound to their node, post the node's status and renew its
// Lease. A node's machine comes to be with its Node object. What a kubelet cannot do (no power, no
// network) waits until it can.
//
// Sources: the recorded scenes (what is written, in which order); Kubernetes pkg/kubelet.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "lab/controllers/controller.hpp"
#include "lab/hardware/hardware.hpp"

namespace lab {

class Kubelet final : public Controller {
public:
    // `hardware` outlives it.
    explicit Kubelet(Hardware& hardware) : hardware_(hardware) {}

    std::string_view name() const override { return "kubelet"; }
    std::vector<WorkItem> concerned(const Change& change, const Store& objects) const override;
    kubeclient::Result<std::optional<Duration>> sync(const WorkItem& item,
                                                     Cluster& cluster) override;

private:
    using Next = kubeclient::Result<std::optional<Duration>>;

    Next sync_node(const std::string& name, Cluster& cluster);
    Next sync_pod(const ObjectKey& key, Cluster& cluster);
    Next start(const Json& pod, Cluster& cluster);
    Next keep(const Json& pod, Cluster& cluster);
    Next end(const Json& pod, const std::string& phase, Cluster& cluster);
    Next forget(const ObjectKey& key);
    std::string address();

    // What a kubelet has started, so that it can end what is no longer wanted.
    struct Started {
        std::string uid{};
        std::string node{};
    };
    std::map<ObjectKey, Started> started_{};
    std::map<std::string, std::map<ObjectKey, std::string>> by_node_{};

    Hardware& hardware_;
    int addresses_ = 0;
};

}  // namespace lab
