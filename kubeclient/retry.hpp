// Sending again, in this one place. What is uncertain is never sent again.
//
// Source of the rules: client-go rest/with_retry.go and request.go (maxRetries 10).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>

#include "kubeclient/transport.hpp"

namespace kubeclient {

struct RetryOptions {
    // For one send() with all its attempts and pauses; 0: none, then pauses add up to a minute at
    // most. A pause that would not fit is not begun: the server's last answer is returned.
    std::chrono::milliseconds request_timeout{0};
    std::function<std::chrono::steady_clock::time_point()> now;
    std::function<bool(std::chrono::milliseconds)> wait;  // false: interrupted
};

// The real clock; a requested stop ends a pause.
RetryOptions retry_options(std::chrono::milliseconds request_timeout, std::stop_token stop);

// Sends again, up to ten times, what was answered with 429 or 5xx and a Retry-After in seconds; a
// request that is not repeatable only after 429, which says that it was not processed. Evictions
// are never sent again: there 429 is the answer. Repeatable requests are sent twice more when the
// connection broke or could not be made. Streams are not opened again here: only who reads one
// knows from where to go on. Thread-safe when `inner` is.
std::unique_ptr<Transport> with_retries(std::unique_ptr<Transport> inner, RetryOptions options);

}  // namespace kubeclient
