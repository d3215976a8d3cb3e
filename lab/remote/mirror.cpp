#include "lab/remote/mirror.hpp"

#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "lab/api/route.hpp"

namespace lab {

using kubeclient::text_at;

namespace {

std::string uid_of(const Json& object) {
    return text_at(object, {"metadata", "uid"}).value_or("");
}

ObjectKey key_of(const Json& object) {
    return {text_at(object, {"metadata", "namespace"}).value_or(""),
            text_at(object, {"metadata", "name"}).value_or("")};
}

std::uint64_t version_of(const Json& object) {
    const std::string text = text_at(object, {"metadata", "resourceVersion"}).value_or("");
    std::uint64_t version = 0;
    std::from_chars(text.data(), text.data() + text.size(), version);
    return version;
}

// The reply to the write that took the last finalizer, or the last second, is the object's last
// state. Source: apiserver pkg/registry/generic/registry/store.go ShouldDeleteDuringUpdate.
bool is_last_state(const Json& object) {
    return text_at(object, {"metadata", "deletionTimestamp"}) &&
           kubeclient::items_at(object, {"metadata", "finalizers"}).empty() &&
           kubeclient::integer_at(object, {"metadata", "deletionGracePeriodSeconds"}).value_or(0) ==
               0;
}

bool is_dry_run(const kubeclient::Request& request) {
    return !parameter(request, "dryRun").empty();
}

}  // namespace

Mirror::Mirror(Store& store, std::set<ResourceId> followed)
    : store_(store), followed_(std::move(followed)) {
    for (const ResourceId& resource : followed_) {
        std::vector<ObjectKey> keys;
        for (const auto& [key, object] : store_.all(resource)) keys.push_back(key);
        for (const ObjectKey& key : keys) store_.remove(resource, key);
    }
}

void Mirror::take(const ResourceId& resource, kubeclient::Change change, const Json& object) {
    if (change != kubeclient::Change::deleted) return update(resource, object);
    remove(resource, key_of(object), uid_of(object));
    gone_[resource].erase(uid_of(object));
}

void Mirror::take(const kubeclient::Request& request, const kubeclient::Response& response) {
    const auto route = route_of(request.path);
    if (!route || !followed_.contains(route->resource) || is_dry_run(request)) return;
    if (request.method == kubeclient::Method::get) return;
    const auto body = kubeclient::parse_json(response.body, "reply");
    if (!body.ok()) return;
    if (text_at(*body, {"kind"}) != "Status") {
        // A sub-resource may answer with an object of another kind.
        if (key_of(*body).name.empty() || uid_of(*body).empty()) return;
        if (!is_last_state(*body)) return update(route->resource, *body);
        return remove(route->resource, key_of(*body), uid_of(*body));
    }
    // Of a deletion that was done at once.
    if (request.method != kubeclient::Method::del) return;
    remove(route->resource, route->key, text_at(*body, {"details", "uid"}).value_or(""));
}

void Mirror::update(const ResourceId& resource, const Json& object) {
    const auto gone = gone_.find(resource);
    if (gone != gone_.end() && gone->second.contains(uid_of(object))) return;
    const ObjectKey key = key_of(object);
    const Object known = store_.get(resource, key);
    if (known && version_of(*known) >= version_of(object)) return;
    store_.mirror(resource, key, object);
}

void Mirror::remove(const ResourceId& resource, const ObjectKey& key, const std::string& uid) {
    if (!uid.empty()) gone_[resource].insert(uid);
    const Object known = store_.get(resource, key);
    if (known && (uid.empty() || uid_of(*known) == uid)) store_.remove(resource, key);
}

}  // namespace lab
