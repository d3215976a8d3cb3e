#include "lab/ticker.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>

namespace lab {

namespace {

using Clock = std::chrono::steady_clock;
using RealTime = std::chrono::duration<double>;

// How long nothing will happen by itself. Never longer than a tenth of a second, so that the time
// that requests see is right to about that.
RealTime idle(const World& world, double speed) {
    const RealTime most(0.1);
    const auto due = world.next_due();
    if (!due) return most;
    return std::clamp(RealTime(*due - world.now()) / speed, RealTime(0.001), most);
}

}  // namespace

Ticker::Ticker(World& world, std::condition_variable& changed, double speed)
    : world_(world),
      changed_(changed),
      speed_(speed),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Ticker::~Ticker() {
    {
        const std::lock_guard lock(world_.lock());
        thread_.request_stop();
    }
    changed_.notify_all();
}

void Ticker::run(const std::stop_token& stop) {
    std::unique_lock lock(world_.lock());
    auto last = Clock::now();
    while (!stop.stop_requested()) {
        const auto now = Clock::now();
        const auto before = world_.objects().revision();
        world_.advance(std::chrono::duration_cast<Duration>(RealTime(now - last) * speed_));
        last = now;
        if (world_.objects().revision() != before) changed_.notify_all();
        changed_.wait_for(lock, idle(world_, speed_));
    }
}

}  // namespace lab
