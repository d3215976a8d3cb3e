// What a check may look at: the snapshot, the one machine that is judged, and what was computed
// from both before any check runs. Checks take it by reference and keep nothing.
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "facts/snapshot.hpp"
#include "kubeclient/shell_word.hpp"
#include "preflight/check.hpp"
#include "preflight/disks.hpp"
#include "preflight/judged.hpp"
#include "preflight/migratability.hpp"
#include "preflight/migration_config.hpp"
#include "preflight/placement.hpp"
#include "preflight/report.hpp"
#include "preflight/rules.hpp"

namespace preflight {

struct Question {
    const facts::Snapshot& snapshot;
    const Judged& judged;
    const facts::KubeVirt* kubevirt;  // nullptr: not read
    const Rules& rules;
    const Migratability& migratability;
    const MigrationConfig& config;
    const Reported& reported;
    const TargetNeeds& needs;               // of the target pod
    const std::vector<ClaimedDisk>& disks;  // with a claim behind them

    // The VMI where one runs, else the VM.
    Subject machine() const;
    // How a command names it: "vm/web -n prod" without the verb.
    std::string ns() const { return judged.meta.ns; }
    std::string name() const { return judged.meta.name; }
    // The time to compare ages with; nullopt for files, whose age is not known.
    std::optional<std::chrono::sys_seconds> now() const;
};

Subject claim_subject(const Question& question, const std::string& claim);

// Findings in one word each; a check returns a list of them.
// For checks of a running machine: why there is nothing to check, or nothing in the way of
// checking.
std::optional<Finding> unless_running(const Question& question, const std::string& needed);

Finding passed(Subject subject, std::string seen);
Finding skipped(Subject subject, std::string why);
Finding unknown(Subject subject, std::string needed, std::vector<std::string> gaps);
// A blocking check fails, a warning warns; the caller says which.
Finding failed(Subject subject, std::string seen, std::string needed, std::string why, Fix fix);
Finding warned(Subject subject, std::string seen, std::string needed, std::string why, Fix fix);

// A rule of KubeVirt's own as findings: skipped where the release has no such rule, passed with
// `clear_text`, unknown by its gaps, one failure for every obstacle.
struct RuleText {
    std::string clear{};
    std::string needed{};
    std::string why{};
    Fix fix{};
};
std::vector<Finding> from_rule(const Question& question, Rule rule, const RuleText& text);

// A command to paste: literals as they are, names quoted for the shell where they need it.
template <class... Parts>
std::string command(const Parts&... parts) {
    const auto quoted = [](const auto& part) -> std::string {
        if constexpr (std::is_same_v<std::decay_t<decltype(part)>, std::string>) {
            return kubeclient::shell_word(part);
        } else {
            return part;
        }
    };
    return (quoted(parts) + ...);
}

std::string join(const std::vector<std::string>& words, std::string_view separator = ", ");
// "1 node", "3 nodes"
std::string count_of(std::size_t count, std::string_view noun);

}  // namespace preflight
