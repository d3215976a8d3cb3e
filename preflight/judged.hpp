// The machine that is judged: a running VMI as it is, or what the template of a stopped VM would
// become. Both end in the same value, so one set of rules judges both.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "facts/snapshot.hpp"

namespace preflight {

// What is known of the access modes of a volume's claim. `not_reported` is a fact too: the VMI's
// volumeStatus has no entry for it, and KubeVirt refuses for that.
enum class Access { known, not_reported, unread };

struct ClaimAccess {
    Access access = Access::unread;
    std::string claim{};
    std::vector<std::string> modes{};
    std::string gap{};  // of Access::unread

    bool shared() const;
    bool operator==(const ClaimAccess&) const = default;
};

// Whether the machine runs. unread: its VM says that a VMI exists, or one may exist, but the VMI or
// its status was not read.
enum class Life { stopped, running, unread };

enum class HostModel { offered, missing, unread };

// Pods and migrations by the VMI they belong to, so that thousands of VMs are judged in linear
// time.
struct Belongings {
    std::multimap<std::string, const facts::Pod*> launchers{};  // by the VMI's uid
    // By namespace and name of the VMI.
    std::multimap<std::pair<std::string, std::string>, const facts::Migration*> migrations{};
};
Belongings belongings_of(const facts::Snapshot& snapshot);

struct Judged {
    facts::Meta meta{};  // of the VM, or of the VMI that no VM owns
    facts::Guest guest{};
    facts::Labels labels{};       // of the VMI, or those the template gives it
    facts::Labels annotations{};  // the same
    const facts::Vm* vm = nullptr;
    const facts::Vmi* vmi = nullptr;
    std::vector<const facts::Pod*> launchers{};         // of the VMI, neither Succeeded nor Failed
    std::vector<const facts::Migration*> migrations{};  // of the VMI, unfinished
    Life life = Life::stopped;
    std::string life_gap{};  // of Life::unread
    std::string node{};
    std::map<std::string, ClaimAccess> claims{};  // by volume; hostDisks only with claim info
    std::vector<std::string> migrated_volumes{};  // names of status.migratedVolumes
    HostModel host_model = HostModel::unread;     // of the node that runs it
    std::string host_model_gap{};
    std::optional<std::int64_t> tsc_frequency{};
    std::string tsc_gap{};           // the hint cannot be foreseen
    std::string interface_gap{};     // the default network interface is not known
    std::string template_gap{};      // an instancetype or preference was not expanded
    std::vector<facts::Gap> gaps{};  // found missing while joining the objects

    bool running() const { return vmi != nullptr; }
    bool migrates(const std::string& volume) const;
};

// The pointers inside refer to `snapshot`, which must live as long.
Judged judge_vmi(const facts::Snapshot& snapshot, const Belongings& belongings, const facts::Vm* vm,
                 const facts::Vmi& vmi);
Judged judge_template(const facts::Snapshot& snapshot, const facts::Vm& vm);

// The KubeVirt CR of the cluster; nullptr when it was not read.
const facts::KubeVirt* kubevirt_of(const facts::Snapshot& snapshot);

}  // namespace preflight
