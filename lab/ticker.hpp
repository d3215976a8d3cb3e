// Lets a world's time pass as the clock on the wall does, or faster, in a thread of its own.
#pragma once

#include <condition_variable>
#include <thread>

#include "lab/world.hpp"

namespace lab {

class Ticker {
public:
    // `speed`: seconds of the lab in one second, above 0. `world` and `changed` outlive the ticker.
    // It notifies `changed` when controllers have written, and works at once when it is notified.
    Ticker(World& world, std::condition_variable& changed, double speed);
    ~Ticker();
    Ticker(const Ticker&) = delete;
    Ticker& operator=(const Ticker&) = delete;

private:
    void run(const std::stop_token& stop);

    World& world_;
    std::condition_variable& changed_;
    const double speed_;
    std::jthread thread_;
};

}  // namespace lab
