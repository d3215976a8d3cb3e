// A controller: told what changed, it looks at the cluster as its informers see it, and writes
// through the API like any other client. Time comes from outside, so a test decides when it passes.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubeclient/api.hpp"
#include "kubeclient/result.hpp"
#include "kubeclient/time.hpp"
#include "lab/api/store.hpp"

namespace lab {

using Duration = std::chrono::microseconds;

// What a controller's work queue holds: most often the object to bring nearer to what is wanted.
struct WorkItem {
    ResourceId resource{};
    ObjectKey key{};

    auto operator<=>(const WorkItem&) const = default;
};

// Events as client-go's recorder writes them: repeated ones are counted, many similar ones are
// aggregated. Source: client-go tools/record/events_cache.go.
class EventRecorder {
public:
    virtual ~EventRecorder() = default;
    // type: "Normal" or "Warning". A failure to write is not an error, as in client-go.
    virtual void record(const Json& about, std::string_view type, std::string_view reason,
                        const std::string& message) = 0;
};

// The world as one controller sees it. The references are valid for the call.
struct Cluster {
    const Store& objects;  // what is, at this moment; changes as soon as `api` writes
    kubeclient::Api& api;
    EventRecorder& events;
    kubeclient::Instant now;
    // A suffix as the API server makes for generateName: "x7k2p".
    std::function<std::string()> suffix;
};

class Controller {
public:
    virtual ~Controller() = default;

    // Of the component, as in User-Agent and event source: "virt-controller".
    virtual std::string_view name() const = 0;

    // Whose turn it is when this changes.
    virtual std::vector<WorkItem> concerned(const Change& change, const Store& objects) const = 0;

    // Brings one item a step nearer. The value says when to look again although nothing changed;
    // an error means: again, after a back-off.
    virtual kubeclient::Result<std::optional<Duration>> sync(const WorkItem& item,
                                                             Cluster& cluster) = 0;
};

}  // namespace lab
