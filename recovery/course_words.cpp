#include "recovery/course_words.hpp"

#include <algorithm>

#include "kubeclient/quantity.hpp"
#include "kubeclient/shell_word.hpp"
#include "kubeclient/time.hpp"

namespace recovery {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string way(const std::string& source, const std::string& target) {
    if (target.empty()) return source.empty() ? "" : "from " + source;
    return (source.empty() ? "?" : source) + " -> " + target;
}

std::string rate(std::int64_t bytes_per_second) {
    return kubeclient::describe_bytes(bytes_per_second) + "/s";
}

std::string what_comes(const std::string& at_deadline) {
    if (at_deadline == "post-copy") return "it switches to post-copy";
    return at_deadline == "pause" ? "the guest is paused" : "it is aborted";
}

bool in_first_pass(const facts::Transfer& transfer, int percent) {
    return transfer.pass ? *transfer.pass <= 1 : percent < 100;
}

// Of everything that had to be sent when it began.
int first_pass_percent(const facts::Transfer& transfer) {
    if (transfer.pass && *transfer.pass > 1) return 100;
    const auto total = std::max(transfer.total, transfer.remaining);
    if (total <= 0) return 0;
    const double share = static_cast<double>(transfer.processed) / static_cast<double>(total);
    return std::clamp(static_cast<int>(share * 100), 0, 100);
}

std::string verdict_of(const facts::Transfer& transfer, int percent, const ProgressFacts& facts) {
    if (facts.mode == "PostCopy") return "post-copy";
    if (facts.mode == "Paused") return "paused";
    if (transfer.downtime || (transfer.remaining == 0 && percent == 100)) return "switching over";
    if (in_first_pass(transfer, percent)) return "first pass";
    if (transfer.rate <= 0) return "stalled";
    if (transfer.dirty_rate >= transfer.rate) return "not converging";
    if (!facts.deadline) return "converging";
    const double left = static_cast<double>(transfer.remaining) /
                        static_cast<double>(transfer.rate - transfer.dirty_rate);
    const auto at = std::chrono::duration<double>(transfer.at.time_since_epoch()).count() + left;
    const auto limit = static_cast<double>(facts.deadline->time_since_epoch().count());
    return at > limit ? "too slow" : "converging";
}

}  // namespace

std::string clock_time(std::chrono::sys_seconds time) {
    const auto text = kubeclient::format_time(time);
    return text.substr(text.find('T') + 1);
}

std::string short_duration(milliseconds duration) {
    if (duration < seconds(2)) return std::to_string(duration.count()) + "ms";
    return kubeclient::human_duration(duration);
}

std::string vm_command(const std::string& program, const std::string& verb, const std::string& ns,
                       const std::string& vmi) {
    return program + " " + verb + " " + kubeclient::shell_word(vmi) + " -n " +
           kubeclient::shell_word(ns);
}

std::string describe_command(const std::string& ns, const std::string& vmi) {
    return vm_command("kubectl", "describe vmi", ns, vmi);
}

std::string describe_phase(const PhaseFacts& facts) {
    const auto& phase = facts.phase;
    if (phase == "Scheduling" && !facts.target_pod.empty()) {
        return "target pod " + facts.target_pod + " is being placed";
    }
    if (phase == "Scheduled") {
        return "target pod is ready" +
               (facts.target_node.empty() ? "" : " on " + facts.target_node);
    }
    if (phase == "PreparingTarget") {
        return way(facts.source_node, facts.target_node) + ", handed over to virt-handler";
    }
    if (phase == "TargetReady") {
        return (facts.target_node.empty() ? "the target" : facts.target_node) +
               " waits for the guest";
    }
    if (phase == "Running") {
        std::string text = way(facts.source_node, facts.target_node) + ", copying memory";
        if (facts.deadline) {
            text += "; at " + clock_time(*facts.deadline) + " " + what_comes(facts.at_deadline);
        }
        return text;
    }
    return "";
}

std::string at_deadline(const facts::MigrationSettings& settings) {
    if (!settings.allow_workload_disruption.value_or(settings.allow_post_copy.value_or(false))) {
        return "abort";
    }
    return settings.allow_post_copy.value_or(false) ? "post-copy" : "pause";
}

Progress progress_after(const std::optional<Progress>& before, const facts::Transfer& transfer,
                        const ProgressFacts& facts) {
    Progress progress;
    progress.transfer = transfer;
    progress.percent = std::max(before ? before->percent : 0, first_pass_percent(transfer));
    progress.verdict = verdict_of(transfer, progress.percent, facts);
    progress.deadline = facts.deadline;
    if (facts.deadline) progress.at_deadline = facts.at_deadline;
    return progress;
}

std::string describe_progress(const Progress& progress) {
    const auto& transfer = progress.transfer;
    std::string text = progress.verdict + ": ";
    if (in_first_pass(transfer, progress.percent)) {
        text += std::to_string(progress.percent) + " %";
    } else if (transfer.pass) {
        text += "pass " + std::to_string(*transfer.pass) + ", " +
                kubeclient::describe_bytes(transfer.remaining) + " left";
    } else {
        text += kubeclient::describe_bytes(transfer.remaining) + " left";
    }
    text += ", " + rate(transfer.rate) + " sent, " + rate(transfer.dirty_rate) + " dirtied";
    if (progress.deadline &&
        (progress.verdict == "not converging" || progress.verdict == "too slow")) {
        text += "; will not finish before " + clock_time(*progress.deadline) + " (" +
                progress.at_deadline + ")";
    }
    return text;
}

std::string describe_end(const Outcome& outcome) {
    std::string text;
    if (outcome.ending == Ending::succeeded) {
        text = way(outcome.source_node, outcome.target_node);
        if (outcome.started && outcome.ended) {
            text += " in " + kubeclient::human_duration(*outcome.ended - *outcome.started);
        }
        if (outcome.downtime) text += ", downtime " + short_duration(*outcome.downtime);
        if (outcome.bytes) text += ", " + kubeclient::describe_bytes(*outcome.bytes) + " sent";
    } else {
        text = outcome.cause + (outcome.cause.empty() ? "" : "; ");
        if (outcome.vm_running.has_value()) {
            text +=
                *outcome.vm_running ? "the VM runs on " + outcome.runs_on : "the VM does not run";
        } else {
            text += "whether the VM runs could not be read";
        }
    }
    for (const auto& note : outcome.notes) text += "; " + note;
    return text;
}

}  // namespace recovery
