// Live migration of a guest's memory as a calculation: rounds of pre-copy, what the launcher's
// monitor decides on the way, the switch-over. Pure; the same settings give the same course.
//
// Sources: kubevirt pkg/virt-launcher/virtwrap/live-migration-source.go (monitor every 400 ms,
// timeouts, post-copy, pause), manager.go (getVMIMigrationDataSize); QEMU migration/ram.c (rounds,
// auto-converge: 20 %, then 10 % more each time, at most 99 %).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "lab/hardware/machine.hpp"

namespace lab {

struct PrecopySettings {
    std::int64_t memory = 0;       // bytes of the guest
    std::int64_t working_set = 0;  // bytes of it that the guest writes to over and over
    std::int64_t dirty_rate = 0;   // bytes/s that it dirties
    std::int64_t disk = 0;         // bytes of local disks, copied before the memory
    std::int64_t bandwidth = 0;    // bytes/s; 0: nothing gets through
    Duration max_downtime = std::chrono::milliseconds(300);  // libvirt's default
    std::chrono::seconds completion_timeout{0};              // T; 0: none
    std::chrono::seconds progress_timeout{0};                // 0: none
    bool auto_converge = false;
    bool allow_post_copy = false;
    bool allow_workload_disruption = false;

    bool operator==(const PrecopySettings&) const = default;
};

// T = per_gib × size in decimal GB, rounded up (a GiB costs two of them).
std::chrono::seconds completion_timeout(std::chrono::seconds per_gib, std::int64_t bytes);
// The link's speed under bandwidthPerMigration (0: no limit; below 1 MiB/s it is raised to that).
std::int64_t migration_bandwidth(std::int64_t link, std::int64_t limit);

enum class Stage { disk, memory, switch_over, post_copy };

// A stretch of time in which one amount of data is sent at one speed.
struct Segment {
    Stage stage = Stage::memory;
    int iteration = 0;  // of memory, from 1
    Duration from{};
    std::int64_t bytes = 0;        // to be sent in it
    std::int64_t sent = 0;         // bytes of this segment that were sent when it ended
    std::int64_t disk_before = 0;  // sent before it began
    std::int64_t memory_before = 0;
    std::int64_t dirty_rate = 0;  // bytes/s, after throttling

    bool operator==(const Segment&) const = default;
};

enum class CourseEnd {
    open,  // still going on at the horizon
    completed,
    timed_out,  // T has passed
    stuck,      // nothing was sent for progressTimeout
};

struct Course {
    PrecopySettings settings{};
    std::vector<Segment> segments{};
    CourseEnd end = CourseEnd::open;
    Duration ended{};                     // since the start; of an open one the horizon
    std::optional<Duration> post_copy{};  // when the guest went over
    std::optional<Duration> paused{};     // when it was stopped so that the rest could be sent
    // Until the guest runs on the target. net: the part that the network takes.
    Duration downtime{};
    Duration downtime_net{};
    std::chrono::seconds limit{0};  // that timed_out or stuck speaks of

    bool operator==(const Course&) const = default;
};

Course precopy(const PrecopySettings& settings, Duration horizon = std::chrono::hours(1));

// libvirt's job statistics at one moment. Totals are what was sent and what is left.
struct Progress {
    Duration elapsed{};
    std::int64_t disk_processed = 0;
    std::int64_t disk_remaining = 0;
    std::int64_t memory_processed = 0;
    std::int64_t memory_remaining = 0;
    std::int64_t memory_rate = 0;  // bytes/s
    std::int64_t disk_rate = 0;    // bytes/s
    std::int64_t dirty_rate = 0;   // bytes/s
    int iteration = 0;
    Duration expected_downtime{};

    std::int64_t memory_total() const { return memory_processed + memory_remaining; }
    std::int64_t processed() const { return disk_processed + memory_processed; }
    std::int64_t remaining() const { return disk_remaining + memory_remaining; }
    std::int64_t total() const { return processed() + remaining(); }

    bool operator==(const Progress&) const = default;
};

// After the end: as it was then.
Progress progress_at(const Course& course, Duration elapsed);

}  // namespace lab
