// From the parts of an HTTP request to a call on the lab, and what is answered where there is none.
// Pure; safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kubeclient/result.hpp"
#include "kubeclient/transport.hpp"
#include "lab/front_door.hpp"

namespace lab {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpCall {
    Caller caller{};
    kubeclient::Request request{};
};

// `target` as it stands in the request line: "/api/v1/pods?limit=5". The path stays encoded.
// invalid: a target that is no such thing.
kubeclient::Result<HttpCall> read_call(std::string_view method, std::string_view target,
                                       const Headers& headers, std::string body);

bool is_watch(const kubeclient::Request& request);
// Asks for a log and what is written to it from now on.
bool is_follow(const kubeclient::Request& request);

// The Status for what the HTTP layer refused: 400, 413, 414 and the like.
kubeclient::Response refused_by_http(int status);

}  // namespace lab
