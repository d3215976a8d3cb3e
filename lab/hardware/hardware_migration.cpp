// Migrations on their way: what happens when, and what a broken wire does to them.
#include <algorithm>

#include "lab/hardware/hardware.hpp"

namespace lab {

namespace {

// libvirt's keep-alive of a migration's connection: 5 times 5 s unanswered, and the last wait.
constexpr Duration kKeepAlive = std::chrono::seconds(30);
constexpr auto kFirstHorizon = std::chrono::hours(1);

Course scripted(PrecopySettings settings, const JobScript& script) {
    settings.completion_timeout = {};
    settings.progress_timeout = {};
    if (script.never_ends) {
        settings.bandwidth = 0;
        return precopy(settings, kFirstHorizon);
    }
    Course course;
    course.settings = settings;
    course.end = CourseEnd::completed;
    course.ended = *script.lasts;
    const double seconds = static_cast<double>(script.lasts->count()) / 1e6;
    if (seconds > 0) {
        course.settings.bandwidth =
            static_cast<std::int64_t>(static_cast<double>(settings.memory) / seconds);
    }
    Segment segment;
    segment.iteration = 1;
    segment.bytes = settings.memory;
    segment.sent = settings.memory;
    course.segments.push_back(segment);
    return course;
}

std::string words(const Course& course) {
    const std::string seconds = std::to_string(course.limit.count());
    if (course.end == CourseEnd::stuck) {
        return "Live migration stuck for " + seconds + " seconds and has been aborted";
    }
    return "Live migration is not completed after " + seconds + " seconds and has been aborted";
}

}  // namespace

Progress progress_of(const MigrationJob& job, Instant now) {
    const Instant at = job.state == JobState::running ? now : std::min(now, job.ended);
    return progress_at(job.course, at - job.started);
}

void Hardware::migrate(const std::string& uid, const std::string& source_pod,
                       const std::string& target_pod, const PrecopySettings& settings,
                       const JobScript& script) {
    Launcher* source = find(source_pod);
    const Launcher* target = find(target_pod);
    if (source == nullptr || target == nullptr || jobs_.contains(uid)) return;
    MigrationJob job{uid, source_pod, target_pod, clock_()};
    job.script = script;
    if (!script.failure.empty() && !job.script.lasts) job.script.lasts = std::chrono::seconds(1);
    job.course = job.script.lasts || script.never_ends ? scripted(settings, job.script)
                                                       : precopy(settings, kFirstHorizon);
    jobs_.emplace(uid, std::move(job));
    running_.insert(uid);
    source->jobs.push_back(uid);
    mark_broken(clock_());
    settle();
}

void Hardware::let_go(const std::string& uid, Duration rest) {
    settle();
    const auto place = jobs_.find(uid);
    if (place == jobs_.end() || !place->second.script.never_ends) return;
    MigrationJob& job = place->second;
    if (job.state != JobState::running) return;
    job.script.never_ends = false;
    job.script.lasts = clock_() - job.started + rest;
    job.course = scripted(job.course.settings, job.script);
}

bool Hardware::abort_migration(const std::string& uid) {
    settle();
    const auto place = jobs_.find(uid);
    if (place == jobs_.end() || place->second.state != JobState::running) return false;
    if (place->second.mode == JobMode::post_copy) return false;
    fail(place->second, clock_(), "Live migration has been aborted");
    place->second.aborted = true;
    return true;
}

const MigrationJob* Hardware::job(const std::string& uid) {
    settle();
    const auto place = jobs_.find(uid);
    return place == jobs_.end() ? nullptr : &place->second;
}

std::vector<const MigrationJob*> Hardware::jobs_from(const std::string& source_pod) {
    const Launcher* source = find(source_pod);
    std::vector<const MigrationJob*> jobs;
    if (source == nullptr) return jobs;
    for (const std::string& uid : source->jobs) jobs.push_back(&jobs_.at(uid));
    return jobs;
}

std::vector<const MigrationJob*> Hardware::jobs_on(const std::string& node) {
    settle();
    std::vector<const MigrationJob*> jobs;
    for (const std::string& uid : running_) {
        const MigrationJob& job = jobs_.at(uid);
        if (launchers_.at(job.source_pod).node == node) jobs.push_back(&job);
    }
    return jobs;
}

void Hardware::settle() {
    const Instant now = clock_();
    for (auto place = running_.begin(); place != running_.end();) {
        MigrationJob& job = jobs_.at(*place);
        settle(job, now);
        place = job.state == JobState::running ? std::next(place) : running_.erase(place);
    }
    give_up(now);
}

// Pauses, post-copy, the end and a break, in the order of their times.
void Hardware::settle(MigrationJob& job, Instant now) {
    while (job.state == JobState::running) {
        while (job.course.end == CourseEnd::open && job.started + job.course.ended <= now) {
            job.course = precopy(job.course.settings, job.course.ended * 4);
        }
        const auto due = [&](std::optional<Duration> when) {
            return when && job.started + *when <= now &&
                   (!job.broken || job.started + *when <= *job.broken);
        };
        const std::optional<Duration> end =
            job.course.end == CourseEnd::open ? std::nullopt : std::optional(job.course.ended);
        if (job.mode == JobMode::pre_copy && due(job.course.paused)) {
            enter(job, JobMode::paused, job.started + *job.course.paused);
        } else if (job.mode != JobMode::post_copy && due(job.course.post_copy)) {
            enter(job, JobMode::post_copy, job.started + *job.course.post_copy);
        } else if (due(end)) {
            const Instant at = job.started + *end;
            if (!job.script.failure.empty()) {
                fail(job, at, job.script.failure);
            } else if (job.course.end == CourseEnd::completed) {
                complete(job, at);
            } else {
                fail(job, at, words(job.course));
                job.aborted = true;
            }
        } else if (job.broken && job.mode == JobMode::post_copy) {
            split(job, *job.broken);
        } else if (job.broken && *job.broken + kKeepAlive <= now) {
            fail(job, *job.broken + kKeepAlive,
                 "Live migration failed virError(Code=9, Domain=10, Message='operation failed: "
                 "Lost connection to destination host')");
        } else {
            return;
        }
    }
}

// A wire that is mended within the keep-alive breaks nothing.
void Hardware::mark_broken(Instant now) {
    for (const std::string& uid : running_) {
        MigrationJob& job = jobs_.at(uid);
        if (job.state != JobState::running) continue;
        const bool whole = reachable(launchers_.at(job.source_pod).node,  //
                                     launchers_.at(job.target_pod).node);
        if (whole) {
            job.broken.reset();
        } else if (!job.broken) {
            job.broken = now;
        }
        settle(job, now);
    }
}

void Hardware::enter(MigrationJob& job, JobMode mode, Instant at) {
    job.mode = mode;
    Launcher& source = launchers_.at(job.source_pod);
    set_qemu(source, QemuState::paused, at);
    note(GuestEvent::paused, source, at);
    if (mode != JobMode::post_copy) return;
    Launcher& target = launchers_.at(job.target_pod);
    const Instant runs = at + std::min<Duration>(job.course.downtime, std::chrono::seconds(1));
    set_qemu(target, QemuState::post_copy, runs);
    note(GuestEvent::migrated, target, runs);
}

void Hardware::complete(MigrationJob& job, Instant at) {
    job.state = JobState::completed;
    job.ended = at;
    Launcher& source = launchers_.at(job.source_pod);
    Launcher& target = launchers_.at(job.target_pod);
    if (job.mode == JobMode::pre_copy && source.qemu == QemuState::running) {
        const Instant stopped = std::max(job.started, at - job.course.downtime);
        set_qemu(source, QemuState::paused, stopped);
        note(GuestEvent::paused, source, stopped);
    }
    set_qemu(source, QemuState::none, at);
    source.guest_left = true;
    if (job.mode != JobMode::post_copy) note(GuestEvent::migrated, target, at);
    set_qemu(target, QemuState::running, at);
}

// The guest stays, or goes on, where it is.
void Hardware::fail(MigrationJob& job, Instant at, const std::string& text) {
    job.state = JobState::failed;
    job.ended = at;
    job.failure = text;
    Launcher& source = launchers_.at(job.source_pod);
    Launcher& target = launchers_.at(job.target_pod);
    if (job.mode == JobMode::paused && source.qemu == QemuState::paused) {
        set_qemu(source, QemuState::running, at);
        note(GuestEvent::resumed, source, at);
    }
    if (target.qemu == QemuState::incoming) set_qemu(target, QemuState::none, at);
    // Nobody is left to tell it that no guest will come.
    if (source.exit_code && !target.exit_code) target.exit_code = 1;
}

// In post-copy neither side has the whole memory any more.
void Hardware::split(MigrationJob& job, Instant at) {
    job.state = JobState::failed;
    job.ended = at;
    job.failure =
        "Live migration failed virError(Code=1, Domain=10, Message='internal error: "
        "post-copy failed')";
    Launcher& source = launchers_.at(job.source_pod);
    Launcher& target = launchers_.at(job.target_pod);
    lose(target, at);
    set_qemu(source, QemuState::none, at);
}

}  // namespace lab
