// A world with three nodes, KubeVirt's control plane, and everything below it played.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "kubeclient/json.hpp"
#include "lab/controllers/virt_api.hpp"
#include "lab/controllers/virt_controllers.hpp"
#include "lab/world.hpp"
#include "lab_fake_node_side.hpp"

namespace lab_test {

struct VirtWorld {
    lab::World world{{.seed = 1, .start = *kubeclient::parse_time("2026-11-21T04:00:00Z")}};
    lab::User admin{"admin", {"system:masters", "system:authenticated"}};
    std::unique_ptr<lab::Extension> virt_api;

    explicit VirtWorld(Json configuration = Json::object())
        : virt_api(lab::make_virt_api(world.server(), world.objects(), admin,
                                      [this] { return world.now(); })) {
        world.server().extend(*virt_api);
        for (const char* ns : {"prod", "kubevirt"}) {
            world.server().seed(
                {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", ns}}}});
        }
        world.server().seed({{"apiVersion", "kubevirt.io/v1"},
                             {"kind", "KubeVirt"},
                             {"metadata", {{"name", "kubevirt"}, {"namespace", "kubevirt"}}},
                             {"spec", {{"configuration", std::move(configuration)}}}});
        for (const char* node : {"node-a", "node-b", "node-c"}) seed_node(node);
        const lab::User user{std::string(lab::kVirtControllerUser), admin.groups};
        world.add(lab::make_vm_controller(), user);
        world.add(lab::make_vmi_controller(), user);
        world.add(lab::make_migration_controller(), user);
        world.add(lab::make_evacuation_controller(), user);
        world.add(lab::make_node_controller(), user);
        world.add(std::make_unique<FakeNodeSide>(),
                  {"system:serviceaccount:kubevirt:kubevirt-handler", admin.groups});
        world.settle();
    }

    void seed_node(const std::string& name) {
        Json labels{{"kubernetes.io/hostname", name}, {"kubernetes.io/arch", "amd64"}};
        for (const char* key :
             {"kubevirt.io/schedulable", "machine-type.node.kubevirt.io/q35",
              "machine-type.node.kubevirt.io/pc-q35-rhel9.4.0", "cpu-vendor.node.kubevirt.io/Intel",
              "host-model-cpu.node.kubevirt.io/Skylake",
              "cpu-model-migration.node.kubevirt.io/Skylake",
              "host-model-required-features.node.kubevirt.io/vmx",
              "cpu-feature.node.kubevirt.io/vmx"}) {
            labels[key] = "true";
        }
        world.server().seed({{"apiVersion", "v1"},
                             {"kind", "Node"},
                             {"metadata", {{"name", name}, {"labels", std::move(labels)}}}});
    }

    void run(std::chrono::milliseconds time) { world.advance(time); }

    Json object(const lab::ResourceId& resource, const std::string& name,
                const std::string& ns = "prod") {
        const auto found = world.objects().get(resource, {ns, name});
        return found ? *found : Json();
    }
    Json vmi(const std::string& name) { return object(lab::virt::kInstances, name); }
    Json vmim(const std::string& name) { return object(lab::virt::kMigrations, name); }
    std::string phase(const std::string& vmim_name) { return lab::virt::phase_of(vmim(vmim_name)); }

    int send(kubeclient::Method method, const std::string& path, const Json& body = nullptr) {
        kubeclient::Request request;
        request.method = method;
        request.path = path;
        request.content_type = method == kubeclient::Method::patch ? "application/merge-patch+json"
                                                                   : "application/json";
        if (!body.is_null()) request.body = body.dump();
        const int status = world.server().handle(admin, request).status;
        world.settle();
        return status;
    }
    static std::string path(const std::string& plural, const std::string& name = "") {
        return "/apis/kubevirt.io/v1/namespaces/prod/" + plural + (name.empty() ? "" : "/" + name);
    }

    int start_vm(const std::string& name, const Json& annotations = Json::object(),
                 const std::string& strategy = "Always") {
        Json domain{
            {"cpu", {{"cores", 1}}}, {"memory", {{"guest", "1Gi"}}}, {"devices", Json::object()}};
        Json spec{{"architecture", "amd64"},
                  {"evictionStrategy", "LiveMigrate"},
                  {"terminationGracePeriodSeconds", 5},
                  {"domain", std::move(domain)}};
        const int status =
            send(kubeclient::Method::post, path("virtualmachines"),
                 {{"apiVersion", "kubevirt.io/v1"},
                  {"kind", "VirtualMachine"},
                  {"metadata", {{"name", name}, {"namespace", "prod"}}},
                  {"spec",
                   {{"runStrategy", strategy},
                    {"template",
                     {{"metadata", {{"annotations", annotations}}}, {"spec", std::move(spec)}}}}}});
        run(std::chrono::seconds(1));
        return status;
    }

    int migrate(const std::string& name, const std::string& vmi_name,
                const Json& annotations = Json::object(), const Json& selector = nullptr) {
        Json spec{{"vmiName", vmi_name}};
        if (!selector.is_null()) spec["addedNodeSelector"] = selector;
        return send(
            kubeclient::Method::post, path("virtualmachineinstancemigrations"),
            {{"apiVersion", "kubevirt.io/v1"},
             {"kind", "VirtualMachineInstanceMigration"},
             {"metadata", {{"name", name}, {"namespace", "prod"}, {"annotations", annotations}}},
             {"spec", std::move(spec)}});
    }
    int remove_migration(const std::string& name) {
        return send(kubeclient::Method::del, path("virtualmachineinstancemigrations", name));
    }
    int annotate_vmi(const std::string& name, const Json& annotations) {
        return send(kubeclient::Method::patch, path("virtualmachineinstances", name),
                    {{"metadata", {{"annotations", annotations}}}});
    }

    // "Warning FailedMigration: …" of one object, oldest first.
    std::vector<std::string> events(const std::string& kind, const std::string& name) {
        std::vector<std::pair<std::string, std::string>> found;
        for (const auto& [key, event] : world.objects().all({"", "events"})) {
            if (text(*event, {"involvedObject", "kind"}) != kind ||
                text(*event, {"involvedObject", "name"}) != name) {
                continue;
            }
            found.emplace_back(key.name, text(*event, {"type"}) + " " + text(*event, {"reason"}) +
                                             ": " + text(*event, {"message"}));
        }
        std::sort(found.begin(), found.end());
        std::vector<std::string> lines;
        for (auto& [name_of_event, line] : found) lines.push_back(std::move(line));
        return lines;
    }
    bool told(const std::string& kind, const std::string& name, const std::string& line) {
        const auto all = events(kind, name);
        return std::find(all.begin(), all.end(), line) != all.end();
    }
    std::vector<std::string> phases(const std::string& vmim_name) {
        std::vector<std::string> passed;
        const Json migration = vmim(vmim_name);
        for (const Json& one :
             kubeclient::items_at(migration, {"status", "phaseTransitionTimestamps"})) {
            passed.push_back(text(one, {"phase"}));
        }
        return passed;
    }
    std::vector<lab::Object> launchers(const std::string& vmi_name) {
        return lab::virt::launchers(world.objects(), vmi(vmi_name));
    }
};

}  // namespace lab_test
