// A client for whoever holds the World's lock. It lets go of it while a request is under way: the
// API server may have to ask our webhooks first, and they wait for the lock.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "kubeclient/transport.hpp"
#include "lab/remote/mirror.hpp"

namespace lab {

// One line about a write that the API server refused. Objects that are gone or have changed
// meanwhile (404, 409) are part of life and not told.
using Refused = std::function<void(const std::string& line)>;

// `lock`, held by the caller of send(), and `mirror` outlive it. The mirror, which may be null,
// hears of every successful write, under the lock. Streams are refused.
std::unique_ptr<kubeclient::Transport> lock_free_client(
    std::unique_ptr<kubeclient::Transport> inner, std::mutex& lock, Mirror* mirror,
    Refused refused);

}  // namespace lab
