// The virt-launcher pod of a VMI, as virt-controller renders it. Pure.
// Sources: kubevirt
// pkg/virt-controller/services/{template,renderresources,nodeselectorrenderer}.go,
// pkg/hypervisor/kvm/hypervisorbackend.go (GetMemoryOverhead); v1.9. What only matters inside the
// container (its full command line, container disks, hooks) is left out.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "kubeclient/result.hpp"
#include "lab/controllers/controller.hpp"

namespace lab::virt {

// Bytes that the pod asks for on top of the guest's memory.
std::int64_t memory_overhead(const Json& vmi);
// The same as KubeVirt writes it: "288Mi".
std::string memory_overhead_text(const Json& vmi);

// To be created: it has a generateName. An error (not_found) names a claim that does not exist.
kubeclient::Result<Json> launcher_pod(const Json& vmi, const Store& objects);

// The pod that the VMI migrates to: kept off the source node, with the labels of `migration`, and
// for a host-model guest with the source node's CPU. The error is that of
// prepareNodeSelectorForHostCpuModel.
kubeclient::Result<Json> target_pod(const Json& vmi, const Json& migration, const Json& source_pod,
                                    const Store& objects);

// What a host-model guest asks of the target node: taken from the source pod when it has migrated
// before, else from the source node's labels.
kubeclient::Result<std::map<std::string, std::string>> host_model_selector(const Json& source_node,
                                                                           const Json& source_pod);

}  // namespace lab::virt
