#include "story_rules.hpp"

#include <algorithm>
#include <array>
#include <regex>
#include <set>

namespace lab_replay {

namespace {

std::string path_of(const std::string& line) {
    return line.substr(0, line.find(" = "));
}

// "activePods/UID =" is there until virt-controller sees where the pod was bound; whether a watch
// shows it depends on which of two controllers is faster.
void late_node(const std::string& title, Chapter& chapter) {
    if (!title.ends_with(": active pods")) return;
    // Pods that were bound or gone in one look or in two.
    Chapter single;
    for (std::string line : chapter) {
        for (std::size_t at = line.find(" | "); at != std::string::npos; at = line.find(" | ")) {
            single.push_back(line.substr(0, at));
            line.erase(0, at + 3);
        }
        single.push_back(line);
    }
    chapter = std::move(single);
    for (auto line = chapter.begin(); line != chapter.end();) {
        const bool bound_later =
            line->ends_with(" = ") && std::any_of(line + 1, chapter.end(), [&](const auto& later) {
                return later.starts_with(*line) && !later.ends_with("(gone)");
            });
        line = bound_later ? chapter.erase(line) : line + 1;
    }
}

// The recording's kubelet replaced a pod's conditions as a whole, and virt-controller put its own
// back.
void overwritten_condition(const std::string& title, Chapter& chapter) {
    if (!title.ends_with(": virt-controller's readiness")) return;
    for (std::size_t i = 0; i + 2 < chapter.size();) {
        const bool put_back =
            chapter[i + 1] == path_of(chapter[i]) + " = (gone)" && chapter[i + 2] == chapter[i];
        if (put_back) {
            chapter.erase(chapter.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                          chapter.begin() + static_cast<std::ptrdiff_t>(i) + 3);
        } else {
            ++i;
        }
    }
}

// A controller whose informer lags does its work again and says so again. Similar events of
// different texts are combined after ten.
void repeated_events(const std::string& title, Chapter& chapter) {
    if (!title.starts_with("events of ")) return;
    static const std::regex count(" ×[0-9]+$");
    constexpr std::string_view combined = "(combined from similar events): ";
    static const std::regex failure("^Warning FailedMigration: .*$");
    std::set<std::string> told;
    Chapter once;
    bool failed = false;
    for (std::string line : chapter) {
        line = std::regex_replace(line, count, "");
        const std::size_t at = line.find(combined);
        if (at != std::string::npos) line.erase(at, combined.size());
        // The same failure, seen again when the pod had gone.
        const bool again = failed && std::regex_match(line, failure);
        failed = failed || std::regex_match(line, failure);
        if (!again && told.insert(line).second) once.push_back(std::move(line));
    }
    chapter = std::move(once);
}

// Two controllers each take their finalizer off an instance that goes; which comes first is chance.
void finalizers_of_the_dying(const std::string& title, Chapter& chapter) {
    if (title.starts_with("VirtualMachineInstance ") && title.ends_with(": finalizers")) {
        chapter.resize(std::min<std::size_t>(chapter.size(), 1));
    }
}

// A guest that was told to stop is Succeeded when virt-handler sees it first, and Failed when
// virt-controller sees first that its pod is gone.
void stopped_guests(const std::string& title, Chapter& chapter) {
    static const std::regex ended("^(VMI .* |status/)phase = (Succeeded|Failed)$");
    for (std::string& line : chapter) {
        line = std::regex_replace(line, ended, "$1phase = (ended)");
    }
    if (title.ends_with(": readiness")) {
        std::erase_if(chapter, [](const std::string& line) {
            return line.find(", PodNotExists, ") != std::string::npos;
        });
    }
}

// When a launcher that has lost its guest ends is its node's own business; its pod's chapter has
// it.
void ends_of_launchers(const std::string& title, Chapter& chapter) {
    static const std::regex ended("Pod .* phase = (Succeeded|Failed)");
    if (!title.starts_with("order of ")) return;
    std::erase_if(chapter, [](const std::string& line) { return std::regex_match(line, ended); });
}

// virt-controller deletes an instance's pods in the order of a hash table.
void pods_in_any_order(const std::string& title, Chapter& chapter) {
    static const std::regex deletion(
        "Pod .* (deletionTimestamp = <time>|deleted)|"
        "Normal SuccessfulDelete: Deleted virtual machine pod .*");
    if (!title.starts_with("order of ") && !title.starts_with("events of ")) return;
    const auto pod_of = [](const std::string& line) {
        const std::size_t from = line.find("launcher(");
        return line.substr(from, line.find(' ', from) - from);
    };
    for (auto begin = chapter.begin(); begin != chapter.end();) {
        const auto is_deletion = [](const std::string& line) {
            return std::regex_match(line, deletion);
        };
        begin = std::find_if(begin, chapter.end(), is_deletion);
        const auto end = std::find_if_not(begin, chapter.end(), is_deletion);
        std::stable_sort(begin, end, [&pod_of](const auto& one, const auto& other) {
            return pod_of(one) < pod_of(other);
        });
        begin = end;
    }
}

// Neighbours whose order is the chance of two components working at the same time: the first comes
// first.
struct Race {
    std::regex first;
    std::regex second;
};

void races(const std::string& title, Chapter& chapter) {
    static const std::array<Race, 3> known{{
        {std::regex("VMI .* phase = Scheduling"), std::regex("Pod .* phase = Running")},
        {std::regex("VMIM .* phase = Scheduling"), std::regex("Pod .* phase = Running")},
        // A pod that has ended is removed a moment later.
        {std::regex("Pod .* deleted"),
         std::regex(R"(VMIM? .* (deleted|finalizers = \(gone\)|phase = (Failed|\(ended\))|)"
                    "(completed|endTimestamp|failed|startTimestamp) = .*)")},
    }};
    if (!title.starts_with("order of ")) return;
    const auto wrong = [](const std::string& one, const std::string& next) {
        return std::any_of(known.begin(), known.end(), [&](const Race& race) {
            return std::regex_match(one, race.second) && std::regex_match(next, race.first);
        });
    };
    for (std::size_t i = 1; i < chapter.size(); ++i) {
        for (std::size_t k = i; k > 0 && wrong(chapter[k - 1], chapter[k]); --k) {
            std::swap(chapter[k - 1], chapter[k]);
        }
    }
}

}  // namespace

const std::vector<Rule>& rules() {
    static const std::vector<Rule> all{
        {"late-node", "whether a pod is seen unbound is a race of virt-controller and scheduler",
         late_node},
        {"overwritten-condition", "the recording's kubelet overwrote conditions of others",
         overwritten_condition},
        {"repeated-events", "how often a sync repeats itself depends on informers' delays",
         repeated_events},
        {"finalizers-of-the-dying", "two controllers remove their finalizers independently",
         finalizers_of_the_dying},
        {"stopped-guests", "virt-handler and virt-controller both watch a guest end",
         stopped_guests},
        {"ends-of-launchers", "a launcher without a guest ends in its own time", ends_of_launchers},
        {"races", "independent components act at the same time", races},
        {"pods-in-any-order", "several pods are deleted in the order of a hash table",
         pods_in_any_order},
    };
    return all;
}

}  // namespace lab_replay
