// Keeps migrations in sight: reads the cluster until told to stop. Writes nothing.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "kubeclient/api.hpp"
#include "recovery/sight.hpp"

namespace recovery {

// Whose progress is wanted: a migration that copies memory.
struct Copying {
    std::string migration_uid{};
    std::string ns{};
    std::string vmi{};
    std::string source_pod{};
    std::string source_node{};

    bool operator==(const Copying&) const = default;
    auto operator<=>(const Copying&) const = default;
};

// One thread at a time. After it is gone, nothing of it runs any more.
class Follower {
public:
    virtual ~Follower() = default;
    // What is known now. The reference stays; what it refers to changes in wait() alone.
    virtual const Sight& sight() const = 0;
    // Until something has changed, at most for `patience`; then takes in one change, so that no
    // state is skipped that a watch has shown. false: nothing changed.
    virtual bool wait(std::chrono::milliseconds patience) = 0;
    // From now on progress is read of these and no others.
    virtual void read_progress(const std::set<Copying>& of) = 0;
    // Counts what KubeVirt's limits count, now and then, while it is wanted.
    virtual void count_queue(bool wanted) = 0;
    // VolumeAttachments come into sight from now on.
    virtual void watch_attachments() = 0;
};

struct FollowScope {
    std::string ns{};           // empty: every namespace
    std::string kubevirt_ns{};  // where virt-handler runs; empty: not known
    std::function<Instant()> now{};
};

// The real one: one watch of each kind in a thread of its own, whatever the number of migrations,
// and one log stream per copying migration or one metrics read per source node and interval.
// `api` outlives it.
std::unique_ptr<Follower> follow_cluster(kubeclient::Api& api, FollowScope scope);

}  // namespace recovery
