#include "lab/remote/inbox.hpp"

#include <utility>

namespace lab {

void Inbox::put(Incoming incoming) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(incoming));
    }
    changed_.notify_all();
}

void Inbox::in_step(const ResourceId& resource) {
    {
        const std::lock_guard lock(mutex_);
        in_step_.insert(resource);
    }
    changed_.notify_all();
}

void Inbox::give_up(const kubeclient::Error& why) {
    {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = why;
    }
    changed_.notify_all();
}

std::vector<Incoming> Inbox::take_all() {
    const std::lock_guard lock(mutex_);
    return std::exchange(waiting_, {});
}

std::optional<kubeclient::Error> Inbox::failure() {
    const std::lock_guard lock(mutex_);
    return failure_;
}

void Inbox::wait(const std::stop_token& stop, std::chrono::microseconds most) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, most, [&] { return !waiting_.empty() || failure_; });
}

bool Inbox::wait_in_step(const std::stop_token& stop, std::size_t resources,
                         std::chrono::seconds most) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, most, [&] { return in_step_.size() >= resources || failure_; });
    return in_step_.size() >= resources && !failure_;
}

}  // namespace lab
