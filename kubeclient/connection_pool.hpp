// A few connections that are open already, and the limit on how many requests run at once.
// Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

#include "kubeclient/connection.hpp"

namespace kubeclient {

class ConnectionPool {
public:
    ConnectionPool(std::size_t most_in_flight, std::chrono::milliseconds keep)
        : free_slots_(most_in_flight), keep_(keep) {}

    // The right to run one request; given back when it goes.
    class Slot {
    public:
        explicit Slot(ConnectionPool& pool) : pool_(&pool) {}
        Slot(Slot&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)) {}
        Slot& operator=(Slot&&) = delete;
        ~Slot();

    private:
        ConnectionPool* pool_;
    };
    Result<Slot> enter(std::stop_token stop, Clock::time_point until);

    // A kept connection made with this generation of the client certificate, or null. Those of
    // other generations, too old ones and those that are not quiet are closed.
    std::unique_ptr<Connection> take(std::uint64_t generation);
    void keep(std::unique_ptr<Connection> connection, std::uint64_t generation);

private:
    struct Kept {
        std::unique_ptr<Connection> connection;
        std::uint64_t generation;
        Clock::time_point since;
    };

    std::mutex mutex_;
    std::condition_variable_any slot_freed_;
    std::size_t free_slots_;
    const std::chrono::milliseconds keep_;
    std::vector<Kept> kept_;
};

}  // namespace kubeclient
