#include "lab/api/store.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace lab {

Object Store::get(const ResourceId& resource, const ObjectKey& key) const {
    const Objects& objects = all(resource);
    const auto found = objects.find(key);
    return found == objects.end() ? nullptr : found->second;
}

const Store::Objects& Store::all(const ResourceId& resource) const {
    static const Objects none;
    const auto found = objects_.find(resource);
    return found == objects_.end() ? none : found->second;
}

Object Store::put(const ResourceId& resource, const ObjectKey& key, Json object) {
    object["metadata"]["resourceVersion"] = std::to_string(revision_ + 1);
    return mirror(resource, key, std::move(object));
}

Object Store::mirror(const ResourceId& resource, const ObjectKey& key, Json object) {
    Object& place = objects_[resource][key];
    Object before = place;
    place = std::make_shared<const Json>(std::move(object));
    const auto type = before ? ChangeType::modified : ChangeType::added;
    remember({type, ++revision_, resource, key, place, std::move(before)});
    return place;
}

Object Store::remove(const ResourceId& resource, const ObjectKey& key) {
    Objects& objects = objects_[resource];
    const auto found = objects.find(key);
    if (found == objects.end()) return nullptr;
    const Object before = found->second;
    objects.erase(found);
    Json last = *before;
    last["metadata"]["resourceVersion"] = std::to_string(++revision_);
    auto object = std::make_shared<const Json>(std::move(last));
    remember({ChangeType::deleted, revision_, resource, key, object, before});
    return object;
}

void Store::remember(Change change) {
    changes_.push_back(std::move(change));
    if (changes_.size() <= history_) return;
    compacted_ = changes_.front().revision;
    changes_.pop_front();
}

std::optional<std::vector<Change>> Store::since(std::uint64_t revision, std::size_t most) const {
    if (revision < compacted_) return std::nullopt;
    const auto first = std::upper_bound(
        changes_.begin(), changes_.end(), revision,
        [](std::uint64_t wanted, const Change& change) { return wanted < change.revision; });
    const auto count = std::min(most, static_cast<std::size_t>(changes_.end() - first));
    return std::vector<Change>(first, first + static_cast<std::ptrdiff_t>(count));
}

void Store::compact(std::uint64_t revision) {
    while (!changes_.empty() && changes_.front().revision <= revision) changes_.pop_front();
    compacted_ = std::max(compacted_, std::min(revision, revision_));
}

}  // namespace lab
