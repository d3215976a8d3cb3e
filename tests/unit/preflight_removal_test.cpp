// Whatever one object is taken away: an answer may become unknown, never better.
#include <doctest/doctest.h>

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "kubeclient/json.hpp"
#include "preflight/judge.hpp"
#include "preflight/load.hpp"

using namespace preflight;
using kubeclient::Json;

namespace {

using Random = std::mt19937;

bool chance(Random& random, unsigned percent) {
    return random() % 100 < percent;
}

Json object(const std::string& api, const std::string& kind, const std::string& name,
            const std::string& ns = {}) {
    Json result{{"apiVersion", api}, {"kind", kind}, {"metadata", {{"name", name}}}};
    if (!ns.empty()) result["metadata"]["namespace"] = ns;
    return result;
}

// A guest that now and then has something that does not migrate.
Json guest(Random& random) {
    Json devices{{"disks", Json::array({{{"name", "root"}, {"disk", Json::object()}}})}};
    const Json pod_network =
        chance(random, 70)   ? Json{{"name", "default"}, {"masquerade", Json::object()}}
        : chance(random, 50) ? Json{{"name", "default"}, {"bridge", Json::object()}}
                             : Json{{"name", "default"}, {"binding", {{"name", "plug"}}}};
    devices["interfaces"] = Json::array({pod_network});
    if (chance(random, 20))
        devices["gpus"] = Json::array({{{"name", "g"}, {"deviceName", "vgpu"}}});
    if (chance(random, 10)) devices["hostDevices"] = Json::array({{{"deviceName", "x"}}});
    Json domain{{"devices", devices}, {"memory", {{"guest", "2Gi"}}}};
    domain["cpu"]["model"] = chance(random, 70) ? "host-model" : "Haswell";
    if (chance(random, 20)) domain["cpu"]["dedicatedCpuPlacement"] = true;
    if (chance(random, 20)) {
        domain["features"]["hyperv"]["reenlightenment"]["enabled"] = true;
    }
    Json spec{{"domain", domain}, {"architecture", "amd64"}};
    spec["networks"] = Json::array({{{"name", "default"}, {"pod", Json::object()}}});
    spec["volumes"] =
        Json::array({{{"name", "root"}, {"persistentVolumeClaim", {{"claimName", "data"}}}}});
    return spec;
}

Json node(Random& random, const std::string& name) {
    auto result = object("v1", "Node", name);
    auto& labels = result["metadata"]["labels"];
    labels = {{"kubevirt.io/schedulable", "true"}, {"kubernetes.io/arch", "amd64"}};
    if (chance(random, 70)) labels["host-model-cpu.node.kubevirt.io/Skylake"] = "true";
    if (chance(random, 70)) labels["cpu-model-migration.node.kubevirt.io/Skylake"] = "true";
    if (chance(random, 30)) labels["cpu-timer.node.kubevirt.io/tsc-frequency"] = "1";
    if (chance(random, 50)) labels["kubevirt.io/cpumanager"] = "true";
    result["status"]["conditions"] = Json::array({{{"type", "Ready"}, {"status", "True"}}});
    return result;
}

Json conditions(Random& random) {
    Json list = Json::array();
    const bool migratable = chance(random, 50);
    if (chance(random, 20)) return list;
    Json condition{{"type", "LiveMigratable"}, {"status", migratable ? "True" : "False"}};
    if (!migratable) {
        constexpr std::array reasons{"DisksNotLiveMigratable", "HostDeviceNotLiveMigratable",
                                     "CPUModeLiveMigratable", "InterfaceNotLiveMigratable",
                                     "NoTSCFrequencyNotLiveMigratable"};
        condition["reason"] = reasons[random() % reasons.size()];
    }
    list.push_back(condition);
    return list;
}

Json running(Random& random, const Json& spec, const std::string& mode) {
    auto vmi = object("kubevirt.io/v1", "VirtualMachineInstance", "web", "prod");
    vmi["metadata"]["uid"] = "vmi-uid";
    vmi["spec"] = spec;
    auto& status = vmi["status"];
    status = {{"phase", "Running"}, {"nodeName", "n1"}, {"migrationTransport", "Unix"}};
    status["conditions"] = conditions(random);
    status["volumeStatus"] = Json::array(
        {{{"name", "root"},
          {"persistentVolumeClaimInfo",
           {{"claimName", "data"}, {"accessModes", {mode}}, {"volumeMode", "Block"}}}}});
    return vmi;
}

Json launcher() {
    auto pod = object("v1", "Pod", "virt-launcher-web", "prod");
    pod["metadata"]["labels"] = {{"kubevirt.io", "virt-launcher"},
                                 {"kubevirt.io/created-by", "vmi-uid"}};
    pod["spec"] = {{"nodeName", "n1"}, {"containers", Json::array()}};
    pod["status"]["phase"] = "Running";
    return pod;
}

// 1.9 is the release whose rules are taken where the CR is not there, so that taking the CR away
// changes what is known and not what is asked.
Json kubevirt(Random& random) {
    auto cr = object("kubevirt.io/v1", "KubeVirt", "kubevirt", "kubevirt");
    auto& configuration = cr["spec"]["configuration"];
    if (chance(random, 50)) {
        configuration["network"]["binding"]["plug"]["migration"] = Json::object();
    }
    if (chance(random, 50)) {
        configuration["developerConfiguration"]["featureGates"] = {"VGPULiveMigration"};
        configuration["permittedHostDevices"]["mediatedDevices"] =
            Json::array({{{"resourceName", "vgpu"}}});
    }
    cr["status"]["observedKubeVirtVersion"] = "v1.9.0";
    return cr;
}

// One launcher and one migration at most: of these kinds files that hold one object of a namespace
// are taken to hold them all, so that the loss of a second one cannot be seen.
std::vector<Json> world(unsigned seed) {
    Random random(seed);
    const auto spec = guest(random);
    const std::string mode = chance(random, 70) ? "ReadWriteMany" : "ReadWriteOnce";
    const bool runs = chance(random, 60);
    std::vector<Json> objects{kubevirt(random), node(random, "n1"), node(random, "n2")};
    auto vm = object("kubevirt.io/v1", "VirtualMachine", "web", "prod");
    vm["spec"]["template"]["spec"] = spec;
    vm["status"]["created"] = runs;
    if (runs) {
        objects.push_back(running(random, spec, mode));
        objects.push_back(launcher());
        vm["status"]["conditions"] = objects[objects.size() - 2]["status"]["conditions"];
    }
    objects.push_back(vm);
    auto claim = object("v1", "PersistentVolumeClaim", "data", "prod");
    claim["spec"] = {{"accessModes", {mode}},
                     {"volumeMode", "Block"},
                     {"volumeName", "pv"},
                     {"storageClassName", "ceph"}};
    objects.push_back(claim);
    auto volume = object("v1", "PersistentVolume", "pv");
    volume["spec"]["csi"]["driver"] = "rbd.csi.ceph.com";
    objects.push_back(volume);
    if (runs && chance(random, 50)) {
        auto migration = object("kubevirt.io/v1", "VirtualMachineInstanceMigration", "m", "prod");
        migration["spec"]["vmiName"] = "web";
        migration["status"]["phase"] = chance(random, 50) ? "Running" : "Succeeded";
        objects.push_back(migration);
    }
    return objects;
}

// nullopt: nothing is left to judge.
std::optional<Item> judged(const std::vector<Json>& objects) {
    const Json list{{"apiVersion", "v1"}, {"kind", "List"}, {"items", objects}};
    Loader loader;
    REQUIRE(loader.add("all.json", list.dump(), Loader::Strict::yes).ok());
    const auto report = judge(loader.finish("files"), {}, {});
    if (report.items.empty()) return std::nullopt;
    REQUIRE(report.items.size() == 1);
    return report.items.front();
}

// The worst that a check says: a check with several findings passes where all of them do.
std::map<std::string, Verdict> blocking(const Item& item) {
    std::map<std::string, Verdict> worst;
    for (const auto& [check, finding] : item.checks) {
        if (check->severity != Severity::blocking) continue;
        auto& verdict = worst.try_emplace(std::string(check->id), finding.verdict).first->second;
        const bool open = finding.verdict == Verdict::fail || finding.verdict == Verdict::unknown;
        if (open && verdict != Verdict::fail) verdict = finding.verdict;
    }
    return worst;
}

void expect_no_better(const Item& whole, const Item& less) {
    if (whole.recomputed.live_migratable.status != "True") {
        CHECK(less.recomputed.live_migratable.status != "True");
    }
    if (whole.agrees.value_or(true)) CHECK(less.agrees.value_or(true));
    const auto after = blocking(less);
    for (const auto& [id, verdict] : blocking(whole)) {
        if (verdict != Verdict::fail && verdict != Verdict::unknown) continue;
        CAPTURE(id);
        CHECK(to_string(after.at(id)) != "pass");
    }
}

bool is_vmi(const Json& object) {
    return object["kind"] == "VirtualMachineInstance";
}
bool is_other(const Json& object) {
    return !is_vmi(object);
}

// Without its VMI a VM that runs is judged by its template, and that says so: it never passes.
void expect_open(const Item& whole, const Item& less) {
    CHECK(to_string(less.verdict) != "pass");
    if (whole.agrees.value_or(true)) CHECK(less.agrees.value_or(true));
}

// How many pairs were compared.
int take_away_each(bool (*meant)(const Json&), void (*expect)(const Item&, const Item&)) {
    int compared = 0;
    for (unsigned seed = 0; seed < 300; ++seed) {
        const auto objects = world(seed);
        const auto whole = judged(objects);
        REQUIRE(whole);
        for (std::size_t at = 0; at < objects.size(); ++at) {
            if (!meant(objects[at])) continue;
            auto rest = objects;
            rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(at));
            const auto less = judged(rest);
            if (!less) continue;
            CAPTURE(seed);
            CAPTURE(objects[at].dump());
            expect(*whole, *less);
            ++compared;
        }
    }
    return compared;
}

}  // namespace

TEST_CASE("no object around a VM can be taken away to make an answer better") {
    CHECK(take_away_each(is_other, expect_no_better) > 1500);
}

TEST_CASE("a VM that runs never passes without its VMI") {
    CHECK(take_away_each(is_vmi, expect_open) > 100);
}
