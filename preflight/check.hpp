// A check is a row: who it is, what it means, and a pure function over what was read. The table is
// the one source of the help, the manual page and `explain`. Ids are never reused.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace preflight {

// How grave it is when the check fails. blocking: the migration is refused or cannot finish.
enum class Severity : std::uint8_t { blocking, warning, info };

// unknown: a fact that the check needs could not be read. waived: a fail, warn or unknown that the
// user asked to ignore; still shown. skipped: the question does not arise for this VM.
enum class Verdict : std::uint8_t { pass, warn, fail, skipped, unknown, waived };

struct Subject {
    std::string kind{};
    std::string ns{};  // empty for cluster-scoped kinds
    std::string name{};

    bool operator==(const Subject&) const = default;
};

struct Fix {
    std::string text{};
    std::vector<std::string> commands{};  // ready to paste

    bool operator==(const Fix&) const = default;
};

// What one check says about one subject.
struct Finding {
    Verdict verdict = Verdict::pass;
    Subject subject{};
    std::string seen{};
    std::string needed{};
    std::string why{};
    Fix fix{};
    std::vector<std::string> gaps{};  // ids of the gaps that leave it unknown

    bool operator==(const Finding&) const = default;
};

struct Question;  // what a check may look at: question.hpp

struct Check {
    std::string_view id;     // "DISK-001"
    std::string_view slug;   // "claims-shared": a noun phrase of the desired state
    std::string_view title;  // one line, at most 60 characters
    Severity severity;
    std::string_view meaning;  // what is looked at, for `explain`
    std::string_view why;      // why it decides a migration
    std::string_view fix;      // what an operator can do
    std::string_view source;   // where the rule stands: KubeVirt or Kubernetes file and version
    std::vector<Finding> (*run)(const Question&);
};

// Every check, in the order in which results are listed. Static storage, never changes.
std::span<const Check> all_checks();

// By id or slug, in any letter case; nullptr when there is none.
const Check* find_check(std::string_view id);

std::string_view to_string(Severity severity);
std::string_view to_string(Verdict verdict);

}  // namespace preflight
