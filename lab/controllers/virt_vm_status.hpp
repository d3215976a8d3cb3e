// What a VirtualMachine's status says about its VMI. Pure.
// Source: kubevirt pkg/virt-controller/watch/vm/vm.go (updateStatus, setPrintableStatus,
// syncConditions, syncStartFailureStatus); v1.9. Volume updates, snapshots, memory dumps, instance
// types and RestartRequired are left out.
#pragma once

#include <string>

#include "lab/controllers/controller.hpp"

namespace lab::virt {

// What this look at the VM has just done, which the VMI does not show yet.
enum class VmMove { none, starting, stopping };

struct VmTrouble {
    std::string reason{};
    std::string message{};

    bool operator==(const VmTrouble&) const = default;
};

std::string run_strategy(const Json& vm);  // spec.runStrategy, or what spec.running means
bool has_start_request(const Json& vm);
bool has_stop_request_for(const Json& vm, const Json& vmi);
// Zero: start it now.
Duration start_backoff_left(const Json& vm, kubeclient::Instant now);

// The whole status; `vmi` is null where there is none, `trouble` is empty where all went well.
Json vm_status(const Json& vm, const Object& vmi, VmMove move, const VmTrouble& trouble,
               kubeclient::Instant now);

}  // namespace lab::virt
