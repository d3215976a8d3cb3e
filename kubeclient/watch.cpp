#include "kubeclient/watch.hpp"

#include <nlohmann/json.hpp>

#include "kubeclient/api.hpp"
#include "kubeclient/api_status.hpp"
#include "kubeclient/lines.hpp"

namespace kubeclient {
namespace {

// An object is some 3 MiB at most (the apiserver's limit for a request); one event holds one.
constexpr std::size_t kLongestEvent = std::size_t{16} << 20;

std::optional<EventType> type_named(std::string_view name) {
    if (name == "ADDED") return EventType::added;
    if (name == "MODIFIED") return EventType::modified;
    if (name == "DELETED") return EventType::deleted;
    if (name == "BOOKMARK") return EventType::bookmark;
    return std::nullopt;
}

// Turns the body of a watch into events until there is an error.
class EventReader {
public:
    EventReader(std::string what, const EventSink& sink) : what_(std::move(what)), sink_(sink) {}

    Flow feed(std::string_view piece) {
        auto flow = lines_.feed(piece, [this](std::string_view line) { return read(line); });
        if (!flow.ok()) return fail(std::move(flow).within(what_).error());
        stopped_ = stopped_ || *flow == Flow::stop;
        return *flow;
    }

    // How the watch ended, once there is nothing more to come.
    Status end() const {
        if (failure_) return *failure_;
        if (stopped_ || !lines_.pending()) return Done{};
        return Error{ErrorKind::transport, what_ + ": the stream ended in the middle of an event"};
    }

private:
    Flow read(std::string_view line) {
        if (line.find_first_not_of(" \r") == std::string_view::npos) return Flow::go_on;
        const auto event = parse_json(line, what_);
        if (!event.ok()) return fail(event.error());
        const auto name = text_at(*event, {"type"}).value_or("");
        const Json* object = find(*event, "object");
        if (object == nullptr || !object->is_object()) {
            return fail({ErrorKind::protocol, what_ + ": an event without an object"});
        }
        if (name == "ERROR") return fail(error_of_status(*object, what_));
        const auto type = type_named(name);
        if (!type) return fail({ErrorKind::protocol, what_ + ": an event of an unknown type"});
        return sink_(*type, *object);
    }

    Flow fail(Error error) {
        failure_ = std::move(error);
        return Flow::stop;
    }

    const std::string what_;
    const EventSink& sink_;
    Lines lines_{kLongestEvent};
    bool stopped_ = false;
    std::optional<Error> failure_{};
};

}  // namespace

Status Api::watch(const std::string& path, const WatchOptions& options, const EventSink& sink,
                  std::stop_token stop) {
    Request request;
    request.path = path;
    request.accept = accept_for(path);
    request.silence = options.silence;
    request.query = {{"watch", "true"}, {"allowWatchBookmarks", "true"}};
    const auto ask = [&](const char* name, const std::string& value) {
        if (!value.empty()) request.query.emplace_back(name, value);
    };
    ask("resourceVersion", options.resource_version);
    ask("labelSelector", options.label_selector);
    ask("fieldSelector", options.field_selector);
    const auto seconds = options.timeout.count();
    ask("timeoutSeconds", seconds > 0 ? std::to_string(seconds) : "");

    const std::string what = "watch " + path;
    EventReader reader(what, sink);
    const auto feed = [&](const Response&, std::string_view piece) { return reader.feed(piece); };
    TRY_ASSIGN(reply, transport_.stream(request, feed, std::move(stop)));
    warn(reply);
    if (reply.status < 200 || reply.status > 299) return error_of(reply, what);
    return reader.end();
}

}  // namespace kubeclient
