#include "preflight/decode.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace preflight {
namespace {

using facts::Snapshot;
using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Json;

constexpr auto launcher_label = "virt-launcher";
constexpr auto handler_label = "virt-handler";

// Only KubeVirt's own pods are facts here; any other pod is of no use.
bool add_pod(Snapshot& snapshot, const Fields& object) {
    auto pod = decode_pod(object);
    if (!object.sound()) return false;
    const auto role = pod.meta.labels.find("kubevirt.io");
    if (role == pod.meta.labels.end()) return false;
    if (role->second == launcher_label) {
        snapshot.launchers.items.push_back(std::move(pod));
    } else if (role->second == handler_label) {
        snapshot.handlers.items.push_back(std::move(pod));
    } else {
        return false;
    }
    return true;
}

bool add_daemon_set(Snapshot& snapshot, const Fields& object) {
    auto set = decode_handler_set(object);
    if (!object.sound() || set.meta.name != handler_label) return false;
    snapshot.handler_sets.items.push_back(std::move(set));
    return true;
}

facts::StorageClass decode_storage_class(const Fields& object) {
    return {decode_meta(object), object.text("provisioner")};
}

facts::Namespace decode_namespace(const Fields& object) {
    return {decode_meta(object)};
}

// A row appends one decoded object to its reading. What was half understood is no fact: the fields
// that were not would look as if they were absent.
template <auto reading, auto decode>
bool append(Snapshot& snapshot, const Fields& object) {
    auto item = decode(object);
    if (!object.sound()) return false;
    (snapshot.*reading).items.push_back(std::move(item));
    return true;
}

struct Kind {
    std::string_view group;
    std::string_view kind;
    bool namespaced;
    bool (*add)(Snapshot&, const Fields&);
};

constexpr std::array<Kind, 16> kinds{{
    {"kubevirt.io", "VirtualMachine", true, append<&Snapshot::vms, decode_vm>},
    {"kubevirt.io", "VirtualMachineInstance", true, append<&Snapshot::vmis, decode_vmi>},
    {"kubevirt.io", "VirtualMachineInstanceMigration", true,
     append<&Snapshot::migrations, decode_migration>},
    {"kubevirt.io", "KubeVirt", true, append<&Snapshot::kubevirts, decode_kubevirt>},
    {"migrations.kubevirt.io", "MigrationPolicy", false,
     append<&Snapshot::policies, decode_policy>},
    {"", "Node", false, append<&Snapshot::nodes, decode_node>},
    {"", "Pod", true, add_pod},
    {"", "PersistentVolumeClaim", true, append<&Snapshot::claims, decode_claim>},
    {"", "PersistentVolume", false, append<&Snapshot::volumes, decode_volume>},
    {"", "Namespace", false, append<&Snapshot::namespaces, decode_namespace>},
    {"", "ResourceQuota", true, append<&Snapshot::quotas, decode_quota>},
    {"storage.k8s.io", "StorageClass", false,
     append<&Snapshot::storage_classes, decode_storage_class>},
    {"cdi.kubevirt.io", "DataVolume", true, append<&Snapshot::data_volumes, decode_data_volume>},
    {"apps", "DaemonSet", true, add_daemon_set},
    {"networking.k8s.io", "NetworkPolicy", true,
     append<&Snapshot::network_policies, decode_network_policy>},
    {"k8s.cni.cncf.io", "NetworkAttachmentDefinition", true,
     append<&Snapshot::attachments, decode_attachment>},
}};

std::string group_of(const std::string& api_version) {
    const auto slash = api_version.find('/');
    return slash == std::string::npos ? "" : api_version.substr(0, slash);
}

const Kind* kind_of(const std::string& api_version, const std::string& kind) {
    const auto group = group_of(api_version);
    const auto found = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& row) {
        return row.kind == kind && row.group == group;
    });
    return found == kinds.end() ? nullptr : &*found;
}

std::string describe(const std::string& kind, const Json& object) {
    const auto ns = kubeclient::text_at(object, {"metadata", "namespace"});
    const auto name = kubeclient::text_at(object, {"metadata", "name"}).value_or("(no name)");
    return kind + " " + (ns ? *ns + "/" : "") + name;
}

}  // namespace

kubeclient::Result<Added> add_object(Snapshot& snapshot, const Json& object) {
    const auto api_version = kubeclient::text_at(object, {"apiVersion"});
    const auto kind = kubeclient::text_at(object, {"kind"});
    if (!kind) return Error{ErrorKind::protocol, "the object has no kind"};
    if (!api_version) return Error{ErrorKind::protocol, *kind + " has no apiVersion"};
    const auto* row = kind_of(*api_version, *kind);
    if (row == nullptr) return Added{false};
    if (kubeclient::text_at(object, {"metadata", "name"}).value_or("").empty()) {
        return Error{ErrorKind::protocol, *kind + " has no metadata.name"};
    }
    std::string problem;
    const bool used = row->add(snapshot, Fields(object, "", problem));
    if (!problem.empty()) {
        return Error{ErrorKind::protocol, describe(*kind, object) + ": " + problem};
    }
    return Added{used};
}

bool is_namespaced(const Json& object) {
    const auto* row = kind_of(kubeclient::text_at(object, {"apiVersion"}).value_or(""),
                              kubeclient::text_at(object, {"kind"}).value_or(""));
    return row != nullptr && row->namespaced;
}

}  // namespace preflight
