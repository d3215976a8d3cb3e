// Source: kubevirt pkg/virt-controller/watch/migration/migration.go (execute, sync,
// garbageCollectFinalizedMigrations and the informers' handlers); v1.9.
#include <nlohmann/json.hpp>

#include "kubeclient/json.hpp"
#include "lab/controllers/virt_controllers.hpp"
#include "lab/controllers/virt_migration_step.hpp"
#include "lab/controllers/virt_objects.hpp"

namespace lab {

using kubeclient::Done;
using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Result;
using kubeclient::Status;

namespace virt {

namespace {

constexpr std::size_t kFinishedKept = 5;

bool flag(const Json& vmi, std::string_view name) {
    return kubeclient::bool_at(vmi, {"status", "migrationState", name}).value_or(false);
}

Status cancel_before_hand_over(MigrationStep& step) {
    if (!step.target) return Done{};
    const auto [ns, name] = key_of(*step.target);
    return delete_target(step, "migration canceled and pod " + ns + "/" + name + " is deleted",
                         "Error deleting canceled migration target pod: ");
}

Status act_on_pending(MigrationStep& step) {
    if (is_deleting(*step.migration)) return cancel_before_hand_over(step);
    if (const auto left = backoff_left(step)) {
        step.look_again(*left);
        const auto [ns, name] = key_of(*step.vmi);
        step.cluster.events.record(*step.vmi, "Warning", "MigrationBackoff",
                                   "backoff migrating vmi " + ns + "/" + name);
        return Done{};
    }
    if (!step.target) return start_target(step);
    if (is_pod_ready(*step.target)) return Done{};
    return watch_pending_target(step);
}

Status act_on_scheduled(MigrationStep& step) {
    if (is_deleting(*step.migration) && !is_handed_over(step)) return cancel_before_hand_over(step);
    if (step.target && is_pod_ready(*step.target)) return hand_over(step);
    return Done{};
}

// virt-handler finalizes what it has started; this is for the rest.
Status act_on_lost_target(MigrationStep& step) {
    const bool lost = !step.target || is_pod_down(*step.target);
    if (!lost || !is_handed_over(step)) return Done{};
    if (flag(*step.vmi, "failed") || flag(*step.vmi, "completed")) return Done{};
    return mark_failed_on_vmi(step);
}

}  // namespace

bool is_handed_over(const MigrationStep& step) {
    return text(*step.vmi, {"status", "migrationState", "migrationUid"}) == uid_of(*step.migration);
}

bool may_migrate(const MigrationStep& step) {
    const auto active = text(*step.vmi, {"status", "migrationState", "migrationUid"});
    if (active.empty() || active == uid_of(*step.migration)) return true;
    for (const Object& other : migrations_of(step.cluster.objects, key_of(*step.vmi))) {
        if (uid_of(*other) == active) return is_final(*other);
    }
    return true;
}

std::vector<Object> target_pods(const Store& objects, const Json& vmi, const Json& migration) {
    std::vector<Object> found;
    for (const Object& pod : launchers(objects, vmi)) {
        if (label(*pod, "kubevirt.io/migrationJobUID") == uid_of(migration)) found.push_back(pod);
    }
    return found;
}

Status act_on_migration(MigrationStep& step) {
    if (is_deleting(*step.vmi)) return Done{};
    if (is_handed_over(step) && flag(*step.vmi, "completed")) return Done{};
    if (!may_migrate(step)) {
        return Error{ErrorKind::conflict,
                     "vmi is ineligible for migration because another migration job is running",
                     ""};
    }
    const auto phase = phase_of(*step.migration);
    if (phase == "Pending") return act_on_pending(step);
    if (phase == "Scheduling") {
        if (is_deleting(*step.migration)) return cancel_before_hand_over(step);
        return step.target ? watch_pending_target(step) : Status{Done{}};
    }
    if (phase == "Scheduled") return act_on_scheduled(step);
    if (phase == "PreparingTarget" || phase == "TargetReady" || phase == "Failed") {
        return act_on_lost_target(step);
    }
    if (phase == "Running" && is_deleting(*step.migration)) return request_abort(step);
    return Done{};
}

}  // namespace virt

namespace {

using namespace virt;

class MigrationController final : public Controller {
public:
    std::string_view name() const override { return "virtualmachine-controller"; }

    std::vector<WorkItem> concerned(const Change& change, const Store& objects) const override {
        const Json& object = *change.object;
        if (change.resource == kMigrations) return {{kMigrations, change.key}};
        if (change.resource == kInstances) return items(migrations_of(objects, change.key));
        if (change.resource == kPods) {
            const auto job = annotation(object, "kubevirt.io/migrationJobName");
            if (job.empty()) return {};
            return {{kMigrations, {change.key.ns, job}}};
        }
        if (change.resource == kQuotas && change.type != ChangeType::added) {
            return refused_by_quota(objects, change.key.ns);
        }
        return {};
    }

    Result<std::optional<Duration>> sync(const WorkItem& item, Cluster& cluster) override {
        MigrationStep step{cluster, cluster.objects.get(kMigrations, item.key)};
        if (!step.migration) return std::optional<Duration>{};
        if (!has_annotation(*step.migration, "kubevirt.io/latest-observed-api-version")) {
            TRY(note_api_version(step));
            return std::optional<Duration>{};
        }
        const auto name = text(*step.migration, {"spec", "vmiName"});
        step.vmi = cluster.objects.get(kInstances, {item.key.ns, name});
        if (!step.vmi) {
            if (!is_deleting(*step.migration)) TRY(remove(cluster, kMigrations, *step.migration));
            return std::optional<Duration>{};
        }
        const auto targets = target_pods(cluster.objects, *step.vmi, *step.migration);
        if (!targets.empty()) step.target = targets.front();
        const Status acted = act_on_migration(step);
        TRY(update_migration_status(step, acted));
        TRY(acted);
        if (is_final(*step.migration)) TRY(collect_garbage(step));
        return step.again;
    }

private:
    static std::vector<WorkItem> items(const std::vector<Object>& migrations) {
        std::vector<WorkItem> found;
        for (const Object& one : migrations) found.push_back({kMigrations, key_of(*one)});
        return found;
    }

    static std::vector<WorkItem> refused_by_quota(const Store& objects, const std::string& ns) {
        std::vector<WorkItem> found;
        for (const auto& [key, migration] : objects.all(kMigrations)) {
            if (key.ns == ns &&
                condition(*migration, "migrationRejectedByResourceQuota") != nullptr) {
                found.push_back({kMigrations, key});
            }
        }
        return found;
    }

    // So that what is stored is of the version that this controller writes.
    static Status note_api_version(MigrationStep& step) {
        Json copy = *step.migration;
        Json& metadata = copy["metadata"];
        for (const char* which : {"latest", "storage"}) {
            metadata["annotations"]["kubevirt.io/" + std::string(which) + "-observed-api-version"] =
                "v1";
        }
        if (label(copy, "kubevirt.io/vmi-name").empty()) {
            metadata["labels"]["kubevirt.io/vmi-name"] = text(copy, {"spec", "vmiName"});
        }
        TRY(replace(step.cluster, kMigrations, copy));
        return Done{};
    }

    // Keeps the newest finished ones of the VMI.
    static Status collect_garbage(MigrationStep& step) {
        std::vector<Object> finished;
        for (const Object& one : migrations_of(step.cluster.objects, key_of(*step.vmi))) {
            if (is_final(*one) && !is_deleting(*one)) finished.push_back(one);
        }
        if (finished.size() <= kFinishedKept) return Done{};
        std::stable_sort(finished.begin(), finished.end(), [](const Object& a, const Object& b) {
            return created_at(*a) < created_at(*b);
        });
        finished.resize(finished.size() - kFinishedKept);
        for (const Object& old : finished) {
            const auto done = remove(step.cluster, kMigrations, *old);
            if (!done.ok() && done.error().kind != ErrorKind::not_found) return done.error();
        }
        return Done{};
    }
};

}  // namespace

std::unique_ptr<Controller> make_migration_controller() {
    return std::make_unique<MigrationController>();
}

}  // namespace lab
