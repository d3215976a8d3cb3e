// The executor: the only code that writes to a cluster. Every write names the object's uid where
// there is one, and a write whose effect is not known is settled by reading before anything else.
//
// Errors: kubeclient's. unknown_outcome is left only where reading did not settle it either.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "facts/migration.hpp"
#include "kubeclient/api.hpp"

namespace recovery {

// A migration that is to be created. Its name is ours and used once, so that whoever has lost the
// reply can read what became of it, and a second create can make no second migration.
struct Order {
    std::string ns{};
    std::string vmi{};
    std::string name{};
    facts::Labels node_selector{};  // spec.addedNodeSelector; empty: anywhere

    bool operator==(const Order&) const = default;
};

// A name for a migration of this VMI, valid wherever KubeVirt puts it: as a label (63 characters)
// behind "recover-". `unique` is eight characters drawn at random.
std::string migration_name(const std::string& vmi, const std::string& unique);

class Executor {
public:
    // `wait` pauses between attempts; false: interrupted. `api` outlives it.
    Executor(kubeclient::Api& api, std::function<bool(std::chrono::milliseconds)> wait);

    // The migration as stored, or as it would be. With strict field validation; conflict: the name
    // is taken by another. protocol: the server dropped the node selector (then nothing was
    // created, or it was deleted again).
    kubeclient::Result<facts::Migration> create(const Order& order, kubeclient::DryRun dry_run);
    // Done when it is deleted, being deleted, or gone.
    kubeclient::Status remove(const facts::Meta& migration, kubeclient::DryRun dry_run);
    // Takes the evacuation mark of a VMI back; Done as well where it has none any more.
    kubeclient::Status take_back_mark(const std::string& ns, const std::string& vmi,
                                      const std::string& node, kubeclient::DryRun dry_run);
    // A target launcher in which nothing runs yet, with the time to end that it asks for.
    kubeclient::Status remove_target(const facts::Meta& pod, kubeclient::DryRun dry_run);

private:
    kubeclient::Result<facts::Migration> send(const Order& order, kubeclient::DryRun dry_run);
    kubeclient::Result<facts::Migration> read(const Order& order);
    kubeclient::Status erase(const kubeclient::ResourcePath& path, const facts::Meta& meta,
                             kubeclient::DryRun dry_run);

    kubeclient::Api& api_;
    std::function<bool(std::chrono::milliseconds)> wait_;
};

}  // namespace recovery
