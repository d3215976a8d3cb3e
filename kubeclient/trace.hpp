// -v=6…9: what is asked of the server and what it answers, without secrets.
//
// Levels as in client-go transport/round_trippers.go: 6 the URL, the status and the time it took;
// 7 also the request's headers; 8 also the reply's headers and the bodies, cut short; 9 whole
// bodies, and the request as a curl command.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "kubeclient/http_message.hpp"
#include "kubeclient/transport.hpp"

namespace kubeclient {

struct TraceOptions {
    int level = 0;  // below 6 nothing is traced
    ServerUrl server{};
    Headers headers{};  // sent with every request, shown from level 7 on: agent, impersonation
    std::function<void(const std::string& line)> sink;  // called from any thread, one at a time
    std::function<std::chrono::steady_clock::time_point()> now = [] {
        return std::chrono::steady_clock::now();
    };
};

// Put it below retries, so that every attempt is seen.
std::unique_ptr<Transport> with_trace(std::unique_ptr<Transport> inner, TraceOptions options);

}  // namespace kubeclient
