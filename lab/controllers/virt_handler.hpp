// virt-handler on all nodes: runs guests in their launchers, writes what it sees into the VMIs,
// sends and receives guests, and posts each node's heartbeat. A handler that cannot work (no power,
// no network, stopped) leaves everything as it is until it can.
//
// Sources: the recorded scenes (what is written, in which order); kubevirt pkg/virt-handler/vm.go,
// migration-source.go, migration-target.go, heartbeat/heartbeat.go.
#pragma once

#include <set>
#include <string>

#include "lab/controllers/controller.hpp"
#include "lab/hardware/hardware.hpp"

namespace lab {

class VirtHandler final : public Controller {
public:
    // `hardware` outlives it.
    explicit VirtHandler(Hardware& hardware) : hardware_(hardware) {}

    std::string_view name() const override { return "virt-handler"; }
    std::vector<WorkItem> concerned(const Change& change, const Store& objects) const override;
    kubeclient::Result<std::optional<Duration>> sync(const WorkItem& item,
                                                     Cluster& cluster) override;

private:
    using Next = kubeclient::Result<std::optional<Duration>>;

    Next sync_node(const std::string& name, Cluster& cluster);
    Next sync_vmi(const ObjectKey& key, Cluster& cluster);
    kubeclient::Status look_again(const std::string& node, Cluster& cluster);

    Hardware& hardware_;
    std::set<std::string> down_{};  // nodes whose handler did not work when last looked at
};

}  // namespace lab
