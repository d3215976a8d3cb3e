#include "lab/api/server_state.hpp"

#include <chrono>
#include <nlohmann/json.hpp>

#include "kubeclient/time.hpp"
#include "lab/api/quota.hpp"

namespace lab {

std::string Names::uid() {
    static const char digits[] = "0123456789abcdef";
    std::string uid = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
    for (char& c : uid) {
        if (c == 'x') c = digits[random_() % 16];
        if (c == 'y') c = digits[8 + random_() % 4];
    }
    return uid;
}

std::string Names::suffix() {
    static const std::string_view letters = "bcdfghjklmnpqrstvwxz2456789";
    std::string suffix;
    for (int i = 0; i < 5; ++i) suffix += letters[random_() % letters.size()];
    return suffix;
}

std::string now_text(const ServerState& state) {
    return kubeclient::format_time(std::chrono::floor<std::chrono::seconds>(state.clock()));
}

namespace {

const ResourceId kDefinitions{"apiextensions.k8s.io", "customresourcedefinitions"};

// What quotas speak of most; the others are counted when these change.
bool is_counted(const Kind& kind) {
    return kind.scope == Scope::namespaced && kind.kind != "Event" && kind.kind != "Lease";
}

}  // namespace

Object store_object(ServerState& state, const Kind& kind, const ObjectKey& key, Json object) {
    Object stored = state.store.put(kind.resource, key, std::move(object));
    if (kind.resource == kDefinitions) state.kinds.add(kind_of_definition(*stored));
    if (is_counted(kind)) refresh_quotas(state, key.ns);
    return state.store.get(kind.resource, key);
}

Object remove_object(ServerState& state, const Kind& kind, const ObjectKey& key) {
    Object removed = state.store.remove(kind.resource, key);
    if (removed && kind.resource == kDefinitions) {
        state.kinds.remove(kind_of_definition(*removed).resource);
    }
    if (is_counted(kind)) refresh_quotas(state, key.ns);
    return removed;
}

}  // namespace lab
