// The target pod of a migration: when it may be made, what it is, how long it may take.
// Source: kubevirt pkg/virt-controller/watch/migration/migration.go (handleTargetPodCreation,
// createTargetPod, handlePendingPodTimeout, handleMigrationBackoff,
// alertIfHostModelIsUnschedulable) and pkg/util/migrations/migrations.go; v1.9.
#include <nlohmann/json.hpp>
#include <utility>

#include "kubeclient/json.hpp"
#include "lab/controllers/virt_configuration.hpp"
#include "lab/controllers/virt_launcher_pod.hpp"
#include "lab/controllers/virt_migration_step.hpp"
#include "lab/controllers/virt_objects.hpp"

namespace lab::virt {

using kubeclient::Done;
using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::find;
using kubeclient::Status;
using std::chrono::seconds;

namespace {

constexpr std::string_view kEvacuation = "kubevirt.io/evacuationMigration";
constexpr std::string_view kWorkloadUpdate = "kubevirt.io/workloadUpdateMigration";
constexpr int kNonRoot = 107;
constexpr auto kUnschedulableTimeout = seconds(300);
constexpr auto kPendingTimeout = seconds(900);
constexpr auto kFirstBackoff = seconds(20);

// pkg/util/migrations: PriorityFromMigration.
int priority_of(const Json& migration) {
    const auto word = text(migration, {"spec", "priority"});
    if (word == "system-critical") return 100;
    if (word == "user-triggered") return 50;
    if (word == "system-maintenance") return 20;
    return 0;
}

bool is_under_way(const Json& migration) {
    const auto phase = phase_of(migration);
    return !phase.empty() && phase != "Pending" && !is_final(migration);
}

Object instance_of(const Store& objects, const Json& migration) {
    return objects.get(kInstances, {key_of(migration).ns, text(migration, {"spec", "vmiName"})});
}

bool leaves_from(const Json& vmi, const std::string& node) {
    return text(vmi, {"status", "nodeName"}) == node ||
           text(vmi, {"status", "migrationState", "sourceNode"}) == node;
}

struct Load {
    std::int64_t cluster = 0;
    std::int64_t node = 0;
};

// The migrations that have a target pod, and of those the ones from `node`.
Load running_load(const Store& objects, const std::string& node) {
    Load load;
    for (const auto& [key, migration] : objects.all(kMigrations)) {
        if (is_final(*migration)) continue;
        const Object vmi = instance_of(objects, *migration);
        const bool counts =
            is_under_way(*migration) || (vmi && !target_pods(objects, *vmi, *migration).empty());
        if (!counts) continue;
        ++load.cluster;
        if (vmi && leaves_from(*vmi, node)) ++load.node;
    }
    return load;
}

// Those that wait as well and come first: KubeVirt's queue is ordered by priority, and by age
// among equals. Only what could go at once stands in the way.
Load ahead(const MigrationStep& step, const std::string& node) {
    const Json& own = *step.migration;
    const auto& objects = step.cluster.objects;
    Load load;
    for (const auto& [key, other] : objects.all(kMigrations)) {
        if (phase_of(*other) != "Pending" || is_deleting(*other)) continue;
        const auto theirs = std::pair(-priority_of(*other), created_at(*other));
        if (theirs >= std::pair(-priority_of(own), created_at(own))) continue;
        const Object vmi = instance_of(objects, *other);
        if (!vmi || !is_running(*vmi) || live_launchers(objects, *vmi) != 1) continue;
        ++load.cluster;
        if (leaves_from(*vmi, node)) ++load.node;
    }
    return load;
}

// KubeVirt says nothing about it but in its log.
bool has_to_queue(const MigrationStep& step) {
    const auto node = text(*step.vmi, {"status", "nodeName"});
    const Json config = migration_configuration(step.cluster.objects);
    const auto limit = [&](std::string_view name) {
        return kubeclient::integer_at(config, {name}).value_or(1);
    };
    const auto running = running_load(step.cluster.objects, node);
    const auto waiting = ahead(step, node);
    const auto free_in_cluster = limit("parallelMigrationsPerCluster") - running.cluster;
    const auto free_on_node = limit("parallelOutboundMigrationsPerNode") - running.node;
    return free_in_cluster <= waiting.cluster || free_on_node <= waiting.node;
}

// The launcher has run as non-root for long; what is older is brought up to it.
Status note_runtime_user(MigrationStep& step) {
    Json operations = Json::array();
    if (kubeclient::integer_at(*step.vmi, {"status", "runtimeUser"}) != kNonRoot) {
        operations.push_back(operation("add", "/status/runtimeUser", kNonRoot));
    }
    constexpr std::string_view kKey = "kubevirt.io/nonroot";
    if (find(*step.vmi, {"metadata", "annotations"}) == nullptr) {
        operations.push_back(
            operation("add", "/metadata/annotations", {{std::string(kKey), "true"}}));
    } else if (!has_annotation(*step.vmi, kKey)) {
        operations.push_back(
            operation("add", "/metadata/annotations/" + pointer_escaped(kKey), "true"));
    }
    if (operations.empty()) return Done{};
    TRY_ASSIGN(patched, json_patch(step.cluster, kInstances, key_of(*step.vmi), operations));
    step.vmi = std::make_shared<const Json>(std::move(patched));
    return Done{};
}

Status create_target(MigrationStep& step, const Json& source) {
    auto rendered = target_pod(*step.vmi, *step.migration, source, step.cluster.objects);
    if (!rendered.ok()) {
        return std::move(rendered).within("failed to render launch manifest").error();
    }
    const auto made = create(step.cluster, kPods, *rendered);
    if (made.ok()) {
        step.tell("Normal", "SuccessfulCreate", "Created migration target pod " + name_of(*made));
        return Done{};
    }
    const auto words = server_words(made.error());
    const auto [ns, name] = key_of(*step.vmi);
    if (words.find("violates PodSecurity") != std::string::npos) {
        const auto why = "failed to create target pod for vmi " + ns + "/" + name +
                         ", it needs a privileged namespace to run: " + words;
        step.cluster.events.record(*step.vmi, "Warning", "FailedCreate",
                                   "failed to render launch manifest: " + why);
        return Error{made.error().kind, why, ""};
    }
    step.cluster.events.record(*step.vmi, "Warning", "FailedCreate",
                               "Error creating pod: " + words);
    return Error{made.error().kind, "failed to create vmi migration target pod: " + words, ""};
}

// Firmware or TPM state that outlives the guest: the lab has no claims for it, so such a guest's
// migration waits as one does whose claim is missing.
bool needs_backend_storage(const Json& vmi) {
    const Json* tpm = find(vmi, {"spec", "domain", "devices", "tpm"});
    return (tpm != nullptr && kubeclient::bool_at(*tpm, {"persistent"}).value_or(false)) ||
           kubeclient::bool_at(vmi,
                               {"spec", "domain", "firmware", "bootloader", "efi", "persistent"})
               .value_or(false);
}

seconds timeout_of(const Json& migration, std::string_view key, seconds standard) {
    const auto own = annotation(migration, key);
    const bool number =
        !own.empty() && own.size() < 10 && own.find_first_not_of("0123456789") == std::string::npos;
    return number ? seconds(std::stoll(own)) : standard;
}

bool is_unschedulable(const Json& pod) {
    for (const Json& one : kubeclient::items_at(pod, {"status", "conditions"})) {
        if (text(one, {"type"}) == "PodScheduled" && text(one, {"status"}) == "False" &&
            text(one, {"reason"}) == "Unschedulable") {
            return true;
        }
    }
    return false;
}

// Go's %v of a map[string]string.
std::string go_map(const std::map<std::string, std::string>& map) {
    std::string words;
    for (const auto& [key, value] : map) words += (words.empty() ? "" : " ") + key + ":" + value;
    return "map[" + words + "]";
}

void warn_if_no_node_has_the_cpu(const MigrationStep& step) {
    if (text(*step.vmi, {"spec", "domain", "cpu", "model"}) != "host-model") return;
    std::map<std::string, std::string> wanted;
    if (const Json* selector = find(*step.target, {"spec", "nodeSelector"})) {
        for (const auto& [key, value] : selector->items()) {
            if (key.find("cpu-model-migration.node.kubevirt.io/") == 0 ||
                key.find("cpu-feature.node.kubevirt.io/") == 0) {
                wanted[key] = value.get<std::string>();
            }
        }
    }
    const auto source = text(*step.vmi, {"status", "nodeName"});
    for (const auto& [key, node] : step.cluster.objects.all(kNodes)) {
        if (key.name == source) continue;
        const bool fits =
            std::all_of(wanted.begin(), wanted.end(), [&, &n = *node](const auto& one) {
                return label(n, one.first) == one.second &&
                       find(n, {"metadata", "labels", one.first}) != nullptr;
            });
        if (fits) return;
    }
    step.cluster.events.record(*step.vmi, "Warning", "NoSuitableNodesForHostModelMigration",
                               "Migration cannot proceed since no node is suitable to run the "
                               "required CPU model / required features: " +
                                   go_map(wanted));
}

}  // namespace

std::optional<Duration> backoff_left(const MigrationStep& step) {
    const auto eligible = [](const Json& one) {
        return has_annotation(one, kEvacuation) || has_annotation(one, kWorkloadUpdate);
    };
    if (!eligible(*step.migration)) return std::nullopt;
    std::vector<Object> all;
    for (const Object& one : migrations_of(step.cluster.objects, key_of(*step.vmi))) {
        if (eligible(*one)) all.push_back(one);
    }
    std::stable_sort(all.begin(), all.end(), [](const Object& a, const Object& b) {
        return created_at(*a) > created_at(*b);
    });
    if (all.size() < 2 || uid_of(*all.front()) != uid_of(*step.migration)) return std::nullopt;
    seconds wait{0};
    for (std::size_t i = 1; i < all.size() && phase_of(*all[i]) != "Succeeded"; ++i) {
        if (is_deleting(*all[i]) || phase_of(*all[i]) != "Failed") continue;
        wait = wait == seconds(0) ? kFirstBackoff : wait * 2;
    }
    if (wait == seconds(0)) return std::nullopt;
    for (const Json& one : kubeclient::items_at(*all[1], {"status", "phaseTransitionTimestamps"})) {
        if (text(one, {"phase"}) != "Failed") continue;
        const auto failed = kubeclient::parse_time(text(one, {"phaseTransitionTimestamp"}));
        if (!failed.ok() || *failed + wait <= step.cluster.now) return std::nullopt;
        return *failed + wait - step.cluster.now;
    }
    return std::nullopt;
}

Status start_target(MigrationStep& step) {
    if (has_running_backup(*step.vmi) || has_utility_volumes(*step.vmi)) return Done{};
    const Object source = current_launcher(step.cluster.objects, *step.vmi);
    if (!source) return Done{};
    TRY(note_runtime_user(step));
    if (live_launchers(step.cluster.objects, *step.vmi) > 1) {
        step.look_again(seconds(1));
        return Done{};
    }
    if (has_to_queue(step)) {
        step.look_again(seconds(5));
        return Done{};
    }
    if (!is_running(*step.vmi)) return Done{};
    if (needs_backend_storage(*step.vmi)) {
        return Error{ErrorKind::not_found, "no backend-storage PVC found in VMI volume status", ""};
    }
    return create_target(step, *source);
}

Status delete_target(MigrationStep& step, const std::string& why, const std::string& on_failure) {
    const auto done = remove(step.cluster, kPods, *step.target);
    if (!done.ok()) {
        step.tell("Warning", "FailedDelete", on_failure + server_words(done.error()));
        return done;
    }
    step.tell("Normal", "SuccessfulDelete", why);
    return Done{};
}

Status watch_pending_target(MigrationStep& step) {
    const Json& pod = *step.target;
    if (phase_of(pod) != "Pending" || is_deleting(pod)) return Done{};
    const auto [ns, name] = key_of(pod);
    const auto give_up = [&](const std::string& what) {
        return delete_target(step, what + " pod " + ns + "/" + name + " timeout period exceeded",
                             "Error deleted migration target pod: ");
    };
    const auto waited = std::chrono::floor<seconds>(step.cluster.now) -
                        std::chrono::floor<seconds>(created_at(pod));
    if (is_unschedulable(pod)) {
        const auto limit =
            timeout_of(*step.migration, "kubevirt.io/migrationUnschedulablePodTimeoutSeconds",
                       kUnschedulableTimeout);
        warn_if_no_node_has_the_cpu(step);
        step.tell("Warning", "migrationTargetPodUnschedulable",
                  "Migration target pod for VMI [" + ns + "/" + name_of(*step.vmi) +
                      "] is currently unschedulable.");
        if (waited >= limit) return give_up("unschedulable");
        step.look_again(limit - waited);
    }
    const auto limit = timeout_of(*step.migration, "kubevirt.io/migrationPendingPodTimeoutSeconds",
                                  kPendingTimeout);
    if (waited >= limit) return give_up("pending");
    step.look_again(limit - waited);
    return Done{};
}

}  // namespace lab::virt
