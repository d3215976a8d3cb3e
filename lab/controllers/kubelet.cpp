#include "lab/controllers/kubelet.hpp"

#include <nlohmann/json.hpp>
#include <numeric>

#include "kubeclient/api.hpp"
#include "lab/controllers/kubelet_writes.hpp"
#include "lab/controllers/node_knobs.hpp"

namespace lab {

using kubeclient::DryRun;
using kubeclient::text_at;

namespace {

constexpr Duration kHeartbeat = std::chrono::seconds(10);  // --node-status-update-frequency
constexpr Duration kRetry = std::chrono::seconds(1);
// Until a kubelet notices that a container has ended by itself.
constexpr Duration kRelist = std::chrono::milliseconds(200);
// Between the last status of a deleted pod and its removal: others see how it ended.
constexpr Duration kAfterlife = std::chrono::milliseconds(30);

kubeclient::Result<std::string> pod_path(const Json& pod, const std::string& subresource = "") {
    return kubeclient::path_of({"", "v1", "pods",
                                text_at(pod, {"metadata", "namespace"}).value_or(""),
                                text_at(pod, {"metadata", "name"}).value_or(""), subresource});
}

kubeclient::Status write_status(const Json& pod, Json status, Cluster& cluster) {
    TRY_ASSIGN(path, pod_path(pod, "status"));
    TRY(cluster.api.patch(path, kubeclient::PatchKind::merge, {{"status", std::move(status)}},
                          DryRun::none));
    return kubeclient::Done{};
}

kubeclient::Status remove(const Json& pod, Cluster& cluster) {
    TRY_ASSIGN(path, pod_path(pod));
    kubeclient::DeleteOptions options;
    options.uid = text_at(pod, {"metadata", "uid"}).value_or("");
    options.grace_seconds = 0;
    const auto removed = cluster.api.remove(path, options);
    if (!removed.ok() && removed.error().kind != kubeclient::ErrorKind::not_found) {
        return removed.error();
    }
    return kubeclient::Done{};
}

bool deleting(const Json& pod) {
    return text_at(pod, {"metadata", "deletionTimestamp"}).has_value();
}

// virt-launcher's --qemu-timeout: 240 s and up to 120 s more, here by the pod's uid. A scene that
// holds a migration holds it for good. Source: kubevirt pkg/virt-controller/services/template.go.
Duration patience(const std::string& uid, const Object& vmi) {
    if (vmi && !knobs_of(*vmi).hold.empty()) return std::chrono::hours(24 * 365);
    const auto sum = std::accumulate(uid.begin(), uid.end(), 0,
                                     [](int so_far, char c) { return (so_far * 31 + c) % 120; });
    return std::chrono::seconds(240 + sum);
}

kubeclient::Status renew_lease(const Json& node, Cluster& cluster) {
    const std::string name = text_at(node, {"metadata", "name"}).value_or("");
    const std::string leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
    const Json lease = node_lease(node, cluster.now);
    if (cluster.objects.get({"coordination.k8s.io", "leases"}, {"kube-node-lease", name})) {
        TRY(cluster.api.patch(leases + "/" + name, kubeclient::PatchKind::merge,
                              {{"spec", lease.at("spec")}}, DryRun::none));
    } else {
        TRY(cluster.api.create(leases, lease, DryRun::none));
    }
    return kubeclient::Done{};
}

}  // namespace

std::vector<WorkItem> Kubelet::concerned(const Change& change, const Store&) const {
    if (change.resource == kPods) {
        if (!text_at(*change.object, {"spec", "nodeName"})) return {};
        return {{kPods, change.key}};
    }
    if (change.resource == kNodes && change.type == ChangeType::added) {
        return {{kNodes, change.key}};
    }
    if (change.resource != kVmis) return {};
    // A launcher that has lost its guest will end.
    std::vector<WorkItem> items;
    const Json* state = kubeclient::find(*change.object, {"status", "migrationState"});
    if (state == nullptr || !kubeclient::bool_at(*state, {"completed"}).value_or(false)) return {};
    for (const char* side : {"sourcePod", "targetPod"}) {
        if (auto pod = text_at(*state, {side})) items.push_back({kPods, {change.key.ns, *pod}});
    }
    return items;
}

kubeclient::Result<std::optional<Duration>> Kubelet::sync(const WorkItem& item, Cluster& cluster) {
    if (item.resource == kNodes) return sync_node(item.key.name, cluster);
    return sync_pod(item.key, cluster);
}

Kubelet::Next Kubelet::sync_node(const std::string& name, Cluster& cluster) {
    const Object node = cluster.objects.get(kNodes, {"", name});
    if (!node) return std::optional<Duration>();
    if (hardware_.machine(name) == nullptr) hardware_.add_machine(name);
    const Machine machine = *hardware_.machine(name);
    if (!machine.kubelet_works()) return std::optional(kRetry);
    TRY(renew_lease(*node, cluster));
    if (!says_ready(*node, machine.boot_id)) {
        TRY(cluster.api.patch("/api/v1/nodes/" + name + "/status", kubeclient::PatchKind::merge,
                              {{"status", ready_status(*node, machine.boot_id, cluster.now)}},
                              DryRun::none));
    }
    const auto mine = by_node_[name];
    for (const auto& [key, uid] : mine) {
        const Launcher* launcher = hardware_.launcher(uid);
        if (launcher != nullptr && launcher->exit_code) TRY(sync_pod(key, cluster));
    }
    return std::optional(kHeartbeat);
}

Kubelet::Next Kubelet::sync_pod(const ObjectKey& key, Cluster& cluster) {
    const Object pod = cluster.objects.get(kPods, key);
    if (!pod) return forget(key);
    const std::string node = text_at(*pod, {"spec", "nodeName"}).value_or("");
    const Machine* machine = hardware_.machine(node);
    if (machine == nullptr) return std::optional<Duration>();
    const std::string phase = text_at(*pod, {"status", "phase"}).value_or("Pending");
    const bool over = phase == "Succeeded" || phase == "Failed";
    if (over && !deleting(*pod)) return std::optional<Duration>();
    if (!machine->kubelet_works()) return std::optional(kRetry);
    if (over || (deleting(*pod) && phase == "Pending")) {
        TRY(remove(*pod, cluster));
        return forget(key);
    }
    if (phase == "Pending") return start(*pod, cluster);
    return keep(*pod, cluster);
}

// A pod that is gone from the API must not run on; where its node cannot be told, it does.
Kubelet::Next Kubelet::forget(const ObjectKey& key) {
    const auto place = started_.find(key);
    if (place == started_.end()) return std::optional<Duration>();
    const Machine* machine = hardware_.machine(place->second.node);
    if (machine != nullptr && !machine->kubelet_works() && machine->powered) {
        return std::optional(kRetry);
    }
    hardware_.end_launcher(place->second.uid, 0);
    by_node_[place->second.node].erase(key);
    started_.erase(place);
    return std::optional<Duration>();
}

Kubelet::Next Kubelet::start(const Json& pod, Cluster& cluster) {
    const Object vmi = vmi_of(pod, cluster.objects);
    const bool target =
        text_at(pod, {"metadata", "labels", "kubevirt.io/migrationJobUID"}).has_value();
    if (vmi && target && knobs_of(*vmi).pod_held) return std::optional(kRetry);
    if (!volumes_attached(pod, cluster.objects)) return std::optional(kRetry);
    // The process is there before anybody reads that it is.
    TRY(keep(pod, cluster));
    TRY(write_status(pod, running_status(pod, address(), cluster.now), cluster));
    return std::optional<Duration>();
}

Kubelet::Next Kubelet::keep(const Json& pod, Cluster& cluster) {
    const std::string uid = text_at(pod, {"metadata", "uid"}).value_or("");
    const std::string node = text_at(pod, {"spec", "nodeName"}).value_or("");
    const ObjectKey key{text_at(pod, {"metadata", "namespace"}).value_or(""),
                        text_at(pod, {"metadata", "name"}).value_or("")};
    if (deleting(pod)) {
        hardware_.end_launcher(uid, 0);
        TRY(end(pod, "Succeeded", cluster));
        return std::optional(kAfterlife);
    }
    if (!is_launcher(pod)) return std::optional<Duration>();
    const Object vmi = vmi_of(pod, cluster.objects);
    if (hardware_.launcher(uid) == nullptr) {
        hardware_.start_launcher(uid, vmi ? vmi_name(*vmi) : "", node, patience(uid, vmi));
    }
    started_[key] = {uid, node};
    by_node_[node][key] = uid;
    const auto exit_code = hardware_.launcher(uid)->exit_code;
    if (exit_code) return end(pod, *exit_code == 0 ? "Succeeded" : "Failed", cluster);
    if (vmi && lost_its_guest(*vmi, pod) && !knobs_of(*vmi).source_kept) {
        return std::optional(kRelist);
    }
    return std::optional<Duration>();
}

Kubelet::Next Kubelet::end(const Json& pod, const std::string& phase, Cluster& cluster) {
    TRY(write_status(pod, ended_status(pod, phase, cluster.now), cluster));
    return std::optional<Duration>();
}

std::string Kubelet::address() {
    ++addresses_;
    return "10.244." + std::to_string(addresses_ / 250 % 250) + "." +
           std::to_string(addresses_ % 250 + 2);
}

}  // namespace lab
