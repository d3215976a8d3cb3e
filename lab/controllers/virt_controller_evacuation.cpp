// Source: kubevirt pkg/virt-controller/watch/drain/evacuation/evacuation.go and
// pkg/util/migrations/migrations.go (VMIMigratableOnEviction); v1.9.
#include <nlohmann/json.hpp>

#include "kubeclient/json.hpp"
#include "lab/controllers/virt_configuration.hpp"
#include "lab/controllers/virt_controllers.hpp"
#include "lab/controllers/virt_objects.hpp"

namespace lab {

using kubeclient::Result;
using kubeclient::Status;

namespace {

using namespace virt;

bool has_drain_taint(const Json& node, const Store& objects) {
    const auto& taints = kubeclient::items_at(node, {"spec", "taints"});
    if (taints.empty()) return false;
    const auto key = text(migration_configuration(objects), {"nodeDrainTaintKey"});
    return std::any_of(taints.begin(), taints.end(), [&](const Json& one) {
        return text(one, {"key"}) == key && text(one, {"effect"}) == "NoSchedule";
    });
}

// A mark that names another node is left from a migration that has been.
bool is_to_go(const Json& vmi, const std::string& node) {
    return text(vmi, {"status", "evacuationNodeName"}) == node && !is_migrating(vmi);
}

bool wants_to_migrate(const Json& vmi, const Store& objects) {
    const auto strategy = eviction_strategy(vmi, objects);
    if (strategy == "LiveMigrate") return true;
    return strategy == "LiveMigrateIfPossible" && has_condition(vmi, "LiveMigratable", "True");
}

Json new_migration(const Json& vmi, const std::string& node) {
    const bool descheduled = annotation(vmi, "kubevirt.io/eviction-source") == "descheduler";
    return {{"apiVersion", "kubevirt.io/v1"},
            {"kind", "VirtualMachineInstanceMigration"},
            {"metadata",
             {{"generateName", "kubevirt-evacuation-"},
              {"namespace", key_of(vmi).ns},
              {"annotations", {{"kubevirt.io/evacuationMigration", node}}}}},
            {"spec",
             {{"vmiName", name_of(vmi)},
              {"priority", descheduled ? "system-maintenance" : "system-critical"}}}};
}

class EvacuationController final : public Controller {
public:
    std::string_view name() const override { return "disruptionbudget-controller"; }

    std::vector<WorkItem> concerned(const Change& change, const Store& objects) const override {
        if (change.resource == kNodes) {
            if (!has_drain_taint(*change.object, objects)) return {};
            return {{kNodes, change.key}};
        }
        if (change.resource == kInstances) return of_instance(*change.object, objects);
        if (change.resource != kMigrations && change.resource != kPods) return {};
        const auto& object = *change.object;
        const Json* owner = controller_reference(object);
        const auto name = change.resource == kMigrations ? text(object, {"spec", "vmiName"})
                          : owner != nullptr             ? text(*owner, {"name"})
                                                         : "";
        const Object vmi = objects.get(kInstances, {change.key.ns, name});
        return vmi ? of_instance(*vmi, objects) : std::vector<WorkItem>{};
    }

    Result<std::optional<Duration>> sync(const WorkItem& item, Cluster& cluster) override {
        const Object node = cluster.objects.get(kNodes, item.key);
        if (!node) return std::optional<Duration>{};
        const bool drained = has_drain_taint(*node, cluster.objects);
        Status outcome = kubeclient::Done{};
        for (const Object& vmi : candidates(cluster.objects, item.key.name, drained)) {
            if (!has_condition(*vmi, "LiveMigratable", "True")) {
                cluster.events.record(*vmi, "Normal", "FailedCreate",
                                      "VirtualMachineInstance is not migrateable");
                continue;
            }
            const auto made = create(cluster, kMigrations, new_migration(*vmi, item.key.name));
            if (made.ok()) {
                cluster.events.record(*vmi, "Normal", "SuccessfulCreate",
                                      "Created Migration " + name_of(*made));
                continue;
            }
            cluster.events.record(*vmi, "Warning", "FailedCreate",
                                  "Error creating a Migration: " + server_words(made.error()));
            outcome = made.error();
        }
        TRY(outcome);
        return std::optional<Duration>{};
    }

private:
    static std::vector<WorkItem> of_instance(const Json& vmi, const Store& objects) {
        const auto node_name = text(vmi, {"status", "nodeName"});
        if (node_name.empty()) return {};
        if (is_marked_for_eviction(vmi)) return {{kNodes, {"", node_name}}};
        const Object node = objects.get(kNodes, {"", node_name});
        if (!node || !has_drain_taint(*node, objects)) return {};
        return {{kNodes, {"", node_name}}};
    }

    static bool has_unfinished_migration(const Store& objects, const Json& vmi) {
        const auto all = migrations_of(objects, key_of(vmi));
        return std::any_of(all.begin(), all.end(),
                           [](const Object& one) { return !is_final(*one); });
    }

    static std::vector<Object> candidates(const Store& objects, const std::string& node,
                                          bool drained) {
        std::vector<Object> found;
        for (const auto& [key, vmi] : objects.all(kInstances)) {
            if (text(*vmi, {"status", "nodeName"}) != node) continue;
            if (!drained && !is_to_go(*vmi, node)) continue;
            if (is_final(*vmi) || is_deleting(*vmi)) continue;
            if (!wants_to_migrate(*vmi, objects)) continue;
            if (has_unfinished_migration(objects, *vmi)) continue;
            if (live_launchers(objects, *vmi) > 1) continue;
            found.push_back(vmi);
        }
        return found;
    }
};

}  // namespace

std::unique_ptr<Controller> make_evacuation_controller() {
    return std::make_unique<EvacuationController>();
}

}  // namespace lab
