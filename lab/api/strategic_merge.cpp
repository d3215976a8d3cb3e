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
        if (directive != "" && directive != "replace" && directive != "delete" &&
            directive != "merge") {
            return internal("unknown patch type: " + directive + " in map: " + patch.dump());
        }
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
            TRY(merge_value(object, name, patch, path.empty() ? name : path + "." + name));
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

    Verdict merge_value(Json& object, const std::string& name, const Json& patch,
                        const std::string& path) {
        const Json& value = patch.at(name);
        const bool there = object.contains(name) && object[name].type() == value.type();
        if (there && value.is_object()) return merge_object(object[name], value, path);
        const auto key = merge_key_of(path);
        if (there && value.is_array() && key) {
            const Json before = object[name];
            TRY(merge_list(object[name], value, *key, path));
            const Json* order = find(patch, "$setElementOrder/" + name);
            object[name] = in_order(object[name], order != nullptr ? *order : value, before, *key);
            return allowed();
        }
        object[name] = without_directives(value);
        return allowed();
    }

    // The items the patch speaks of come in its order; where the others belong between them was
    // decided by the order before. New ones go first.
    static Json in_order(const Json& items, const Json& order, const Json& before,
                         const std::string& key) {
        std::vector<Json> told;
        std::vector<Json> others;
        for (const Json& one : order) {
            const auto place = index_of(items, one, key);
            if (place != items.size()) told.push_back(items[place]);
        }
        for (const Json& one : items) {
            if (index_of(order, one, key) == order.size()) others.push_back(one);
        }
        Json result = Json::array();
        auto next = told.begin();
        for (const Json& other : others) {
            const auto place = index_of(before, other, key);
            while (next != told.end()) {
                const auto own = index_of(before, *next, key);
                if (own != before.size() && own > place) break;
                result.push_back(*next++);
            }
            result.push_back(other);
        }
        while (next != told.end()) result.push_back(*next++);
        return result;
    }

    // Of the item with the same key, or the same value; the size where there is none.
    static std::size_t index_of(const Json& list, const Json& item, const std::string& key) {
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (key.empty() ? list[i] == item
                            : list[i].is_object() && item.is_object() && list[i].contains(key) &&
                                  item.contains(key) && list[i][key] == item[key]) {
                return i;
            }
        }
        return list.size();
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
            if (key.empty()) {
                if (index_of(list, item, key) == list.size()) list.push_back(item);
                continue;
            }
            if (!item.is_object() || !item.contains(key)) {
                return internal("map: " + item.dump() +
                                " does not contain declared merge key: " + key);
            }
            const auto same = index_of(list, item, key);
            if (text_at(item, {"$patch"}) == "delete") {
                if (same != list.size()) list.erase(same);
            } else if (same == list.size()) {
                list.push_back(without_directives(item));
            } else {
                TRY(merge_object(list[same], item, path));
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
