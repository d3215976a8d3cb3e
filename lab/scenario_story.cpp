#include "lab/scenario_story.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "kubeclient/api.hpp"
#include "lab/controllers/node_knobs.hpp"

namespace lab {

using kubeclient::DryRun;
using kubeclient::text_at;

namespace {

const ResourceId kMigrations{"kubevirt.io", "virtualmachineinstancemigrations"};
const std::string kPath = "/apis/kubevirt.io/v1/namespaces/prod/virtualmachineinstancemigrations";

constexpr std::int64_t kGigabit = 125'000'000;

}  // namespace

Story::Story(Simulation& simulation)
    : simulation_(simulation),
      transport_(transport_as(simulation.world().server(),
                              {"admin", {"system:masters", "system:authenticated"}})),
      api_(*transport_) {}

void Story::begin(const ClusterSize& size, const Furnishing& furnishing) {
    furnish_and_start(simulation_, size, furnishing);
    for (int one = 1; one <= size.nodes; ++one) slow_down(node_name(one), size, kGigabit);
}

void Story::slow_down(const std::string& node, const ClusterSize& size, std::int64_t bandwidth) {
    for (int number = 1; number <= size.nodes; ++number) {
        const std::string other = node_name(number);
        if (other != node) hardware().set_link(node, other, {bandwidth});
    }
}

void Story::migrate(const std::string& vm, const std::string& migration) {
    api_.create(kPath,
                {{"apiVersion", "kubevirt.io/v1"},
                 {"kind", "VirtualMachineInstanceMigration"},
                 {"metadata", {{"name", migration}, {"namespace", kMachineNamespace}}},
                 {"spec", {{"vmiName", vm}}}},
                DryRun::none)
        .value();
}

void Story::cancel(const std::string& migration) {
    api_.remove(kPath + "/" + migration).value();
}

void Story::give_policy(const std::string& vm, const std::string& allows) {
    api_.create("/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies",
                {{"apiVersion", "migrations.kubevirt.io/v1alpha1"},
                 {"kind", "MigrationPolicy"},
                 {"metadata", {{"name", vm}}},
                 {"spec",
                  {{allows, true},
                   {"completionTimeoutPerGiB", 20},
                   {"selectors", {{"virtualMachineInstanceSelector", {{"app", vm}}}}}}}},
                DryRun::none)
        .value();
}

void Story::set_memory_quota(int mib) {
    api_.create("/api/v1/namespaces/prod/resourcequotas",
                {{"apiVersion", "v1"},
                 {"kind", "ResourceQuota"},
                 {"metadata", {{"name", "memory"}}},
                 {"spec", {{"hard", {{"requests.memory", std::to_string(mib) + "Mi"}}}}}},
                DryRun::none)
        .value();
}

void Story::cordon(const std::string& node) {
    api_.patch("/api/v1/nodes/" + node, kubeclient::PatchKind::merge,
               {{"spec", {{"unschedulable", true}}}}, DryRun::none)
        .value();
}

void Story::evict_launchers(const std::string& node) {
    std::vector<std::string> names;
    for (const auto& [key, pod] : simulation_.world().objects().all(kPods)) {
        if (is_launcher(*pod) && text_at(*pod, {"spec", "nodeName"}) == node) {
            names.push_back(key.name);
        }
    }
    for (const std::string& name : names) {
        const Json eviction{{"apiVersion", "policy/v1"},
                            {"kind", "Eviction"},
                            {"metadata", {{"name", name}, {"namespace", kMachineNamespace}}}};
        // KubeVirt refuses every one with 429, and marks the VMI.
        static_cast<void>(api_.create("/api/v1/namespaces/prod/pods/" + name + "/eviction",
                                      eviction, DryRun::none)
                              .ok());
    }
}

void Story::until(const std::function<bool()>& so, Duration patience) {
    constexpr Duration step = std::chrono::milliseconds(10);
    for (Duration waited{}; waited < patience && !so(); waited += step) {
        simulation_.world().advance(step);
    }
}

void Story::until_phase(const std::string& migration, const std::string& wanted) {
    until([&] { return phase(migration) == wanted; });
}

void Story::until_silent(const std::string& node) {
    until([&] {
        const Object object = simulation_.world().objects().get(kNodes, {"", node});
        const auto conditions = kubeclient::items_at(*object, {"status", "conditions"});
        return std::any_of(conditions.begin(), conditions.end(), [](const Json& each) {
            return text_at(each, {"type"}) == "Ready" && text_at(each, {"status"}) == "Unknown";
        });
    });
    advance(std::chrono::seconds(1));  // and what follows from it
}

void Story::until_switch_over(const std::string& migration) {
    until_phase(migration, "Running");
    const Object object =
        simulation_.world().objects().get(kMigrations, {kMachineNamespace, migration});
    const MigrationJob* job =
        simulation_.hardware().job(text_at(*object, {"metadata", "uid"}).value_or(""));
    const auto& segments = job->course.segments;
    const auto last = std::find_if(segments.begin(), segments.end(), [](const Segment& each) {
        return each.stage == Stage::switch_over;
    });
    const Instant at = job->started + last->from;
    simulation_.world().advance(at - simulation_.world().now());
}

std::string Story::phase(const std::string& migration) {
    const Object object =
        simulation_.world().objects().get(kMigrations, {kMachineNamespace, migration});
    return object ? text_at(*object, {"status", "phase"}).value_or("") : "";
}

std::string Story::target_node(const std::string& vm) {
    for (const auto& [key, pod] : simulation_.world().objects().all(kPods)) {
        if (text_at(*pod, {"metadata", "labels", "kubevirt.io/migrationJobUID"}) &&
            text_at(*pod, {"metadata", "labels", "vm.kubevirt.io/name"}) == vm) {
            return text_at(*pod, {"spec", "nodeName"}).value_or("");
        }
    }
    return "";
}

}  // namespace lab
