#include "lab/controllers/virt_handler.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kubeclient/api.hpp"
#include "lab/controllers/node_knobs.hpp"
#include "lab/controllers/virt_handler_steps.hpp"

namespace lab {

using kubeclient::DryRun;
using kubeclient::text_at;

namespace {

constexpr Duration kHeartbeat = std::chrono::minutes(1);

void tell(const std::vector<ToldEvent>& events, const Json& vmi, Cluster& cluster) {
    for (const ToldEvent& event : events) {
        cluster.events.record(vmi, event.type, event.reason, event.message);
    }
}

bool is_about(const Json& vmi, const std::string& node) {
    return text_at(vmi, {"status", "nodeName"}) == node ||
           text_at(vmi, {"status", "migrationState", "targetNode"}) == node;
}

}  // namespace

bool Surroundings::handler_works(const std::string& node) const {
    const Machine* machine = hardware.machine(node);
    return machine != nullptr && machine->handler_works();
}

std::string Surroundings::pod_uid(const Json& vmi, const std::string& pod) const {
    const Object found =
        objects.get(kPods, {text_at(vmi, {"metadata", "namespace"}).value_or(""), pod});
    return found ? text_at(*found, {"metadata", "uid"}).value_or("") : "";
}

std::string Surroundings::time() const {
    return kubeclient::format_time(std::chrono::floor<std::chrono::seconds>(now));
}

std::vector<WorkItem> VirtHandler::concerned(const Change& change, const Store&) const {
    if (change.resource == kVmis) return {{kVmis, change.key}};
    if (change.resource == kNodes && change.type == ChangeType::added) {
        return {{kNodes, change.key}};
    }
    // A launcher that starts or ends.
    if (change.resource != kPods || !is_launcher(*change.object)) return {};
    for (const Json& owner :
         kubeclient::items_at(*change.object, {"metadata", "ownerReferences"})) {
        if (text_at(owner, {"kind"}) == "VirtualMachineInstance") {
            return {{kVmis, {change.key.ns, text_at(owner, {"name"}).value_or("")}}};
        }
    }
    return {};
}

kubeclient::Result<std::optional<Duration>> VirtHandler::sync(const WorkItem& item,
                                                              Cluster& cluster) {
    if (item.resource == kNodes) return sync_node(item.key.name, cluster);
    return sync_vmi(item.key, cluster);
}

VirtHandler::Next VirtHandler::sync_node(const std::string& name, Cluster& cluster) {
    const Object node = cluster.objects.get(kNodes, {"", name});
    if (!node) return std::optional<Duration>();
    const Surroundings around{cluster.objects, hardware_, cluster.now};
    if (!around.handler_works(name)) {
        down_.insert(name);
        return std::optional(kHandlerPoll);
    }
    const Json beat{{"metadata",
                     {{"labels", {{"kubevirt.io/schedulable", "true"}}},
                      {"annotations", {{"kubevirt.io/heartbeat", around.time()}}}}}};
    TRY(cluster.api.patch("/api/v1/nodes/" + name, kubeclient::PatchKind::merge, beat,
                          DryRun::none));
    if (down_.contains(name)) {
        TRY(look_again(name, cluster));
        down_.erase(name);
    }
    return std::optional(kHeartbeat);
}

// A handler that is back finds out what became of its guests.
kubeclient::Status VirtHandler::look_again(const std::string& node, Cluster& cluster) {
    std::vector<ObjectKey> keys;
    for (const auto& [key, vmi] : cluster.objects.all(kVmis)) {
        if (is_about(*vmi, node)) keys.push_back(key);
    }
    for (const ObjectKey& key : keys) TRY(sync_vmi(key, cluster));
    return kubeclient::Done{};
}

VirtHandler::Next VirtHandler::sync_vmi(const ObjectKey& key, Cluster& cluster) {
    const Object vmi = cluster.objects.get(kVmis, key);
    std::optional<Duration> again;
    if (!vmi) return again;
    const Surroundings around{cluster.objects, hardware_, cluster.now};
    for (const auto& step : {run_guest, send_guest, receive_guest, judge_guest}) {
        const HandlerStep done = step(*vmi, around);
        if (done.again) again = again ? std::min(*again, *done.again) : *done.again;
        tell(done.before, *vmi, cluster);
        if (done.vmi) {
            TRY_ASSIGN(path, kubeclient::path_of(
                                 {"kubevirt.io", "v1", kVmis.plural, key.ns, key.name, ""}));
            TRY(cluster.api.replace(path, *done.vmi, DryRun::none));
            tell(done.after, *vmi, cluster);
            return again;
        }
    }
    return again;
}

}  // namespace lab
