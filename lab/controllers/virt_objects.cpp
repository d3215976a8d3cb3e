#include "lab/controllers/virt_objects.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "kubeclient/api_path.hpp"
#include "kubeclient/json.hpp"

namespace lab::virt {

using kubeclient::DryRun;
using kubeclient::find;
using kubeclient::items_at;
using kubeclient::Result;
using kubeclient::text_at;

std::string text(const Json& object, std::initializer_list<std::string_view> path) {
    return text_at(object, path).value_or("");
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

std::string label(const Json& object, std::string_view key) {
    return text(object, {"metadata", "labels", key});
}

std::string annotation(const Json& object, std::string_view key) {
    return text(object, {"metadata", "annotations", key});
}

bool has_annotation(const Json& object, std::string_view key) {
    return find(object, {"metadata", "annotations", key}) != nullptr;
}

bool has_finalizer(const Json& object, std::string_view finalizer) {
    const auto& all = items_at(object, {"metadata", "finalizers"});
    return std::any_of(all.begin(), all.end(), [&](const Json& one) { return one == finalizer; });
}

bool is_deleting(const Json& object) {
    return find(object, {"metadata", "deletionTimestamp"}) != nullptr;
}

std::string phase_of(const Json& object) {
    return text(object, {"status", "phase"});
}

kubeclient::Instant created_at(const Json& object) {
    const auto time = kubeclient::parse_time(text(object, {"metadata", "creationTimestamp"}));
    return time.ok() ? *time : kubeclient::Instant{};
}

std::string seconds_text(kubeclient::Instant time) {
    return kubeclient::format_time(std::chrono::floor<std::chrono::seconds>(time));
}

const Json* condition(const Json& object, std::string_view type) {
    for (const Json& one : items_at(object, {"status", "conditions"})) {
        if (text(one, {"type"}) == type) return &one;
    }
    return nullptr;
}

bool has_condition(const Json& object, std::string_view type, std::string_view status) {
    const Json* found = condition(object, type);
    return found != nullptr && text(*found, {"status"}) == status;
}

void update_condition(Json& object, const Json& wanted) {
    Json& conditions = object["status"]["conditions"];
    if (!conditions.is_array()) conditions = Json::array();
    for (Json& one : conditions) {
        if (text(one, {"type"}) != text(wanted, {"type"})) continue;
        const auto same = [&](std::string_view key) {
            return text(one, {key}) == text(wanted, {key});
        };
        if (!same("status") || !same("reason") || !same("message")) one = wanted;
        return;
    }
    conditions.push_back(wanted);
}

void remove_condition(Json& object, std::string_view type) {
    if (condition(object, type) == nullptr) return;
    Json& conditions = object["status"]["conditions"];
    Json kept = Json::array();
    for (Json& one : conditions) {
        if (text(one, {"type"}) != type) kept.push_back(std::move(one));
    }
    // As Go's omitempty.
    if (kept.empty()) {
        object["status"].erase("conditions");
    } else {
        conditions = std::move(kept);
    }
}

void note_phase_change(const Json& before, Json& object, kubeclient::Instant now) {
    const auto phase = phase_of(object);
    if (phase.empty() || phase == phase_of(before)) return;
    Json& times = object["status"]["phaseTransitionTimestamps"];
    if (!times.is_array()) times = Json::array();
    const bool known = std::any_of(times.begin(), times.end(),
                                   [&](const Json& one) { return text(one, {"phase"}) == phase; });
    if (known) return;
    times.push_back({{"phase", phase}, {"phaseTransitionTimestamp", seconds_text(now)}});
}

void remove_finalizer(Json& object, std::string_view finalizer) {
    if (!has_finalizer(object, finalizer)) return;
    Json kept = Json::array();
    for (const Json& one : items_at(object, {"metadata", "finalizers"})) {
        if (one != finalizer) kept.push_back(one);
    }
    if (kept.empty()) {
        object["metadata"].erase("finalizers");
    } else {
        object["metadata"]["finalizers"] = std::move(kept);
    }
}

bool is_final(const Json& object) {
    const auto phase = phase_of(object);
    return phase == "Succeeded" || phase == "Failed";
}

bool is_unprocessed(const Json& vmi) {
    const auto phase = phase_of(vmi);
    return phase.empty() || phase == "Pending";
}

bool is_running(const Json& vmi) {
    return phase_of(vmi) == "Running";
}

bool is_marked_for_eviction(const Json& vmi) {
    return !text(vmi, {"status", "evacuationNodeName"}).empty();
}

bool is_migrating(const Json& vmi) {
    const Json* state = find(vmi, {"status", "migrationState"});
    if (state == nullptr || find(*state, "startTimestamp") == nullptr) return false;
    return find(*state, "endTimestamp") == nullptr &&
           !kubeclient::bool_at(*state, {"completed"}).value_or(false);
}

std::string eviction_strategy(const Json& vmi, const Store& objects) {
    if (auto own = text_at(vmi, {"spec", "evictionStrategy"}); own && !own->empty()) return *own;
    for (const auto& [key, kubevirt] : objects.all(kKubeVirts)) {
        auto set = text_at(*kubevirt, {"spec", "configuration", "evictionStrategy"});
        if (set && !set->empty()) return *set;
    }
    return "None";
}

const Json* controller_reference(const Json& object) {
    for (const Json& owner : items_at(object, {"metadata", "ownerReferences"})) {
        if (kubeclient::bool_at(owner, {"controller"}).value_or(false)) return &owner;
    }
    return nullptr;
}

bool is_controlled_by(const Json& object, const Json& owner) {
    const Json* reference = controller_reference(object);
    return reference != nullptr && text(*reference, {"uid"}) == uid_of(owner);
}

std::vector<Object> launchers(const Store& objects, const Json& vmi) {
    const auto [ns, name] = key_of(vmi);
    // The API server cuts generateName at 58 characters (apiserver pkg/storage/names).
    const std::string prefix = ("virt-launcher-" + name + "-").substr(0, 58);
    std::vector<Object> found;
    const auto& pods = objects.all(kPods);
    for (auto place = pods.lower_bound({ns, prefix}); place != pods.end(); ++place) {
        if (place->first.ns != ns || place->first.name.compare(0, prefix.size(), prefix) != 0) {
            break;
        }
        if (is_controlled_by(*place->second, vmi)) found.push_back(place->second);
    }
    return found;
}

Object current_launcher(const Store& objects, const Json& vmi) {
    const auto node = text(vmi, {"status", "nodeName"});
    Object current;
    for (const Object& pod : launchers(objects, vmi)) {
        if (!node.empty() && text(*pod, {"spec", "nodeName"}) != node) continue;
        if (!current || created_at(*current) < created_at(*pod)) current = pod;
    }
    return current;
}

std::size_t live_launchers(const Store& objects, const Json& vmi) {
    const auto all = launchers(objects, vmi);
    return static_cast<std::size_t>(std::count_if(
        all.begin(), all.end(), [](const Object& pod) { return !is_pod_down(*pod); }));
}

std::vector<Object> migrations_of(const Store& objects, const ObjectKey& vmi) {
    std::vector<Object> found;
    const auto& all = objects.all(kMigrations);
    for (auto place = all.lower_bound({vmi.ns, ""}); place != all.end(); ++place) {
        if (place->first.ns != vmi.ns) break;
        if (text(*place->second, {"spec", "vmiName"}) == vmi.name) found.push_back(place->second);
    }
    return found;
}

bool is_pod_down(const Json& pod) {
    const auto phase = phase_of(pod);
    return phase == "Succeeded" || phase == "Failed";
}

bool is_pod_down_or_going(const Json& pod) {
    if (is_pod_down(pod) || is_deleting(pod)) return true;
    const auto& containers = items_at(pod, {"status", "containerStatuses"});
    return std::any_of(containers.begin(), containers.end(), [](const Json& one) {
        return text(one, {"name"}) == "compute" && find(one, {"state", "terminated"}) != nullptr;
    });
}

bool is_pod_ready(const Json& pod) {
    if (is_pod_down_or_going(pod) || phase_of(pod) != "Running") return false;
    const auto& containers = items_at(pod, {"status", "containerStatuses"});
    return std::all_of(containers.begin(), containers.end(), [](const Json& one) {
        return kubeclient::bool_at(one, {"ready"}).value_or(false);
    });
}

std::string server_words(const kubeclient::Error& error) {
    for (const std::string_view front : {"Error from server", "The request is invalid"}) {
        if (error.message.compare(0, front.size(), front) != 0) continue;
        const auto end = error.message.find(": ");
        if (end != std::string::npos) return error.message.substr(end + 2);
    }
    return error.message;
}

Json operation(std::string_view op, const std::string& path, const Json& value) {
    Json made{{"op", op}, {"path", path}};
    if (op != "remove") made["value"] = value;
    return made;
}

std::string pointer_escaped(std::string_view key) {
    std::string escaped;
    for (const char c : key) {
        if (c == '~') {
            escaped += "~0";
        } else if (c == '/') {
            escaped += "~1";
        } else {
            escaped.push_back(c);
        }
    }
    return escaped;
}

namespace {

Result<std::string> path_to(const ResourceId& resource, const ObjectKey& key,
                            const std::string& subresource = {}) {
    const auto* version = resource.group == "migrations.kubevirt.io" ? "v1alpha1" : "v1";
    return kubeclient::path_of(
        {resource.group, version, resource.plural, key.ns, key.name, subresource});
}

}  // namespace

Result<Json> replace(Cluster& cluster, const ResourceId& resource, const Json& object,
                     const std::string& subresource) {
    TRY_ASSIGN(path, path_to(resource, key_of(object), subresource));
    return cluster.api.replace(path, object, DryRun::none);
}

Result<Json> json_patch(Cluster& cluster, const ResourceId& resource, const ObjectKey& key,
                        const Json& operations, const std::string& subresource) {
    TRY_ASSIGN(path, path_to(resource, key, subresource));
    return cluster.api.patch(path, kubeclient::PatchKind::json, operations, DryRun::none);
}

Result<Json> merge_patch(Cluster& cluster, const ResourceId& resource, const ObjectKey& key,
                         const Json& patch, const std::string& subresource) {
    TRY_ASSIGN(path, path_to(resource, key, subresource));
    return cluster.api.patch(path, kubeclient::PatchKind::merge, patch, DryRun::none);
}

Result<Json> create(Cluster& cluster, const ResourceId& resource, const Json& object) {
    TRY_ASSIGN(path, path_to(resource, {text(object, {"metadata", "namespace"}), ""}));
    return cluster.api.create(path, object, DryRun::none);
}

kubeclient::Status remove(Cluster& cluster, const ResourceId& resource, const Json& object) {
    TRY_ASSIGN(path, path_to(resource, key_of(object)));
    TRY(cluster.api.remove(path));
    return kubeclient::Done{};
}

}  // namespace lab::virt
