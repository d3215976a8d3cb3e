// Every Node says that its kubelet answers here: where the API server goes for logs.
#pragma once

#include "lab/controllers/controller.hpp"

namespace lab {

class NodeAddress final : public Controller {
public:
    // The port on this machine.
    explicit NodeAddress(int port) : port_(port) {}

    std::string_view name() const override { return "kubelet"; }
    std::vector<WorkItem> concerned(const Change& change, const Store& objects) const override;
    kubeclient::Result<std::optional<Duration>> sync(const WorkItem& item,
                                                     Cluster& cluster) override;

private:
    int port_;
};

}  // namespace lab
