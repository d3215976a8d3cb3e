#include "lab/api/object_meta.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "lab/api/names.hpp"

namespace lab {

using kubeclient::bool_at;
using kubeclient::find;
using kubeclient::items_at;
using kubeclient::text_at;

namespace {

enum class Type { text, number, texts_by_name, texts, references, ignored };

struct Member {
    std::string_view name;
    Type type;
};

constexpr Member kMembers[] = {
    {"name", Type::text},
    {"generateName", Type::text},
    {"namespace", Type::text},
    {"selfLink", Type::text},
    {"uid", Type::text},
    {"resourceVersion", Type::text},
    {"generation", Type::number},
    {"creationTimestamp", Type::text},
    {"deletionTimestamp", Type::text},
    {"deletionGracePeriodSeconds", Type::number},
    {"labels", Type::texts_by_name},
    {"annotations", Type::texts_by_name},
    {"ownerReferences", Type::references},
    {"finalizers", Type::texts},
    {"managedFields", Type::ignored},
};

// Members of built-in kinds that hold texts by name.
struct Texts {
    std::string_view kind;
    std::string_view member;
};

constexpr Texts kTexts[] = {{"ConfigMap", "data"}, {"Secret", "stringData"}};

// As Go's encoding/json names what it found.
std::string go_type(const Json& value) {
    if (value.is_string()) return "string";
    if (value.is_number()) return "number";
    if (value.is_boolean()) return "bool";
    return value.is_array() ? "array" : "object";
}

// What was found and what was expected, where they differ.
using Mismatch = std::optional<std::pair<std::string, std::string>>;

Mismatch elements(const Json& value, bool (Json::*is_fine)() const noexcept, const char* element) {
    for (const Json& item : value) {
        if (!(item.*is_fine)() && !item.is_null()) return {{go_type(item), element}};
    }
    return std::nullopt;
}

Mismatch mismatch(const Json& value, Type type) {
    if (value.is_null()) return std::nullopt;
    const auto wanted = [&](bool fine, const char* go) -> Mismatch {
        if (fine) return std::nullopt;
        return {{go_type(value), go}};
    };
    switch (type) {
        case Type::text:
            return wanted(value.is_string(), "string");
        case Type::number:
            return wanted(value.is_number_integer(), "int64");
        case Type::texts_by_name:
            if (!value.is_object()) return wanted(false, "map[string]string");
            return elements(value, &Json::is_string, "string");
        case Type::texts:
            if (!value.is_array()) return wanted(false, "[]string");
            return elements(value, &Json::is_string, "string");
        case Type::references:
            if (!value.is_array()) return wanted(false, "[]v1.OwnerReference");
            return elements(value, &Json::is_object, "v1.OwnerReference");
        case Type::ignored:
            break;
    }
    return std::nullopt;
}

Cause wrong(const std::string& field, const std::string& value, const std::string& why) {
    return {"FieldValueInvalid", "Invalid value: \"" + value + "\": " + why, "metadata." + field};
}

void check_name(const Kind& kind, const Json& metadata, std::vector<Cause>& causes) {
    const auto name = text_at(metadata, {"name"}).value_or("");
    if (name.empty()) {
        causes.push_back({"FieldValueRequired", "Required value: name or generateName is required",
                          "metadata.name"});
        return;
    }
    // Names of roles are free; namespaces are DNS labels.
    const bool free = kind.resource.group == "rbac.authorization.k8s.io";
    const auto problem = free                                   ? problem_of_path_segment(name)
                         : kind.resource.plural == "namespaces" ? problem_of_dns_label(name)
                                                                : problem_of_dns_subdomain(name);
    if (problem) causes.push_back(wrong("name", name, *problem));
}

void check_labels(const Json& metadata, std::vector<Cause>& causes) {
    if (const Json* labels = find(metadata, "labels")) {
        for (const auto& [key, value] : labels->items()) {
            if (auto problem = problem_of_qualified_name(key)) {
                causes.push_back(wrong("labels", key, *problem));
            }
            const std::string text = value.is_string() ? value.get<std::string>() : "";
            if (auto problem = problem_of_label_value(text)) {
                causes.push_back(wrong("labels", text, *problem));
            }
        }
    }
    if (const Json* annotations = find(metadata, "annotations")) {
        for (const auto& [key, value] : annotations->items()) {
            std::string lower = key;
            std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
                return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
            });
            if (auto problem = problem_of_qualified_name(lower)) {
                causes.push_back(wrong("annotations", key, *problem));
            }
        }
    }
}

void check_owners(const Json& metadata, std::vector<Cause>& causes) {
    std::string controller;
    for (const Json& owner : items_at(metadata, {"ownerReferences"})) {
        for (const char* field : {"apiVersion", "kind", "name", "uid"}) {
            if (!text_at(owner, {field}).value_or("").empty()) continue;
            const bool version = field == std::string_view("apiVersion");
            causes.push_back(wrong(std::string("ownerReferences.") + field, "",
                                   version ? "version must not be empty" : "must not be empty"));
        }
        if (!bool_at(owner, {"controller"}).value_or(false)) continue;
        const auto name =
            text_at(owner, {"kind"}).value_or("") + "/" + text_at(owner, {"name"}).value_or("");
        if (!controller.empty()) {
            causes.push_back({"FieldValueInvalid",
                              "Invalid value: " + metadata.at("ownerReferences").dump() +
                                  ": Only one reference can have Controller set to true. Found "
                                  "\"true\" in references for " +
                                  controller + " and " + name,
                              "metadata.ownerReferences"});
        }
        controller = name;
    }
}

// Kinds that are built in want a standard name or one of a domain; custom resources do not.
void check_finalizers(const Kind& kind, const Json& metadata, std::vector<Cause>& causes) {
    static const std::set<std::string> standard{"foregroundDeletion", "kubernetes", "orphan"};
    std::size_t index = 0;
    for (const Json& finalizer : items_at(metadata, {"finalizers"})) {
        const auto name = finalizer.is_string() ? finalizer.get<std::string>() : "";
        const std::string place = "finalizers[" + std::to_string(index++) + "]";
        if (auto problem = problem_of_qualified_name(name)) {
            causes.push_back(wrong("finalizers", name, *problem));
        } else if (kind.origin == Origin::built_in && name.find('/') == std::string::npos &&
                   !standard.contains(name)) {
            causes.push_back(wrong(place, name,
                                   "name is neither a standard finalizer name nor is it fully "
                                   "qualified"));
        }
    }
}

}  // namespace

std::optional<std::string> misfit_of(const Kind& kind, const Json& object) {
    const bool custom = kind.origin == Origin::custom;
    for (const Texts& texts : kTexts) {
        const auto value = object.find(std::string(texts.member));
        if (custom || kind.kind != texts.kind || value == object.end()) continue;
        const auto difference = mismatch(*value, Type::texts_by_name);
        if (!difference) continue;
        return "json: cannot unmarshal " + difference->first + " into Go struct field " +
               kind.kind + "." + std::string(texts.member) + " of type " + difference->second;
    }
    const auto place = object.find("metadata");
    if (place == object.end() || place->is_null()) return std::nullopt;
    if (!place->is_object()) {
        return "json: cannot unmarshal " + go_type(*place) + " into Go " +
               (custom ? "value" : "struct field " + kind.kind + ".metadata") +
               " of type v1.ObjectMeta";
    }
    for (const Member& member : kMembers) {
        const auto value = place->find(std::string(member.name));
        if (value == place->end()) continue;
        const auto difference = mismatch(*value, member.type);
        if (!difference) continue;
        return "json: cannot unmarshal " + difference->first + " into Go struct field ObjectMeta." +
               (custom ? "" : "metadata.") + std::string(member.name) + " of type " +
               difference->second;
    }
    return std::nullopt;
}

std::vector<std::string> unknown_metadata(const Json& metadata) {
    std::vector<std::string> unknown;
    for (const auto& [key, value] : metadata.items()) {
        const bool known = std::any_of(std::begin(kMembers), std::end(kMembers),
                                       [&, name = key](const Member& m) { return m.name == name; });
        if (!known) unknown.push_back("metadata." + key);
    }
    return unknown;
}

std::vector<Cause> problems_of_new_metadata(const Kind& kind, const Json& metadata) {
    std::vector<Cause> causes;
    check_name(kind, metadata, causes);
    if (kind.scope == Scope::cluster && !text_at(metadata, {"namespace"}).value_or("").empty()) {
        causes.push_back(
            {"FieldValueForbidden", "Forbidden: not allowed on this type", "metadata.namespace"});
    }
    check_labels(metadata, causes);
    check_owners(metadata, causes);
    check_finalizers(kind, metadata, causes);
    return causes;
}

std::vector<Cause> problems_of_changed_metadata(const Json& metadata, const Json& before) {
    std::vector<Cause> causes;
    if (find(before, "deletionTimestamp") != nullptr) {
        std::set<std::string> fresh;
        for (const Json& name : items_at(metadata, {"finalizers"})) fresh.insert(name.dump());
        for (const Json& name : items_at(before, {"finalizers"})) fresh.erase(name.dump());
        std::string names;
        for (const std::string& name : fresh) names += (names.empty() ? "" : ", ") + name;
        if (!fresh.empty()) {
            // The API server checks twice.
            causes.assign(2, {"FieldValueForbidden",
                              "Forbidden: no new finalizers can be added if the object is being "
                              "deleted, found new finalizers []string{" +
                                  names + "}",
                              "metadata.finalizers"});
        }
    }
    const auto uid = text_at(metadata, {"uid"}).value_or("");
    if (uid != text_at(before, {"uid"}).value_or("")) {
        causes.insert(causes.end(), 2, wrong("uid", uid, "field is immutable"));
    }
    check_labels(metadata, causes);
    check_owners(metadata, causes);
    return causes;
}

void drop_empty_metadata(Json& metadata) {
    for (auto member = metadata.begin(); member != metadata.end();) {
        const bool nothing = member->is_null() || (member->is_string() && *member == "") ||
                             (member->is_structured() && member->empty());
        member = nothing ? metadata.erase(member) : std::next(member);
    }
    metadata.erase("managedFields");
    metadata.erase("selfLink");
}

}  // namespace lab
