// What the node side of the lab has in common: the knobs that scenes turn by annotations of the
// VMI, and who belongs to whom. Pure; source of the knobs: the recorded scenes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/api/store.hpp"
#include "lab/hardware/machine.hpp"

namespace lab {

extern const ResourceId kNodes;
extern const ResourceId kPods;
extern const ResourceId kVmis;

struct NodeKnobs {
    std::string hold{};  // sim/hold: VMIM phase in which the node side stops answering
    std::string fail{};  // sim/fail: the source reports this failure while Running
    std::optional<Duration> copying{};  // sim/seconds: how long memory is copied
    bool pod_held = false;              // sim/podhold: the target pod never gets ready
    bool source_kept = false;           // sim/keepsource: the old launcher never ends
    // sim/unmigratable="REASON: MESSAGE": LiveMigratable is False for this. In the recordings the
    // played virt-handler wrote it without any cause in the spec.
    std::string unmigratable{};

    bool operator==(const NodeKnobs&) const = default;
};

NodeKnobs knobs_of(const Json& vmi);

// The VMI that controls the pod; null where none does, or it is gone or another of the same name.
Object vmi_of(const Json& pod, const Store& objects);
bool is_launcher(const Json& pod);
// namespace/name.
std::string vmi_name(const Json& object);

// What a QEMU of this VMI writes to: the volume handles of the PVs behind its claims (the PV's name
// where no CSI driver serves it; namespace/claim while nothing is bound).
std::vector<std::string> disks_of(const Json& vmi, const Store& objects);

// The migration that the VMI's status speaks of is over, and this launcher pod has no guest (any
// more): the source after a success, the target after a failure.
bool lost_its_guest(const Json& vmi, const Json& pod);

}  // namespace lab
