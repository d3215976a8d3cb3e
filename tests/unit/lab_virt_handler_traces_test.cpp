// Every write of the recorded scenes' virt-handler, one by one: from the VMI as it was before, and
// the machines in the matching state, ours writes the same fields.
#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "kubeclient/api.hpp"
#include "lab/api/api_server.hpp"
#include "lab/controllers/virt_handler.hpp"
#include "lab_traces.hpp"

namespace {

using kubeclient::Json;
using lab_test::without_times;

std::string text(const Json& json) {
    return json.get<std::string>();
}
std::string name_of(const Json& object) {
    return text(object.at("metadata").at("name"));
}

const lab::ResourceId kVmiResource{"kubevirt.io", "virtualmachineinstances"};

struct Silent final : lab::EventRecorder {
    void record(const Json&, std::string_view, std::string_view, const std::string&) override {}
};

// What the recordings left out of the watched objects; the writes have it.
const std::vector<const char*> kTrimmed{"currentCPUTopology",
                                        "guestOSInfo",
                                        "interfaces",
                                        "launcherContainerImageVersion",
                                        "memory",
                                        "migrationTransport",
                                        "phaseTransitionTimestamps",
                                        "qosClass",
                                        "runtimeUser",
                                        "virtualMachineRevisionName",
                                        "volumeStatus"};
// Written by virt-handler itself with the phase Running.
const std::vector<const char*> kOwn{"machine", "selinuxContext"};

struct Scene {
    std::map<std::string, Json> vmis{};   // by resourceVersion
    std::map<std::string, Json> pods{};   // by name, as last seen
    std::map<std::string, Json> specs{};  // of VMs' templates, by name

    void see(const Json& line) {
        const std::string kind = line.value("kind", std::string());
        if (kind == "VirtualMachineInstance") {
            const Json& metadata = line.at("object").at("metadata");
            vmis[text(metadata.at("resourceVersion"))] = line.at("object");
        } else if (kind == "Pod") {
            const std::string name = name_of(line.at("object"));
            if (line.at("event") == "DELETED") {
                pods.erase(name);
            } else {
                pods[name] = line.at("object");
            }
        } else if (kind == "Action" && line.at("method") == "POST" &&
                   line.at("path").get<std::string>().ends_with("/virtualmachines")) {
            const Json& vm = line.at("request");
            specs[name_of(vm)] = vm.at("spec").at("template").at("spec");
        }
    }

    Json before(const Json& written) const {
        Json vmi = vmis.at(text(written.at("metadata").at("resourceVersion")));
        vmi["apiVersion"] = "kubevirt.io/v1";
        vmi["kind"] = "VirtualMachineInstance";
        vmi["spec"] = specs.at(name_of(vmi));
        const Json& status = written.at("status");
        for (const char* field : kTrimmed) {
            if (status.contains(field)) vmi["status"][field] = status.at(field);
        }
        for (const char* field : kOwn) {
            if (vmi.at("status").at("phase") == "Running") vmi["status"][field] = status.at(field);
        }
        return vmi;
    }
};

struct Node {
    lab::Store store{};
    kubeclient::Instant now = kubeclient::parse_time("2026-11-21T04:45:50Z").value();
    lab::ApiServer server{store, [this] { return now; }};
    std::unique_ptr<kubeclient::Transport> transport = lab::transport_as(server, {"handler", {}});
    kubeclient::Api api{*transport};
    Silent events{};
    lab::Hardware hardware{[this] { return now; }};
    lab::VirtHandler handler{hardware};

    explicit Node(const Json& vmi, const Scene& scene) {
        for (const char* name : {"node-a", "node-b", "node-c"}) hardware.add_machine(name);
        server.seed(vmi);
        for (auto [name, pod] : scene.pods) {
            pod["apiVersion"] = "v1";
            pod["kind"] = "Pod";
            pod["spec"]["containers"] = {{{"name", "compute"}, {"image", "launcher"}}};
            server.seed(pod);
        }
    }

    std::string uid(const Json& state, const char* side, const Scene& scene) const {
        const auto pod = scene.pods.find(text(state.at(side)));
        return pod == scene.pods.end() ? "" : text(pod->second.at("metadata").at("uid"));
    }

    // The machines as they must have been for the write to come next.
    void prepare(const Json& vmi, const Json& written, const Scene& scene) {
        const Json& status = vmi.at("status");
        for (const auto& [name, pod] : scene.pods) {
            const std::string pod_uid = text(pod.at("metadata").at("uid"));
            if (!pod.at("spec").contains("nodeName")) continue;
            hardware.start_launcher(pod_uid, "prod/vmi", text(pod.at("spec").at("nodeName")));
            const std::string phase = text(pod.at("status").at("phase"));
            if (phase == "Succeeded" || phase == "Failed") hardware.end_launcher(pod_uid, 1);
        }
        const Json state = status.value("migrationState", Json::object());
        if (!state.contains("targetNode")) return;
        const std::string source = uid(state, "sourcePod", scene);
        const std::string target = uid(state, "targetPod", scene);
        hardware.start_guest(source, {"disk"});
        if (!state.contains("targetNodeAddress")) return;
        hardware.expect_guest(target, {"disk"});
        if (!state.contains("startTimestamp")) return;
        lab::JobScript script{lab::Duration(0), "", state.value("abortRequested", false)};
        if (!script.never_ends && written.at("status").contains("migrationState")) {
            script.failure = written["status"]["migrationState"].value("failureReason", "");
        }
        if (state.value("completed", false)) return;
        hardware.migrate(text(state.at("migrationUid")), source, target, {}, script);
    }

    Json written(const std::string& name) {
        lab::Cluster cluster{store, api, events, now, [] { return std::string("abcde"); }};
        const auto done = handler.sync({kVmiResource, {"prod", name}}, cluster);
        INFO((done.ok() ? std::string() : done.error().message));
        CHECK(done.ok());
        return *store.get(kVmiResource, {"prod", name});
    }
};

// The scenes' script declared VMs unmigratable at will; ours has a knob for that.
void turn_knob(Json& vmi, const Json& written) {
    for (const Json& condition : written.at("status").at("conditions")) {
        if (condition.at("type") != "LiveMigratable" || condition.at("status") != "False") continue;
        vmi["metadata"]["annotations"]["sim/unmigratable"] =
            condition.at("reason").get<std::string>() + ": " +
            condition.at("message").get<std::string>();
    }
}

void check(const Json& line, const Scene& scene) {
    const Json& request = line.at("request");
    const std::string name = name_of(request);
    Json vmi = scene.before(request);
    turn_knob(vmi, request);
    INFO("at " << line.at("t").dump() << " of " << name);
    Node node(vmi, scene);
    node.prepare(vmi, request, scene);
    const Json written = node.written(name);
    CHECK(without_times(written.at("status")) == without_times(request.at("status")));
    CHECK(written.at("metadata").at("labels") == request.at("metadata").at("labels"));
}

}  // namespace

TEST_CASE("virt-handler writes what it wrote in the recorded scenes, write by write") {
    const auto files = lab_test::trace_files();
    int writes = 0;
    for (const auto& file : files) {
        INFO("scene " << file.filename().string());
        Scene scene;
        for (const Json& line : lab_test::trace_lines(file)) {
            if (line.value("kind", "") == "NodeWrite" && line.at("method") == "PUT") {
                check(line, scene);
                ++writes;
            }
            scene.see(line);
        }
    }
    if (!files.empty()) CHECK(writes > 100);
}
