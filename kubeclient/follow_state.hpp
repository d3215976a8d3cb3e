// What following decides, without doing it. Pure; one thread at a time.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "kubeclient/api.hpp"

namespace kubeclient {

enum class Change { added, modified, deleted };

// A deletion that nobody saw happen has an object of apiVersion, kind, and metadata with name,
// namespace and uid alone.
using ChangeSink = std::function<Flow(Change change, const Json& object)>;

// Which objects have been reported, and so what is news in a list or in an event. An object whose
// uid changed under the same name is reported as deleted and added.
class Picture {
public:
    // What is gone first, then what is new or changed, in the order of the list.
    Flow take(const ObjectList& list, const ChangeSink& sink);
    // What is known already, by its resourceVersion, is no news.
    Flow take(EventType type, const Json& object, const ChangeSink& sink);

    // Up to which resourceVersion it is complete: the watch goes on from there.
    const std::string& version() const { return version_; }

private:
    struct Known {
        std::string uid;
        std::string version;
        std::string api_version;
        std::string kind;
    };
    using Key = std::pair<std::string, std::string>;  // namespace, name

    Flow added_or_modified(const Json& object, const ChangeSink& sink);
    Flow forget(std::map<Key, Known>::const_iterator which, const ChangeSink& sink);

    std::map<Key, Known> known_{};
    std::string version_{};
};

// What to do after a list or a watch has ended.
struct NextStep {
    enum class Action { list, watch, end };
    Action action = Action::list;
    std::chrono::milliseconds pause{0};

    bool operator==(const NextStep&) const = default;
};

struct WatchEnd {
    Status outcome;
    bool brought_events = false;  // bookmarks count
    std::chrono::milliseconds lasted{0};
};

// Pauses double from half a second to ten seconds, shorter than client-go's 30: a person waits. The
// server may ask for up to a minute. A refusal (401, 403, 404) ends it; after a watch that worked
// or a connection that broke only when it is repeated, because an API server that has just started
// refuses everybody until it has read its roles.
class FollowPace {
public:
    NextStep after_list(const Status& outcome);
    NextStep after_watch(const WatchEnd& end);

private:
    NextStep again(NextStep::Action action, int retry_after = 0);
    NextStep after_error(const Error& error, NextStep::Action action);

    int failures_ = 0;     // since a watch last brought something
    int refusals_ = 0;     // likewise
    bool worked_ = false;  // a watch has
};

}  // namespace kubeclient
