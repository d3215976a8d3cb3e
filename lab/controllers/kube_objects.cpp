#include "lab/controllers/kube_objects.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "kubeclient/api_path.hpp"

namespace lab::kube {

using kubeclient::ErrorKind;
using kubeclient::find;
using kubeclient::items_at;

std::string text(const Json& object, std::initializer_list<std::string_view> path) {
    return kubeclient::text_at(object, path).value_or("");
}

std::string name_of(const Json& object) {
    return text(object, {"metadata", "name"});
}

std::string uid_of(const Json& object) {
    return text(object, {"metadata", "uid"});
}

ObjectKey key_of(const Json& object) {
    return {text(object, {"metadata", "namespace"}), name_of(object)};
}

bool is_deleting(const Json& object) {
    return find(object, {"metadata", "deletionTimestamp"}) != nullptr;
}

bool is_finished(const Json& pod) {
    const auto phase = text(pod, {"status", "phase"});
    return phase == "Succeeded" || phase == "Failed";
}

bool is_ready(const Json& node) {
    const Json* ready = condition(node, "Ready");
    return ready != nullptr && text(*ready, {"status"}) == "True";
}

bool has_taint(const Json& node, std::string_view key) {
    const auto& taints = items_at(node, {"spec", "taints"});
    return std::any_of(taints.begin(), taints.end(),
                       [&](const Json& taint) { return text(taint, {"key"}) == key; });
}

std::vector<std::string> claims_of(const Json& pod) {
    std::vector<std::string> claims;
    for (const Json& volume : items_at(pod, {"spec", "volumes"})) {
        auto claim = text(volume, {"persistentVolumeClaim", "claimName"});
        if (!claim.empty()) claims.push_back(std::move(claim));
    }
    return claims;
}

std::string seconds_text(kubeclient::Instant time) {
    return kubeclient::format_time(std::chrono::floor<std::chrono::seconds>(time));
}

const Json* condition(const Json& object, std::string_view type) {
    for (const Json& condition : items_at(object, {"status", "conditions"})) {
        if (text(condition, {"type"}) == type) return &condition;
    }
    return nullptr;
}

Json conditions_with(const Json& object, Json condition, kubeclient::Instant now) {
    Json conditions = items_at(object, {"status", "conditions"});
    const auto type = text(condition, {"type"});
    condition["lastTransitionTime"] = seconds_text(now);
    for (Json& old : conditions) {
        if (text(old, {"type"}) != type) continue;
        if (text(old, {"status"}) == text(condition, {"status"})) {
            condition["lastTransitionTime"] = old.value("lastTransitionTime", Json());
        }
        old = std::move(condition);
        return conditions;
    }
    conditions.push_back(std::move(condition));
    return conditions;
}

kubeclient::Result<std::string> path(const ResourceId& resource, const ObjectKey& key,
                                     std::string_view subresource) {
    return kubeclient::path_of(
        {resource.group, "v1", resource.plural, key.ns, key.name, std::string(subresource)});
}

kubeclient::Status patch(Cluster& cluster, const ResourceId& resource, const ObjectKey& key,
                         const Json& patch, std::string_view subresource) {
    TRY_ASSIGN(where, path(resource, key, subresource));
    const auto done =
        cluster.api.patch(where, kubeclient::PatchKind::merge, patch, kubeclient::DryRun::none);
    if (!done.ok() && done.error().kind != ErrorKind::not_found) return done.error();
    return kubeclient::Done{};
}

kubeclient::Status create(Cluster& cluster, const ResourceId& resource, const std::string& ns,
                          const Json& object) {
    TRY_ASSIGN(where, path(resource, {ns, ""}));
    const auto done = cluster.api.create(where, object, kubeclient::DryRun::none);
    if (!done.ok() && done.error().kind != ErrorKind::conflict) return done.error();
    return kubeclient::Done{};
}

kubeclient::Status remove(Cluster& cluster, const ResourceId& resource, const Json& object,
                          std::optional<int> grace_seconds) {
    TRY_ASSIGN(where, path(resource, key_of(object)));
    kubeclient::DeleteOptions options;
    options.uid = uid_of(object);
    options.grace_seconds = grace_seconds;
    const auto done = cluster.api.remove(where, options);
    if (done.ok() || done.error().kind == ErrorKind::not_found ||
        done.error().kind == ErrorKind::conflict) {
        return kubeclient::Done{};
    }
    return done.error();
}

}  // namespace lab::kube
