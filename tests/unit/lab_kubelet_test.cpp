#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "kubeclient/api.hpp"
#include "lab/controllers/kubelet.hpp"
#include "lab/controllers/kubelet_writes.hpp"
#include "lab/world.hpp"
#include "lab_traces.hpp"

using namespace std::chrono_literals;
using kubeclient::Json;
using kubeclient::text_at;

namespace {

const lab::ResourceId kPodResource{"", "pods"};
const lab::ResourceId kNodeResource{"", "nodes"};

Json pod(const std::string& name, const std::string& node) {
    return {
        {"apiVersion", "v1"},
        {"kind", "Pod"},
        {"metadata",
         {{"name", name}, {"namespace", "prod"}, {"labels", {{"kubevirt.io", "virt-launcher"}}}}},
        {"spec",
         {{"nodeName", node},
          {"terminationGracePeriodSeconds", 30},
          {"containers", {{{"name", "compute"}, {"image", "quay.io/launcher:v1"}}}}}},
        {"status", {{"phase", "Pending"}}}};
}

Json node(const std::string& name) {
    return {{"apiVersion", "v1"}, {"kind", "Node"}, {"metadata", {{"name", name}}}};
}

// node-a and node-b with a kubelet each.
struct Site {
    lab::World world{{1, kubeclient::parse_time("2026-11-21T04:45:50Z").value()}};
    lab::Hardware hardware{[this] { return world.now(); }};
    std::unique_ptr<kubeclient::Transport> transport =
        lab::transport_as(world.server(), {"alice", {"system:masters"}});
    kubeclient::Api api{*transport};

    Site() {
        world.server().seed(node("node-a"));
        world.server().seed(node("node-b"));
        world.add(std::make_unique<lab::Kubelet>(hardware), {"kubelet", {"system:nodes"}});
        world.settle();
    }
    lab::Object get(const std::string& name) {
        return world.objects().get(kPodResource, {"prod", name});
    }
    std::string phase(const std::string& name) {
        const lab::Object found = get(name);
        return found ? text_at(*found, {"status", "phase"}).value_or("") : "gone";
    }
    std::string uid(const std::string& name) { return *text_at(*get(name), {"metadata", "uid"}); }
    void remove(const std::string& name, std::optional<int> grace = std::nullopt) {
        kubeclient::DeleteOptions options;
        options.grace_seconds = grace;
        const auto done = api.remove("/api/v1/namespaces/prod/pods/" + name, options);
        INFO((done.ok() ? std::string() : done.error().message));
        REQUIRE(done.ok());
    }
    // A launcher that runs with a guest that writes to "disk".
    void run(const std::string& name, const std::string& on) {
        world.server().seed(pod(name, on));
        world.settle();
        REQUIRE(phase(name) == "Running");
        hardware.start_guest(uid(name), {"disk"});
    }
};

}  // namespace

TEST_CASE("a bound pod runs, with what KubeVirt reads of it") {
    Site site;
    site.run("a", "node-a");
    const Json& status = site.get("a")->at("status");
    CHECK(status.at("podIPs").at(0).at("ip") == status.at("podIP"));
    CHECK(status.at("conditions").size() == 4);
    const Json& compute = status.at("containerStatuses").at(0);
    CHECK(compute.at("name") == "compute");
    CHECK(compute.at("ready") == true);
    CHECK(text_at(compute, {"imageID"})->starts_with("quay.io/launcher@sha256:"));
    CHECK(site.hardware.launcher(site.uid("a"))->node == "node-a");
}

TEST_CASE("a kubelet writes what was written in the recorded scenes when a pod started") {
    for (const auto& file : lab_test::trace_files()) {
        INFO("scene " << file.filename().string());
        for (const Json& line : lab_test::trace_lines(file)) {
            if (line.value("kind", "") != "NodeWrite" || line.at("method") != "PATCH") continue;
            const Json& status = line.at("request").at("status");
            if (status.at("phase") != "Running") {
                CHECK(status.size() == 1);
                continue;
            }
            Json ours = lab::running_status(pod("a", "node-a"), *text_at(status, {"podIP"}),
                                            lab::Instant{});
            CHECK(ours.erase("containerStatuses") == 1);
            CHECK(lab_test::without_times(ours) == lab_test::without_times(status));
        }
    }
}

TEST_CASE("a deleted pod ends its guest, says so, and goes") {
    Site site;
    site.run("a", "node-a");
    const std::string uid = site.uid("a");
    const auto before = site.world.objects().revision();
    site.remove("a");
    site.world.settle();
    CHECK(site.phase("a") == "gone");
    CHECK(site.hardware.launcher(uid)->exit_code == 0);
    CHECK(site.hardware.ledger().writings().at(0).until.has_value());
    std::vector<std::string> phases;
    const auto history = site.world.objects().since(before);
    REQUIRE(history);
    for (const lab::Change& change : *history) {
        if (change.resource == kPodResource) {
            phases.push_back(text_at(*change.object, {"status", "phase"}).value_or(""));
        }
    }
    REQUIRE(phases.size() >= 2);
    CHECK(phases.front() == "Running");
    CHECK(phases.back() == "Succeeded");
    const Json& ended = history->back().object->at("status").at("containerStatuses").at(0);
    CHECK(ended.at("ready") == false);
    CHECK(ended.at("state").at("terminated").at("reason") == "Completed");
}

TEST_CASE("a pod that never started goes without having ended") {
    Site site;
    site.hardware.stop_kubelet("node-a");
    site.world.server().seed(pod("a", "node-a"));
    site.world.settle();
    CHECK(site.phase("a") == "Pending");
    site.remove("a");
    site.world.advance(1min);
    CHECK(site.phase("a") == "Pending");
    site.hardware.start_kubelet("node-a");
    site.world.advance(2s);
    CHECK(site.phase("a") == "gone");
}

TEST_CASE("a pod waits for the volumes that a CSI driver has to attach") {
    Site site;
    auto& server = site.world.server();
    server.seed({{"apiVersion", "storage.k8s.io/v1"},
                 {"kind", "CSIDriver"},
                 {"metadata", {{"name", "csi.example"}}},
                 {"spec", {{"attachRequired", true}}}});
    server.seed({{"apiVersion", "v1"},
                 {"kind", "PersistentVolume"},
                 {"metadata", {{"name", "pv"}}},
                 {"spec", {{"csi", {{"driver", "csi.example"}, {"volumeHandle", "h"}}}}}});
    server.seed({{"apiVersion", "v1"},
                 {"kind", "PersistentVolumeClaim"},
                 {"metadata", {{"name", "claim"}, {"namespace", "prod"}}},
                 {"spec", {{"volumeName", "pv"}}}});
    Json waiting = pod("a", "node-a");
    waiting["spec"]["volumes"] = {
        {{"name", "d"}, {"persistentVolumeClaim", {{"claimName", "claim"}}}}};
    server.seed(waiting);
    site.world.advance(1min);
    CHECK(site.phase("a") == "Pending");
    Json attachment{{"apiVersion", "storage.k8s.io/v1"},
                    {"kind", "VolumeAttachment"},
                    {"metadata", {{"name", "va"}}},
                    {"spec",
                     {{"attacher", "csi.example"},
                      {"nodeName", "node-b"},
                      {"source", {{"persistentVolumeName", "pv"}}}}},
                    {"status", {{"attached", true}}}};
    server.seed(attachment);
    site.world.advance(1min);
    CHECK(site.phase("a") == "Pending");
    attachment["metadata"]["name"] = "va2";
    attachment["spec"]["nodeName"] = "node-a";
    server.seed(attachment);
    site.world.advance(2s);
    CHECK(site.phase("a") == "Running");
}

TEST_CASE("a node says Ready and renews its Lease until it loses power") {
    Site site;
    const auto renewed = [&] {
        return *text_at(*site.world.objects().get({"coordination.k8s.io", "leases"},
                                                  {"kube-node-lease", "node-a"}),
                        {"spec", "renewTime"});
    };
    const std::string first = renewed();
    site.world.advance(10s);
    const std::string second = renewed();
    CHECK(second > first);
    site.hardware.power_off("node-a");
    site.world.advance(1min);
    CHECK(renewed() == second);
    const auto boot = [&] {
        return text_at(*site.world.objects().get(kNodeResource, {"", "node-a"}),
                       {"status", "nodeInfo", "bootID"});
    };
    const auto before = boot();
    site.hardware.power_on("node-a");
    site.world.advance(2s);
    CHECK(renewed() > second);
    CHECK(boot() != before);
}

TEST_CASE("what ran before a power cut has failed when the node is back") {
    Site site;
    site.run("a", "node-a");
    site.hardware.power_off("node-a");
    site.world.advance(5min);
    CHECK(site.phase("a") == "Running");
    site.hardware.power_on("node-a");
    site.world.advance(10s);
    CHECK(site.phase("a") == "Failed");
}

TEST_CASE("a pod deleted by force behind the back of its node runs on until the node is back") {
    Site site;
    site.run("a", "node-a");
    const std::string uid = site.uid("a");
    site.hardware.isolate("node-a");
    site.remove("a", 0);
    site.run("b", "node-b");
    site.world.advance(10min);
    CHECK(site.phase("a") == "gone");
    CHECK_FALSE(site.hardware.launcher(uid)->exit_code);
    REQUIRE(site.hardware.ledger().two_writers().size() == 1);
    CHECK_FALSE(site.hardware.ledger().two_writers().at(0).until);
    site.hardware.rejoin("node-a");
    site.world.advance(2s);
    CHECK(site.hardware.launcher(uid)->exit_code == 0);
    CHECK(site.hardware.ledger().two_writers().at(0).until);
}

TEST_CASE("a launcher that dies is noticed") {
    Site site;
    site.run("a", "node-a");
    site.hardware.end_launcher(site.uid("a"), 1);
    site.world.advance(10s);
    CHECK(site.phase("a") == "Failed");
}
