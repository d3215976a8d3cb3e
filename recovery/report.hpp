// What became of migrations: values that every renderer prints. The exit code is part of the
// report, so it is the same for every format.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "facts/migration.hpp"
#include "preflight/report.hpp"
#include "recovery/sight.hpp"

namespace recovery {

enum class Ending : std::uint8_t {
    succeeded,
    nothing_to_do,  // already there; nothing to cancel
    started,        // goes on at the server, as asked: --wait=false, or a dry run
    detached,       // interrupted; goes on at the server
    blocked,        // a check failed or could not be decided, or a rule refused
    not_started,    // because of another one in the batch
    timed_out,      // goes on at the server
    failed,
    cancelled,
    unknown,  // the outcome could not be read
};

// One VM of the batch.
struct Outcome {
    std::string ns{};
    std::string vmi{};
    std::string vmim{};   // name of the migration; empty when there is none
    std::string phase{};  // of the migration, the last that was seen
    Ending ending = Ending::unknown;
    std::optional<bool> vm_running{};  // nullopt: not known
    std::string runs_on{};             // node that runs the guest, as far as known
    std::string source_node{};
    std::string target_node{};
    std::optional<std::chrono::sys_seconds> started{};  // of copying memory
    std::optional<std::chrono::sys_seconds> ended{};
    std::optional<std::int64_t> bytes{};                  // sent
    std::optional<std::chrono::milliseconds> downtime{};  // the guest's pause
    std::string cause{};               // why it ended, waits or was refused, in words
    std::string next{};                // one command, or empty when all is well
    std::vector<std::string> notes{};  // what else has to be known: leftovers, gaps

    bool operator==(const Outcome&) const = default;
};

struct MigrationReport {
    std::string verb{};    // migrate, cancel
    std::string source{};  // "cluster https://…"
    std::chrono::sys_seconds taken_at{};
    int exit_code = 0;
    std::vector<Outcome> items{};
    std::optional<preflight::ReportError> error{};

    bool operator==(const MigrationReport&) const = default;
};

// How the copying of memory goes.
struct Progress {
    facts::Transfer transfer{};
    int percent = 0;        // of the first pass; never goes back
    std::string verdict{};  // "first pass", "converging", "not converging", "post-copy", …
    std::optional<std::chrono::sys_seconds> deadline{};
    std::string at_deadline{};  // "abort", "post-copy", "pause"; empty without a deadline

    bool operator==(const Progress&) const = default;
};

// Something that happened, in the order in which it was seen.
struct MigrationEvent {
    enum class Type : std::uint8_t { created, joined, phase, progress, waiting, note, end };
    Type type = Type::note;
    Instant at{};
    std::string ns{};
    std::string vmi{};
    std::string vmim{};
    std::string phase{};
    std::string message{};  // without the phase
    std::string next{};
    std::optional<Progress> progress{};
    std::optional<Outcome> outcome{};  // of Type::end

    bool operator==(const MigrationEvent&) const = default;
};

std::string_view to_string(Ending ending);
std::string_view to_string(MigrationEvent::Type type);

// The verdict of a whole batch as exit code (commands/environment.hpp): the gravest wins, in the
// order 8, 6, 5, 7, 3; 7 where some were done and others were not begun.
int exit_code_of(const std::vector<Outcome>& items);

}  // namespace recovery
