#include "lab/hardware/precopy.hpp"

#include <algorithm>
#include <cmath>

namespace lab {

namespace {

constexpr Duration kPoll = std::chrono::milliseconds(400);
constexpr std::int64_t kMiB = 1 << 20;
// What remains of a guest that stands still: CPUs and devices.
constexpr std::int64_t kDeviceState = kMiB;
constexpr Duration kHandshake = std::chrono::milliseconds(10);

std::int64_t bytes_in(std::int64_t rate, Duration time) {
    return static_cast<std::int64_t>(static_cast<double>(rate) * static_cast<double>(time.count()) /
                                     1e6);
}

// Duration::max(): never.
Duration time_for(std::int64_t bytes, std::int64_t rate) {
    if (rate <= 0) return Duration::max();
    return Duration(static_cast<std::int64_t>(
        std::ceil(static_cast<double>(bytes) * 1e6 / static_cast<double>(rate))));
}

class Run {
public:
    Run(const PrecopySettings& settings, Duration horizon)
        : settings_(settings), horizon_(horizon), timeout_(settings.completion_timeout) {
        course_.settings = settings;
    }

    Course course() {
        if (settings_.disk > 0 && !send(Stage::disk, settings_.disk)) return course_;
        std::int64_t bytes = settings_.memory;
        while (send(Stage::memory, bytes)) {
            const std::int64_t dirtied = dirtied_in(course_.segments.back(), now_);
            converge(course_.segments.back().bytes, dirtied);
            if (time_for(dirtied, settings_.bandwidth) <= settings_.max_downtime) {
                switch_over(dirtied);
                return course_;
            }
            bytes = dirtied;
        }
        return course_;
    }

private:
    // False where the migration ended in it, or the horizon was reached.
    bool send(Stage stage, std::int64_t bytes) {
        Segment segment{
            stage,       stage == Stage::memory ? ++iteration_ : 0, now_, bytes, 0, disk_, memory_,
            dirty_rate()};
        course_.segments.push_back(segment);
        const Duration needed = time_for(bytes, settings_.bandwidth);
        const Duration end = needed >= horizon_ - now_ ? horizon_ : now_ + needed;
        for (; poll_ < end; poll_ += kPoll) {
            if (!monitor(poll_)) return false;
        }
        if (needed > end - segment.from) {
            finish(CourseEnd::open, horizon_);
            return false;
        }
        close_segment(end);
        return true;
    }

    // One look of the launcher's monitor. False: the migration is over, or post-copy.
    bool monitor(Duration at) {
        const std::int64_t left = remaining(at);
        if (!watermark_ || left < *watermark_) progressed_ = at;
        watermark_ = left;
        const auto whole = [](Duration time) {
            return std::chrono::floor<std::chrono::seconds>(time);
        };
        const bool late = timeout_.count() > 0 && whole(at) > timeout_;
        if (late && settings_.allow_workload_disruption && !course_.paused) {
            if (settings_.allow_post_copy) {
                post_copy(at);
                return false;
            }
            course_.paused = at;
            timeout_ *= 2;
            return true;
        }
        const auto still = whole(at - progressed_);
        if (settings_.progress_timeout.count() > 0 && still > settings_.progress_timeout) {
            course_.limit = still;
            finish(CourseEnd::stuck, at);
            return false;
        }
        if (late) {
            course_.limit = timeout_;
            finish(CourseEnd::timed_out, at);
            return false;
        }
        return true;
    }

    std::int64_t remaining(Duration at) const {
        const Segment& segment = course_.segments.back();
        const std::int64_t left =
            std::max<std::int64_t>(0, segment.bytes - bytes_in(settings_.bandwidth,  //
                                                               at - segment.from));
        return segment.stage == Stage::disk ? left + settings_.memory : left;
    }

    std::int64_t dirty_rate() const {
        if (course_.paused) return 0;
        return settings_.dirty_rate * (100 - throttle_) / 100;
    }

    // Pages written to twice are sent once; a guest that stands still writes nothing.
    std::int64_t dirtied_in(const Segment& segment, Duration until) const {
        const Duration ran = std::min(course_.paused.value_or(until), until) - segment.from;
        if (ran <= Duration(0)) return 0;
        return std::min({bytes_in(segment.dirty_rate, ran),
                         settings_.working_set > 0 ? settings_.working_set : settings_.memory,
                         settings_.memory});
    }

    void converge(std::int64_t sent, std::int64_t dirtied) {
        if (!settings_.auto_converge || dirtied * 2 <= sent) return;
        if (++high_ < 2) return;
        high_ = 0;
        throttle_ = throttle_ == 0 ? 20 : std::min(99, throttle_ + 10);
    }

    void switch_over(std::int64_t dirtied) {
        const std::int64_t last = dirtied + kDeviceState;
        const Duration stopped = now_;
        course_.segments.push_back(
            {Stage::switch_over, iteration_ + 1, now_, last, 0, disk_, memory_, 0});
        course_.downtime_net = time_for(last, settings_.bandwidth);
        close_segment(now_ + course_.downtime_net);
        finish(CourseEnd::completed, now_ + kHandshake);
        course_.downtime = course_.ended - course_.paused.value_or(stopped);
    }

    // The guest runs on the target at once and fetches the rest.
    void post_copy(Duration at) {
        Segment& cut = course_.segments.back();
        const std::int64_t rest =
            std::min(remaining(at) + (cut.stage == Stage::memory ? dirtied_in(cut, at) : 0),
                     settings_.memory + settings_.disk);
        close_segment(at);
        course_.post_copy = at;
        course_.downtime_net = time_for(kDeviceState, settings_.bandwidth);
        course_.downtime = course_.downtime_net == Duration::max()
                               ? course_.downtime_net
                               : course_.downtime_net + kHandshake;
        course_.segments.push_back(
            {Stage::post_copy, iteration_ + 1, at, rest, 0, disk_, memory_, 0});
        const Duration needed = time_for(rest, settings_.bandwidth);
        if (needed >= horizon_ - at) return finish(CourseEnd::open, horizon_);
        close_segment(at + needed);
        finish(CourseEnd::completed, now_);
    }

    void close_segment(Duration at) {
        Segment& segment = course_.segments.back();
        segment.sent = std::min(segment.bytes, bytes_in(settings_.bandwidth, at - segment.from));
        (segment.stage == Stage::disk ? disk_ : memory_) += segment.sent;
        now_ = at;
    }

    void finish(CourseEnd end, Duration at) {
        Segment& segment = course_.segments.back();
        if (end != CourseEnd::completed) {
            segment.sent =
                std::min(segment.bytes, bytes_in(settings_.bandwidth, at - segment.from));
        }
        course_.end = end;
        course_.ended = at;
    }

    const PrecopySettings settings_;
    const Duration horizon_;
    std::chrono::seconds timeout_;
    Course course_{};
    Duration now_{};
    Duration poll_ = kPoll;
    Duration progressed_{};
    std::optional<std::int64_t> watermark_{};
    std::int64_t disk_ = 0;
    std::int64_t memory_ = 0;
    int iteration_ = 0;
    int throttle_ = 0;  // per cent
    int high_ = 0;      // rounds in which too much was dirtied
};

}  // namespace

std::chrono::seconds completion_timeout(std::chrono::seconds per_gib, std::int64_t bytes) {
    constexpr std::int64_t giga = 1'000'000'000;
    return per_gib * ((bytes + giga - 1) / giga);
}

std::int64_t migration_bandwidth(std::int64_t link, std::int64_t limit) {
    return limit <= 0 ? link : std::min(link, std::max(limit, kMiB));
}

Course precopy(const PrecopySettings& settings, Duration horizon) {
    return Run(settings, horizon).course();
}

Progress progress_at(const Course& course, Duration elapsed) {
    Progress progress;
    const Duration at = std::clamp(elapsed, Duration(0), course.ended);
    progress.elapsed = at;
    if (course.segments.empty()) return progress;
    const auto next =
        std::upper_bound(course.segments.begin(), course.segments.end(), at,
                         [](Duration time, const Segment& segment) { return time < segment.from; });
    const Segment& segment = *std::prev(next);
    const std::int64_t rate = course.settings.bandwidth;
    const std::int64_t sent = next == course.segments.end() && at == course.ended
                                  ? segment.sent
                                  : std::min(segment.bytes, bytes_in(rate, at - segment.from));
    progress.disk_processed = segment.disk_before;
    progress.memory_processed = segment.memory_before;
    progress.iteration = segment.iteration;
    progress.dirty_rate = segment.dirty_rate;
    if (segment.stage == Stage::disk) {
        progress.disk_processed += sent;
        progress.disk_remaining = segment.bytes - sent;
        progress.memory_remaining = course.settings.memory;
        progress.disk_rate = rate;
    } else {
        progress.memory_processed += sent;
        progress.memory_remaining = segment.bytes - sent;
        progress.memory_rate = rate;
    }
    if (rate > 0) progress.expected_downtime = time_for(progress.memory_remaining, rate);
    return progress;
}

}  // namespace lab
