#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "lab/api/patch.hpp"

namespace lab {

using kubeclient::find;
using kubeclient::text_at;

namespace {

struct MergeKey {
    std::string_view list;  // the end of its path
    std::string_view key;   // "": a list of plain values
};

// Lists that are not here are replaced as a whole, tolerations and taints among them.
// Source: the patchMergeKey tags of k8s.io/api v0.36.3 and of metav1.ObjectMeta.
constexpr MergeKey kMergeKeys[] = {
    {"metadata.finalizers", ""},
    {"metadata.ownerReferences", "uid"},
    {"spec.podCIDRs", ""},
    {"conditions", "type"},
    {"status.addresses", "type"},
    {"containers.ports", "containerPort"},
    {"initContainers.ports", "containerPort"},
    {"spec.ports", "port"},
    {"containers", "name"},
    {"initContainers", "name"},
    {"ephemeralContainers", "name"},
    {"env", "name"},
    {"volumeMounts", "mountPath"},
    {"volumeDevices", "devicePath"},
    {"volumes", "name"},
    {"imagePullSecrets", "name"},
    {"secrets", "name"},
    {"hostAliases", "ip"},
    {"topologySpreadConstraints", "topologyKey"},
    {"schedulingGates", "name"},
    {"resourceClaims", "name"},
    {"status.hostIPs", "ip"},
    {"status.podIPs", "ip"},
    {"resourceClaimStatuses", "name"},
    {"spec.drivers", "name"},
};

std::optional<std::string> merge_key_of(const std::string& path) {
    for (const MergeKey& row : kMergeKeys) {
        const bool ends =
            path.size() >= row.list.size() &&
            path.compare(path.size() - row.list.size(), row.list.size(), row.list) == 0;
        const bool whole = ends && (path.size() == row.list.size() ||
                                    path[path.size() - row.list.size() - 1] == '.');
        if (whole) return std::string(row.key);
    }
    return std::nullopt;
}

bool is_directive(const std::string& name) {
    return !name.empty() && name.front() == '$';
}

// What is left of a value once the directives in it are followed, where there is nothing to merge.
Json without_directives(const Json& value) {
    if (value.is_array()) {
        Json list = Json::array();
        for (const Json& item : value) {
            if (text_at(item, {"$patch"}) != "delete") list.push_back(without_directives(item));
        }
        return list;
    }
    if (!value.is_object()) return value;
    Json object = Json::object();
    for (const auto& [name, member] : value.items()) {
        if (!is_directive(name) && !member.is_null()) object[name] = without_directives(member);
    }
    return object;
}

class Merger {
public:
    Verdict merge_object(Json& object, const Json& patch, const std::string& path) {
        const auto directive = text_at(patch, {"$patch"}).value_or("");
        if (directive == "replace" || directive == "delete") {
            object = directive == "delete" ? Json::object() : without_directives(patch);
            return allowed();
        }
        if (const Json* keep = find(patch, "$retainKeys")) retain(object, *keep);
        for (const auto& [name, value] : patch.items()) {
            if (is_directive(name)) {
                remove_values(object, name, value);
                continue;
            }
            if (value.is_null()) {
                object.erase(name);
                continue;
            }
            TRY(merge_value(object, name, value, path.empty() ? name : path + "." + name));
        }
        return allowed();
    }

private:
    static void retain(Json& object, const Json& keep) {
        for (auto member = object.begin(); member != object.end();) {
            const bool kept = std::find(keep.begin(), keep.end(), member.key()) != keep.end();
            member = kept ? std::next(member) : object.erase(member);
        }
    }

    static void remove_values(Json& object, const std::string& directive, const Json& values) {
        static constexpr std::string_view prefix = "$deleteFromPrimitiveList/";
        if (directive.compare(0, prefix.size(), prefix) != 0) return;
        const auto list = object.find(directive.substr(prefix.size()));
        if (list == object.end() || !list->is_array() || !values.is_array()) return;
        Json left = Json::array();
        for (const Json& item : *list) {
            if (std::find(values.begin(), values.end(), item) == values.end()) left.push_back(item);
        }
        *list = std::move(left);
    }

    Verdict merge_value(Json& object, const std::string& name, const Json& value,
                        const std::string& path) {
        const bool there = object.contains(name) && object[name].type() == value.type();
        if (there && value.is_object()) return merge_object(object[name], value, path);
        const auto key = merge_key_of(path);
        if (value.is_array() && key) {
            if (!there) object[name] = Json::array();
            if (!key->empty()) return merge_list(object[name], value, *key, path);
            for (const Json& item : value) {
                Json& list = object[name];
                if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
            }
            return allowed();
        }
        object[name] = without_directives(value);
        return allowed();
    }

    Verdict merge_list(Json& list, const Json& patch, const std::string& key,
                       const std::string& path) {
        const bool replaces = std::any_of(patch.begin(), patch.end(), [](const Json& item) {
            return text_at(item, {"$patch"}) == "replace";
        });
        if (replaces) {
            list = Json::array();
            for (const Json& item : patch) {
                if (!item.contains("$patch")) list.push_back(without_directives(item));
            }
            return allowed();
        }
        for (const Json& item : patch) {
            if (!item.is_object() || !item.contains(key)) {
                return internal("map: " + item.dump() +
                                " does not contain declared merge key: " + key);
            }
            const auto same = std::find_if(list.begin(), list.end(), [&](const Json& one) {
                return one.contains(key) && one[key] == item[key];
            });
            if (text_at(item, {"$patch"}) == "delete") {
                if (same != list.end()) list.erase(same);
            } else if (same == list.end()) {
                list.push_back(without_directives(item));
            } else {
                TRY(merge_object(*same, item, path));
            }
        }
        return allowed();
    }
};

}  // namespace

Outcome<Json> apply_strategic_merge(Json object, const Json& patch) {
    TRY(Merger().merge_object(object, patch, ""));
    return object;
}

}  // namespace lab
