#include "recovery/waiting.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "kubeclient/time.hpp"
#include "preflight/question.hpp"
#include "recovery/waiting_course.hpp"

namespace recovery {

using preflight::command;
using std::chrono::seconds;

namespace waiting {

seconds age(const Course& course, std::chrono::sys_seconds since) {
    return std::max(seconds(0), std::chrono::floor<seconds>(course.asked.now - Instant(since)));
}

std::optional<seconds> time_in_phase(const Course& course) {
    const auto& times = course.migration.phase_times;
    const auto entered = times.find(course.phase());
    if (entered != times.end()) return age(course, entered->second);
    if (course.migration.meta.created) return age(course, *course.migration.meta.created);
    return std::nullopt;
}

bool target_is_gone(const Course& course) {
    return course.target == nullptr ? course.sight.launchers.complete : course.target->finished();
}

bool is_late(const Course& course) {
    return time_in_phase(course).value_or(kPatience) >= kPatience;
}

std::string for_how_long(const Course& course) {
    const auto time = time_in_phase(course);
    return time ? " for " + kubeclient::human_duration(*time) : std::string();
}

std::string given_up(const Course& course, seconds limit, const std::string& after,
                     std::optional<std::chrono::sys_seconds> since) {
    const auto words = "given up " + kubeclient::human_duration(limit) + " after " + after;
    if (!since) return words;
    const auto left = limit - age(course, *since);
    if (left <= seconds(0)) return words + ", which is now";
    return words + ", in " + kubeclient::human_duration(left);
}

std::optional<seconds> own_limit(const Course& course, const std::string& annotation) {
    const auto& annotations = course.migration.meta.annotations;
    const auto found = annotations.find(annotation);
    if (found == annotations.end()) return std::nullopt;
    std::string_view text = found->second;
    if (text.starts_with('+')) text.remove_prefix(1);
    int number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
    return std::max(seconds(0), seconds(number));
}

std::string without_stop(std::string words) {
    while (!words.empty() && (words.back() == '.' || words.back() == ' ')) words.pop_back();
    return words;
}

std::string pod_words(const facts::Pod& pod) {
    return pod.meta.name + (pod.node.empty() ? "" : " on node " + pod.node);
}

std::string list_pods_command(const Course& course) {
    const auto base = command("kubectl get pods -n ", course.ns(), " -l kubevirt.io/created-by=");
    return base + (course.asked.vmi == nullptr ? "" : course.asked.vmi->meta.uid);
}

std::string list_controllers_command() {
    return "kubectl get pods -A -l kubevirt.io=virt-controller -o wide";
}

namespace {

Course course_of(const Sight& sight, const WaitingFor& asked) {
    const auto& migration = *asked.migration;
    return {sight, asked, migration, state_of(asked.vmi, migration.meta.uid),
            target_pod(sight, migration.meta.uid)};
}

void append(Causes& causes, Causes more) {
    causes.insert(causes.end(), std::make_move_iterator(more.begin()),
                  std::make_move_iterator(more.end()));
}

Causes about_new(const Course& course) {
    const auto& created = course.migration.meta.created;
    if (!created || age(course, *created) < kPatience) return {};
    return {{"not-taken-up", "virt-controller has not taken it up" + for_how_long(course),
             list_controllers_command()}};
}

Causes about_pending(const Course& course) {
    auto causes = before_target(course);
    if (course.target != nullptr) {
        append(causes, about_target_pod(course));
        return causes;
    }
    append(causes, limits_reached(course));
    // Most migrations wait for a moment; guesses are for those that stay.
    if (!causes.empty() || !is_late(course)) return causes;
    append(causes, possible_before_target(course));
    append(causes, unread_before_target(course));
    return causes;
}

}  // namespace

}  // namespace waiting

std::vector<Cause> why_waiting(const Sight& sight, const WaitingFor& asked) {
    const auto course = waiting::course_of(sight, asked);
    const auto& phase = course.phase();
    if (phase.empty()) return waiting::about_new(course);
    if (course.deleting()) return waiting::about_deletion(course);
    if (phase == "Pending") return waiting::about_pending(course);
    if (phase == "Scheduling") return waiting::about_target_pod(course);
    const bool prepared =
        phase == "Scheduled" || phase == "PreparingTarget" || phase == "TargetReady";
    return prepared ? waiting::about_hand_over(course) : waiting::Causes();
}

bool needs_queue(const Sight& sight, const WaitingFor& asked) {
    const auto course = waiting::course_of(sight, asked);
    return course.phase() == "Pending" && !course.deleting() && course.target == nullptr &&
           waiting::before_target(course).empty();
}

}  // namespace recovery
