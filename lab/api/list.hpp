// Lists and what they are asked for. Private to lab/api.
// Sources: apimachinery pkg/apis/meta/internalversion/validation, apiserver
// pkg/registry/generic/registry/store.go, pkg/storage/continue.go.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/api/selectors.hpp"
#include "lab/api/server_state.hpp"

namespace lab {

struct ListQuery {
    Selector selector{};
    std::int64_t limit = 0;  // 0: no limit
    std::string continue_token{};
    std::string resource_version{};
    std::string resource_version_match{};
    std::optional<bool> send_initial_events{};
    bool allow_bookmarks = false;
    std::optional<std::int64_t> timeout_seconds{};
};

enum class ListPurpose { list, watch };

Outcome<ListQuery> list_query(const Call& call, ListPurpose purpose);

// A page, or all of it.
struct Listing {
    std::vector<Object> items{};
    std::uint64_t revision = 0;
    std::string continue_token{};
    std::optional<std::int64_t> remaining{};
};

Outcome<Listing> list_objects(const ServerState& state, const Call& call);

// The objects of a namespace, or of all of them, in the order of etcd's keys.
std::vector<std::pair<ObjectKey, Object>> in_key_order(const Store::Objects& objects,
                                                       const std::string& ns);

// The objects of a kind as they were at an earlier revision; nullopt: compacted away.
std::optional<Store::Objects> as_of(const Store& store, const ResourceId& resource,
                                    std::uint64_t revision);

}  // namespace lab
