#include "kubeclient/connection_pool.hpp"

#include <algorithm>

namespace kubeclient {

ConnectionPool::Slot::~Slot() {
    if (pool_ == nullptr) return;
    {
        const std::lock_guard lock(pool_->mutex_);
        ++pool_->free_slots_;
    }
    pool_->slot_freed_.notify_one();
}

Result<ConnectionPool::Slot> ConnectionPool::enter(std::stop_token stop, Clock::time_point until) {
    std::unique_lock lock(mutex_);
    const auto is_free = [&] { return free_slots_ > 0; };
    const bool got = slot_freed_.wait_until(lock, stop, until, is_free);
    if (stop.stop_requested()) return interrupted();
    if (!got) {
        return cannot_connect(ErrorKind::timeout, "other requests took all the time there was");
    }
    --free_slots_;
    return Slot(*this);
}

std::unique_ptr<Connection> ConnectionPool::take(std::uint64_t generation) {
    std::vector<Kept> closing;  // closed after the lock is gone: saying goodbye takes a moment
    const std::lock_guard lock(mutex_);
    const auto oldest = Clock::now() - keep_;
    while (!kept_.empty()) {
        Kept last = std::move(kept_.back());
        kept_.pop_back();
        if (last.generation == generation && last.since >= oldest && last.connection->quiet()) {
            return std::move(last.connection);
        }
        closing.push_back(std::move(last));
    }
    return nullptr;
}

void ConnectionPool::keep(std::unique_ptr<Connection> connection, std::uint64_t generation) {
    const std::lock_guard lock(mutex_);
    kept_.push_back({std::move(connection), generation, Clock::now()});
}

}  // namespace kubeclient
