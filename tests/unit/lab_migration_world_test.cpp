// Migrations from the create to the end, with virt-controller, kubelets and virt-handlers on
// machines that fail: what the API says, and what really runs and writes.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "kubeclient/api.hpp"
#include "lab/controllers/kubelet.hpp"
#include "lab/controllers/node_endpoints.hpp"
#include "lab/controllers/virt_api.hpp"
#include "lab/controllers/virt_controllers.hpp"
#include "lab/controllers/virt_handler.hpp"
#include "lab/world.hpp"

using namespace std::chrono_literals;
using kubeclient::Json;
using kubeclient::text_at;

namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;
const lab::ResourceId kVmiResource{"kubevirt.io", "virtualmachineinstances"};
const lab::ResourceId kMigrationResource{"kubevirt.io", "virtualmachineinstancemigrations"};
const lab::ResourceId kPodResource{"", "pods"};
const std::string kMigrations =
    "/apis/kubevirt.io/v1/namespaces/prod/virtualmachineinstancemigrations";

// Stands for the scheduler: a migration's target goes to node-b, all else to node-a.
class Binder final : public lab::Controller {
public:
    std::string_view name() const override { return "binder"; }
    std::vector<lab::WorkItem> concerned(const lab::Change& change,
                                         const lab::Store&) const override {
        if (change.resource != kPodResource) return {};
        return {{change.resource, change.key}};
    }
    kubeclient::Result<std::optional<lab::Duration>> sync(const lab::WorkItem& item,
                                                          lab::Cluster& cluster) override {
        const lab::Object pod = cluster.objects.get(item.resource, item.key);
        if (!pod || text_at(*pod, {"spec", "nodeName"})) return std::optional<lab::Duration>();
        const bool target =
            text_at(*pod, {"metadata", "labels", "kubevirt.io/migrationJobUID"}).has_value();
        const Json binding{{"apiVersion", "v1"},
                           {"kind", "Binding"},
                           {"metadata", {{"name", item.key.name}, {"namespace", "prod"}}},
                           {"target", {{"kind", "Node"}, {"name", target ? "node-b" : "node-a"}}}};
        TRY(cluster.api.create("/api/v1/namespaces/prod/pods/" + item.key.name + "/binding",
                               binding, kubeclient::DryRun::none));
        return std::optional<lab::Duration>();
    }
};

Json machine(const Json& annotations) {
    return {{"apiVersion", "kubevirt.io/v1"},
            {"kind", "VirtualMachine"},
            {"metadata", {{"name", "a"}, {"namespace", "prod"}}},
            {"spec",
             {{"runStrategy", "Always"},
              {"template",
               {{"metadata", {{"annotations", annotations}}},
                {"spec",
                 {{"architecture", "amd64"},
                  {"evictionStrategy", "LiveMigrate"},
                  {"domain",
                   {{"cpu", {{"cores", 1}}},
                    {"memory", {{"guest", "8Gi"}}},
                    {"devices",
                     {{"disks", {{{"name", "d0"}, {"disk", {{"bus", "virtio"}}}}}},
                      {"interfaces", {{{"name", "default"}, {"masquerade", Json::object()}}}}}}}},
                  {"networks", {{{"name", "default"}, {"pod", Json::object()}}}},
                  {"volumes",
                   {{{"name", "d0"}, {"persistentVolumeClaim", {{"claimName", "a-pvc"}}}}}}}}}}}}};
}

struct Site {
    lab::World world{{1, kubeclient::parse_time("2026-11-21T04:45:50Z").value()}};
    lab::Hardware hardware{[this] { return world.now(); }};
    std::unique_ptr<kubeclient::Transport> transport =
        lab::transport_as(world.server(), {"alice", {"system:masters"}});
    kubeclient::Api api{*transport};
    std::unique_ptr<lab::Extension> virt_api = lab::make_virt_api(
        world.server(), world.objects(), {"virt-api", {}}, [this] { return world.now(); });
    lab::NodeEndpoints endpoints{world.objects(), hardware, [this] { return world.now(); }};

    // The VM runs on node-a, its 8 GiB are moved in 6.9 s.
    explicit Site(const Json& annotations = Json::object(),
                  const Json& migrations = Json::object()) {
        seed_cluster(migrations);
        world.server().extend(*virt_api);
        world.server().extend(endpoints);
        const lab::User controller{std::string(lab::kVirtControllerUser), {}};
        world.add(lab::make_vm_controller(), controller);
        world.add(lab::make_vmi_controller(), controller);
        world.add(lab::make_migration_controller(), controller);
        world.add(lab::make_node_controller(), controller);
        world.add(std::make_unique<Binder>(), {"binder", {}});
        world.add(std::make_unique<lab::Kubelet>(hardware), {"kubelet", {"system:nodes"}});
        world.add(std::make_unique<lab::VirtHandler>(hardware),
                  {"system:serviceaccount:kubevirt:kubevirt-handler", {}});
        create("/apis/kubevirt.io/v1/namespaces/prod/virtualmachines", machine(annotations));
        world.advance(1s);
        REQUIRE(vmi("phase") == "Running");
    }

    void seed_cluster(const Json& migrations) {
        lab::ApiServer& server = world.server();
        for (const char* name : {"node-a", "node-b"}) {
            server.seed({{"apiVersion", "v1"},
                         {"kind", "Node"},
                         {"metadata",
                          {{"name", name},
                           {"labels", {{"host-model-cpu.node.kubevirt.io/Skylake", "true"}}}}}});
        }
        server.seed(
            {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "prod"}}}});
        server.seed({{"apiVersion", "kubevirt.io/v1"},
                     {"kind", "KubeVirt"},
                     {"metadata", {{"name", "kubevirt"}, {"namespace", "kubevirt"}}},
                     {"spec", {{"configuration", {{"migrations", migrations}}}}}});
        server.seed({{"apiVersion", "v1"},
                     {"kind", "PersistentVolume"},
                     {"metadata", {{"name", "pv-a"}}},
                     {"spec", {{"csi", {{"driver", "csi.example"}, {"volumeHandle", "disk"}}}}}});
        server.seed({{"apiVersion", "v1"},
                     {"kind", "PersistentVolumeClaim"},
                     {"metadata", {{"name", "a-pvc"}, {"namespace", "prod"}}},
                     {"spec",
                      {{"accessModes", {"ReadWriteMany"}},
                       {"volumeMode", "Block"},
                       {"resources", {{"requests", {{"storage", "1Gi"}}}}},
                       {"volumeName", "pv-a"}}},
                     {"status",
                      {{"phase", "Bound"},
                       {"accessModes", {"ReadWriteMany"}},
                       {"capacity", {{"storage", "1Gi"}}}}}});
        server.seed({{"apiVersion", "v1"},
                     {"kind", "Pod"},
                     {"metadata",
                      {{"name", "virt-handler-a"},
                       {"namespace", "kubevirt"},
                       {"labels", {{"kubevirt.io", "virt-handler"}}}}},
                     {"spec",
                      {{"nodeName", "node-a"},
                       {"containers", {{{"name", "virt-handler"}, {"image", "h"}}}}}},
                     {"status", {{"phase", "Running"}}}});
    }

    void create(const std::string& path, const Json& object) {
        const auto done = api.create(path, object, kubeclient::DryRun::none);
        INFO((done.ok() ? std::string() : done.error().message));
        REQUIRE(done.ok());
    }
    void migrate() {
        create(kMigrations, {{"apiVersion", "kubevirt.io/v1"},
                             {"kind", "VirtualMachineInstanceMigration"},
                             {"metadata", {{"name", "m"}, {"namespace", "prod"}}},
                             {"spec", {{"vmiName", "a"}}}});
        world.settle();
    }
    void cancel() { REQUIRE(api.remove(kMigrations + "/m").ok()); }
    Json status() {
        const lab::Object found = world.objects().get(kVmiResource, {"prod", "a"});
        return found ? found->value("status", Json::object()) : Json::object();
    }
    std::string vmi(const char* field) { return text_at(status(), {field}).value_or(""); }
    std::string state(const char* field) {
        return text_at(status(), {"migrationState", field}).value_or("");
    }
    bool flag(const char* field) {
        return kubeclient::bool_at(status(), {"migrationState", field}).value_or(false);
    }
    std::string phase() {
        const lab::Object found = world.objects().get(kMigrationResource, {"prod", "m"});
        return found ? text_at(*found, {"status", "phase"}).value_or("") : "gone";
    }
    std::string pod_phase(const std::string& name) {
        const lab::Object found = world.objects().get(kPodResource, {"prod", name});
        return found ? text_at(*found, {"status", "phase"}).value_or("") : "gone";
    }
    std::vector<std::string> events(const std::string& reason) {
        std::vector<std::string> messages;
        for (const auto& [key, event] : world.objects().all({"", "events"})) {
            if (text_at(*event, {"reason"}) == reason) {
                messages.push_back(text_at(*event, {"message"}).value_or(""));
            }
        }
        return messages;
    }
    std::string fetch(const std::string& path, int& code) {
        kubeclient::Request request;
        request.path = path;
        const auto response = world.server().handle({"alice", {"system:masters"}}, request);
        code = response.status;
        return response.body;
    }
};

// Never converges: 2 GiB/s against 10 Gbit/s.
void write_fast(Site& site) {
    site.hardware.set_load("prod/a", {2 * kGiB, 4 * kGiB, 0});
}

}  // namespace

TEST_CASE("a migration ends on the target, with one writer all the time and no pod left over") {
    Site site;
    site.migrate();
    CHECK(site.phase() == "Running");
    CHECK(site.state("mode") == "PreCopy");
    const std::string source = site.state("sourcePod");
    site.world.advance(10s);
    CHECK(site.phase() == "Succeeded");
    CHECK(site.vmi("nodeName") == "node-b");
    CHECK(site.flag("completed"));
    CHECK_FALSE(site.flag("failed"));
    CHECK(site.pod_phase(source) == "Succeeded");
    CHECK(site.hardware.ledger().two_writers().empty());
    REQUIRE(site.hardware.ledger().writings().size() == 2);
    CHECK(site.hardware.ledger().writings()[1].node == "node-b");
    CHECK(site.hardware.ledger().writings()[1].disk == "disk");
    CHECK(site.events("Migrated") ==
          std::vector<std::string>{"The VirtualMachineInstance migrated to node node-b."});
}

TEST_CASE("progress is read from the launcher's log and the handler's metrics, and they agree") {
    Site site;
    site.migrate();
    site.world.advance(5s);
    int code = 0;
    const std::string log =
        site.fetch("/api/v1/namespaces/prod/pods/" + site.state("sourcePod") + "/log", code);
    CHECK(code == 200);
    CHECK(log.find("Migration info for " + site.state("migrationUid")) != std::string::npos);
    CHECK(log.find("MemoryProcessed:4768MiB") != std::string::npos);
    const std::string metrics = site.fetch(
        "/api/v1/namespaces/kubevirt/pods/https:virt-handler-a:8443/proxy/metrics", code);
    CHECK(code == 200);
    CHECK(metrics.find("kubevirt_vmi_migration_data_processed_bytes{name=\"a\","
                       "namespace=\"prod\",node=\"node-a\"} 6250000000 ") != std::string::npos);
    site.hardware.stop_handler("node-a");
    site.fetch("/api/v1/namespaces/kubevirt/pods/https:virt-handler-a:8443/proxy/metrics", code);
    CHECK(code == 500);
}

TEST_CASE("a guest that never converges is aborted at the completion timeout and goes on") {
    Site site;
    write_fast(site);
    site.migrate();
    site.world.advance(1350s);
    CHECK(site.phase() == "Running");
    site.world.advance(10s);
    CHECK(site.phase() == "Failed");
    CHECK(site.state("failureReason") ==
          "Live migration is not completed after 1350 seconds and has been aborted");
    CHECK(site.state("abortStatus") == "Succeeded");
    CHECK(site.vmi("nodeName") == "node-a");
    CHECK(site.pod_phase(site.state("targetPod")) == "Failed");
    CHECK_FALSE(site.hardware.ledger().lost("prod/a"));
}

TEST_CASE("post-copy is told in the mode and ends on the target") {
    Site site(Json::object(), {{"allowPostCopy", true}, {"completionTimeoutPerGiB", 5}});
    write_fast(site);
    site.migrate();
    site.world.advance(47s);
    CHECK(site.state("mode") == "PostCopy");
    site.world.advance(10s);
    CHECK(site.phase() == "Succeeded");
    CHECK(site.hardware.ledger().two_writers().empty());
}

TEST_CASE("a workload that may be disrupted is paused, then moved") {
    Site site(Json::object(), {{"allowWorkloadDisruption", true}, {"completionTimeoutPerGiB", 5}});
    write_fast(site);
    site.migrate();
    site.world.advance(47s);
    CHECK(site.state("mode") == "Paused");
    site.world.advance(20s);
    CHECK(site.phase() == "Succeeded");
    CHECK(site.hardware.ledger().pauses("prod/a").size() == 1);
}

TEST_CASE("a network cut in post-copy loses the guest, and the VMI fails") {
    Site site(Json::object(), {{"allowPostCopy", true}, {"completionTimeoutPerGiB", 5}});
    write_fast(site);
    site.migrate();
    site.world.advance(47s);
    REQUIRE(site.state("mode") == "PostCopy");
    site.hardware.cut("node-a", "node-b");
    // The VM starts the guest anew, in another VMI; KubeVirt deletes VMIMs of VMIs that are gone.
    const auto before = site.world.objects().revision();
    site.world.advance(5s);
    bool failed = false;
    const auto changes = site.world.objects().since(before).value();
    for (const auto& change : changes) {
        failed = failed || (change.resource.plural == "virtualmachineinstances" &&
                            kubeclient::text_at(*change.object, {"status", "phase"}) == "Failed");
    }
    CHECK(failed);
    CHECK(site.phase() == "gone");
    CHECK(site.hardware.ledger().lost("prod/a"));
}

TEST_CASE("a network cut in pre-copy fails the migration, and the guest goes on") {
    Site site;
    write_fast(site);
    site.migrate();
    site.hardware.cut("node-a", "node-b");
    site.world.advance(40s);
    CHECK(site.phase() == "Failed");
    CHECK(site.state("failureReason").find("Lost connection") != std::string::npos);
    CHECK(site.vmi("phase") == "Running");
    CHECK(site.vmi("nodeName") == "node-a");
}

TEST_CASE("an abort ends a running migration") {
    Site site(Json::object({{"sim/hold", "Running"}}));
    site.migrate();
    site.world.advance(5min);
    REQUIRE(site.phase() == "Running");
    site.cancel();
    site.world.advance(2s);
    CHECK(site.phase() == "gone");
    CHECK(site.state("abortStatus") == "Succeeded");
    CHECK(site.state("failureReason") == "Live migration has been aborted");
    CHECK(site.pod_phase(site.state("targetPod")) == "Failed");
    CHECK(site.vmi("phase") == "Running");
}

TEST_CASE("a handler that dies while memory is copied leaves the status behind the truth") {
    Site site;
    site.migrate();
    site.hardware.stop_handler("node-a");
    site.hardware.stop_handler("node-b");
    site.world.advance(1min);
    CHECK(site.phase() == "Running");
    CHECK(site.vmi("nodeName") == "node-a");
    CHECK(site.hardware.ledger().writings().back().node == "node-b");
    site.hardware.start_handler("node-a");
    site.hardware.start_handler("node-b");
    site.world.advance(3s);
    CHECK(site.phase() == "Succeeded");
    CHECK(site.vmi("nodeName") == "node-b");
}

TEST_CASE("a target without power fails the migration, and its pod stays") {
    Site site;
    write_fast(site);
    site.migrate();
    site.hardware.power_off("node-b");
    site.world.advance(40s);
    CHECK(site.phase() == "Failed");
    CHECK(site.vmi("phase") == "Running");
    CHECK(site.pod_phase(site.state("targetPod")) == "Running");
}

TEST_CASE("a source without power loses the guest, and the target's launcher ends") {
    Site site;
    site.migrate();
    site.hardware.power_off("node-a");
    site.world.advance(1min);
    CHECK(site.hardware.ledger().lost("prod/a"));
    CHECK(site.pod_phase(site.state("targetPod")) == "Failed");
    CHECK(site.phase() == "Failed");
}

TEST_CASE("a source whose handler is dead before the start lets the target's launcher give up") {
    Site site;
    site.hardware.stop_handler("node-a");
    site.migrate();
    CHECK(site.phase() == "TargetReady");
    const std::string target = site.state("targetPod");
    site.world.advance(239s);
    CHECK(site.phase() == "TargetReady");
    site.world.advance(131s);
    CHECK(site.pod_phase(target) == "Failed");
    CHECK(site.phase() == "Failed");
    CHECK_FALSE(site.hardware.ledger().lost("prod/a"));
}

TEST_CASE("a guest that nobody sees arrive is given up in the API while it runs on the target") {
    Site site;
    site.migrate();
    site.hardware.stop_handler("node-b");
    site.hardware.cut_from_api("node-b");
    site.world.advance(60s);
    CHECK(site.phase() == "Running");
    site.world.advance(10s);
    CHECK(site.phase() == "Failed");
    CHECK(site.hardware.ledger().writings().size() >= 2);
    CHECK(site.hardware.ledger().writings()[1].node == "node-b");
    CHECK_FALSE(site.hardware.ledger().writings()[1].until);
    CHECK(site.events("Migrated").size() == 1);
}

TEST_CASE("a kept source leaves two live launchers, but no second writer") {
    Site site(Json::object({{"sim/keepsource", "true"}}));
    site.migrate();
    site.world.advance(1min);
    CHECK(site.phase() == "Succeeded");
    CHECK(site.pod_phase(site.state("sourcePod")) == "Running");
    CHECK(site.hardware.ledger().two_writers().empty());
}
