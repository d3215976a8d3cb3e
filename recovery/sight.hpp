// What is known, at one moment, of migrations that are being followed and of what surrounds them.
// Values only: a follower fills it, pure functions read it.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "facts/cluster.hpp"
#include "facts/machine.hpp"

namespace recovery {

using Instant = std::chrono::sys_time<std::chrono::milliseconds>;
using NamedIn = std::pair<std::string, std::string>;  // namespace, name

// Objects of one kind. Only with `complete` is what is not among them known to be absent.
template <class Key, class T>
struct Seen {
    std::map<Key, T> items{};
    std::map<Key, std::string> unclear{};  // objects that could not be understood, and why
    bool complete = false;                 // listed, and watched since
    std::string gap{};                     // why it is not seen, or no longer; empty while it is

    const T* find(const Key& key) const {
        const auto found = items.find(key);
        return found == items.end() ? nullptr : &found->second;
    }
    bool operator==(const Seen&) const = default;
};

// How many migrations have a target pod, in the whole cluster: what KubeVirt's limits count.
struct Queue {
    Instant at{};
    int running = 0;
    std::map<std::string, int> outbound{};  // of these, by source node
    std::string gap{};                      // why it could not be counted; then the rest is empty

    bool operator==(const Queue&) const = default;
};

struct Sight {
    Seen<NamedIn, facts::Migration> migrations{};
    Seen<NamedIn, facts::Vmi> vmis{};
    Seen<NamedIn, facts::Pod> launchers{};                     // virt-launcher pods
    Seen<std::string, facts::Warning> warnings{};              // by the Event's uid
    Seen<std::string, facts::VolumeAttachment> attachments{};  // by name
    std::map<std::string, facts::Transfer> transfers{};        // the newest, by the VMIM's uid
    std::map<std::string, std::string> progress_gaps{};  // why none can be read, by the VMIM's uid
    std::optional<Queue> queue{};                        // nullopt: not counted yet
    std::string trouble{};  // the server cannot be reached at the moment; empty: it can

    bool operator==(const Sight&) const = default;
};

// The migration under this name, if it still is the one with this uid; an empty uid is any.
const facts::Migration* migration_of(const Sight& sight, const NamedIn& name,
                                     const std::string& uid);
// Of the VMI: those neither Succeeded nor Failed.
std::vector<const facts::Pod*> live_launchers(const Sight& sight, const facts::Vmi& vmi);
// The target pod of the migration, by its label kubevirt.io/migrationJobUID. A launcher that was
// the target of an earlier migration carries that one's uid.
const facts::Pod* target_pod(const Sight& sight, const std::string& migration_uid);
// Warnings about the object, oldest first.
std::vector<const facts::Warning*> warnings_about(const Sight& sight, const std::string& uid);
// vmi.status.migrationState, if it tells of this migration.
const facts::MigrationState* state_of(const facts::Vmi* vmi, const std::string& migration_uid);

}  // namespace recovery
