// What a kubelet writes, as JSON. Pure.
#pragma once

#include <string>

#include "kubeclient/json.hpp"
#include "kubeclient/time.hpp"
#include "lab/api/store.hpp"
#include "lab/hardware/machine.hpp"

namespace lab {

// The status of a pod whose containers all run.
Json running_status(const Json& pod, const std::string& address, Instant now);

// The status of one whose containers have ended: phase Succeeded or Failed.
Json ended_status(const Json& pod, const std::string& phase, Instant now);

// Whether every volume that a CSI driver has to attach is attached to the pod's node. A driver
// without a CSIDriver object is taken for one that needs no attaching.
bool volumes_attached(const Json& pod, const Store& objects);

// status.conditions of the node with Ready=True as of now, and the boot id.
Json ready_status(const Json& node, const std::string& boot_id, Instant now);
bool says_ready(const Json& node, const std::string& boot_id);

Json node_lease(const Json& node, Instant now);

}  // namespace lab
