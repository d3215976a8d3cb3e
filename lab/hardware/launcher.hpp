// A virt-launcher pod's process with the QEMU in it, and a migration from one to another. Values;
// Hardware changes them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/hardware/precopy.hpp"

namespace lab {

enum class QemuState {
    none,      // the launcher runs, but no QEMU: not yet, or no more
    incoming,  // waits for a guest
    running,
    paused,
    post_copy,  // runs while a part of its memory is still on the other node
};

// What the guest does to its memory.
struct Load {
    std::int64_t dirty_rate = 32 << 20;    // bytes/s
    std::int64_t working_set = 256 << 20;  // bytes; 0: all of its memory
    std::int64_t local_disk = 64 << 20;    // bytes of local disks, for a block migration

    bool operator==(const Load&) const = default;
};

struct Launcher {
    std::string pod_uid{};
    std::string vmi{};  // namespace/name
    std::string node{};
    std::vector<std::string> disks{};  // the back-end's names of what QEMU writes to
    Instant started{};
    Duration patience{};  // how long it waits for a guest before it ends (--qemu-timeout)
    QemuState qemu = QemuState::none;
    std::optional<int> exit_code{};  // the process is gone
    // The guest has moved away, and the launcher ends when its virt-handler says so.
    bool guest_left = false;
    std::vector<std::string> jobs{};  // migrations from here, by uid, oldest first
};

enum class JobState { running, completed, failed };
enum class JobMode { pre_copy, paused, post_copy };

// How a script of a scene overrides the calculation.
struct JobScript {
    std::optional<Duration> lasts{};  // memory is copied for so long
    std::string failure{};            // and then it fails with this text
    bool never_ends = false;
};

struct MigrationJob {
    std::string uid{};         // of the VirtualMachineInstanceMigration
    std::string source_pod{};  // uids of the launcher pods
    std::string target_pod{};
    Instant started{};
    Course course{};
    JobScript script{};
    JobMode mode = JobMode::pre_copy;
    JobState state = JobState::running;
    std::optional<Instant> broken{};  // since when nothing reaches the other side
    Instant ended{};                  // unless running
    std::string failure{};            // libvirt's and the monitor's words
    bool aborted = false;             // by request or by the monitor
};

// As of `now`; after the end as it was then.
Progress progress_of(const MigrationJob& job, Instant now);

}  // namespace lab
