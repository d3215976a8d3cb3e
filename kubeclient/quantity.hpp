// Kubernetes quantities: "10Gi", "500m", "1e3". Exact, whatever the number of digits. Pure.
// Source: k8s.io/apimachinery pkg/api/resource/quantity.go and suffix.go.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kubeclient/result.hpp"

namespace kubeclient {

// Whole units (bytes, counts) and thousandths (cpu). What does not come out even is rounded away
// from zero, as Quantity.Value() and MilliValue() do. A number outside int64 is an error, where
// Kubernetes silently caps it.
Result<std::int64_t> parse_bytes(std::string_view quantity);
Result<std::int64_t> parse_milli(std::string_view quantity);

// For people: "512 B", "8.0 GiB", "1.5 MiB". Rounded to one decimal.
std::string describe_bytes(std::int64_t bytes);

}  // namespace kubeclient
