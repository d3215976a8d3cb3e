// The columns of the kinds that are built in, as kube-apiserver 1.36 prints them.
// Source: Kubernetes pkg/printers/internalversion/printers.go.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>

#include "kubeclient/json.hpp"
#include "lab/api/pod_columns.hpp"
#include "lab/api/table.hpp"

namespace lab {

namespace {

using kubeclient::bool_at;
using kubeclient::find;
using kubeclient::Instant;
using kubeclient::integer_at;
using kubeclient::items_at;
using kubeclient::text_at;
using Path = std::initializer_list<std::string_view>;

struct Row {
    const Json& object;
    Instant now;

    std::string text(Path path, const std::string& otherwise = "") const {
        return text_at(object, path).value_or(otherwise);
    }
    // As printers do: an empty word is shown as `otherwise` too.
    std::string word(Path path, const std::string& otherwise = "<none>") const {
        const auto value = text(path);
        return value.empty() ? otherwise : value;
    }
    Json number(Path path) const { return integer_at(object, path).value_or(0); }
    Json truth(Path path) const { return bool_at(object, path).value_or(false); }
    Json age() const { return age_of(find(object, {"metadata", "creationTimestamp"}), now); }
    Json name() const { return text({"metadata", "name"}); }
    Json created() const { return text({"metadata", "creationTimestamp"}); }
    std::size_t count(std::string_view member) const {
        const Json* found = find(object, member);
        return found == nullptr ? 0 : found->size();
    }
};

using Cells = std::vector<Json>;

std::string joined(const std::vector<std::string>& words, const char* between = ",") {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : between) + word;
    return text;
}

std::string access_modes(const Json& modes_holder, Path path) {
    std::vector<std::string> short_names;
    for (const Json& mode : items_at(modes_holder, path)) {
        if (mode == "ReadWriteOnce") short_names.emplace_back("RWO");
        if (mode == "ReadOnlyMany") short_names.emplace_back("ROX");
        if (mode == "ReadWriteMany") short_names.emplace_back("RWX");
        if (mode == "ReadWriteOncePod") short_names.emplace_back("RWOP");
    }
    return joined(short_names);
}

std::string labels_text(const Json* labels) {
    if (labels == nullptr || labels->empty()) return "<none>";
    std::vector<std::string> pairs;
    for (const auto& label : labels->items()) {
        pairs.push_back(label.key() + "=" + label.value().get<std::string>());
    }
    return joined(pairs);
}

// -o wide of everything that has a pod template.
void append_containers(const Row& row, Cells& cells) {
    std::vector<std::string> names;
    std::vector<std::string> images;
    for (const Json& container : items_at(row.object, {"spec", "template", "spec", "containers"})) {
        names.push_back(text_at(container, {"name"}).value_or(""));
        images.push_back(text_at(container, {"image"}).value_or(""));
    }
    cells.emplace_back(joined(names));
    cells.emplace_back(joined(images));
    cells.emplace_back(labels_text(find(row.object, {"spec", "selector", "matchLabels"})));
}

std::string node_status(const Row& row) {
    std::string status = "Unknown";
    for (const Json& condition : items_at(row.object, {"status", "conditions"})) {
        if (text_at(condition, {"type"}) != "Ready") continue;
        status = text_at(condition, {"status"}) == "True" ? "Ready" : "NotReady";
    }
    return status + (row.truth({"spec", "unschedulable"}) == true ? ",SchedulingDisabled" : "");
}

std::string node_roles(const Row& row) {
    constexpr std::string_view prefix = "node-role.kubernetes.io/";
    std::vector<std::string> roles;
    if (const Json* labels = find(row.object, {"metadata", "labels"})) {
        for (const auto& label : labels->items()) {
            if (label.key().starts_with(prefix) && label.key().size() > prefix.size()) {
                roles.push_back(label.key().substr(prefix.size()));
            }
        }
    }
    return roles.empty() ? "<none>" : joined(roles);
}

std::string node_address(const Row& row, std::string_view type) {
    for (const Json& address : items_at(row.object, {"status", "addresses"})) {
        if (text_at(address, {"type"}) == type) return text_at(address, {"address"}).value_or("");
    }
    return "<none>";
}

Cells node(const Row& row) {
    return {row.name(),
            node_status(row),
            node_roles(row),
            row.age(),
            row.text({"status", "nodeInfo", "kubeletVersion"}),
            node_address(row, "InternalIP"),
            node_address(row, "ExternalIP"),
            row.word({"status", "nodeInfo", "osImage"}, "<unknown>"),
            row.word({"status", "nodeInfo", "kernelVersion"}, "<unknown>"),
            row.word({"status", "nodeInfo", "containerRuntimeVersion"}, "<unknown>")};
}

Cells claim(const Row& row) {
    const bool leaving = find(row.object, {"metadata", "deletionTimestamp"}) != nullptr;
    const bool bound = !row.text({"spec", "volumeName"}).empty();
    return {row.name(),
            leaving ? "Terminating" : row.text({"status", "phase"}),
            row.text({"spec", "volumeName"}),
            bound ? row.text({"status", "capacity", "storage"}) : "",
            bound ? access_modes(row.object, {"status", "accessModes"}) : "",
            row.text({"spec", "storageClassName"}),
            row.word({"spec", "volumeAttributesClassName"}, "<unset>"),
            row.age(),
            row.word({"spec", "volumeMode"}, "<unset>")};
}

Cells volume(const Row& row) {
    const bool leaving = find(row.object, {"metadata", "deletionTimestamp"}) != nullptr;
    const auto ns = row.text({"spec", "claimRef", "namespace"});
    const auto claim_name = row.text({"spec", "claimRef", "name"});
    return {row.name(),
            row.text({"spec", "capacity", "storage"}),
            access_modes(row.object, {"spec", "accessModes"}),
            row.text({"spec", "persistentVolumeReclaimPolicy"}),
            leaving ? "Terminating" : row.text({"status", "phase"}),
            claim_name.empty() ? "" : ns + "/" + claim_name,
            row.text({"spec", "storageClassName"}),
            row.word({"spec", "volumeAttributesClassName"}, "<unset>"),
            row.text({"status", "reason"}),
            row.age(),
            row.word({"spec", "volumeMode"}, "<unset>")};
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
    return text;
}

Cells event(const Row& row) {
    const Json* first = find(row.object, "firstTimestamp");
    if (first == nullptr) first = find(row.object, "eventTime");
    const Json* last = find(row.object, "lastTimestamp");
    auto source = row.text({"source", "component"}, row.text({"reportingComponent"}));
    const auto host = row.text({"source", "host"}, row.text({"reportingInstance"}));
    if (!host.empty()) source += ", " + host;
    const auto object = row.text({"involvedObject", "kind"});
    return {age_of(last == nullptr ? first : last, row.now),
            row.text({"type"}),
            row.text({"reason"}),
            lower(object) + "/" + row.text({"involvedObject", "name"}),
            row.text({"involvedObject", "fieldPath"}),
            source,
            row.text({"message"}),
            age_of(first, row.now),
            std::max<std::int64_t>(1, integer_at(row.object, {"count"}).value_or(1)),
            row.name()};
}

Cells attachment(const Row& row) {
    return {row.name(),
            row.text({"spec", "attacher"}),
            row.text({"spec", "source", "persistentVolumeName"}),
            row.text({"spec", "nodeName"}),
            row.truth({"status", "attached"}),
            row.age()};
}

Cells job(const Row& row) {
    std::string status = "Running";
    for (const Json& condition : items_at(row.object, {"status", "conditions"})) {
        const auto type = text_at(condition, {"type"}).value_or("");
        const bool ended = type == "Complete" || type == "Failed" || type == "Suspended";
        if (ended && text_at(condition, {"status"}) == "True") status = type;
    }
    const auto done = integer_at(row.object, {"status", "succeeded"}).value_or(0);
    const auto wanted = integer_at(row.object, {"spec", "completions"}).value_or(1);
    std::string duration;
    const Json* start = find(row.object, {"status", "startTime"});
    const auto end = kubeclient::parse_time(row.text({"status", "completionTime"}));
    if (start != nullptr) duration = age_of(start, end.ok() ? *end : row.now);
    Cells cells{row.name(), status, std::to_string(done) + "/" + std::to_string(wanted), duration,
                row.age()};
    append_containers(row, cells);
    return cells;
}

Cells daemon_set(const Row& row) {
    const Json* nodes = find(row.object, {"spec", "template", "spec", "nodeSelector"});
    Cells cells{row.name(),
                row.number({"status", "desiredNumberScheduled"}),
                row.number({"status", "currentNumberScheduled"}),
                row.number({"status", "numberReady"}),
                row.number({"status", "updatedNumberScheduled"}),
                row.number({"status", "numberAvailable"}),
                labels_text(nodes),
                row.age()};
    append_containers(row, cells);
    return cells;
}

std::string ready_of(const Row& row) {
    return std::to_string(integer_at(row.object, {"status", "readyReplicas"}).value_or(0)) + "/" +
           std::to_string(integer_at(row.object, {"spec", "replicas"}).value_or(1));
}

Cells deployment(const Row& row) {
    Cells cells{row.name(), ready_of(row), row.number({"status", "updatedReplicas"}),
                row.number({"status", "availableReplicas"}), row.age()};
    append_containers(row, cells);
    return cells;
}

Cells storage_class(const Row& row) {
    std::string name = row.text({"metadata", "name"});
    const auto marked = [&](std::string_view key) {
        return text_at(row.object, {"metadata", "annotations", key}) == "true";
    };
    if (marked("storageclass.kubernetes.io/is-default-class")) name += " (default)";
    return {name,
            row.text({"provisioner"}),
            row.word({"reclaimPolicy"}, "Delete"),
            row.word({"volumeBindingMode"}, "Immediate"),
            row.truth({"allowVolumeExpansion"}),
            row.age()};
}

Cells csi_driver(const Row& row) {
    std::vector<std::string> modes;
    for (const Json& mode : items_at(row.object, {"spec", "volumeLifecycleModes"})) {
        if (mode.is_string()) modes.push_back(mode.get<std::string>());
    }
    return {row.name(),
            bool_at(row.object, {"spec", "attachRequired"}).value_or(true),
            row.truth({"spec", "podInfoOnMount"}),
            row.truth({"spec", "storageCapacity"}),
            "<unset>",
            row.truth({"spec", "requiresRepublish"}),
            modes.empty() ? "Persistent" : joined(modes),
            row.age()};
}

std::string int_or_text(const Row& row, Path path) {
    const Json* value = find(row.object, path);
    if (value == nullptr) return "N/A";
    return value->is_string() ? value->get<std::string>() : value->dump();
}

Cells disruption_budget(const Row& row) {
    return {row.name(), int_or_text(row, {"spec", "minAvailable"}),
            int_or_text(row, {"spec", "maxUnavailable"}),
            row.number({"status", "disruptionsAllowed"}), row.age()};
}

Cells binding(const Row& row) {
    std::vector<std::string> users;
    std::vector<std::string> groups;
    std::vector<std::string> accounts;
    for (const Json& subject : items_at(row.object, {"subjects"})) {
        const auto kind = text_at(subject, {"kind"}).value_or("");
        const auto name = text_at(subject, {"name"}).value_or("");
        if (kind == "User") users.push_back(name);
        if (kind == "Group") groups.push_back(name);
        if (kind != "ServiceAccount") continue;
        accounts.push_back(text_at(subject, {"namespace"}).value_or("") + "/" + name);
    }
    return {row.name(),
            row.text({"roleRef", "kind"}) + "/" + row.text({"roleRef", "name"}),
            row.age(),
            joined(users, ", "),
            joined(groups, ", "),
            joined(accounts, ", ")};
}

std::string quota_text(const Row& row, bool limits) {
    const Json* hard = find(row.object, {"status", "hard"});
    if (hard == nullptr) return "";
    std::vector<std::string> parts;
    for (const auto& item : hard->items()) {
        if (item.key().starts_with("limits.") != limits) continue;
        const auto used = text_at(row.object, {"status", "used", item.key()}).value_or("0");
        parts.push_back(item.key() + ": " + used + "/" + item.value().get<std::string>());
    }
    return joined(parts, ", ");
}

std::string service_ports(const Row& row) {
    std::vector<std::string> ports;
    for (const Json& port : items_at(row.object, {"spec", "ports"})) {
        ports.push_back(std::to_string(integer_at(port, {"port"}).value_or(0)) + "/" +
                        text_at(port, {"protocol"}).value_or("TCP"));
    }
    return ports.empty() ? "<none>" : joined(ports);
}

struct Layout {
    std::string_view group;
    std::string_view plural;
    // "Name:name,Desired:integer,Node Selector+": a type other than string after a colon, a plus
    // for -o wide alone. The type "name" is string with the format name.
    std::string_view columns;
    Cells (*cells)(const Row& row);
};

constexpr std::string_view kRbac = "rbac.authorization.k8s.io";
constexpr std::string_view kBinding = "Name:name,Role,Age,Users+,Groups+,ServiceAccounts+";
constexpr std::string_view kCreatedAt = "Name:name,Created At:date";

Cells created_at(const Row& row) {
    return {row.name(), row.created()};
}

const std::array kLayouts{
    Layout{"", "nodes",
           "Name:name,Status,Roles,Age,Version,Internal-IP+,External-IP+,OS-Image+,"
           "Kernel-Version+,Container-Runtime+",
           node},
    Layout{"", "pods",
           "Name:name,Ready,Status,Restarts,Age,IP+,Node+,Nominated Node+,Readiness Gates+",
           [](const Row& row) { return pod_cells(row.object, row.now); }},
    Layout{"", "persistentvolumeclaims",
           "Name:name,Status,Volume,Capacity,Access Modes,StorageClass,VolumeAttributesClass,Age,"
           "VolumeMode+",
           claim},
    Layout{"", "persistentvolumes",
           "Name:name,Capacity,Access Modes,Reclaim Policy,Status,Claim,StorageClass,"
           "VolumeAttributesClass,Reason,Age,VolumeMode+",
           volume},
    Layout{"", "events",
           "Last Seen,Type,Reason,Object,Subobject+,Source+,Message,First Seen+,Count+,Name:name+",
           event},
    Layout{"", "namespaces", "Name:name,Status,Age",
           [](const Row& row) {
               return Cells{row.name(), row.text({"status", "phase"}), row.age()};
           }},
    Layout{"", "configmaps", "Name:name,Data,Age",
           [](const Row& row) {
               const auto count = row.count("data") + row.count("binaryData");
               return Cells{row.name(), std::to_string(count), row.age()};
           }},
    Layout{"", "secrets", "Name:name,Type,Data,Age",
           [](const Row& row) {
               return Cells{row.name(), row.text({"type"}), std::to_string(row.count("data")),
                            row.age()};
           }},
    Layout{"", "services", "Name:name,Type,Cluster-IP,External-IP,Port(s),Age,Selector+",
           [](const Row& row) {
               return Cells{row.name(),
                            row.word({"spec", "type"}, "ClusterIP"),
                            row.word({"spec", "clusterIP"}),
                            "<none>",
                            service_ports(row),
                            row.age(),
                            labels_text(find(row.object, {"spec", "selector"}))};
           }},
    Layout{"", "resourcequotas", "Name:name,Request,Limit,Age",
           [](const Row& row) {
               return Cells{row.name(), quota_text(row, false), quota_text(row, true), row.age()};
           }},
    Layout{"", "limitranges", kCreatedAt, created_at},
    Layout{"coordination.k8s.io", "leases", "Name:name,Holder,Age",
           [](const Row& row) {
               return Cells{row.name(), row.text({"spec", "holderIdentity"}), row.age()};
           }},
    Layout{"storage.k8s.io", "volumeattachments",
           "Name:name,Attacher:name,PV,Node,Attached:boolean,Age", attachment},
    Layout{"storage.k8s.io", "storageclasses",
           "Name:name,Provisioner,ReclaimPolicy,VolumeBindingMode,AllowVolumeExpansion,Age",
           storage_class},
    Layout{"storage.k8s.io", "csidrivers",
           "Name:name,AttachRequired:boolean,PodInfoOnMount:boolean,StorageCapacity:boolean,"
           "TokenRequests,RequiresRepublish,Modes,Age",
           csi_driver},
    Layout{
        "storage.k8s.io", "csinodes", "Name:name,Drivers:integer,Age",
        [](const Row& row) {
            return Cells{row.name(), items_at(row.object, {"spec", "drivers"}).size(), row.age()};
        }},
    Layout{"batch", "jobs",
           "Name:name,Status,Completions,Duration,Age,Containers+,Images+,Selector+", job},
    Layout{"apps", "daemonsets",
           "Name:name,Desired:integer,Current:integer,Ready:integer,Up-to-date:integer,"
           "Available:integer,Node Selector,Age,Containers+,Images+,Selector+",
           daemon_set},
    Layout{"apps", "deployments",
           "Name:name,Ready,Up-to-date,Available,Age,Containers+,Images+,Selector+", deployment},
    Layout{"policy", "poddisruptionbudgets",
           "Name:name,Min Available,Max Unavailable,Allowed Disruptions:integer,Age",
           disruption_budget},
    Layout{kRbac, "clusterroles", kCreatedAt, created_at},
    Layout{kRbac, "roles", kCreatedAt, created_at},
    Layout{kRbac, "clusterrolebindings", kBinding, binding},
    Layout{kRbac, "rolebindings", kBinding, binding},
    Layout{"networking.k8s.io", "networkpolicies", "Name:name,Pod-Selector,Age",
           [](const Row& row) {
               const Json* labels = find(row.object, {"spec", "podSelector", "matchLabels"});
               return Cells{row.name(), labels_text(labels), row.age()};
           }},
    Layout{"scheduling.k8s.io", "priorityclasses",
           "Name:name,Value:integer,Global-Default:boolean,Age,PreemptionPolicy",
           [](const Row& row) {
               return Cells{row.name(), row.number({"value"}), row.truth({"globalDefault"}),
                            row.age(), row.word({"preemptionPolicy"}, "PreemptLowerPriority")};
           }},
    Layout{"apiextensions.k8s.io", "customresourcedefinitions", kCreatedAt, created_at},
};

std::vector<Column> columns_of(std::string_view text) {
    std::vector<Column> columns;
    std::istringstream stream{std::string(text)};
    for (std::string word; std::getline(stream, word, ',');) {
        Column column;
        if (word.ends_with('+')) {
            column.priority = 1;
            word.pop_back();
        }
        const auto colon = word.find(':');
        column.name = word.substr(0, colon);
        const std::string type = colon == std::string::npos ? "" : word.substr(colon + 1);
        if (type == "name") column.format = "name";
        if (!type.empty() && type != "name") column.type = type;
        columns.push_back(std::move(column));
    }
    return columns;
}

}  // namespace

TableLayout built_in_layout(const ResourceId& resource) {
    const auto found = std::find_if(kLayouts.begin(), kLayouts.end(), [&](const Layout& layout) {
        return layout.group == resource.group && layout.plural == resource.plural;
    });
    if (found == kLayouts.end()) return {};
    return {columns_of(found->columns), [cells = found->cells](const Json& object, Instant now) {
                return cells({object, now});
            }};
}

}  // namespace lab
