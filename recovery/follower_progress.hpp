// Reads how far migrations are: the source launcher's log first, virt-handler's metrics where it
// may not be read. Private to recovery/follower*.cpp.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>

#include "recovery/follower.hpp"

namespace recovery {

using SightChange = std::function<void(Sight&)>;
using SightSink = std::function<void(SightChange)>;  // from any thread

class ProgressReader {
public:
    ProgressReader(kubeclient::Api& api, const FollowScope& scope, SightSink sink);
    ~ProgressReader();
    ProgressReader(const ProgressReader&) = delete;
    ProgressReader& operator=(const ProgressReader&) = delete;

    // Begins with those that are new and ends with those that are no longer there.
    void read(const std::set<Copying>& of);

private:
    void read_log(const Copying& of, const std::stop_token& stop);
    void read_metrics(const std::string& node, const std::stop_token& stop);
    kubeclient::Result<std::string> metrics_of(const std::string& node);
    void start_metrics(const Copying& of);
    std::set<Copying> copying_on(const std::string& node);

    kubeclient::Api& api_;
    const FollowScope& scope_;
    SightSink sink_;
    std::mutex mutex_{};
    std::set<Copying> without_log_{};                 // guarded by mutex_
    std::map<std::string, std::jthread> handlers_{};  // by source node; guarded by mutex_
    std::map<Copying, std::jthread> logs_{};          // of the caller's thread
};

}  // namespace recovery
