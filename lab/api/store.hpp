// What etcd is to a cluster: objects by key, one revision for all of them, and the history that
// watches are fed from. Knows nothing of verbs, rights or preconditions; see api_server.hpp.
// Not thread-safe: whoever holds the World's lock.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kubeclient/json.hpp"

namespace lab {

using kubeclient::Json;

// Never changed once stored, so that lists, watches and controllers may share it.
using Object = std::shared_ptr<const Json>;

struct ResourceId {
    std::string group{};  // empty: the core group
    std::string plural{};

    auto operator<=>(const ResourceId&) const = default;
};

struct ObjectKey {
    std::string ns{};  // empty: of the whole cluster
    std::string name{};

    auto operator<=>(const ObjectKey&) const = default;
};

enum class ChangeType { added, modified, deleted };

struct Change {
    ChangeType type = ChangeType::added;
    std::uint64_t revision = 0;
    ResourceId resource{};
    ObjectKey key{};
    Object object{};  // as it is now; of a deleted one its last state, with the deletion's revision
    Object before{};  // null when added
};

class Store {
public:
    using Objects = std::map<ObjectKey, Object>;

    // Keeps the newest `history` changes for watches; older ones count as compacted.
    explicit Store(std::size_t history = 100'000) : history_(history) {}

    // Of the newest change, 1 at first, as in etcd.
    std::uint64_t revision() const { return revision_; }

    Object get(const ResourceId& resource, const ObjectKey& key) const;  // null: absent
    const Objects& all(const ResourceId& resource) const;

    // Adds or replaces, and writes the new revision into metadata.resourceVersion.
    Object put(const ResourceId& resource, const ObjectKey& key, Json object);
    // The same for a picture of another server's objects, which keep their resourceVersion.
    Object mirror(const ResourceId& resource, const ObjectKey& key, Json object);
    // Null where there is no such object.
    Object remove(const ResourceId& resource, const ObjectKey& key);

    // The changes after `revision`, oldest first; nullopt where they are compacted away.
    std::optional<std::vector<Change>> since(std::uint64_t revision, std::size_t most = 1000) const;
    // The newest revision whose change is forgotten; 0: none is.
    std::uint64_t compacted() const { return compacted_; }
    // Forgets the history up to and with `revision`.
    void compact(std::uint64_t revision);

private:
    void remember(Change change);

    std::size_t history_;
    std::uint64_t revision_ = 1;
    std::uint64_t compacted_ = 0;
    std::map<ResourceId, Objects> objects_{};
    std::deque<Change> changes_{};
};

}  // namespace lab
