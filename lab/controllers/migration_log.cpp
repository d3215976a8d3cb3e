#include "lab/controllers/migration_log.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kubeclient/json.hpp"
#include "kubeclient/time.hpp"

namespace lab {

namespace {

constexpr Duration kLogInterval = std::chrono::seconds(4);  // 10 polls of 400 ms
constexpr Duration kSampleInterval = std::chrono::seconds(5);
constexpr std::ptrdiff_t kMostSamples = 10;
constexpr std::int64_t kPage = 4096;

std::string mebibytes(std::int64_t bytes) {
    return std::to_string(bytes >> 20) + "MiB";
}
std::string megabits(std::int64_t bytes) {
    return std::to_string(bytes * 8 / 1'000'000);
}
std::string milliseconds(Duration time) {
    return std::to_string(std::chrono::floor<std::chrono::milliseconds>(time).count()) + "ms";
}

LogLine line(Instant at, const LogSubject& about, const std::string& level,
             const std::string& position, const std::string& message) {
    kubeclient::Json json{{"component", "virt-launcher"},
                          {"kind", ""},
                          {"level", level},
                          {"msg", message},
                          {"name", about.name},
                          {"namespace", about.ns},
                          {"pos", position},
                          {"timestamp", kubeclient::format_micro_time(at)},
                          {"uid", about.uid}};
    return {at, kubeclient::to_line(json)};
}

LogLine last_words(const MigrationJob& job, const LogSubject& about) {
    if (job.state == JobState::completed) {
        return line(job.ended, about, "info", "live-migration-source.go:979",
                    migration_info(job, job.ended));
    }
    if (job.aborted) {
        return line(job.ended, about, "error", "live-migration-source.go:936",
                    "Live migration abort detected with reason: " + job.failure);
    }
    return line(job.ended, about, "error", "live-migration-source.go:900", job.failure);
}

}  // namespace

std::string migration_info(const MigrationJob& job, Instant at) {
    const Progress now = progress_of(job, at);
    const bool over = job.state == JobState::completed && at >= job.ended;
    const std::string downtime = over && job.course.downtime_net > Duration(0)
                                     ? "Downtime:" + milliseconds(job.course.downtime) +
                                           " DowntimeNet:" + milliseconds(job.course.downtime_net)
                                     : "ExpectedDowntime:" + milliseconds(now.expected_downtime);
    return "Migration info for " + job.uid + ": TimeElapsed:" + milliseconds(now.elapsed) +
           " DataProcessed:" + mebibytes(now.processed()) +
           " DataRemaining:" + mebibytes(now.remaining()) + " DataTotal:" + mebibytes(now.total()) +
           " MemoryProcessed:" + mebibytes(now.memory_processed) +
           " MemoryRemaining:" + mebibytes(now.memory_remaining) +
           " MemoryTotal:" + mebibytes(now.memory_total()) +
           " MemoryBandwidth:" + megabits(now.memory_rate) +
           "Mbps DirtyRate:" + megabits(now.dirty_rate) +
           "Mbps Iteration:" + std::to_string(now.iteration) + " PostcopyRequests:0" +
           " ConstantPages:0 NormalPages:" + std::to_string(now.memory_processed / kPage) +
           " NormalData:" + mebibytes(now.memory_processed) + " " + downtime +
           " DiskMbps:" + megabits(now.disk_rate);
}

std::vector<LogLine> migration_log(const MigrationJob& job, const LogSubject& about, Instant now) {
    std::vector<LogLine> lines;
    const bool over = job.state != JobState::running;
    const Instant until = over ? std::min(now, job.ended) : now;
    // What was there at one moment stays, also when the migration fails at that moment.
    const bool told_last = job.state == JobState::completed && until == job.ended;
    for (Instant at = job.started + kLogInterval; at < until || (at == until && !told_last);
         at += kLogInterval) {
        lines.push_back(
            line(at, about, "info", "live-migration-source.go:979", migration_info(job, at)));
    }
    const auto mode = [&](std::optional<Duration> when, const std::string& message) {
        if (!when || job.started + *when > until) return;
        lines.push_back(
            line(job.started + *when, about, "info", "live-migration-source.go:780", message));
    };
    mode(job.course.post_copy, "Starting post copy mode for migration");
    mode(job.course.paused, "Pausing the guest to allow migration to complete");
    std::stable_sort(lines.begin(), lines.end(),
                     [](const LogLine& a, const LogLine& b) { return a.at < b.at; });
    if (over && job.ended <= now) lines.push_back(last_words(job, about));
    return lines;
}

std::vector<Sample> migration_samples(const MigrationJob& job, Instant now) {
    std::vector<Sample> samples;
    if (job.state != JobState::running) return samples;
    const std::ptrdiff_t last = (now - job.started) / kSampleInterval;
    for (std::ptrdiff_t i = std::max<std::ptrdiff_t>(1, last - kMostSamples + 1); i <= last; ++i) {
        const Instant at = job.started + i * kSampleInterval;
        samples.push_back({at, progress_of(job, at)});
    }
    return samples;
}

}  // namespace lab
