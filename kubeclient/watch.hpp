// What one watch asks for, and what it brings. Values only; Api::watch runs it.
//
// Source: apimachinery pkg/watch/watch.go and the API concepts page on efficient detection of
// changes.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "kubeclient/json.hpp"
#include "kubeclient/transport.hpp"

namespace kubeclient {

// A bookmark's object is empty but for kind and metadata.resourceVersion: everything up to there
// has been sent.
enum class EventType { added, modified, deleted, bookmark };

struct WatchOptions {
    // Changes after this version. Empty: the objects there are now as `added`, then changes; "0":
    // the same, from whatever the server has in memory.
    std::string resource_version{};
    std::string label_selector{};
    std::string field_selector{};
    // The server ends the watch in order after this; 0 leaves it to the server, 30 to 60 minutes.
    std::chrono::seconds timeout{0};
    // The longest time without a word. A server sends a bookmark every minute or so.
    std::chrono::milliseconds silence{90000};
};

// Runs in the thread of the watch. An object that is no longer selected comes as `deleted`: as it
// was while it was selected, with the resourceVersion of the change.
using EventSink = std::function<Flow(EventType type, const Json& object)>;

}  // namespace kubeclient
