// What watches have brought and nobody has looked at yet. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <vector>

#include "kubeclient/follow_state.hpp"
#include "kubeclient/result.hpp"
#include "lab/api/store.hpp"

namespace lab {

struct Incoming {
    ResourceId resource{};
    kubeclient::Change change = kubeclient::Change::added;
    Object object{};
};

class Inbox {
public:
    void put(Incoming incoming);
    // All that was there when the resource was first listed has been put.
    void in_step(const ResourceId& resource);
    // Nothing more will come; the first reason is kept.
    void give_up(const kubeclient::Error& why);

    std::vector<Incoming> take_all();
    // Why following has ended, or nothing.
    std::optional<kubeclient::Error> failure();

    // Until something has come, or nothing will, or the time is over.
    void wait(const std::stop_token& stop, std::chrono::microseconds most);
    // Until so many resources are in step; false: the time is over, or nothing more will come.
    bool wait_in_step(const std::stop_token& stop, std::size_t resources,
                      std::chrono::seconds most);

private:
    std::mutex mutex_{};
    std::condition_variable_any changed_{};
    std::vector<Incoming> waiting_{};
    std::set<ResourceId> in_step_{};
    std::optional<kubeclient::Error> failure_{};
};

}  // namespace lab
