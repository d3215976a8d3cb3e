#include "kubeclient/follow_state.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace kubeclient {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{500};
constexpr milliseconds kLongestPause{10000};
constexpr int kMostDoublings = 5;
constexpr int kLongestAskedFor = 60;  // seconds
constexpr int kMostRefusals = 5;
// A watch that ends sooner and brings nothing was not served (client-go, "very short watch").
constexpr milliseconds kShortestWatch{1000};

std::string meta(const Json& object, std::string_view field) {
    return text_at(object, {"metadata", field}).value_or("");
}

}  // namespace

Flow Picture::take(const ObjectList& list, const ChangeSink& sink) {
    std::set<Key> listed;
    for (const Json& object : list.items) {
        listed.insert({meta(object, "namespace"), meta(object, "name")});
    }
    for (auto known = known_.begin(); known != known_.end();) {
        const auto current = known++;
        if (listed.count(current->first) != 0) continue;
        if (forget(current, sink) == Flow::stop) return Flow::stop;
    }
    for (const Json& object : list.items) {
        if (added_or_modified(object, sink) == Flow::stop) return Flow::stop;
    }
    version_ = list.resource_version;
    return Flow::go_on;
}

Flow Picture::take(EventType type, const Json& object, const ChangeSink& sink) {
    if (const auto version = meta(object, "resourceVersion"); !version.empty()) {
        version_ = version;
    }
    if (type == EventType::bookmark) return Flow::go_on;
    if (type != EventType::deleted) return added_or_modified(object, sink);
    const auto erased = known_.erase({meta(object, "namespace"), meta(object, "name")});
    return erased != 0 ? sink(Change::deleted, object) : Flow::go_on;
}

Flow Picture::added_or_modified(const Json& object, const ChangeSink& sink) {
    const Key key{meta(object, "namespace"), meta(object, "name")};
    const Known now{meta(object, "uid"), meta(object, "resourceVersion"),
                    text_at(object, {"apiVersion"}).value_or(""),
                    text_at(object, {"kind"}).value_or("")};
    auto known = known_.find(key);
    if (known != known_.end() && known->second.uid != now.uid) {
        if (forget(known, sink) == Flow::stop) return Flow::stop;
        known = known_.end();
    }
    if (known == known_.end()) {
        known_.emplace(key, now);
        return sink(Change::added, object);
    }
    if (known->second.version == now.version) return Flow::go_on;
    known->second = now;
    return sink(Change::modified, object);
}

Flow Picture::forget(std::map<Key, Known>::const_iterator which, const ChangeSink& sink) {
    const auto& [key, known] = *which;
    Json object = Json::object();
    object["apiVersion"] = known.api_version;
    object["kind"] = known.kind;
    object["metadata"]["name"] = key.second;
    if (!key.first.empty()) object["metadata"]["namespace"] = key.first;
    object["metadata"]["uid"] = known.uid;
    known_.erase(which);
    return sink(Change::deleted, object);
}

NextStep FollowPace::after_list(const Status& outcome) {
    if (!outcome.ok()) return after_error(outcome.error(), NextStep::Action::list);
    return {NextStep::Action::watch, milliseconds(0)};
}

NextStep FollowPace::after_watch(const WatchEnd& end) {
    const bool served = end.brought_events || (end.outcome.ok() && end.lasted >= kShortestWatch);
    if (served) {
        worked_ = true;
        failures_ = refusals_ = 0;
    }
    if (!end.outcome.ok()) return after_error(end.outcome.error(), NextStep::Action::watch);
    if (served) return {NextStep::Action::watch, milliseconds(0)};
    return again(NextStep::Action::watch);
}

NextStep FollowPace::after_error(const Error& error, NextStep::Action action) {
    using Action = NextStep::Action;
    switch (error.kind) {
        case ErrorKind::transport:
        case ErrorKind::timeout:
            return again(action);
        case ErrorKind::throttled:
            return again(action, error.retry_after);
        case ErrorKind::server:
            // Listed again, as in client-go: a server restored from a backup says 504 to a version
            // from its future.
            return again(Action::list, error.retry_after);
        case ErrorKind::auth:
        case ErrorKind::forbidden:
        case ErrorKind::not_found:
        case ErrorKind::not_served:
            if ((worked_ || failures_ > 0) && refusals_++ < kMostRefusals) {
                return again(Action::list);
            }
            return {Action::end, milliseconds(0)};
        case ErrorKind::conflict:
            if (error.http_status != 410) return {Action::end, milliseconds(0)};
            if (failures_ > 0) return again(Action::list);
            ++failures_;
            return {Action::list, milliseconds(0)};
        case ErrorKind::usage:
        case ErrorKind::config:
        case ErrorKind::invalid:
        case ErrorKind::protocol:
        case ErrorKind::canceled:
        case ErrorKind::unknown_outcome:
            break;
    }
    return {Action::end, milliseconds(0)};
}

NextStep FollowPace::again(NextStep::Action action, int retry_after) {
    const auto doubled = kFirstPause * (1 << std::min(failures_, kMostDoublings));
    ++failures_;
    const milliseconds asked = std::chrono::seconds(std::min(retry_after, kLongestAskedFor));
    return {action, std::max(std::min(doubled, kLongestPause), asked)};
}

}  // namespace kubeclient
