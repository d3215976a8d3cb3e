#include "lab/api/rules.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "kubeclient/base64.hpp"
#include "lab/api/pod_rules.hpp"

namespace lab {

using kubeclient::find;
using kubeclient::items_at;
using kubeclient::text_at;

namespace {

using KindNames = std::set<std::string_view>;

bool is_among(const Kind& kind, const KindNames& kinds) {
    return kind.origin == Origin::built_in && kinds.contains(kind.kind);
}

void fall_back(Json& object, const char* field, const Json& value) {
    if (find(object, field) == nullptr) object[field] = value;
}

void fill_in_namespace(Json& object) {
    object["metadata"]["labels"]["kubernetes.io/metadata.name"] = object["metadata"]["name"];
    object["spec"]["finalizers"] = {"kubernetes"};
    object["status"] = {{"phase", "Active"}};
}

void fill_in_claim(Json& object) {
    fall_back(object["spec"], "volumeMode", "Filesystem");
    object["status"] = {{"phase", "Pending"}};
}

void fill_in_volume(const ServerState& state, Json& object) {
    fall_back(object["spec"], "volumeMode", "Filesystem");
    fall_back(object["spec"], "persistentVolumeReclaimPolicy", "Retain");
    object["status"] = {{"phase", "Pending"}, {"lastPhaseTransitionTime", now_text(state)}};
}

void fill_in_definition(const ServerState& state, Json& object) {
    const std::string now = now_text(state);
    Json& spec = object["spec"];
    Json& names = spec["names"];
    std::string kind = text_at(names, {"kind"}).value_or("");
    fall_back(names, "listKind", kind + "List");
    std::transform(kind.begin(), kind.end(), kind.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    fall_back(names, "singular", kind);
    fall_back(spec, "conversion", {{"strategy", "None"}});
    Json stored = Json::array();
    for (const Json& version : items_at(spec, {"versions"})) {
        if (version.value("storage", false)) stored.push_back(version.at("name"));
    }
    object["status"] = {{"acceptedNames", names},
                        {"storedVersions", stored},
                        {"conditions",
                         {{{"type", "NamesAccepted"},
                           {"status", "True"},
                           {"lastTransitionTime", now},
                           {"reason", "NoConflicts"},
                           {"message", "no conflicts found"}},
                          {{"type", "Established"},
                           {"status", "True"},
                           {"lastTransitionTime", now},
                           {"reason", "InitialNamesAccepted"},
                           {"message", "the initial names have been accepted"}}}}};
}

void fill_in_secret(Json& object) {
    fall_back(object, "type", "Opaque");
    if (const Json* texts = find(object, "stringData")) {
        for (const auto& [name, value] : texts->items()) {
            if (!value.is_string()) continue;
            object["data"][name] = kubeclient::encode_base64(value.get<std::string>());
        }
    }
    object.erase("stringData");
}

void fill_in_event(Json& object) {
    for (const char* field : {"firstTimestamp", "lastTimestamp", "eventTime"}) {
        if (!object.contains(field)) object[field] = nullptr;
    }
    fall_back(object, "source", Json::object());
    fall_back(object, "reportingComponent", "");
    fall_back(object, "reportingInstance", "");
}

void fill_in_csi_driver(Json& object) {
    Json& spec = object["spec"];
    fall_back(spec, "attachRequired", true);
    fall_back(spec, "podInfoOnMount", false);
    fall_back(spec, "volumeLifecycleModes", {"Persistent"});
    fall_back(spec, "storageCapacity", false);
    fall_back(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType");
    fall_back(spec, "requiresRepublish", false);
    fall_back(spec, "seLinuxMount", false);
}

void fill_in_binding(Json& object) {
    if (!object.contains("subjects")) return;
    for (Json& subject : object["subjects"]) {
        const auto kind = text_at(subject, {"kind"}).value_or("");
        if (kind == "User" || kind == "Group") {
            fall_back(subject, "apiGroup", "rbac.authorization.k8s.io");
        }
    }
}

bool is_key_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

// Keys become names of files.
std::vector<Cause> problems_of_keys(const Json& object) {
    std::vector<Cause> causes;
    for (const char* field : {"data", "binaryData"}) {
        const Json* data = find(object, field);
        if (data == nullptr || !data->is_object()) continue;
        for (const auto& [key, value] : data->items()) {
            if (!key.empty() && std::all_of(key.begin(), key.end(), is_key_letter)) continue;
            causes.push_back(
                {"FieldValueInvalid",
                 "Invalid value: \"" + key +
                     "\": a valid config key must consist of alphanumeric characters, '-', '_' or "
                     "'.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for "
                     "validation is '[-._a-zA-Z0-9]+')",
                 std::string(field) + "[" + key + "]"});
        }
    }
    return causes;
}

Cause immutable(const std::string& why) {
    return {"FieldValueForbidden", "Forbidden: " + why, "spec"};
}

// A claim may still choose a class and a volume, and grow.
std::optional<Cause> problem_of_changed_claim(const Json& object, const Json& before) {
    Json now = object.value("spec", Json::object());
    Json then = before.value("spec", Json::object());
    for (const char* once : {"storageClassName", "volumeName"}) {
        if (find(then, once) == nullptr || then[once] == "") {
            now.erase(once);
            then.erase(once);
        }
    }
    for (Json* spec : {&now, &then}) {
        if (spec->contains("resources")) (*spec)["resources"].erase("requests");
        spec->erase("volumeAttributesClassName");
    }
    if (now == then) return std::nullopt;
    return immutable(
        "spec is immutable after creation except resources.requests and "
        "volumeAttributesClassName for bound claims");
}

}  // namespace

bool counts_generations(const Kind& kind) {
    static const KindNames kinds{"CustomResourceDefinition",
                                 "DaemonSet",
                                 "Deployment",
                                 "Job",
                                 "NetworkPolicy",
                                 "Pod",
                                 "PodDisruptionBudget",
                                 "PriorityClass",
                                 "ReplicaSet",
                                 "StatefulSet"};
    return kind.origin == Origin::custom || is_among(kind, kinds);
}

bool allows_unconditional_update(const Kind& kind) {
    static const KindNames not_these{"PodDisruptionBudget",
                                     "CSIDriver",
                                     "VolumeAttachment",
                                     "CSINode",
                                     "Lease",
                                     "RuntimeClass",
                                     "CustomResourceDefinition"};
    return kind.origin == Origin::built_in && !not_these.contains(kind.kind);
}

bool returns_deleted_object(const Kind& kind) {
    static const KindNames kinds{"CSIDriver",
                                 "CSINode",
                                 "Namespace",
                                 "PersistentVolume",
                                 "PersistentVolumeClaim",
                                 "Pod",
                                 "ResourceQuota",
                                 "Service",
                                 "ServiceAccount",
                                 "StorageClass",
                                 "VolumeAttachment"};
    return is_among(kind, kinds);
}

void fill_in_new_object(const ServerState& state, const Kind& kind, Json& object) {
    if (kind.origin == Origin::custom) return;
    const std::string& name = kind.kind;
    if (name == "Pod") fill_in_new_pod(object);
    if (name == "Namespace") fill_in_namespace(object);
    if (name == "PersistentVolumeClaim") fill_in_claim(object);
    if (name == "PersistentVolume") fill_in_volume(state, object);
    if (name == "CustomResourceDefinition") fill_in_definition(state, object);
    if (name == "Secret") fill_in_secret(object);
    if (name == "Event") fill_in_event(object);
    if (name == "CSIDriver") fill_in_csi_driver(object);
    if (name == "RoleBinding" || name == "ClusterRoleBinding") fill_in_binding(object);
    if (name == "VolumeAttachment") object["status"] = {{"attached", false}};
    if (name == "PriorityClass") fall_back(object, "preemptionPolicy", "PreemptLowerPriority");
    if (name == "ResourceQuota") object["status"] = Json::object();
    if (name == "StorageClass") {
        fall_back(object, "reclaimPolicy", "Delete");
        fall_back(object, "volumeBindingMode", "Immediate");
    }
    if (name == "PodDisruptionBudget") {
        object["status"] = {{"disruptionsAllowed", 0},
                            {"currentHealthy", 0},
                            {"desiredHealthy", 0},
                            {"expectedPods", 0}};
    }
}

std::vector<Cause> problems_of_new_object(const Kind& kind, const Json& object) {
    if (kind.origin == Origin::custom) return {};
    if (kind.kind == "Pod") return problems_of_new_pod(object);
    if (kind.kind == "ConfigMap" || kind.kind == "Secret") return problems_of_keys(object);
    if (kind.kind == "Event") {
        const auto ns = text_at(object, {"involvedObject", "namespace"}).value_or("");
        const auto own = text_at(object, {"metadata", "namespace"}).value_or("");
        if (ns != own && !(ns.empty() && own == "default")) {
            return {{"FieldValueInvalid",
                     "Invalid value: \"" + ns + "\": does not match event.namespace",
                     "involvedObject.namespace"}};
        }
    }
    return {};
}

std::vector<Cause> problems_of_changed_object(const Kind& kind, const Json& object,
                                              const Json& before) {
    if (kind.origin == Origin::custom) return {};
    if (kind.kind == "Pod") return problems_of_changed_pod(object, before);
    if (kind.kind == "ConfigMap" || kind.kind == "Secret") return problems_of_keys(object);
    if (kind.kind == "PersistentVolumeClaim") {
        if (auto problem = problem_of_changed_claim(object, before)) return {*problem};
    }
    if (kind.kind == "VolumeAttachment" && object.at("spec") != before.at("spec")) {
        return {{"FieldValueInvalid",
                 "Invalid value: " + object.at("spec").dump() + ": field is immutable", "spec"}};
    }
    return {};
}

}  // namespace lab
