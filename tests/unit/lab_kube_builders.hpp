// Valid Kubernetes objects for tests of the lab's controllers, and a world to put them in.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "lab/controllers/kube_objects.hpp"
#include "lab/world.hpp"

namespace lab_test {

using lab::Json;
using lab::kube::text;

inline kubeclient::Instant start() {
    return kubeclient::parse_time("2026-11-21T00:00:00Z").value();
}

inline Json node(const std::string& name) {
    return {{"apiVersion", "v1"},
            {"kind", "Node"},
            {"metadata", {{"name", name}, {"labels", {{"kubernetes.io/hostname", name}}}}},
            {"spec", Json::object()},
            {"status",
             {{"allocatable", {{"cpu", "4"}, {"memory", "8Gi"}, {"pods", "110"}}},
              {"conditions",
               {{{"type", "Ready"},
                 {"status", "True"},
                 {"lastHeartbeatTime", "2026-11-21T00:00:00Z"},
                 {"lastTransitionTime", "2026-11-21T00:00:00Z"}}}}}}};
}

inline Json pod(const std::string& name, const std::string& node = "") {
    Json pod{{"apiVersion", "v1"},
             {"kind", "Pod"},
             {"metadata", {{"name", name}, {"namespace", "default"}}},
             {"spec",
              {{"containers",
                {{{"name", "c"},
                  {"image", "x"},
                  {"resources", {{"requests", {{"cpu", "1"}, {"memory", "1Gi"}}}}}}}}}},
             {"status", {{"phase", "Pending"}}}};
    pod["spec"]["terminationGracePeriodSeconds"] = 30;
    if (node.empty()) return pod;
    pod["spec"]["nodeName"] = node;
    pod["status"] = {{"phase", "Running"},
                     {"conditions",
                      {{{"type", "Ready"},
                        {"status", "True"},
                        {"lastTransitionTime", "2026-11-21T00:00:00Z"}}}}};
    return pod;
}

inline Json claim(const std::string& name, const std::string& volume) {
    return {{"apiVersion", "v1"},
            {"kind", "PersistentVolumeClaim"},
            {"metadata",
             {{"name", name},
              {"namespace", "default"},
              {"annotations", {{"pv.kubernetes.io/bind-completed", "yes"}}}}},
            {"spec",
             {{"accessModes", {"ReadWriteOnce"}},
              {"resources", {{"requests", {{"storage", "1Gi"}}}}},
              {"volumeName", volume}}},
            {"status", {{"phase", "Bound"}}}};
}

inline Json volume(const std::string& name, const std::string& claim) {
    return {{"apiVersion", "v1"},
            {"kind", "PersistentVolume"},
            {"metadata", {{"name", name}}},
            {"spec",
             {{"accessModes", {"ReadWriteOnce"}},
              {"capacity", {{"storage", "1Gi"}}},
              {"csi", {{"driver", "csi.example.com"}, {"volumeHandle", "handle-" + name}}},
              {"claimRef", {{"namespace", "default"}, {"name", claim}}}}},
            {"status", {{"phase", "Bound"}}}};
}

inline Json with_claim(Json pod, const std::string& claim) {
    pod["spec"]["volumes"] = {
        {{"name", "disk"}, {"persistentVolumeClaim", {{"claimName", claim}}}}};
    return pod;
}

struct KubeWorld {
    lab::World world{{1, start()}};
    std::unique_ptr<kubeclient::Transport> transport =
        lab::transport_as(world.server(), {"admin", {"system:masters"}});
    kubeclient::Api api{*transport};

    template <class Controller, class... Arguments>
    void add(Arguments&&... arguments) {
        world.add(std::make_unique<Controller>(std::forward<Arguments>(arguments)...),
                  {"system:test", {"system:masters"}});
    }
    void seed(Json object) { world.server().seed(std::move(object)); }

    Json get(const lab::ResourceId& resource, const std::string& name,
             const std::string& ns = "default") {
        const bool cluster_wide =
            resource == lab::kube::kNodes || resource == lab::kube::kVolumes ||
            resource == lab::kube::kNamespaces || resource == lab::kube::kAttachments;
        const auto object = world.objects().get(resource, {cluster_wide ? "" : ns, name});
        return object ? *object : Json();
    }
    std::string node_of(const std::string& name) {
        return text(get(lab::kube::kPods, name), {"spec", "nodeName"});
    }
    // "reason: message", oldest first.
    std::vector<std::string> events() {
        std::vector<std::pair<std::uint64_t, std::string>> found;
        for (const auto& [key, event] : world.objects().all({"", "events"})) {
            found.emplace_back(std::stoull(text(*event, {"metadata", "resourceVersion"})),
                               text(*event, {"reason"}) + ": " + text(*event, {"message"}));
        }
        std::sort(found.begin(), found.end());
        std::vector<std::string> texts;
        for (auto& [revision, told] : found) texts.push_back(std::move(told));
        return texts;
    }
    void patch(const lab::ResourceId& resource, const lab::ObjectKey& key, const Json& patch,
               const std::string& subresource = "") {
        const auto path = lab::kube::path(resource, key, subresource).value();
        const auto done =
            api.patch(path, kubeclient::PatchKind::merge, patch, kubeclient::DryRun::none);
        if (!done.ok()) throw std::runtime_error(done.error().message);
    }
    void remove(const lab::ResourceId& resource, const lab::ObjectKey& key,
                const kubeclient::DeleteOptions& options = {}) {
        const auto done = api.remove(lab::kube::path(resource, key).value(), options);
        if (!done.ok()) throw std::runtime_error(done.error().message);
    }
};

}  // namespace lab_test
