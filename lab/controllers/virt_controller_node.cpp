// Source: kubevirt pkg/virt-controller/watch/node/node.go; v1.9.
#include <nlohmann/json.hpp>

#include "kubeclient/json.hpp"
#include "lab/controllers/virt_controllers.hpp"
#include "lab/controllers/virt_objects.hpp"

namespace lab {

using kubeclient::Done;
using kubeclient::Result;
using kubeclient::Status;
using std::chrono::minutes;

namespace {

using namespace virt;

constexpr const char* kHeartbeat = "kubevirt.io/heartbeat";
constexpr const char* kSchedulable = "kubevirt.io/schedulable";
constexpr const char* kReason = "NodeUnresponsive";
constexpr auto kSilence = minutes(5);  // application.go: the node controller's heartBeatTimeout
constexpr auto kRecheck = minutes(1);

// A node that is gone is, one that never had virt-handler is not.
bool is_unresponsive(const Object& node, kubeclient::Instant now) {
    if (!node) return true;
    const auto beat = kubeclient::parse_time(annotation(*node, kHeartbeat));
    return beat.ok() && *beat < now - kSilence;
}

bool is_alive(const Json& pod) {
    if (is_pod_down(pod)) return false;
    const auto& containers = kubeclient::items_at(pod, {"status", "containerStatuses"});
    if (containers.empty()) return true;
    return std::any_of(containers.begin(), containers.end(), [](const Json& one) {
        return kubeclient::find(one, {"state", "terminated"}) == nullptr;
    });
}

// An active VMI there whose launchers there have all ended.
bool is_stuck(const Store& objects, const Json& vmi, const std::string& node) {
    const auto phase = phase_of(vmi);
    if (phase != "Running" && phase != "Scheduled") return false;
    if (text(vmi, {"status", "nodeName"}) != node) return false;
    const auto pods = launchers(objects, vmi);
    return std::none_of(pods.begin(), pods.end(), [&](const Object& pod) {
        return text(*pod, {"spec", "nodeName"}) == node && is_alive(*pod);
    });
}

class NodeController final : public Controller {
public:
    std::string_view name() const override { return "node-controller"; }

    // VMIs only wake it for a node that is silent, or gone: there are many, and they change often.
    std::vector<WorkItem> concerned(const Change& change, const Store& objects) const override {
        if (change.resource == kNodes) return {{kNodes, change.key}};
        if (change.resource != kInstances) return {};
        const auto name = text(*change.object, {"status", "nodeName"});
        if (name.empty()) return {};
        const Object node = objects.get(kNodes, {"", name});
        if (node && label(*node, kSchedulable) == "true") return {};
        return {{kNodes, {"", name}}};
    }

    Result<std::optional<Duration>> sync(const WorkItem& item, Cluster& cluster) override {
        const Object node = cluster.objects.get(kNodes, item.key);
        if (is_unresponsive(node, cluster.now)) {
            if (node && label(*node, kSchedulable) == "true") TRY(mark(cluster, *node));
            TRY(fail_stuck_guests(cluster, item.key.name));
        }
        if (!node) return std::optional<Duration>{};
        return std::optional<Duration>(kRecheck);
    }

private:
    static Status mark(Cluster& cluster, const Json& node) {
        cluster.events.record(node, "Normal", kReason,
                              "virt-handler is not responsive, marking node as unresponsive");
        const Json patch{{"metadata", {{"labels", {{kSchedulable, "false"}}}}}};
        TRY(merge_patch(cluster, kNodes, {"", name_of(node)}, patch));
        return Done{};
    }

    static Status fail_stuck_guests(Cluster& cluster, const std::string& node) {
        std::vector<Object> stuck;
        for (const auto& [key, vmi] : cluster.objects.all(kInstances)) {
            if (is_stuck(cluster.objects, *vmi, node)) stuck.push_back(vmi);
        }
        for (const Object& vmi : stuck) {
            cluster.events.record(
                *vmi, "Normal", kReason,
                "virt-handler on node " + node + " is not responsive, marking VMI as failed");
            const Json operations{operation("replace", "/status/phase", "Failed"),
                                  operation("add", "/status/reason", kReason)};
            TRY(json_patch(cluster, kInstances, key_of(*vmi), operations));
        }
        return Done{};
    }
};

}  // namespace

std::unique_ptr<Controller> make_node_controller() {
    return std::make_unique<NodeController>();
}

}  // namespace lab
