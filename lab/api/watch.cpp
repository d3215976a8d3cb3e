// Watches, fed from the store's history.
// Sources: apiserver pkg/storage/cacher/{cacher,cache_watcher}.go, pkg/endpoints/handlers/watch.go.
#include "lab/api/watch.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "lab/api/list.hpp"
#include "lab/api/render.hpp"

namespace lab {

using kubeclient::Instant;
using std::chrono::seconds;

namespace {

// kube-apiserver's --min-request-timeout; it takes up to twice that, at random.
constexpr seconds kLongest{1800};
constexpr seconds kBookmarkEvery{60};
constexpr seconds kBookmarkBeforeEnd{2};

class Cursor final : public WatchCursor {
public:
    Cursor(const ServerState& state, const Call& call, ListQuery query, std::uint64_t position)
        : state_(state),
          kind_(call.kind),
          version_(*kind_.version(call.version.name)),
          ns_(call.key.ns),
          accept_(call.request.accept),
          query_(std::move(query)),
          position_(position),
          deadline_(state.clock() + longest()) {
        plan_bookmark();
    }

    // Before anything else: what is there already.
    void begin_with_present() {
        for (const auto& [key, object] : in_key_order(state_.store.all(kind_.resource), ns_)) {
            if (matches(query_.selector, *object)) event("ADDED", object);
        }
        position_ = std::max(position_, state_.store.revision());
        if (query_.send_initial_events.value_or(false) && query_.allow_bookmarks) {
            bookmark({{"annotations", {{"k8s.io/initial-events-end", "true"}}}});
        }
    }

    std::string next() override {
        while (!ended_ && lines_.empty()) {
            const auto changes = state_.store.since(position_);
            if (!changes) {
                fail();
                break;
            }
            if (changes->empty()) break;
            for (const Change& change : *changes) consider(change);
        }
        const Instant now = state_.clock();
        if (!ended_ && query_.allow_bookmarks && now >= next_bookmark_ && now < deadline_) {
            bookmark(Json::object());
            plan_bookmark();
        }
        if (now >= deadline_) ended_ = true;
        return std::exchange(lines_, "");
    }

    bool ended() const override { return ended_; }

private:
    seconds longest() const {
        const auto wanted = query_.timeout_seconds.value_or(0);
        return wanted > 0 ? seconds(wanted) : kLongest;
    }

    void plan_bookmark() {
        const Instant now = state_.clock();
        const Instant before_end = deadline_ - kBookmarkBeforeEnd;
        next_bookmark_ = now + kBookmarkEvery;
        if (now < before_end) next_bookmark_ = std::min(next_bookmark_, before_end);
    }

    void event(const char* type, const Object& object) {
        lines_ += render_event({kind_, version_, accept_}, type, object);
    }

    void bookmark(Json metadata) {
        metadata["resourceVersion"] = std::to_string(position_);
        event("BOOKMARK",
              std::make_shared<const Json>(Json{{"apiVersion", kind_.api_version(version_)},
                                                {"kind", kind_.kind},
                                                {"metadata", std::move(metadata)}}));
    }

    void fail() {
        const Refusal refusal = expired("too old resource version: " + std::to_string(position_) +
                                        " (" + std::to_string(state_.store.compacted()) + ")");
        lines_ += Json{{"type", "ERROR"}, {"object", to_status(refusal)}}.dump() + "\n";
        ended_ = true;
    }

    // An object that leaves the selection is deleted for this watch, one that enters it is added.
    void consider(const Change& change) {
        position_ = change.revision;
        if (change.resource != kind_.resource || (!ns_.empty() && change.key.ns != ns_)) return;
        const bool was = change.before && matches(query_.selector, *change.before);
        const bool is =
            change.type != ChangeType::deleted && matches(query_.selector, *change.object);
        if (is) return event(was ? "MODIFIED" : "ADDED", change.object);
        if (!was) return;
        if (change.type == ChangeType::deleted) return event("DELETED", change.object);
        Json last = *change.before;
        last["metadata"]["resourceVersion"] = std::to_string(change.revision);
        event("DELETED", std::make_shared<const Json>(std::move(last)));
    }

    const ServerState& state_;
    const Kind kind_;
    const KindVersion& version_;
    const std::string ns_;
    const std::string accept_;
    const ListQuery query_;
    std::uint64_t position_;
    const Instant deadline_;
    Instant next_bookmark_{};
    std::string lines_{};
    bool ended_ = false;
};

}  // namespace

Outcome<std::unique_ptr<WatchCursor>> watch_objects(const ServerState& state, const Call& call) {
    TRY_ASSIGN(query, list_query(call, ListPurpose::watch));
    TRY_ASSIGN(revision, revision_of(query.resource_version, "invalid resource version: "));
    const bool present = query.send_initial_events.value_or(revision == 0);
    const bool from_now = revision == 0 || present;
    auto cursor = std::make_unique<Cursor>(state, call, std::move(query),
                                           from_now ? state.store.revision() : revision);
    if (present) cursor->begin_with_present();
    return std::unique_ptr<WatchCursor>(std::move(cursor));
}

}  // namespace lab
