// Times and durations as Kubernetes writes them. Pure.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "kubeclient/result.hpp"

namespace kubeclient {

using Instant = std::chrono::sys_time<std::chrono::microseconds>;

// RFC 3339: metav1.Time ("2026-11-21T04:45:50Z") and metav1.MicroTime (with a fraction), any
// offset. Digits past the microsecond are cut off; a leap second is read as the second after it.
Result<Instant> parse_time(std::string_view text);
std::string format_time(std::chrono::sys_seconds time);  // "2026-11-21T04:45:50Z"
std::string format_micro_time(Instant time);             // "2026-11-21T04:45:50.123456Z"

// Go's time.ParseDuration: "2m30s", "1.5h", "-10ms", "0".
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);

// --request-timeout, by client-go's clientcmd.ParseTimeout: a number of seconds or a duration.
// Zero means no limit. Negative values are refused, where kubectl lets each request fail.
Result<std::chrono::nanoseconds> parse_request_timeout(std::string_view text);

// An age as in kubectl's tables: "3m20s", "5d3h". Source: apimachinery pkg/util/duration.
std::string human_duration(std::chrono::nanoseconds duration);

}  // namespace kubeclient
