#include "lab/controllers/garbage_collector.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kubeclient/api_path.hpp"
#include "lab/controllers/kube_objects.hpp"

namespace lab {

using kube::text;
using kubeclient::items_at;

namespace {

constexpr auto kForeground = "foregroundDeletion";
constexpr auto kOrphan = "orphan";

bool has_finalizer(const Json& object, const char* name) {
    const auto& finalizers = items_at(object, {"metadata", "finalizers"});
    return std::find(finalizers.begin(), finalizers.end(), Json(name)) != finalizers.end();
}

bool blocks(const Json& object, const std::string& owner) {
    const auto& references = items_at(object, {"metadata", "ownerReferences"});
    return std::any_of(references.begin(), references.end(), [&](const Json& reference) {
        return text(reference, {"uid"}) == owner &&
               kubeclient::bool_at(reference, {"blockOwnerDeletion"}).value_or(false);
    });
}

// Of any kind, in the version it is stored in.
kubeclient::Result<std::string> path_of(const WorkItem& item, const Json& object) {
    const auto api_version = text(object, {"apiVersion"});
    const auto version = api_version.substr(api_version.find('/') + 1);
    return kubeclient::path_of(
        {item.resource.group, version, item.resource.plural, item.key.ns, item.key.name, ""});
}

kubeclient::Status remove(const WorkItem& item, const Json& object,
                          kubeclient::Propagation propagation, Cluster& cluster) {
    TRY_ASSIGN(path, path_of(item, object));
    kubeclient::DeleteOptions options;
    options.uid = kube::uid_of(object);
    options.propagation = propagation;
    const auto done = cluster.api.remove(path, options);
    const bool gone = !done.ok() && (done.error().kind == kubeclient::ErrorKind::not_found ||
                                     done.error().kind == kubeclient::ErrorKind::conflict);
    if (!done.ok() && !gone) return done.error();
    return kubeclient::Done{};
}

kubeclient::Status patch_metadata(const WorkItem& item, const Json& object, const Json& metadata,
                                  Cluster& cluster) {
    TRY_ASSIGN(path, path_of(item, object));
    const auto done = cluster.api.patch(path, kubeclient::PatchKind::merge,
                                        {{"metadata", metadata}}, kubeclient::DryRun::none);
    if (!done.ok() && done.error().kind != kubeclient::ErrorKind::not_found) return done.error();
    return kubeclient::Done{};
}

// The owners that `keep` says yes to, written back.
template <class Keep>
kubeclient::Status keep_owners(const WorkItem& item, const Json& object, Keep keep,
                               Cluster& cluster) {
    Json left = Json::array();
    for (const Json& reference : items_at(object, {"metadata", "ownerReferences"})) {
        if (keep(text(reference, {"uid"}))) left.push_back(reference);
    }
    return patch_metadata(item, object, {{"ownerReferences", left}}, cluster);
}

kubeclient::Status drop_finalizer(const WorkItem& item, const Json& object, const char* name,
                                  Cluster& cluster) {
    Json left = Json::array();
    for (const Json& finalizer : items_at(object, {"metadata", "finalizers"})) {
        if (finalizer != Json(name)) left.push_back(finalizer);
    }
    return patch_metadata(item, object, {{"finalizers", left}}, cluster);
}

template <class Note>
void each_change(const Store& objects, std::uint64_t& seen, Note note) {
    while (seen < objects.revision()) {
        const auto changes = objects.since(seen);
        if (!changes || changes->empty()) return;
        for (const Change& change : *changes) note(change);
        seen = changes->back().revision;
    }
}

}  // namespace

std::vector<WorkItem> GarbageCollector::concerned(const Change& change, const Store&) const {
    const Json& object = *change.object;
    const bool owned = !items_at(object, {"metadata", "ownerReferences"}).empty();
    const bool going = kube::is_deleting(object) &&
                       (has_finalizer(object, kForeground) || has_finalizer(object, kOrphan));
    if (!owned && !going && change.type != ChangeType::deleted) return {};
    return {{change.resource, change.key}};
}

void GarbageCollector::catch_up(const Store& objects) {
    each_change(objects, seen_, [&](const Change& change) {
        const WorkItem item{change.resource, change.key};
        const auto uid = kube::uid_of(*change.object);
        const bool gone = change.type == ChangeType::deleted;
        for (const auto& owner : owners_[item]) {
            dependents_[owner].erase(item);
            // It may have been the last that an owner deleted in the foreground waited for.
            const auto above = alive_.find(owner);
            if (gone && above != alive_.end()) affected_.insert(above->second);
        }
        owners_.erase(item);
        if (gone) {
            alive_.erase(uid);
            affected_.insert(dependents_[uid].begin(), dependents_[uid].end());
            return;
        }
        alive_[uid] = item;
        for (const Json& reference : items_at(*change.object, {"metadata", "ownerReferences"})) {
            const auto owner = text(reference, {"uid"});
            owners_[item].insert(owner);
            dependents_[owner].insert(item);
        }
    });
}

kubeclient::Result<std::optional<Duration>> GarbageCollector::sync(const WorkItem& item,
                                                                   Cluster& cluster) {
    catch_up(cluster.objects);
    auto items = affected_;
    items.insert(item);
    for (const auto& each : items) {
        const Object object = cluster.objects.get(each.resource, each.key);
        if (object) TRY(collect(each, *object, cluster));
        affected_.erase(each);
    }
    return std::optional<Duration>();
}

kubeclient::Status GarbageCollector::collect(const WorkItem& item, const Json& object,
                                             Cluster& cluster) {
    if (kube::is_deleting(object)) return finish(item, object, cluster);
    const auto owners = owners_.find(item);
    if (owners == owners_.end() || owners->second.empty()) return kubeclient::Done{};
    std::size_t solid = 0;
    std::size_t waiting = 0;  // for this one to go
    for (const auto& uid : owners->second) {
        const auto owner = alive_.find(uid);
        if (owner == alive_.end()) continue;
        const Object above = cluster.objects.get(owner->second.resource, owner->second.key);
        const bool waits = above && kube::is_deleting(*above) && has_finalizer(*above, kForeground);
        ++(waits ? waiting : solid);
    }
    if (solid > 0) {
        if (solid == owners->second.size()) return kubeclient::Done{};
        return keep_owners(
            item, object, [&](const std::string& uid) { return alive_.contains(uid); }, cluster);
    }
    return remove(
        item, object,
        waiting > 0 ? kubeclient::Propagation::foreground : kubeclient::Propagation::background,
        cluster);
}

kubeclient::Status GarbageCollector::finish(const WorkItem& item, const Json& object,
                                            Cluster& cluster) {
    const auto uid = kube::uid_of(object);
    const auto dependents = dependents_[uid];  // a copy: deleting changes it
    if (has_finalizer(object, kOrphan)) {
        for (const auto& each : dependents) {
            const Object dependent = cluster.objects.get(each.resource, each.key);
            if (!dependent) continue;
            TRY(keep_owners(
                each, *dependent, [&](const std::string& owner) { return owner != uid; }, cluster));
        }
        return drop_finalizer(item, object, kOrphan, cluster);
    }
    if (!has_finalizer(object, kForeground)) return kubeclient::Done{};
    for (const auto& each : dependents) {
        const Object dependent = cluster.objects.get(each.resource, each.key);
        if (dependent && !kube::is_deleting(*dependent)) TRY(collect(each, *dependent, cluster));
    }
    const bool blocked = std::any_of(dependents.begin(), dependents.end(), [&](const auto& each) {
        const Object dependent = cluster.objects.get(each.resource, each.key);
        return dependent && blocks(*dependent, uid);
    });
    if (blocked) return kubeclient::Done{};
    const Object now = cluster.objects.get(item.resource, item.key);
    return now ? drop_finalizer(item, *now, kForeground, cluster) : kubeclient::Done{};
}

std::vector<WorkItem> NamespaceController::concerned(const Change& change,
                                                     const Store& objects) const {
    if (change.resource == kube::kNamespaces) {
        if (!kube::is_deleting(*change.object)) return {};
        return {{change.resource, change.key}};
    }
    if (change.key.ns.empty()) return {};
    const Object ns = objects.get(kube::kNamespaces, {"", change.key.ns});
    if (!ns || !kube::is_deleting(*ns)) return {};
    return {{kube::kNamespaces, {"", change.key.ns}}};
}

void NamespaceController::catch_up(const Store& objects) {
    each_change(objects, seen_, [&](const Change& change) {
        if (change.key.ns.empty()) return;
        auto& items = contents_[change.key.ns];
        if (change.type == ChangeType::deleted) {
            items.erase({change.resource, change.key});
        } else {
            items.insert({change.resource, change.key});
        }
    });
}

kubeclient::Result<std::optional<Duration>> NamespaceController::sync(const WorkItem& item,
                                                                      Cluster& cluster) {
    catch_up(cluster.objects);
    const Object ns = cluster.objects.get(kube::kNamespaces, item.key);
    if (!ns || !kube::is_deleting(*ns)) return std::optional<Duration>();
    const auto contents = contents_[item.key.name];  // a copy: deleting changes it
    // Pods first, and the rest only when they are gone (OrderedNamespaceDeletion).
    const bool pods = std::any_of(contents.begin(), contents.end(), [](const WorkItem& each) {
        return each.resource == kube::kPods;
    });
    for (const auto& each : contents) {
        if (pods && each.resource != kube::kPods) continue;
        const Object object = cluster.objects.get(each.resource, each.key);
        if (!object || kube::is_deleting(*object)) continue;
        TRY(remove(each, *object, kubeclient::Propagation::background, cluster));
    }
    catch_up(cluster.objects);
    if (!contents_[item.key.name].empty()) return std::optional<Duration>();
    if (items_at(*ns, {"spec", "finalizers"}).empty()) return std::optional<Duration>();
    Json finalized = *cluster.objects.get(kube::kNamespaces, item.key);
    finalized["spec"]["finalizers"] = Json::array();
    TRY_ASSIGN(path, kube::path(kube::kNamespaces, item.key, "finalize"));
    TRY(cluster.api.replace(path, finalized, kubeclient::DryRun::none));
    return std::optional<Duration>();
}

}  // namespace lab
