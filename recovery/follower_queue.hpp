// Counts what KubeVirt's limits count. Private to recovery/follower*.cpp.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "recovery/follower_progress.hpp"

namespace recovery {

class QueueCounter {
public:
    QueueCounter(kubeclient::Api& api, const FollowScope& scope, SightSink sink);

    // While it is wanted, at once and then every 15 seconds: the lists are those of the whole
    // cluster.
    void count(bool wanted);

private:
    void run(const std::stop_token& stop);
    kubeclient::Result<Queue> read();

    kubeclient::Api& api_;
    const FollowScope& scope_;
    SightSink sink_;
    std::mutex mutex_{};
    std::condition_variable_any changed_{};
    bool wanted_ = false;    // guarded by mutex_
    std::jthread thread_{};  // begun when it is wanted first
};

// Those of them that KubeVirt counts: from Scheduling to Running, and Pending ones that own a
// target pod already. Pure. Source: kubevirt pkg/util/migrations/migrations.go, v1.9.
std::vector<facts::Migration> counted(const std::vector<facts::Migration>& migrations,
                                      const std::set<std::string>& uids_with_target);

}  // namespace recovery
