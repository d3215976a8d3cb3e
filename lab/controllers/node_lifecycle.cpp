#include "lab/controllers/node_lifecycle.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "lab/controllers/kube_objects.hpp"

namespace lab {

namespace {

using kube::text;
using kubeclient::items_at;

constexpr auto kLeaseNamespace = "kube-node-lease";
constexpr auto kNotReady = "node.kubernetes.io/not-ready";
constexpr auto kUnreachable = "node.kubernetes.io/unreachable";

// Condition, status, taint.
struct Rule {
    const char* type;
    const char* status;
    const char* taint;
};
constexpr Rule kRules[] = {
    {"Ready", "False", kNotReady},
    {"Ready", "Unknown", kUnreachable},
    {"MemoryPressure", "True", "node.kubernetes.io/memory-pressure"},
    {"DiskPressure", "True", "node.kubernetes.io/disk-pressure"},
    {"NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"},
    {"PIDPressure", "True", "node.kubernetes.io/pid-pressure"},
};

std::string status_of(const Json& node, const char* type) {
    const Json* condition = kube::condition(node, type);
    return condition == nullptr ? "" : text(*condition, {"status"});
}

// Whether the controller wants the node to have this taint; nullopt: it is not its business.
std::optional<bool> wants(const Json& node, const std::string& key, const std::string& effect) {
    const bool of_readiness = key == kNotReady || key == kUnreachable;
    if (effect == "NoSchedule" && key == "node.kubernetes.io/unschedulable") {
        return kubeclient::bool_at(node, {"spec", "unschedulable"}).value_or(false);
    }
    if (effect != "NoSchedule" && !(effect == "NoExecute" && of_readiness)) return std::nullopt;
    for (const Rule& rule : kRules) {
        if (rule.taint == key) return status_of(node, rule.type) == rule.status;
    }
    return std::nullopt;
}

Json wanted_taints(const Json& node, kubeclient::Instant now) {
    Json taints = Json::array();
    for (const Json& taint : items_at(node, {"spec", "taints"})) {
        const auto key = text(taint, {"key"});
        if (wants(node, key, text(taint, {"effect"})).value_or(true)) taints.push_back(taint);
    }
    const auto add = [&](const std::string& key, const char* effect) {
        if (!wants(node, key, effect).value_or(false)) return;
        const bool there = std::any_of(taints.begin(), taints.end(), [&](const Json& taint) {
            return text(taint, {"key"}) == key && text(taint, {"effect"}) == effect;
        });
        if (there) return;
        taints.push_back(
            {{"key", key}, {"effect", effect}, {"timeAdded", kube::seconds_text(now)}});
    };
    for (const Rule& rule : kRules) add(rule.taint, "NoSchedule");
    add("node.kubernetes.io/unschedulable", "NoSchedule");
    for (const char* key : {kUnreachable, kNotReady}) add(key, "NoExecute");
    return taints;
}

// As in 1.36: only the status of the condition changes, its reason stays.
kubeclient::Status mark_pods_not_ready(const std::string& node, Cluster& cluster) {
    const auto pods = cluster.objects.all(kube::kPods);  // a copy: writing changes the store
    for (const auto& [key, pod] : pods) {
        if (text(*pod, {"spec", "nodeName"}) != node) continue;
        const Json* ready = kube::condition(*pod, "Ready");
        if (ready == nullptr || text(*ready, {"status"}) == "False") continue;
        Json condition = *ready;
        condition["status"] = "False";
        TRY(kube::patch(
            cluster, kube::kPods, key,
            {{"status", {{"conditions", kube::conditions_with(*pod, condition, cluster.now)}}}},
            "status"));
        cluster.events.record(*pod, "Warning", "NodeNotReady", "Node is not ready");
    }
    return kubeclient::Done{};
}

bool changed(const Change& change, std::initializer_list<std::string_view> path) {
    if (change.type != ChangeType::modified) return true;
    const Json* before = kubeclient::find(*change.before, path);
    const Json* now = kubeclient::find(*change.object, path);
    return before == nullptr || now == nullptr ? before != now : *before != *now;
}

std::vector<WorkItem> pods_on(const std::string& node, const Store& objects) {
    std::vector<WorkItem> items;
    for (const auto& [key, pod] : objects.all(kube::kPods)) {
        if (text(*pod, {"spec", "nodeName"}) == node) items.push_back({kube::kPods, key});
    }
    return items;
}

}  // namespace

std::vector<WorkItem> NodeLifecycle::concerned(const Change& change, const Store&) const {
    if (change.type == ChangeType::deleted) return {};
    if (change.resource == kube::kNodes) return {{change.resource, change.key}};
    if (change.resource == kube::kLeases && change.key.ns == kLeaseNamespace) {
        return {{kube::kNodes, {"", change.key.name}}};
    }
    return {};
}

kubeclient::Status NodeLifecycle::call_unknown(const Json& node, Cluster& cluster) const {
    Json changed = node;
    for (const char* type : {"Ready", "MemoryPressure", "DiskPressure", "PIDPressure"}) {
        const Json* old = kube::condition(node, type);
        Json condition = old == nullptr ? Json{{"type", type}} : *old;
        if (old != nullptr && text(*old, {"status"}) == "Unknown") continue;
        condition["status"] = "Unknown";
        condition["reason"] = old == nullptr ? "NodeStatusNeverUpdated" : "NodeStatusUnknown";
        condition["message"] = old == nullptr ? "Kubelet never posted node status."
                                              : "Kubelet stopped posting node status.";
        if (old == nullptr) {
            condition["lastHeartbeatTime"] = text(node, {"metadata", "creationTimestamp"});
        }
        changed["status"]["conditions"] = kube::conditions_with(changed, condition, cluster.now);
    }
    if (changed == node) return kubeclient::Done{};
    const auto key = kube::key_of(node);
    TRY(kube::patch(cluster, kube::kNodes, key,
                    {{"status", {{"conditions", changed["status"]["conditions"]}}}}, "status"));
    if (!kube::is_ready(node)) return kubeclient::Done{};
    cluster.events.record(node, "Normal", "NodeNotReady",
                          "Node " + key.name + " status is now: NodeNotReady");
    return mark_pods_not_ready(key.name, cluster);
}

kubeclient::Result<std::optional<Duration>> NodeLifecycle::sync(const WorkItem& item,
                                                                Cluster& cluster) {
    Object node = cluster.objects.get(kube::kNodes, item.key);
    if (!node) {
        health_.erase(item.key.name);
        return std::optional<Duration>();
    }
    const Object lease = cluster.objects.get(kube::kLeases, {kLeaseNamespace, item.key.name});
    const Json* ready = kube::condition(*node, "Ready");
    const Health signs{lease ? text(*lease, {"spec", "renewTime"}) : "",
                       ready == nullptr ? "" : text(*ready, {"lastHeartbeatTime"}), cluster.now};
    const auto [place, first] = health_.emplace(item.key.name, signs);
    Health& health = place->second;
    if (first || health.renewed != signs.renewed || health.heartbeat != signs.heartbeat) {
        health = signs;
    }
    const auto limit = health.seen + kGracePeriod;
    if (cluster.now >= limit) {
        TRY(call_unknown(*node, cluster));
        node = cluster.objects.get(kube::kNodes, item.key);
        if (!node) return std::optional<Duration>();
    }
    const Json taints = wanted_taints(*node, cluster.now);
    if (taints != Json(items_at(*node, {"spec", "taints"}))) {
        TRY(kube::patch(cluster, kube::kNodes, item.key, {{"spec", {{"taints", taints}}}}));
    }
    if (cluster.now >= limit) return std::optional<Duration>();
    return std::optional<Duration>(limit - cluster.now);
}

std::vector<WorkItem> TaintEviction::concerned(const Change& change, const Store& objects) const {
    if (change.resource == kube::kPods) return {{change.resource, change.key}};
    if (change.resource != kube::kNodes || change.type == ChangeType::deleted) return {};
    if (!changed(change, {"spec", "taints"})) return {};
    return pods_on(change.key.name, objects);
}

namespace {

bool tolerates(const Json& toleration, const Json& taint) {
    const auto effect = text(toleration, {"effect"});
    const auto key = text(toleration, {"key"});
    if (!effect.empty() && effect != text(taint, {"effect"})) return false;
    if (!key.empty() && key != text(taint, {"key"})) return false;
    if (text(toleration, {"operator"}) == "Exists") return true;
    return !key.empty() && text(toleration, {"value"}) == text(taint, {"value"});
}

constexpr std::int64_t kForever = -1;

// Seconds; nullopt: there is no NoExecute taint. Source: tainteviction getMinTolerationTime.
std::optional<std::int64_t> stays(const Json& pod, const Json& node) {
    std::optional<std::int64_t> least;
    for (const Json& taint : items_at(node, {"spec", "taints"})) {
        if (text(taint, {"effect"}) != "NoExecute") continue;
        const auto& tolerations = items_at(pod, {"spec", "tolerations"});
        const auto used =
            std::find_if(tolerations.begin(), tolerations.end(),
                         [&](const Json& toleration) { return tolerates(toleration, taint); });
        if (used == tolerations.end()) return 0;
        const auto limit = kubeclient::integer_at(*used, {"tolerationSeconds"});
        if (!least) least = kForever;
        if (!limit) continue;
        const auto seconds = std::max<std::int64_t>(*limit, 0);
        least = *least == kForever ? seconds : std::min(*least, seconds);
    }
    return least;
}

kubeclient::Status disrupt(const Json& pod, const char* reason, const char* message,
                           Cluster& cluster, const char* phase = nullptr) {
    const Json condition{{"type", "DisruptionTarget"},
                         {"status", "True"},
                         {"reason", reason},
                         {"message", message},
                         {"lastProbeTime", nullptr}};
    Json status{{"conditions", kube::conditions_with(pod, condition, cluster.now)}};
    if (phase != nullptr) status["phase"] = phase;
    return kube::patch(cluster, kube::kPods, kube::key_of(pod), {{"status", status}}, "status");
}

}  // namespace

kubeclient::Result<std::optional<Duration>> TaintEviction::sync(const WorkItem& item,
                                                                Cluster& cluster) {
    const std::optional<Duration> rest;
    const Object pod = cluster.objects.get(kube::kPods, item.key);
    const Object node =
        pod ? cluster.objects.get(kube::kNodes, {"", text(*pod, {"spec", "nodeName"})}) : nullptr;
    if (!node || kube::is_deleting(*pod)) {
        tainted_since_.erase(item.key);
        return rest;
    }
    const auto name = item.key.ns + "/" + item.key.name;
    const auto seconds = stays(*pod, *node);
    if (!seconds || *seconds == kForever) {
        if (tainted_since_.erase(item.key) > 0) {
            cluster.events.record(*pod, "Normal", "TaintManagerEviction",
                                  "Cancelling deletion of Pod " + name);
        }
        return rest;
    }
    const auto since = tainted_since_.emplace(item.key, cluster.now).first->second;
    const auto due = since + std::chrono::seconds(*seconds);
    if (cluster.now < due) return std::optional<Duration>(due - cluster.now);
    tainted_since_.erase(item.key);
    cluster.events.record(*pod, "Normal", "TaintManagerEviction",
                          "Marking for deletion Pod " + name);
    TRY(disrupt(*pod, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint",
                cluster));
    TRY(kube::remove(cluster, kube::kPods, *pod));
    return rest;
}

std::vector<WorkItem> PodGarbageCollector::concerned(const Change& change,
                                                     const Store& objects) const {
    if (change.resource == kube::kPods) return {{change.resource, change.key}};
    if (change.resource != kube::kNodes) return {};
    const bool same_readiness = change.type == ChangeType::modified &&
                                kube::is_ready(*change.before) == kube::is_ready(*change.object);
    if (same_readiness && !changed(change, {"spec", "taints"})) return {};
    return pods_on(change.key.name, objects);
}

kubeclient::Result<std::optional<Duration>> PodGarbageCollector::sync(const WorkItem& item,
                                                                      Cluster& cluster) {
    const std::optional<Duration> rest;
    const Object pod = cluster.objects.get(kube::kPods, item.key);
    const auto where = pod ? text(*pod, {"spec", "nodeName"}) : "";
    if (where.empty()) {  // the API server itself removes pods that have no node
        due_.erase(item.key);
        return rest;
    }
    const Object node = cluster.objects.get(kube::kNodes, {"", where});
    const bool orphaned = node == nullptr;
    const bool abandoned = node && kube::is_deleting(*pod) && !kube::is_ready(*node) &&
                           kube::has_taint(*node, "node.kubernetes.io/out-of-service");
    if (!orphaned && !abandoned) {
        due_.erase(item.key);
        return rest;
    }
    const auto due =
        due_.emplace(item.key, cluster.now + (orphaned ? kQuarantine : kPeriod)).first->second;
    if (cluster.now < due) return std::optional<Duration>(due - cluster.now);
    due_.erase(item.key);
    if (orphaned && !kube::is_finished(*pod)) {
        TRY(disrupt(*pod, "DeletionByPodGC", "PodGC: node no longer exists", cluster, "Failed"));
    } else if (!kube::is_finished(*pod)) {
        TRY(kube::patch(cluster, kube::kPods, item.key, {{"status", {{"phase", "Failed"}}}},
                        "status"));
    }
    TRY(kube::remove(cluster, kube::kPods, *pod, 0));
    return rest;
}

}  // namespace lab
