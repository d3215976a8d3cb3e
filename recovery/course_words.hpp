// What is said of a migration on its way, and how its figures become a verdict. Pure.
#pragma once

#include <optional>
#include <string>

#include "recovery/report.hpp"

namespace recovery {

struct PhaseFacts {
    std::string phase{};
    std::string source_node{};
    std::string target_node{};
    std::string target_pod{};
    std::optional<std::chrono::sys_seconds> deadline{};
    std::string at_deadline{};
};

// What the phase means here and now, without its name; may be empty.
std::string describe_phase(const PhaseFacts& facts);

// What KubeVirt does when the time for copying is over: "post-copy", "pause", "abort".
// Source: virt-launcher live-migration-source.go (handleLegacyConvergence), v1.9.
std::string at_deadline(const facts::MigrationSettings& settings);

struct ProgressFacts {
    std::string mode{};  // PreCopy, PostCopy, Paused
    std::optional<std::chrono::sys_seconds> deadline{};
    std::string at_deadline{};
};

// The percentage never goes back; the verdict compares what is sent with what is dirtied.
Progress progress_after(const std::optional<Progress>& before, const facts::Transfer& transfer,
                        const ProgressFacts& facts);
std::string describe_progress(const Progress& progress);

// The end in a sentence, without the phase's name.
std::string describe_end(const Outcome& outcome);

// "kubectl describe vmi NAME -n NS"
std::string describe_command(const std::string& ns, const std::string& vmi);

// "PROGRAM VERB NAME -n NS", to paste.
std::string vm_command(const std::string& program, const std::string& verb, const std::string& ns,
                       const std::string& vmi);

// "04:45:50Z"
std::string clock_time(std::chrono::sys_seconds time);
// "450ms", "12s", "3m20s"
std::string short_duration(std::chrono::milliseconds duration);

}  // namespace recovery
