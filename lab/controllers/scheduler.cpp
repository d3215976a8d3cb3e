#include "lab/controllers/scheduler.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lab/controllers/kube_objects.hpp"
#include "preflight/decode_scheduling.hpp"
#include "preflight/placement.hpp"
#include "preflight/scheduling.hpp"

namespace lab {

namespace {

using facts::SchedulerPod;
using facts::SchedulerView;
using kube::text;
using kubeclient::find;

// Pods in the queue of unschedulable ones are tried again at least this often.
constexpr Duration kFlush = std::chrono::minutes(5);
constexpr Duration kFirstBackOff = std::chrono::seconds(1);
constexpr Duration kMostBackOff = std::chrono::seconds(10);
constexpr std::size_t kLongestNote = 1024;  // of an events.k8s.io Event
constexpr auto kSelectedNode = "volume.kubernetes.io/selected-node";

bool is_ours(const Json& pod) {
    const auto scheduler = text(pod, {"spec", "schedulerName"});
    return text(pod, {"spec", "nodeName"}).empty() && !kube::is_deleting(pod) &&
           !kube::is_finished(pod) && (scheduler.empty() || scheduler == "default-scheduler") &&
           kubeclient::items_at(pod, {"spec", "schedulingGates"}).empty();
}

bool same(const Change& change, std::initializer_list<std::string_view> path) {
    const Json* before = find(*change.before, path);
    const Json* now = find(*change.object, path);
    if (before == nullptr || now == nullptr) return before == now;
    return *before == *now;
}

// Whether a pod that found no node may find one now. Heartbeats and the like must not count.
bool may_help(const Change& change) {
    const auto& resource = change.resource;
    const bool modified = change.type == ChangeType::modified;
    if (resource == kube::kNodes) {
        return !modified || !same(change, {"metadata", "labels"}) ||
               !same(change, {"spec", "taints"}) || !same(change, {"spec", "unschedulable"}) ||
               !same(change, {"status", "allocatable"});
    }
    if (resource == kube::kPods) {
        const bool assigned = !text(*change.object, {"spec", "nodeName"}).empty();
        if (!modified) return assigned;
        return !same(change, {"spec", "nodeName"}) || !same(change, {"metadata", "labels"}) ||
               (assigned && kube::is_finished(*change.object) != kube::is_finished(*change.before));
    }
    if (resource == kube::kAttachments) return change.type == ChangeType::deleted;
    return resource == kube::kClaims || resource == kube::kVolumes || resource == kube::kClasses ||
           resource == ResourceId{"storage.k8s.io", "csinodes"};
}

// events.k8s.io's events, as the core API shows them: no count, no first and last time.
Json event_about(const Json& pod, const std::string& component, const char* type,
                 const char* reason, const char* action, std::string note, Cluster& cluster) {
    if (note.size() > kLongestNote) note = note.substr(0, kLongestNote - 4) + " ...";
    const auto name = kube::name_of(pod);
    return {{"apiVersion", "v1"},
            {"kind", "Event"},
            {"metadata",
             {{"name", name + "." + cluster.suffix()},
              {"namespace", text(pod, {"metadata", "namespace"})}}},
            {"involvedObject",
             {{"apiVersion", "v1"},
              {"kind", "Pod"},
              {"namespace", text(pod, {"metadata", "namespace"})},
              {"name", name},
              {"uid", kube::uid_of(pod)},
              {"resourceVersion", text(pod, {"metadata", "resourceVersion"})}}},
            {"type", type},
            {"reason", reason},
            {"action", action},
            {"message", note},
            {"eventTime", kubeclient::format_micro_time(cluster.now)},
            {"reportingComponent", component},
            {"reportingInstance", component + "-lab"},
            {"source", Json::object()},
            {"firstTimestamp", nullptr},
            {"lastTimestamp", nullptr}};
}

void record(const Json& event, Cluster& cluster) {
    const auto done =
        kube::create(cluster, {"", "events"}, text(event, {"metadata", "namespace"}), event);
    static_cast<void>(done.ok());  // an event that is lost is lost
}

std::vector<facts::Requirement> requirements_of(const Json& term) {
    std::vector<facts::Requirement> all;
    for (const Json& item : kubeclient::items_at(term, {"preference", "matchExpressions"})) {
        facts::Requirement one{text(item, {"key"}), text(item, {"operator"})};
        for (const Json& value : kubeclient::items_at(item, {"values"})) {
            if (value.is_string()) one.values.push_back(value.get<std::string>());
        }
        all.push_back(std::move(one));
    }
    return all;
}

// Of the nodes that fit, those that the pod's node affinity prefers most. Source: kubernetes
// pkg/scheduler/framework/plugins/nodeaffinity Score. Other preferences count for nothing here.
preflight::Placing narrowed(const SchedulerView& view, const Json& pod,
                            preflight::Placing placing) {
    std::map<std::string, std::int64_t> weights;
    std::int64_t most = 0;
    for (const auto& name : placing.fitting()) {
        const auto& node = view.nodes.at(name).node;
        for (const Json& term :
             kubeclient::items_at(pod, {"spec", "affinity", "nodeAffinity",
                                        "preferredDuringSchedulingIgnoredDuringExecution"})) {
            if (!node || !preflight::labels_match(requirements_of(term), node->meta.labels)) {
                continue;
            }
            weights[name] += kubeclient::integer_at(term, {"weight"}).value_or(0);
        }
        most = std::max(most, weights[name]);
    }
    std::erase_if(placing.nodes, [&](const auto& entry) {
        return entry.second.fits() && weights[entry.first] < most;
    });
    return placing;
}

// Where a claim of the pod has been sent already, and the node still fits, it stays there.
std::string node_for(const SchedulerView& view, const SchedulerPod& pod,
                     const preflight::Placing& placing) {
    for (const auto& name : pod.claims) {
        const auto claim = view.claims.find({pod.meta.ns, name});
        if (claim == view.claims.end()) continue;
        const auto& annotations = claim->second.claim.meta.annotations;
        const auto selected = annotations.find(kSelectedNode);
        if (selected == annotations.end()) continue;
        const auto verdict = placing.nodes.find(selected->second);
        if (verdict != placing.nodes.end() && verdict->second.fits()) return selected->second;
    }
    return preflight::choose_node(view, placing);
}

// What the PreBind of the volumes asks the binder and the provisioner for.
kubeclient::Status ask_for(const preflight::VolumePlan& plan, const std::string& ns,
                           const std::string& node, Cluster& cluster) {
    for (const auto& [claim, volume] : plan.bindings) {
        const Object object = cluster.objects.get(kube::kClaims, {ns, claim});
        if (!object) continue;
        TRY(kube::patch(cluster, kube::kVolumes, {"", volume},
                        {{"spec",
                          {{"claimRef",
                            {{"apiVersion", "v1"},
                             {"kind", "PersistentVolumeClaim"},
                             {"namespace", ns},
                             {"name", claim},
                             {"uid", kube::uid_of(*object)}}}}}}));
    }
    for (const auto& claim : plan.provisions) {
        TRY(kube::patch(cluster, kube::kClaims, {ns, claim},
                        {{"metadata", {{"annotations", {{kSelectedNode, node}}}}}}));
    }
    return kubeclient::Done{};
}

}  // namespace

std::vector<WorkItem> Scheduler::concerned(const Change& change, const Store&) const {
    std::vector<WorkItem> items;
    const bool pending = change.resource == kube::kPods && is_ours(*change.object);
    if (pending && change.type != ChangeType::deleted && !waiting_.contains(change.key)) {
        items.push_back({change.resource, change.key});
    }
    if (!waiting_.empty() && may_help(change)) {
        for (const auto& key : waiting_) items.push_back({kube::kPods, key});
    }
    return items;
}

void Scheduler::catch_up(const Store& objects) {
    while (seen_ < objects.revision()) {
        const auto changes = objects.since(seen_);
        if (!changes || changes->empty()) break;
        for (const Change& change : *changes) {
            if (change.type == ChangeType::deleted) {
                preflight::remove_object(view_, text(*change.object, {"kind"}),
                                         {change.key.ns, change.key.name});
            } else {
                preflight::put_object(view_, *change.object);
            }
        }
        seen_ = changes->back().revision;
    }
}

kubeclient::Result<std::optional<Duration>> Scheduler::sync(const WorkItem& item,
                                                            Cluster& cluster) {
    const Object pod = cluster.objects.get(kube::kPods, item.key);
    if (!pod || !is_ours(*pod)) {
        waiting_.erase(item.key);
        attempts_.erase(item.key);
        return std::optional<Duration>();
    }
    const auto attempt = attempts_.find(item.key);
    if (attempt != attempts_.end() && cluster.now < attempt->second.not_before) {
        return std::optional<Duration>(attempt->second.not_before - cluster.now);
    }
    catch_up(cluster.objects);
    const SchedulerPod wanted = preflight::decode_scheduler_pod(*pod);
    const auto placing = preflight::place(view_, wanted);
    const auto node = node_for(view_, wanted, narrowed(view_, *pod, placing));
    if (node.empty()) {
        return refuse(*pod, preflight::describe_placing(view_, wanted, placing), cluster);
    }
    return assign(*pod, wanted, node, cluster);
}

kubeclient::Result<std::optional<Duration>> Scheduler::refuse(const Json& pod,
                                                              const std::string& message,
                                                              Cluster& cluster) {
    const auto key = kube::key_of(pod);
    waiting_.insert(key);
    Attempt& attempt = attempts_[key];
    const auto back_off = kFirstBackOff * (1 << std::min(attempt.failures++, 4));
    attempt.not_before = cluster.now + std::min<Duration>(back_off, kMostBackOff);
    const Json* told = kube::condition(pod, "PodScheduled");
    if (told != nullptr && text(*told, {"message"}) == message) {
        return std::optional<Duration>(kFlush);
    }
    Json condition{{"type", "PodScheduled"},
                   {"status", "False"},
                   {"reason", "Unschedulable"},
                   {"message", message},
                   {"lastProbeTime", nullptr}};
    const auto generation = kubeclient::integer_at(pod, {"metadata", "generation"});
    if (generation) condition["observedGeneration"] = *generation;
    record(event_about(pod, "default-scheduler", "Warning", "FailedScheduling", "Scheduling",
                       message, cluster),
           cluster);
    TRY(kube::patch(
        cluster, kube::kPods, key,
        {{"status", {{"conditions", kube::conditions_with(pod, condition, cluster.now)}}}},
        "status"));
    return std::optional<Duration>(kFlush);
}

kubeclient::Result<std::optional<Duration>> Scheduler::assign(const Json& pod,
                                                              const SchedulerPod& wanted,
                                                              const std::string& node,
                                                              Cluster& cluster) {
    const auto key = kube::key_of(pod);
    const auto plan = preflight::plan_volumes(view_, wanted, *view_.nodes.at(node).node);
    if (plan && (!plan->bindings.empty() || !plan->provisions.empty())) {
        waiting_.insert(key);
        TRY(ask_for(*plan, key.ns, node, cluster));
        return std::optional<Duration>(kFlush);
    }
    const Json binding{
        {"apiVersion", "v1"},
        {"kind", "Binding"},
        {"metadata", {{"name", key.name}, {"namespace", key.ns}, {"uid", kube::uid_of(pod)}}},
        {"target", {{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node}}}};
    TRY_ASSIGN(where, kube::path(kube::kPods, key, "binding"));
    TRY(cluster.api.create(where, binding, kubeclient::DryRun::none));
    waiting_.erase(key);
    attempts_.erase(key);
    record(event_about(pod, "default-scheduler", "Normal", "Scheduled", "Binding",
                       "Successfully assigned " + key.ns + "/" + key.name + " to " + node, cluster),
           cluster);
    return std::optional<Duration>();
}

}  // namespace lab
