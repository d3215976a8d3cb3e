#include "commands/render_migration_text.hpp"

#include <algorithm>
#include <map>

#include "kubeclient/time.hpp"
#include "recovery/course_words.hpp"

namespace commands {
namespace {

using recovery::Course;
using recovery::Ending;
using recovery::Instant;
using recovery::MigrationEvent;
using recovery::Outcome;

std::string vm_name(const std::string& ns, const std::string& vmi) {
    return printable(ns + "/" + vmi);
}

std::string time_of(Instant at) {
    return recovery::clock_time(std::chrono::floor<std::chrono::seconds>(at));
}

// For people: "timedOut" is for scripts.
std::string words_of(Ending ending) {
    switch (ending) {
        case Ending::nothing_to_do:
            return "nothing to do";
        case Ending::not_started:
            return "not started";
        case Ending::timed_out:
            return "timed out";
        default:
            return std::string(recovery::to_string(ending));
    }
}

Tone tone_of(Ending ending) {
    switch (ending) {
        case Ending::succeeded:
        case Ending::nothing_to_do:
        case Ending::started:
            return Tone::good;
        case Ending::cancelled:
        case Ending::not_started:
        case Ending::detached:
        case Ending::timed_out:
            return Tone::caution;
        case Ending::failed:
        case Ending::blocked:
        case Ending::unknown:
            return Tone::bad;
    }
    return Tone::plain;
}

std::string head_of(const MigrationEvent& event, const Brush& brush) {
    switch (event.type) {
        case MigrationEvent::Type::end:
            return event.outcome
                       ? brush(tone_of(event.outcome->ending), words_of(event.outcome->ending))
                       : "ended";
        case MigrationEvent::Type::waiting:
            return printable(event.phase.empty() ? "new" : event.phase) +
                   brush(Tone::caution, "  waits");
        case MigrationEvent::Type::note:
            return "note";
        case MigrationEvent::Type::created:
        case MigrationEvent::Type::joined:
            return "";
        case MigrationEvent::Type::phase:
        case MigrationEvent::Type::progress:
            break;
    }
    return printable(event.phase);
}

std::string standing_words(const Course& course) {
    const auto& outcome = course.outcome();
    if (!course.causes().empty()) return "waits: " + course.causes().front().text;
    if (outcome.phase == "Running" && course.progress()) {
        return recovery::describe_progress(*course.progress());
    }
    if (course.wants_attachments()) return "waits for the old side to let go";
    return "";
}

std::string ways(const Outcome& outcome) {
    if (outcome.target_node.empty()) return outcome.source_node;
    return outcome.source_node + " -> " + outcome.target_node;
}

std::string elapsed(const Course& course, Instant now) {
    const auto* migration = course.migration();
    if (migration == nullptr || !migration->meta.created) return "";
    const auto since = now - *migration->meta.created;
    return kubeclient::human_duration(std::max(since, Instant::duration(0)));
}

}  // namespace

std::string render_event_line(const MigrationEvent& event, const MigrationStyle& style) {
    const Brush brush(style.colour);
    std::string line = brush(Tone::faint, time_of(event.at)) + " " +
                       brush(Tone::strong, vm_name(event.ns, event.vmi));
    const std::string head = head_of(event, brush);
    if (!head.empty()) line += "  " + head;
    std::string message = printable(event.message);
    if (event.type == MigrationEvent::Type::end && event.outcome) {
        message = printable(recovery::describe_end(*event.outcome));
    }
    if (!message.empty()) line += "  " + message;
    line += "\n";
    if (!event.next.empty())
        line += "          next: " + printable(event.next, Breaks::shown) + "\n";
    return line;
}

std::string render_standing(const Course& course, Instant now, const MigrationStyle& style) {
    const Brush brush(style.colour);
    const auto& outcome = course.outcome();
    const std::string words = standing_words(course);
    return time_of(now) + " " + vm_name(outcome.ns, outcome.vmi) + "  " +
           printable(outcome.phase.empty() ? "new" : outcome.phase) + "  still" +
           (words.empty() ? std::string(" so, after ") + elapsed(course, now)
                          : ", " + printable(words)) +
           "\n";
}

std::vector<std::string> render_block(const std::vector<const Course*>& courses, Instant now,
                                      const MigrationStyle& style, int rows) {
    const Brush brush(style.colour);
    std::vector<std::string> lines;
    const auto most = static_cast<std::size_t>(std::max(rows, 3));
    for (const auto* course : courses) {
        if (lines.size() + 3 > most && course != courses.back()) {
            const auto shown = lines.size() / 2;
            lines.push_back(shortened(
                "and " + counted(static_cast<int>(courses.size() - shown), "more migration"),
                style.width));
            break;
        }
        const auto& outcome = course->outcome();
        const std::string first = vm_name(outcome.ns, outcome.vmi) + "  " +
                                  printable(outcome.phase.empty() ? "new" : outcome.phase) + "  " +
                                  printable(ways(outcome)) + "  " + elapsed(*course, now);
        lines.push_back(brush(Tone::strong, shortened(first, style.width)));
        const std::string words = standing_words(*course);
        lines.push_back(
            shortened("  " + printable(words.empty() ? "working" : words), style.width));
    }
    return lines;
}

std::string render_migration_summary(const recovery::MigrationReport& report,
                                     const MigrationStyle& style) {
    if (report.items.size() < 2) return "";
    std::vector<std::vector<std::string>> rows{{"VM", "RESULT", "FROM", "TO", "CAUSE"}};
    std::vector<std::pair<Ending, int>> counts;
    for (const auto& item : report.items) {
        rows.push_back({vm_name(item.ns, item.vmi), words_of(item.ending),
                        printable(item.source_node), printable(item.target_node),
                        printable(item.cause)});
        const auto known = std::find_if(counts.begin(), counts.end(), [&](const auto& each) {
            return each.first == item.ending;
        });
        if (known != counts.end()) {
            ++known->second;
        } else {
            counts.emplace_back(item.ending, 1);
        }
    }
    std::string text;
    for (const auto& [ending, count] : counts) {
        text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + words_of(ending);
    }
    return "\n" + columns(rows, style.width) + "\n" + text + "\n";
}

}  // namespace commands
