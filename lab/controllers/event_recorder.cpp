#include "lab/controllers/event_recorder.hpp"

#include <algorithm>
#include <list>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "kubeclient/json.hpp"

namespace lab {

namespace {

using kubeclient::Instant;

// client-go tools/record/events_cache.go: maxLruCacheEntries, defaultAggregateMaxEvents,
// defaultAggregateIntervalInSeconds, defaultSpamBurst, defaultSpamQPS.
constexpr std::size_t kRemembered = 4096;
constexpr std::size_t kSimilar = 10;
constexpr auto kSimilarWithin = std::chrono::minutes(10);
constexpr double kBurst = 25;
constexpr auto kRefill = std::chrono::minutes(5);  // for one event

std::string hexadecimal(std::int64_t number) {
    static const char digits[] = "0123456789abcdef";
    std::string text;
    for (auto rest = static_cast<std::uint64_t>(number); rest != 0; rest /= 16) {
        text.insert(text.begin(), digits[rest % 16]);
    }
    return text;
}

std::string time_text(Instant time) {
    return kubeclient::format_time(std::chrono::floor<std::chrono::seconds>(time));
}

// Forgets what was not touched for longest.
template <class Value>
class Recent {
public:
    // Default-made where the key is new.
    Value& at(const std::string& key) {
        auto place = places_.find(key);
        if (place != places_.end()) {
            order_.splice(order_.begin(), order_, place->second);
            return order_.front().second;
        }
        order_.emplace_front(key, Value{});
        places_[key] = order_.begin();
        if (order_.size() > kRemembered) {
            places_.erase(order_.back().first);
            order_.pop_back();
        }
        return order_.front().second;
    }

private:
    std::list<std::pair<std::string, Value>> order_{};
    std::map<std::string, typename std::list<std::pair<std::string, Value>>::iterator> places_{};
};

struct Similar {
    std::set<std::string> messages{};
    Instant last{};
};

struct Written {
    int count = 0;
    Instant first{};
    std::string name{};
};

struct Bucket {
    double tokens = kBurst;
    Instant filled{};
};

class Recorder final : public EventRecorder {
public:
    Recorder(std::string component, kubeclient::Api& api, std::function<Instant()> clock)
        : component_(std::move(component)), api_(api), clock_(std::move(clock)) {}

    void record(const Json& about, std::string_view type, std::string_view reason,
                const std::string& message) override {
        const Json involved = reference(about);
        const std::string object = involved.dump();
        const std::string kind = object + '|' + std::string(type) + '|' + std::string(reason);
        std::string text = message;
        std::string key = kind + '|' + message;
        if (aggregated(kind, message)) {
            text = "(combined from similar events): " + message;
            key = kind;
        }
        Written& written = written_.at(key);
        const bool known = written.count > 0;
        const auto now = clock_();
        if (!known) written = {0, now, new_name(involved)};
        ++written.count;
        if (!accepted(object)) return;
        if (known && update(involved, written, text)) return;
        create(involved, type, reason, text, written);
    }

private:
    static Json reference(const Json& about) {
        const auto text = [&](std::initializer_list<std::string_view> path) {
            return kubeclient::text_at(about, path).value_or("");
        };
        return {{"apiVersion", text({"apiVersion"})},
                {"kind", text({"kind"})},
                {"namespace", text({"metadata", "namespace"})},
                {"name", text({"metadata", "name"})},
                {"uid", text({"metadata", "uid"})}};
    }

    // client-go makes names unique with the clock's nanoseconds; ours may stand still.
    std::string new_name(const Json& involved) {
        const auto serial = clock_().time_since_epoch().count() * 1000 + serial_++;
        return involved.at("name").get<std::string>() + "." + hexadecimal(serial);
    }

    // Whether too many of this kind came lately to write each of them.
    bool aggregated(const std::string& kind, const std::string& message) {
        Similar& similar = similar_.at(kind);
        const auto now = clock_();
        if (now - similar.last > kSimilarWithin) similar.messages.clear();
        similar.messages.insert(message);
        similar.last = now;
        if (similar.messages.size() < kSimilar) return false;
        similar.messages.erase(similar.messages.begin());
        return true;
    }

    bool accepted(const std::string& object) {
        Bucket& bucket = buckets_.at(object);
        const auto now = clock_();
        if (bucket.filled != Instant{}) {
            const auto passed = std::chrono::duration<double>(now - bucket.filled);
            bucket.tokens = std::min(kBurst, bucket.tokens + passed / kRefill);
        }
        bucket.filled = now;
        if (bucket.tokens < 1) return false;
        bucket.tokens -= 1;
        return true;
    }

    static std::string namespace_of(const Json& involved) {
        const auto ns = involved.at("namespace").get<std::string>();
        return ns.empty() ? "default" : ns;
    }

    std::string path(const Json& involved) const {
        return "/api/v1/namespaces/" + namespace_of(involved) + "/events";
    }

    // False where the event is gone and has to be written anew.
    bool update(const Json& involved, const Written& written, const std::string& text) {
        const Json patch{
            {"count", written.count}, {"lastTimestamp", time_text(clock_())}, {"message", text}};
        const auto done = api_.patch(path(involved) + "/" + written.name,
                                     kubeclient::PatchKind::merge, patch, kubeclient::DryRun::none);
        return done.ok() || done.error().kind != kubeclient::ErrorKind::not_found;
    }

    void create(const Json& involved, std::string_view type, std::string_view reason,
                const std::string& text, Written& written) {
        Json event{{"apiVersion", "v1"},
                   {"kind", "Event"},
                   {"metadata", {{"name", written.name}, {"namespace", namespace_of(involved)}}},
                   {"involvedObject", involved},
                   {"type", type},
                   {"reason", reason},
                   {"message", text},
                   {"source", {{"component", component_}}},
                   {"reportingComponent", component_},
                   {"reportingInstance", ""},
                   {"firstTimestamp", time_text(written.first)},
                   {"lastTimestamp", time_text(clock_())},
                   {"count", written.count}};
        // As in client-go: an event that is lost is lost. But another recorder's may have this
        // name, since the clock stood still.
        for (int tries = 0; tries < 20; ++tries) {
            const auto done = api_.create(path(involved), event, kubeclient::DryRun::none);
            if (done.ok() || done.error().reason != "AlreadyExists") return;
            written.name = new_name(involved);
            event["metadata"]["name"] = written.name;
        }
    }

    std::string component_;
    kubeclient::Api& api_;
    std::function<Instant()> clock_;
    std::int64_t serial_ = 0;
    Recent<Similar> similar_{};
    Recent<Written> written_{};
    Recent<Bucket> buckets_{};
};

}  // namespace

std::unique_ptr<EventRecorder> make_event_recorder(std::string component, kubeclient::Api& api,
                                                   std::function<Instant()> clock) {
    return std::make_unique<Recorder>(std::move(component), api, std::move(clock));
}

}  // namespace lab
