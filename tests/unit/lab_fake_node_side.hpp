// Everything below virt-controller, played: binds pods, runs them and ends them, and answers as
// virt-handler does. Its behaviour per VM comes from sim/… annotations, as in the recordings:
// sim/hold=PHASE stops answering there, sim/fail=TEXT fails a running migration, sim/podhold keeps
// target pods from coming up, sim/keepsource keeps the old launcher.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "lab/controllers/virt_objects.hpp"

namespace lab_test {

using kubeclient::Json;
using lab::virt::text;

class FakeNodeSide final : public lab::Controller {
public:
    std::string_view name() const override { return "fake-node-side"; }

    std::vector<lab::WorkItem> concerned(const lab::Change& change,
                                         const lab::Store&) const override {
        using namespace lab::virt;
        if (change.resource != kPods && change.resource != kInstances) return {};
        if (change.resource == kInstances || !text(*change.object, {"metadata", "name"}).empty()) {
            return {{change.resource, change.key}};
        }
        return {};
    }

    kubeclient::Result<std::optional<lab::Duration>> sync(const lab::WorkItem& item,
                                                          lab::Cluster& cluster) override {
        const lab::Object object = cluster.objects.get(item.resource, item.key);
        if (!object) return std::optional<lab::Duration>{};
        if (item.resource == lab::virt::kPods) return play_pod(cluster, *object);
        return play_instance(cluster, *object);
    }

private:
    using Outcome = kubeclient::Result<std::optional<lab::Duration>>;

    static Outcome later() { return std::optional<lab::Duration>(std::chrono::milliseconds(50)); }
    static Outcome done() { return std::optional<lab::Duration>{}; }

    static lab::Object instance_of(lab::Cluster& cluster, const Json& pod) {
        return cluster.objects.get(
            lab::virt::kInstances,
            {lab::virt::key_of(pod).ns, lab::virt::annotation(pod, "kubevirt.io/domain")});
    }

    static bool fits(lab::Cluster& cluster, const Json& pod, const Json& node) {
        for (const auto& [key, value] : pod["spec"]["nodeSelector"].items()) {
            if (text(node, {"metadata", "labels", key}) != value.get<std::string>()) return false;
        }
        const auto name = lab::virt::name_of(node);
        const auto owner = lab::virt::label(pod, "kubevirt.io/created-by");
        for (const auto& [key, other] : cluster.objects.all(lab::virt::kPods)) {
            if (!lab::virt::is_pod_down(*other) && text(*other, {"spec", "nodeName"}) == name &&
                lab::virt::label(*other, "kubevirt.io/created-by") == owner) {
                return false;
            }
        }
        return true;
    }

    static Outcome bind(lab::Cluster& cluster, const Json& pod) {
        for (const auto& [key, node] : cluster.objects.all(lab::virt::kNodes)) {
            if (!fits(cluster, pod, *node)) continue;
            const auto [ns, name] = lab::virt::key_of(pod);
            TRY(cluster.api.create("/api/v1/namespaces/" + ns + "/pods/" + name + "/binding",
                                   {{"apiVersion", "v1"},
                                    {"kind", "Binding"},
                                    {"metadata", {{"name", name}, {"namespace", ns}}},
                                    {"target", {{"kind", "Node"}, {"name", key.name}}}},
                                   kubeclient::DryRun::none));
            return later();
        }
        if (lab::virt::condition(pod, "PodScheduled") != nullptr) return done();
        const Json unscheduled{{"type", "PodScheduled"},
                               {"status", "False"},
                               {"reason", "Unschedulable"},
                               {"lastProbeTime", nullptr},
                               {"lastTransitionTime", lab::virt::seconds_text(cluster.now)}};
        Json patch;
        patch["status"]["conditions"] = Json::array({unscheduled});
        TRY(lab::virt::merge_patch(cluster, lab::virt::kPods, lab::virt::key_of(pod), patch,
                                   "status"));
        return done();
    }

    static Outcome set_phase(lab::Cluster& cluster, const Json& pod, const char* phase) {
        Json patch;
        patch["status"]["phase"] = phase;
        if (std::string(phase) == "Running") {
            const auto now = lab::virt::seconds_text(cluster.now);
            Json conditions = Json::array();
            for (const char* type : {"PodScheduled", "Initialized", "ContainersReady", "Ready"}) {
                conditions.push_back({{"type", type},
                                      {"status", "True"},
                                      {"lastProbeTime", nullptr},
                                      {"lastTransitionTime", now}});
            }
            patch["status"]["conditions"] = std::move(conditions);
        }
        TRY(lab::virt::merge_patch(cluster, lab::virt::kPods, lab::virt::key_of(pod), patch,
                                   "status"));
        return later();
    }

    Outcome play_pod(lab::Cluster& cluster, const Json& pod) {
        if (lab::virt::annotation(pod, "kubevirt.io/domain").empty()) return done();
        if (lab::virt::is_deleting(pod)) {
            if (!is_due(pod, cluster.now, std::chrono::milliseconds(50))) return later();
            if (lab::virt::phase_of(pod) == "Running") return set_phase(cluster, pod, "Succeeded");
            kubeclient::DeleteOptions now;
            now.grace_seconds = 0;
            const auto [ns, name] = lab::virt::key_of(pod);
            TRY(cluster.api.remove("/api/v1/namespaces/" + ns + "/pods/" + name, now));
            return done();
        }
        if (lab::virt::phase_of(pod) != "Pending") return done();
        if (text(pod, {"spec", "nodeName"}).empty()) return bind(cluster, pod);
        const auto vmi = instance_of(cluster, pod);
        const bool target = !lab::virt::label(pod, "kubevirt.io/migrationJobUID").empty();
        if (target && vmi && lab::virt::has_annotation(*vmi, "sim/podhold")) return done();
        return set_phase(cluster, pod, "Running");
    }

    static Outcome write(lab::Cluster& cluster, const Json& vmi) {
        TRY(lab::virt::replace(cluster, lab::virt::kInstances, vmi));
        return later();
    }

    static Outcome start_guest(lab::Cluster& cluster, Json vmi) {
        const auto now = lab::virt::seconds_text(cluster.now);
        Json& status = vmi["status"];
        status["phase"] = "Running";
        status["phaseTransitionTimestamps"].push_back(
            {{"phase", "Running"}, {"phaseTransitionTimestamp", now}});
        status["migrationMethod"] = "LiveMigration";
        status["selinuxContext"] = "none";
        status["machine"]["type"] = "pc-q35-rhel9.4.0";
        for (const char* type : {"LiveMigratable", "StorageLiveMigratable"}) {
            status["conditions"].push_back({{"type", type},
                                            {"status", "True"},
                                            {"lastProbeTime", nullptr},
                                            {"lastTransitionTime", now}});
        }
        return write(cluster, vmi);
    }

    Outcome play_instance(lab::Cluster& cluster, const Json& vmi) {
        if (lab::virt::phase_of(vmi) == "Scheduled") return start_guest(cluster, vmi);
        if (lab::virt::phase_of(vmi) != "Running" || lab::virt::is_deleting(vmi)) return done();
        const Json* state = kubeclient::find(vmi, {"status", "migrationState"});
        if (state == nullptr) return done();
        if (kubeclient::bool_at(*state, {"completed"}).value_or(false)) return end(cluster, vmi);
        return next_step(cluster, vmi);
    }

    // From the first time it is asked on.
    bool is_due(const Json& pod, kubeclient::Instant now, lab::Duration wait) {
        const auto [due, first] = ends_.emplace(lab::virt::uid_of(pod), now + wait);
        return due->second <= now;
    }

    // The launcher that is no longer the guest's, some time after.
    Outcome end(lab::Cluster& cluster, const Json& vmi) {
        const Json& state = vmi["status"]["migrationState"];
        const bool failed = kubeclient::bool_at(state, {"failed"}).value_or(false);
        const auto name = text(state, {failed ? "targetPod" : "sourcePod"});
        const auto pod = cluster.objects.get(lab::virt::kPods, {lab::virt::key_of(vmi).ns, name});
        if (!pod || lab::virt::phase_of(*pod) != "Running") return done();
        if (!failed && lab::virt::has_annotation(vmi, "sim/keepsource")) return done();
        if (!is_due(*pod, cluster.now, std::chrono::milliseconds(200))) return later();
        return set_phase(cluster, *pod, failed ? "Failed" : "Succeeded");
    }

    static Outcome next_step(lab::Cluster& cluster, Json vmi) {
        Json& state = vmi["status"]["migrationState"];
        const auto now = lab::virt::seconds_text(cluster.now);
        const auto hold = lab::virt::annotation(vmi, "sim/hold");
        const auto fail = lab::virt::annotation(vmi, "sim/fail");
        const auto set = [&](const char* field) { return state.contains(field); };
        if (!set("targetNodeAddress")) {
            if (hold == "PreparingTarget") return done();
            state["targetNodeAddress"] = "10.0.0.2";
            state["targetDirectMigrationNodePorts"] = {{"40001", 0}, {"40002", 49152}};
        } else if (!set("startTimestamp")) {
            if (hold == "TargetReady") return done();
            state["startTimestamp"] = now;
            state["mode"] = "PreCopy";
        } else if (set("abortRequested") || !fail.empty()) {
            if (set("abortRequested") && !set("abortStatus")) {
                state["abortStatus"] = "Aborting";
                return write(cluster, vmi);
            }
            if (set("abortRequested")) state["abortStatus"] = "Succeeded";
            state["completed"] = state["failed"] = true;
            state["endTimestamp"] = now;
            state["failureReason"] = fail.empty() ? "Live migration has been aborted" : fail;
        } else if (hold == "Running") {
            return done();
        } else if (!set("targetNodeDomainDetected")) {
            state["targetNodeDomainDetected"] = true;
        } else if (!set("targetNodeDomainReadyTimestamp")) {
            state["targetNodeDomainReadyTimestamp"] = now;
        } else if (!set("endTimestamp")) {
            state["endTimestamp"] = now;
            vmi["status"]["nodeName"] = state["targetNode"];
            vmi["status"].erase("evacuationNodeName");
            vmi["metadata"]["labels"]["kubevirt.io/nodeName"] = state["targetNode"];
        } else {
            state["completed"] = true;
        }
        return write(cluster, vmi);
    }

    std::map<std::string, kubeclient::Instant> ends_{};  // by the pod's uid
};

}  // namespace lab_test
