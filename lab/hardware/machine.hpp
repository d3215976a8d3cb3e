// What really is, as against what the API says: machines, and what runs on them. The node side of
// the lab (kubelet, virt-handler) acts on it; the ledger is written from it.
#pragma once

#include <string>

namespace lab {

// One node's hardware and the agents on it. All work by default.
struct Machine {
    std::string name{};
    bool powered = true;
    bool connected = true;     // to the API server and to the other machines
    bool kubelet_runs = true;  // and posts the node's status
    bool handler_runs = true;  // virt-handler
};

}  // namespace lab
