// Why there is no target pod yet, in the order in which virt-controller looks.
#include <algorithm>
#include <utility>

#include "kubeclient/time.hpp"
#include "preflight/question.hpp"
#include "recovery/waiting_course.hpp"

namespace recovery::waiting {

using preflight::command;
using std::chrono::seconds;

namespace {

constexpr seconds kUtilityVolumesTimeout{150};
constexpr seconds kFirstBackoff{20};

bool has_condition(const Course& course, std::string_view type) {
    const auto& all = course.migration.conditions;
    return std::any_of(all.begin(), all.end(), [&](const facts::Condition& one) {
        return one.type == type && one.status == "True";
    });
}

void add_backup(Causes& causes, const Course& course) {
    if (!has_condition(course, "migrationBlockedByBackup")) return;
    causes.push_back({"backup", "a backup of the VM runs, and the migration begins when it is done",
                      command("kubectl get vmi ", course.migration.vmi, " -n ", course.ns(),
                              " -o jsonpath='{.status.changedBlockTracking}'")});
}

void add_utility_volumes(Causes& causes, const Course& course) {
    if (!has_condition(course, "migrationBlockedByUtilityVolumes")) return;
    std::string names;
    if (course.asked.vmi != nullptr)
        names = preflight::join(course.asked.vmi->guest.utility_volumes);
    if (!names.empty()) names = " (" + names + ")";
    const auto own = own_limit(course, "kubevirt.io/migrationUtilityVolumesTimeoutSeconds");
    auto text = "utility volumes of the VMI" + names + " have to be detached first; " +
                given_up(course, own.value_or(kUtilityVolumesTimeout), "the migration was made",
                         course.migration.meta.created);
    if (!own) text += ", unless the KubeVirt CR sets utilityVolumesTimeout";
    causes.push_back({"utility-volumes", std::move(text),
                      command("kubectl get vmi ", course.migration.vmi, " -n ", course.ns(),
                              " -o jsonpath='{.spec.utilityVolumes}'")});
}

void add_launchers(Causes& causes, const Course& course) {
    if (course.asked.vmi == nullptr) return;
    const auto live = live_launchers(course.sight, *course.asked.vmi);
    if (live.size() < 2) return;
    std::vector<std::string> names;
    for (const auto* pod : live)
        names.push_back(pod_words(*pod) + (pod->node.empty() ? " on no node yet" : ""));
    causes.push_back({"two-launchers",
                      std::to_string(live.size()) +
                          " launchers of the VMI live: " + preflight::join(names) +
                          "; KubeVirt makes no target while more than one does, and tells nobody",
                      list_pods_command(course)});
}

// One that only waits itself, and came later, holds nothing up.
bool is_in_the_way(const Course& course, const facts::Migration& other) {
    const auto& own = course.migration;
    const bool its = other.meta.ns == own.meta.ns && other.vmi == own.vmi;
    if (!its || other.meta.uid == own.meta.uid || other.finished()) return false;
    if (!other.phase.empty() && other.phase != "Pending") return true;
    if (target_pod(course.sight, other.meta.uid) != nullptr) return true;
    return other.meta.created && own.meta.created && *other.meta.created < *own.meta.created;
}

void add_other_migrations(Causes& causes, const Course& course) {
    for (const auto& [key, other] : course.sight.migrations.items) {
        if (!is_in_the_way(course, other)) continue;
        const auto phase = other.phase.empty() ? std::string("not begun") : other.phase;
        causes.push_back(
            {"other-migration",
             "migration " + other.meta.name + " of the same VMI is not over (" + phase +
                 (other.meta.deleting ? ", being deleted)" : ")"),
             command("kubectl get vmim ", other.meta.name, " -n ", other.meta.ns, " -o yaml")});
    }
}

void add_phase(Causes& causes, const Course& course) {
    const auto* vmi = course.asked.vmi;
    if (vmi == nullptr || vmi->phase == "Running") return;
    const auto phase = vmi->phase.empty() ? std::string("no phase yet") : "phase " + vmi->phase;
    causes.push_back({"vmi-not-running",
                      "the VMI has " + phase + ", and only a Running one gets a target pod",
                      command("kubectl get vmi ", vmi->meta.name, " -n ", vmi->meta.ns)});
}

// For KubeVirt a pod that has ended is a source as well (CurrentVMIPod).
const facts::Pod* source_pod(const Course& course) {
    const auto& vmi = *course.asked.vmi;
    for (const auto& [key, pod] : course.sight.launchers.items) {
        const bool its = pod.meta.ns == vmi.meta.ns && pod.meta.controller_uid == vmi.meta.uid;
        if (its && pod.node == vmi.node) return &pod;
    }
    return nullptr;
}

void add_source_pod(Causes& causes, const Course& course) {
    const auto* vmi = course.asked.vmi;
    if (vmi == nullptr || vmi->node.empty() || !course.sight.launchers.complete) return;
    if (source_pod(course) != nullptr) return;
    causes.push_back({"no-source-pod",
                      "the VMI's status says that it runs on node " + vmi->node +
                          ", but it has no virt-launcher pod there",
                      list_pods_command(course)});
}

bool has_backoff(const facts::Migration& migration) {
    const auto& annotations = migration.meta.annotations;
    return annotations.contains("kubevirt.io/evacuationMigration") ||
           annotations.contains("kubevirt.io/workloadUpdateMigration");
}

struct Backoff {
    int failed = 0;  // in a row
    seconds wait{0};
    seconds left{0};
};

// As KubeVirt counts it (handleMigrationBackoff): from the newest one before, to the first that
// succeeded, passing over those being deleted.
Backoff backoff_of(const Course& course) {
    std::vector<const facts::Migration*> before;
    for (const auto& [key, other] : course.sight.migrations.items) {
        const bool its = other.meta.ns == course.ns() && other.vmi == course.migration.vmi;
        if (its && has_backoff(other) && other.meta.uid != course.migration.meta.uid) {
            before.push_back(&other);
        }
    }
    std::stable_sort(before.begin(), before.end(), [](const auto* left, const auto* right) {
        return left->meta.created > right->meta.created;
    });
    // Only the newest one waits.
    if (before.empty() || before.front()->meta.created > course.migration.meta.created) return {};
    Backoff found;
    for (const auto* other : before) {
        if (other->phase == "Succeeded") break;
        if (other->meta.deleting || other->phase != "Failed") continue;
        found.wait = found.failed == 0 ? kFirstBackoff : found.wait * 2;
        ++found.failed;
    }
    const auto ended = before.front()->phase_times.find("Failed");
    if (found.failed == 0 || ended == before.front()->phase_times.end()) return {};
    found.left = found.wait - age(course, ended->second);
    return found;
}

// Since the migration was made: the VMI's earlier troubles are none of its own.
const facts::Warning* newest_warning(const Course& course, std::string_view reason,
                                     bool (*fits)(std::string_view)) {
    if (course.asked.vmi == nullptr) return nullptr;
    const facts::Warning* newest = nullptr;
    for (const auto* warning : warnings_about(course.sight, course.asked.vmi->meta.uid)) {
        if (warning->reason != reason || !warning->last || !course.migration.meta.created) continue;
        if (*warning->last < *course.migration.meta.created) continue;
        if (fits(warning->message)) newest = warning;
    }
    return newest;
}

void add_backoff(Causes& causes, const Course& course) {
    if (!has_backoff(course.migration)) return;
    constexpr auto code = "backoff";
    if (!course.sight.migrations.complete) {
        const auto any = [](std::string_view) { return true; };
        if (newest_warning(course, "MigrationBackoff", any) == nullptr) return;
        causes.push_back({code,
                          "KubeVirt waits after a failed migration of the VMI, 20s at first and "
                          "twice as long after each further one",
                          ""});
        return;
    }
    const auto backoff = backoff_of(course);
    if (backoff.left <= seconds(0)) return;
    causes.push_back({code,
                      preflight::count_of(static_cast<std::size_t>(backoff.failed), "migration") +
                          " of the VMI failed in a row, after which KubeVirt waits " +
                          kubeclient::human_duration(backoff.wait) + ", for another " +
                          kubeclient::human_duration(backoff.left),
                      ""});
}

constexpr std::string_view kQuota = "exceeded quota";
constexpr std::string_view kPodSecurity = "violates PodSecurity";

bool has_words(std::string_view message, std::string_view words) {
    return message.find(words) != std::string_view::npos;
}

// The evacuation controller tells of migrations it could not make with the same reason.
bool is_about_a_pod(std::string_view message) {
    return !has_words(message, "Error creating a Migration") &&
           !has_words(message, "Error creating attachment pod");
}

std::string from(const std::string& message, std::string_view words) {
    const auto at = message.find(words);
    return at == std::string::npos ? message : message.substr(at);
}

std::string refused_words(const std::string& message) {
    constexpr std::string_view before = "Error creating pod: ";
    const auto at = message.find(before);
    return at == std::string::npos ? message : message.substr(at + before.size());
}

void add_refusal(Causes& causes, const Course& course) {
    const auto* refused = newest_warning(course, "FailedCreate", is_about_a_pod);
    const auto words = refused == nullptr ? std::string() : refused->message;
    const bool by_quota = has_words(words, kQuota);
    if (by_quota || has_condition(course, "migrationRejectedByResourceQuota")) {
        causes.push_back({"quota",
                          "a quota of namespace " + course.ns() + " refuses the target pod" +
                              (by_quota ? ": " + without_stop(from(words, kQuota)) : ""),
                          command("kubectl describe quota -n ", course.ns())});
    } else if (has_words(words, kPodSecurity)) {
        causes.push_back({"pod-security",
                          "the Pod Security of namespace " + course.ns() +
                              " refuses the target pod: " + without_stop(from(words, kPodSecurity)),
                          command("kubectl get namespace ", course.ns(), " --show-labels")});
    } else if (refused != nullptr) {
        causes.push_back({"create-refused",
                          "the target pod cannot be created: " + without_stop(refused_words(words)),
                          command("kubectl get events -n ", course.ns(),
                                  " --field-selector involvedObject.name=", course.migration.vmi)});
    }
}

std::string source_node(const Course& course) {
    if (course.asked.vmi != nullptr) return course.asked.vmi->node;
    return course.asked.source_node == nullptr ? "" : course.asked.source_node->meta.name;
}

// KubeVirt takes the model from the source pod where a migration has put it there.
bool knows_cpu(const facts::Pod& pod) {
    const auto& selector = pod.placement.node_selector;
    return std::any_of(selector.begin(), selector.end(), [](const auto& one) {
        return one.first.starts_with("cpu-model-migration.node.kubevirt.io/") ||
               one.first.starts_with("cpu-feature.node.kubevirt.io/");
    });
}

void add_host_model(Causes& causes, const Course& course) {
    const auto* vmi = course.asked.vmi;
    const auto* node = course.asked.source_node;
    if (vmi == nullptr || node == nullptr) return;
    if (!vmi->guest.cpu || vmi->guest.cpu->model != "host-model") return;
    const auto& labels = node->meta.labels;
    const bool labelled = std::any_of(labels.begin(), labels.end(), [](const auto& one) {
        return one.first.starts_with("host-model-cpu.node.kubevirt.io/");
    });
    const auto* source = source_pod(course);
    if (labelled || source == nullptr || knows_cpu(*source)) return;
    causes.push_back({"host-model",
                      "possible: node " + node->meta.name +
                          " has no label host-model-cpu.node.kubevirt.io/*, from which KubeVirt "
                          "tells the CPU that the target needs",
                      command("kubectl get node ", node->meta.name, " --show-labels")});
}

void add_selinux(Causes& causes, const Course& course) {
    const auto* vmi = course.asked.vmi;
    if (vmi == nullptr || !vmi->selinux_context.value_or("").empty()) return;
    causes.push_back({"selinux",
                      "possible: status.selinuxContext of the VMI is empty, and KubeVirt needs it "
                      "for the target pod, unless matchSELinuxLevelOnMigration is false",
                      command("kubectl get vmi ", vmi->meta.name, " -n ", vmi->meta.ns,
                              " -o jsonpath='{.status.selinuxContext}'")});
}

}  // namespace

Causes before_target(const Course& course) {
    Causes causes;
    add_backup(causes, course);
    add_utility_volumes(causes, course);
    if (course.target != nullptr) return causes;
    add_launchers(causes, course);
    add_other_migrations(causes, course);
    add_phase(causes, course);
    add_source_pod(causes, course);
    add_refusal(causes, course);
    add_backoff(causes, course);
    return causes;
}

Causes possible_before_target(const Course& course) {
    Causes causes;
    add_host_model(causes, course);
    add_selinux(causes, course);
    return causes;
}

Causes limits_reached(const Course& course) {
    const auto& queue = course.sight.queue;
    if (!queue || !queue->gap.empty()) return {};
    const auto& limits = course.asked.limits;
    const auto assumed =
        limits.gap.empty() ? std::string()
                           : " (KubeVirt's default; its CR could not be read: " + limits.gap + ")";
    const auto counted = [&](int running, std::int64_t limit) {
        return std::to_string(running) + " of " + std::to_string(limit) + " migrations ";
    };
    Causes causes;
    if (queue->running >= limits.per_cluster) {
        causes.push_back(
            {"cluster-limit",
             counted(queue->running, limits.per_cluster) + "of the cluster run" + assumed,
             "kubectl get vmim -A"});
    }
    const auto node = source_node(course);
    const auto outbound = queue->outbound.find(node);
    if (outbound != queue->outbound.end() && outbound->second >= limits.outbound_per_node) {
        causes.push_back({"outbound-limit",
                          counted(outbound->second, limits.outbound_per_node) + "from node " +
                              node + " run" + assumed,
                          "kubectl get vmim -A"});
    }
    return causes;
}

Causes unread_before_target(const Course& course) {
    const auto& sight = course.sight;
    Causes causes;
    const auto add = [&](const char* code, const std::string& what, const std::string& gap,
                         std::string next) {
        if (gap.empty()) return;
        causes.push_back(
            {code, what + " could not be read, and may hold the reason: " + gap, std::move(next)});
    };
    if (course.asked.vmi == nullptr) {
        add("vmi-unread", "the VMI", sight.vmis.gap,
            command("kubectl auth can-i list virtualmachineinstances.kubevirt.io -n ",
                    course.ns()));
    }
    add("pods-unread", "pods of the VMI", sight.launchers.gap,
        command("kubectl auth can-i list pods -n ", course.ns()));
    add("events-unread", "events of the VMI", sight.warnings.gap,
        command("kubectl auth can-i list events -n ", course.ns()));
    if (sight.queue && !sight.queue->gap.empty()) {
        causes.push_back(
            {"limits-unread",
             "KubeVirt's limits may hold it up, but migrations could not be counted: " +
                 sight.queue->gap,
             "kubectl auth can-i list virtualmachineinstancemigrations.kubevirt.io -A"});
    }
    return causes;
}

}  // namespace recovery::waiting
