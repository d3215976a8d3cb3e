// Objects kept in sight: listed, then watched, through lost connections, restarts of the API server
// and versions that are gone. The caller hears of every object's latest state, not of every state.
//
// Source of the rules: client-go tools/cache/reflector.go.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>

#include "kubeclient/api.hpp"
#include "kubeclient/follow_state.hpp"

namespace kubeclient {

struct FollowOptions {
    std::string label_selector{};
    std::string field_selector{};          // "metadata.name=web" follows one object
    std::chrono::seconds watch_time{300};  // of one watch, then the next begins where it ended
    // Without a word for longer, the connection counts as dead and another one is made.
    std::chrono::milliseconds silence{90000};
    std::stop_token stop{};
    std::function<std::chrono::steady_clock::time_point()> now{};
    std::function<bool(std::chrono::milliseconds)> wait{};  // false: interrupted
};

// The real clock; `stop` ends watches and pauses at once, and a list when it is done.
FollowOptions follow_options(std::stop_token stop);

// Called in the thread of follow(), one at a time. Flow::stop ends it.
struct Follower {
    ChangeSink changed;
    // Everything that was there when it was listed has been reported; after each list.
    std::function<Flow()> in_step{};
    // The server cannot be reached or has no time; tried again after `pause`.
    std::function<Flow(const Error& error, std::chrono::milliseconds pause)> trouble{};
};

// Blocks until the follower says stop (Done), `stop` is requested (canceled), or going on makes no
// sense: 401, 403, a kind that is not served, a selector that the server refuses, a reply that
// cannot be understood. Trouble on the way has no limit: that is the follower's business.
Status follow(Api& api, const std::string& path, const FollowOptions& options,
              const Follower& follower);

}  // namespace kubeclient
