#include "recovery/failure.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "kubeclient/shell_word.hpp"
#include "recovery/failure_rows.hpp"

namespace recovery {

namespace {

using std::chrono::seconds;

constexpr std::string_view kMigrationKind = "VirtualMachineInstanceMigration";

bool contains(std::string_view text, std::string_view pattern) {
    return text.find(pattern) != std::string_view::npos;
}

// As part of a sentence: one line, in quotes, of bearable length, cut between characters.
std::string quoted(std::string_view text) {
    constexpr std::size_t longest = 400;
    std::string line;
    for (const char c : text) {
        const bool blank = c == ' ' || (c >= '\t' && c <= '\r');
        if (!blank) line += c;
        if (blank && !line.empty() && line.back() != ' ') line += ' ';
    }
    std::size_t most = longest;
    if (line.size() > longest) {
        while (most > 0 && (static_cast<unsigned char>(line[most]) & 0xC0U) == 0x80U) --most;
        return "\"" + line.substr(0, most) + "…\"";
    }
    line.erase(line.find_last_not_of(" .") + 1);
    return "\"" + line + "\"";
}

std::string sentence(std::string_view cause, std::string_view text) {
    std::string said(cause);
    if (!text.empty()) said += ": " + quoted(text);
    return said;
}

// ---- commands ----

std::string namespace_of(const Failed& failed) {
    if (failed.migration != nullptr) return failed.migration->meta.ns;
    if (failed.vmi != nullptr) return failed.vmi->meta.ns;
    return failed.target != nullptr ? failed.target->meta.ns : "";
}

std::string machine_of(const Failed& failed) {
    if (failed.migration != nullptr && !failed.migration->vmi.empty()) return failed.migration->vmi;
    return failed.vmi != nullptr ? failed.vmi->meta.name : "";
}

std::string source_pod_of(const Failed& failed) {
    if (failed.state != nullptr && !failed.state->source_pod.empty()) {
        return failed.state->source_pod;
    }
    return failed.migration != nullptr ? failed.migration->source_pod : "";
}

// "kubectl get vmi web -n prod", names quoted; empty without the name.
std::string about(const std::string& words, const std::string& name, const std::string& ns,
                  const std::string& rest = "") {
    if (name.empty() || ns.empty()) return {};
    return words + " " + kubeclient::shell_word(name) + " -n " + kubeclient::shell_word(ns) + rest;
}

std::string in_namespace(const std::string& words, const std::string& ns) {
    return ns.empty() ? "" : words + " -n " + kubeclient::shell_word(ns);
}

// Of the namespace, the newest last: the objects they are about may be gone.
std::string events_command(const std::string& ns) {
    const auto words = in_namespace("kubectl get events", ns);
    return words.empty() ? "" : words + " --sort-by=.lastTimestamp";
}

std::string command_for(Look look, const Failed& failed) {
    const auto ns = namespace_of(failed);
    const auto vm = machine_of(failed);
    const auto pod = failed.target != nullptr ? failed.target->meta.name : std::string();
    switch (look) {
        case Look::again:
            return about(failed.program + " migrate", vm, ns);
        case Look::events:
            return events_command(ns);
        case Look::handlers:
            return "kubectl get pods -A -l kubevirt.io=virt-handler -o wide";
        case Look::kubevirt:
            return "kubectl get kubevirt -A -o wide";
        case Look::launcher_image:
            return about("kubectl get vmi", vm, ns, " -L kubevirt.io/outdatedLauncherImage");
        case Look::limits:
            return in_namespace("kubectl describe limitrange", ns);
        case Look::migrations:
            return in_namespace("kubectl get vmim", ns);
        case Look::preflight:
            return about(failed.program + " preflight", vm, ns);
        case Look::pod:
            return pod.empty() ? events_command(ns) : about("kubectl describe pod", pod, ns);
        case Look::quota:
            return in_namespace("kubectl describe quota", ns);
        case Look::security:
            return ns.empty()
                       ? ""
                       : "kubectl get namespace " + kubeclient::shell_word(ns) + " --show-labels";
        case Look::source_log:
            return about("kubectl logs", source_pod_of(failed), ns, " -c compute --tail=100");
        case Look::vm:
            return about("kubectl get vm,vmi", vm, ns);
    }
    return {};
}

Explanation explained(std::string_view cause, std::string_view text, Look look,
                      const Failed& failed) {
    return {sentence(cause, text), command_for(look, failed)};
}

// ---- what was told ----

// Of this migration, the VMI's first: the VMIM's own copy comes after the end.
std::vector<const facts::MigrationState*> states_of(const Failed& failed) {
    std::vector<const facts::MigrationState*> states;
    const auto take = [&](const facts::MigrationState* state) {
        if (state == nullptr) return;
        const bool other = failed.migration != nullptr && !state->migration_uid.empty() &&
                           state->migration_uid != failed.migration->meta.uid;
        if (!other) states.push_back(state);
    };
    take(failed.state);
    if (failed.migration != nullptr && failed.migration->state) take(&*failed.migration->state);
    return states;
}

// Newest first. Events of a VMI stay for an hour, and may be of the migration before.
std::vector<const facts::Warning*> warnings_of(const Failed& failed) {
    std::vector<const facts::Warning*> ours;
    for (const auto* warning : failed.warnings) {
        if (warning == nullptr) continue;
        const bool older = warning->kind == "VirtualMachineInstance" &&
                           failed.migration != nullptr && warning->last &&
                           failed.migration->meta.created &&
                           *warning->last < *failed.migration->meta.created;
        if (!older) ours.push_back(warning);
    }
    std::stable_sort(ours.begin(), ours.end(),
                     [](const auto* left, const auto* right) { return left->last > right->last; });
    return ours;
}

// virt-handler's event: "VirtualMachineInstance migration uid U failed. reason: R".
std::string told_reason(const Failed& failed) {
    if (failed.migration == nullptr || failed.migration->meta.uid.empty()) return {};
    const auto start = "migration uid " + failed.migration->meta.uid + " failed";
    constexpr std::string_view before = "reason:";
    for (const auto* warning : warnings_of(failed)) {
        const auto at = warning->message.find(start);
        const auto reason = at == std::string::npos ? at : warning->message.find(before, at);
        if (reason == std::string::npos) continue;
        const auto text = warning->message.find_first_not_of(' ', reason + before.size());
        if (text != std::string::npos) return warning->message.substr(text);
    }
    return {};
}

std::string reason_of(const Failed& failed) {
    for (const auto* state : states_of(failed)) {
        if (!state->failure_reason.empty()) return state->failure_reason;
    }
    return told_reason(failed);
}

const ReasonRow* row_of(std::string_view reason) {
    if (reason.empty()) return nullptr;
    for (const auto& row : reason_rows()) {
        if (contains(reason, row.pattern)) return &row;
    }
    return nullptr;
}

// Whether the migration came to this phase. Phases follow one another.
bool reached(const Failed& failed, std::string_view phase) {
    static constexpr std::string_view phases[] = {"Pending",         "Scheduling",  "Scheduled",
                                                  "PreparingTarget", "TargetReady", "Running"};
    if (failed.migration == nullptr) return false;
    const auto* const from = std::find(std::begin(phases), std::end(phases), phase);
    return std::any_of(from, std::end(phases), [&](std::string_view one) {
        return failed.migration->phase == one ||
               failed.migration->phase_times.contains(std::string(one));
    });
}

bool over(Until until, const Failed& failed) {
    switch (until) {
        case Until::always:
            return false;
        case Until::pod_exists:
            return failed.target != nullptr || reached(failed, "Scheduling");
        case Until::pod_ready:
            return reached(failed, "Scheduled");
    }
    return false;
}

const facts::Warning* find_warning(const Failed& failed, const EventRow& row) {
    if (over(row.until, failed)) return nullptr;
    for (const auto* warning : warnings_of(failed)) {
        const bool fits = warning->kind == row.kind &&
                          (row.reason.empty() || warning->reason == row.reason) &&
                          contains(warning->message, row.pattern);
        if (fits) return warning;
    }
    return nullptr;
}

std::optional<Explanation> by_events(std::span<const EventRow> rows, const Failed& failed) {
    for (const auto& row : rows) {
        if (const auto* warning = find_warning(failed, row)) {
            return explained(row.cause, warning->message, row.look, failed);
        }
    }
    return std::nullopt;
}

// By virt-controller, of the VMIM.
bool told(const Failed& failed, std::string_view words) {
    const auto all = warnings_of(failed);
    return std::any_of(all.begin(), all.end(), [&](const facts::Warning* warning) {
        return warning->kind == kMigrationKind && contains(warning->message, words);
    });
}

bool has_condition(const Failed& failed, std::string_view type) {
    return failed.migration != nullptr &&
           std::any_of(failed.migration->conditions.begin(), failed.migration->conditions.end(),
                       [&](const facts::Condition& condition) {
                           return condition.type == type && condition.status == "True";
                       });
}

// ---- causes ----

std::optional<Explanation> by_guest(const Failed& failed) {
    if (auto found = by_events(guest_rows(), failed)) return found;
    const bool ended = failed.vmi != nullptr &&
                       (failed.vmi->phase == "Failed" || failed.vmi->phase == "Succeeded");
    const bool leaving = failed.vmi != nullptr && failed.vmi->meta.deleting;
    if (!failed.vmi_gone && !ended && !leaving) return std::nullopt;
    if (ended && !leaving && !failed.vmi_gone) {
        return explained("the guest ended during the migration: its VMI is " + failed.vmi->phase,
                         "", Look::vm, failed);
    }
    return explained("the virtual machine was stopped or deleted", "", Look::vm, failed);
}

std::optional<Explanation> by_trouble(const Failed& failed) {
    if (failed.target == nullptr) return std::nullopt;
    for (const auto& row : trouble_rows()) {
        if (failed.target->trouble.starts_with(row.pattern)) {
            return explained(row.cause, failed.target->trouble, row.look, failed);
        }
    }
    return std::nullopt;
}

seconds limit_of(const Failed& failed, const std::string& annotation, seconds standard) {
    const auto& annotations = failed.migration->meta.annotations;
    const auto found = annotations.find(annotation);
    if (found == annotations.end()) return standard;
    const auto& text = found->second;
    std::int32_t count = 0;
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, count);
    return rest == end && error == std::errc() && count >= 0 ? seconds(count) : standard;
}

// From the target pod's creation, as far as known, until the end.
std::optional<seconds> waited(const Failed& failed) {
    const auto& times = failed.migration->phase_times;
    const auto end = times.find("Failed");
    if (end == times.end()) return std::nullopt;
    if (failed.target != nullptr && failed.target->meta.created) {
        return end->second - *failed.target->meta.created;
    }
    const auto begin = times.find("Scheduling");
    return begin == times.end() ? std::nullopt : std::optional(end->second - begin->second);
}

bool expired(const std::optional<seconds>& time, seconds limit) {
    constexpr seconds rounding(2);  // both ends are whole seconds
    return time && *time + rounding >= limit;
}

std::string within(seconds limit) {
    return " within " + std::to_string(limit.count()) + " seconds, and KubeVirt removed it";
}

// The scheduler's words, or an empty text where only the fact is known.
std::optional<std::string> refused_by_scheduler(const Failed& failed) {
    if (failed.target != nullptr && !failed.target->node.empty()) return std::nullopt;
    if (failed.target != nullptr && !failed.target->unschedulable.empty()) {
        return failed.target->unschedulable;
    }
    std::optional<std::string> words;
    for (const auto* warning : warnings_of(failed)) {
        if (warning->reason == "FailedScheduling") return warning->message;
        if (warning->reason == "migrationTargetPodUnschedulable") words = "";
    }
    return words;
}

// A target pod that never became ready: KubeVirt removes it after a while, and says so in an event
// of type Normal only. Source: migration.go, handlePendingPodTimeout.
std::optional<Explanation> by_waiting(const Failed& failed) {
    if (failed.migration == nullptr || reached(failed, "Scheduled")) return std::nullopt;
    const auto time = waited(failed);
    if (const auto words = refused_by_scheduler(failed)) {
        const auto limit =
            limit_of(failed, "kubevirt.io/migrationUnschedulablePodTimeoutSeconds", seconds(300));
        const auto rest = expired(time, limit) ? within(limit) : std::string();
        return explained("no node took the target pod" + rest, *words, Look::preflight, failed);
    }
    const auto limit =
        limit_of(failed, "kubevirt.io/migrationPendingPodTimeoutSeconds", seconds(900));
    if (!expired(time, limit)) return std::nullopt;
    auto deeper = by_trouble(failed);
    if (!deeper) deeper = by_events(event_rows(), failed);
    const auto late =
        explained("the target pod was not ready" + within(limit), "", Look::events, failed);
    return deeper ? Explanation{late.cause + "; " + deeper->cause, deeper->next} : late;
}

// A target that nobody sent a guest to: its launcher gives up after 240 to 360 seconds. Source:
// virt-launcher's --qemu-timeout.
std::optional<Explanation> by_patience(const Failed& failed) {
    if (failed.migration == nullptr || reached(failed, "Running")) return std::nullopt;
    if (told(failed, "target pod was removed")) return std::nullopt;
    const auto& times = failed.migration->phase_times;
    const auto begin = times.find("Scheduled");
    const auto end = times.find("Failed");
    if (begin == times.end() || end == times.end()) return std::nullopt;
    const seconds time = end->second - begin->second;
    if (time < seconds(240)) return std::nullopt;
    return explained("copying did not begin within " + std::to_string(time.count()) +
                         " seconds, and the target's launcher gave up",
                     "", Look::handlers, failed);
}

std::optional<Explanation> by_quota(const Failed& failed) {
    if (!has_condition(failed, "migrationRejectedByResourceQuota")) return std::nullopt;
    if (over(Until::pod_exists, failed)) return std::nullopt;
    return explained("a ResourceQuota leaves no room for the target pod", "", Look::quota, failed);
}

// The target pod ended, and its container says no more than how.
std::optional<Explanation> by_end(const Failed& failed) {
    auto found = by_events(end_rows(), failed);
    if (told(failed, "target pod was removed")) return found;
    if (!found || failed.target == nullptr || failed.target->trouble.empty()) return found;
    return explained("the target pod ended during the migration", failed.target->trouble, Look::pod,
                     failed);
}

std::optional<Explanation> by_event(const Failed& failed) {
    return by_events(event_rows(), failed);
}

template <class... Rules>
std::optional<Explanation> first_of(const Failed& failed, Rules... rules) {
    std::optional<Explanation> found;
    ((found = found ? found : rules(failed)), ...);
    return found;
}

// Nothing told of a cause: what else the server said.
Explanation without_cause(const Failed& failed) {
    for (const auto* warning : warnings_of(failed)) {
        const bool its = warning->kind == kMigrationKind && warning->reason == "FailedMigration";
        if (!its) continue;
        const bool source = contains(warning->message, "source node reported");
        const auto look =
            source && !source_pod_of(failed).empty() ? Look::source_log : Look::events;
        return explained("the server gives no reason", warning->message, look, failed);
    }
    return explained("the server gives no reason", "", Look::events, failed);
}

bool was_asked_for(const Failed& failed) {
    const auto states = states_of(failed);
    const bool aborted = std::any_of(states.begin(), states.end(),
                                     [](const auto* state) { return state->abort_requested; });
    const bool deleted = failed.migration != nullptr && failed.migration->meta.deleting;
    return failed.we_cancelled || aborted || deleted ||
           has_condition(failed, "migrationAbortRequested");
}

}  // namespace

bool was_cancelled(const Failed& failed) {
    if (told(failed, "being canceled")) return true;
    if (!was_asked_for(failed)) return false;
    const auto reason = reason_of(failed);
    const auto* row = row_of(reason);
    if (row != nullptr && row->depth == Depth::abort) return true;
    // Cancelling ends the target pod, too; and what ends the guest ends its migration.
    const bool target_down = contains(reason, "Target pod is down");
    return (reason.empty() || target_down) && !by_guest(failed);
}

Explanation explain_failure(const Failed& failed) {
    if (was_cancelled(failed)) {
        if (failed.we_cancelled) return {"cancelled by this command", ""};
        return explained("somebody cancelled the migration", "", Look::again, failed);
    }
    const auto reason = reason_of(failed);
    const auto* row = row_of(reason);
    if (row != nullptr && row->depth == Depth::cause) {
        return explained(row->cause, reason, row->look, failed);
    }
    if (row != nullptr && row->depth == Depth::abort) {
        return explained("a time limit was reached, or somebody aborted the migration", reason,
                         row->look, failed);
    }
    if (row == nullptr && !reason.empty()) {
        const auto deeper = first_of(failed, by_guest, by_trouble);
        return deeper ? *deeper
                      : explained("the source reports a failure", reason, Look::source_log, failed);
    }
    const auto deeper =
        first_of(failed, by_guest, by_waiting, by_trouble, by_patience, by_event, by_quota, by_end);
    if (deeper) return *deeper;
    if (row != nullptr) return explained(row->cause, reason, row->look, failed);
    return without_cause(failed);
}

}  // namespace recovery
