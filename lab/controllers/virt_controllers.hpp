// What virt-controller runs, one Controller each; all work as kVirtControllerUser.
// Behaviour: kubevirt pkg/virt-controller/watch at d923fdb815 (v1.9), as recorded.
#pragma once

#include <memory>
#include <string_view>

#include "lab/controllers/controller.hpp"

namespace lab {

inline constexpr std::string_view kVirtControllerUser =
    "system:serviceaccount:kubevirt:kubevirt-controller";

// VirtualMachines: starts and stops their VMI by runStrategy, mirrors its state.
std::unique_ptr<Controller> make_vm_controller();
// VMIs: their launcher pod, and their phase until virt-handler takes over and after the guest's
// end.
std::unique_ptr<Controller> make_vmi_controller();
// VMIMs: the target pod, the hand-over to virt-handler, limits, timeouts, abort and end. Local
// migrations of guests without backend storage; others wait in Pending.
std::unique_ptr<Controller> make_migration_controller();
// Nodes with VMIs marked for eviction, or with the drain taint: creates their VMIMs.
std::unique_ptr<Controller> make_evacuation_controller();
// Nodes whose virt-handler is silent.
std::unique_ptr<Controller> make_node_controller();

}  // namespace lab
