#include "preflight/load.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "kubeclient/json.hpp"
#include "kubeclient/yaml.hpp"
#include "preflight/decode.hpp"

namespace preflight {
namespace {

using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Json;

constexpr auto broken_file_hint = "mend the file, or leave it out of what is read";

struct Document {
    Json value{};
    int line = 0;  // 0: not known
};

bool looks_like_json(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && text[first] == '{';
}

// JSON is YAML, too, but a dump of a cluster is read many times faster by its own parser. What that
// refuses may still be YAML in flow style.
kubeclient::Result<std::vector<Document>> parse_documents(std::string_view name,
                                                          std::string_view text) {
    std::vector<Document> documents;
    if (looks_like_json(text)) {
        auto json = kubeclient::parse_json(text, name);
        if (json.ok()) {
            documents.push_back({std::move(json).value(), 1});
            return documents;
        }
        if (name.ends_with(".json")) return json.error();
    }
    TRY_ASSIGN(parsed, kubeclient::parse_yaml(text, name));
    for (const auto& document : parsed) {
        if (!document.value->is_null()) documents.push_back({*document.value, document.line});
    }
    return documents;
}

Error at_line(std::string_view name, int line, Error error) {
    error.message = std::string(name) + ":" + std::to_string(line) + ": " + error.message;
    error.hint = broken_file_hint;
    return error;
}

// Items of a typed list ("VirtualMachineList") carry no kind of their own.
void name_kind(Json& item, const std::string& list_kind, const std::string& api_version) {
    constexpr std::string_view suffix = "List";
    if (!item.is_object() || item.contains("kind") || list_kind == suffix) return;
    item["kind"] = list_kind.substr(0, list_kind.size() - suffix.size());
    item["apiVersion"] = api_version;
}

kubeclient::Status add_one(facts::Snapshot& snapshot, Json& object) {
    const bool has_metadata = kubeclient::find(object, "metadata") != nullptr;
    const bool no_namespace = !kubeclient::text_at(object, {"metadata", "namespace"});
    if (has_metadata && no_namespace && is_namespaced(object) &&
        object.at("metadata").is_object()) {
        object["metadata"]["namespace"] = "default";
    }
    TRY(add_object(snapshot, object));
    return kubeclient::Done{};
}

bool is_list(const Json& object) {
    const auto kind = kubeclient::text_at(object, {"kind"}).value_or("");
    const Json* items = kubeclient::find(object, "items");
    return kind.ends_with("List") && items != nullptr && items->is_array();
}

kubeclient::Status add_document(facts::Snapshot& snapshot, Json& object) {
    if (!is_list(object)) return add_one(snapshot, object);
    const auto kind = kubeclient::text_at(object, {"kind"}).value_or("");
    const auto api_version = kubeclient::text_at(object, {"apiVersion"}).value_or("");
    for (auto& item : object["items"]) {
        name_kind(item, kind, api_version);
        if (is_list(item)) return Error{ErrorKind::protocol, "a list inside a list"};
        TRY(add_one(snapshot, item));
    }
    return kubeclient::Done{};
}

bool is_kubernetes_object(const Json& object) {
    return kubeclient::text_at(object, {"kind"}) && kubeclient::text_at(object, {"apiVersion"});
}

std::optional<unsigned long long> version_of(const facts::Meta& meta) {
    const auto& text = meta.resource_version;
    unsigned long long version = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), version);
    const bool whole = problem == std::errc{} && end == text.data() + text.size();
    return whole ? std::optional(version) : std::nullopt;
}

// One object may stand in several files of a dump: the newest by resourceVersion counts, or else
// the one read last.
template <class T>
void settle(facts::Reading<T>& reading, facts::Snapshot& snapshot, const std::string& resource,
            const std::string& words) {
    auto& items = reading.items;
    const auto key = [](const T& item) { return std::tie(item.meta.ns, item.meta.name); };
    std::stable_sort(items.begin(), items.end(), [&](const T& left, const T& right) {
        if (key(left) != key(right)) return key(left) < key(right);
        return version_of(left.meta).value_or(0) < version_of(right.meta).value_or(0);
    });
    std::reverse(items.begin(), items.end());
    const auto end = std::unique(items.begin(), items.end(), [&](const T& left, const T& right) {
        return key(left) == key(right);
    });
    items.erase(end, items.end());
    std::reverse(items.begin(), items.end());
    if (!items.empty()) return;
    reading.gap = resource;
    snapshot.gaps.push_back({resource, "list", resource, "the files hold no " + words});
}

}  // namespace

kubeclient::Status Loader::add(std::string_view name, std::string_view text, Strict strict) {
    auto parsed = parse_documents(name, text);
    if (!parsed.ok()) {
        auto error = parsed.error();
        if (error.hint.empty()) error.hint = broken_file_hint;
        return error;
    }
    auto documents = std::move(parsed).value();
    for (auto& document : documents) {
        if (strict == Strict::no && !is_kubernetes_object(document.value)) continue;
        const auto added = add_document(snapshot_, document.value);
        if (!added.ok()) return at_line(name, document.line, added.error());
    }
    return kubeclient::Done{};
}

facts::Snapshot Loader::finish(std::string source) {
    auto& all = snapshot_;
    all.source = std::move(source);
    settle(all.vms, all, "virtualmachines.kubevirt.io", "VirtualMachine");
    settle(all.vmis, all, "virtualmachineinstances.kubevirt.io", "VirtualMachineInstance");
    settle(all.migrations, all, "virtualmachineinstancemigrations.kubevirt.io",
           "VirtualMachineInstanceMigration");
    settle(all.kubevirts, all, "kubevirts.kubevirt.io", "KubeVirt");
    settle(all.policies, all, "migrationpolicies.migrations.kubevirt.io", "MigrationPolicy");
    settle(all.nodes, all, "nodes", "Node");
    settle(all.launchers, all, "pods", "virt-launcher Pod");
    settle(all.handlers, all, "pods/virt-handler", "virt-handler Pod");
    settle(all.handler_sets, all, "daemonsets.apps", "virt-handler DaemonSet");
    settle(all.network_policies, all, "networkpolicies.networking.k8s.io", "NetworkPolicy");
    settle(all.attachments, all, "network-attachment-definitions.k8s.cni.cncf.io",
           "NetworkAttachmentDefinition");
    settle(all.claims, all, "persistentvolumeclaims", "PersistentVolumeClaim");
    settle(all.data_volumes, all, "datavolumes.cdi.kubevirt.io", "DataVolume");
    settle(all.volumes, all, "persistentvolumes", "PersistentVolume");
    settle(all.storage_classes, all, "storageclasses.storage.k8s.io", "StorageClass");
    settle(all.namespaces, all, "namespaces", "Namespace");
    settle(all.quotas, all, "resourcequotas", "ResourceQuota");
    facts::sort_readings(all);
    return std::move(snapshot_);
}

namespace {

Error unreadable(Error error) {
    if (error.hint.empty()) error.hint = "give --from a file or folder that you may read, or -";
    return error;
}

bool may_hold_objects(const std::string& path) {
    return path.ends_with(".yaml") || path.ends_with(".yml") || path.ends_with(".json");
}

kubeclient::Status add_files(Loader& loader, const std::string& path,
                             const kubeclient::System& system) {
    auto listed = system.list_files(path);
    if (!listed.ok()) return unreadable(listed.error());
    const auto files = std::move(listed).value();
    const bool single = files.size() == 1 && files.front() == path;
    for (const auto& file : files) {
        if (!single && !may_hold_objects(file)) continue;
        const auto text = system.read_file(file);
        if (!text.ok()) return unreadable(text.error());
        TRY(loader.add(file, *text, single ? Loader::Strict::yes : Loader::Strict::no));
    }
    return kubeclient::Done{};
}

}  // namespace

kubeclient::Result<facts::Snapshot> load_path(const std::string& path,
                                              const std::string& standard_input,
                                              const kubeclient::System& system) {
    Loader loader;
    if (path == "-") {
        TRY(loader.add("standard input", standard_input, Loader::Strict::yes));
    } else {
        TRY(add_files(loader, path, system));
    }
    const std::string name = path == "-" ? "standard input" : path;
    auto snapshot = loader.finish("files " + name);
    snapshot.taken_at = std::chrono::floor<std::chrono::seconds>(system.now());
    if (snapshot.vms.items.empty() && snapshot.vmis.items.empty()) {
        return Error{ErrorKind::not_found,
                     name + " holds no VirtualMachine and no VirtualMachineInstance",
                     "write one with: kubectl get vm,vmi -A -o yaml"};
    }
    return snapshot;
}

}  // namespace preflight
