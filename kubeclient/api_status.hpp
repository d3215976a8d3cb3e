// What the server's refusals mean: replies to Errors, in kubectl's own sentences. Pure.
//
// Source: kubectl pkg/cmd/util/helpers.go (StandardErrorMessage, checkErr) and apimachinery
// pkg/api/errors (NewGenericServerResponse).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "kubeclient/json.hpp"
#include "kubeclient/result.hpp"
#include "kubeclient/transport.hpp"

namespace kubeclient {

// The error that a reply stands for. `what` is the request, "GET /api/v1/nodes". Call it when the
// status is not 2xx, or when the body is a Status that reports a failure.
Error error_of(const Response& response, const std::string& what);

// The body of a 2xx reply as an object. protocol: empty, not JSON (a login page), no object, or a
// Status where an object was asked for.
Result<Json> object_of(const Response& response, const std::string& what);
// The same for a write, which a Status may answer that reports success.
Result<Json> result_of(const Response& response, const std::string& what);

// The error that a Status object stands for which came inside a 2xx reply: an ERROR event.
Error error_of_status(const Json& status, const std::string& what);

// Retry-After in seconds, as in client-go; a date is not understood.
std::optional<std::chrono::seconds> retry_after(const Response& response);

// The first value of a header, by its lower-case name; empty when there is none.
std::string_view header_of(const Response& response, std::string_view name);

}  // namespace kubeclient
