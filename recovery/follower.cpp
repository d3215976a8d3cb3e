#include "recovery/follower.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "kubeclient/follow.hpp"
#include "preflight/decode.hpp"
#include "recovery/follower_progress.hpp"
#include "recovery/follower_queue.hpp"

namespace recovery {
namespace {

using kubeclient::Api;
using kubeclient::Change;
using kubeclient::Flow;
using kubeclient::Json;
using kubeclient::ResourcePath;

NamedIn name_of(const facts::Meta& meta) {
    return {meta.ns, meta.name};
}

// One kind: where it is listed, and how one of its objects changes the sight.
struct Feed {
    ResourcePath path{};
    std::string labels{};
    std::string fields{};
    std::function<void(Sight&, Change, const Json&)> apply{};
    std::function<void(Sight&, const std::string& gap)> seen{};  // empty gap: complete
};

// An object that cannot be understood is a gap, not an absence.
template <auto member, auto decode, class Key>
Feed feed_of(ResourcePath path, Key key_of) {
    Feed feed;
    feed.path = std::move(path);
    feed.apply = [key_of](Sight& sight, Change change, const Json& object) {
        std::string problem;
        auto item = decode(preflight::Fields(object, "", problem));
        auto& seen = sight.*member;
        const auto key = key_of(object, item);
        seen.items.erase(key);
        seen.unclear.erase(key);
        if (change == Change::deleted) return;
        if (problem.empty()) {
            seen.items.emplace(key, std::move(item));
        } else {
            seen.unclear.emplace(key, problem);
        }
    };
    feed.seen = [](Sight& sight, const std::string& gap) {
        (sight.*member).complete = gap.empty();
        (sight.*member).gap = gap;
    };
    return feed;
}

template <auto member, auto decode>
Feed named_feed(ResourcePath path) {
    return feed_of<member, decode>(
        std::move(path), [](const Json&, const auto& item) { return name_of(item.meta); });
}

std::vector<Feed> feeds_for(const FollowScope& scope) {
    std::vector<Feed> feeds;
    feeds.push_back(named_feed<&Sight::migrations, preflight::decode_migration>(
        {"kubevirt.io", "v1", "virtualmachineinstancemigrations", scope.ns, {}, {}}));
    feeds.push_back(named_feed<&Sight::vmis, preflight::decode_vmi>(
        {"kubevirt.io", "v1", "virtualmachineinstances", scope.ns, {}, {}}));
    feeds.push_back(
        named_feed<&Sight::launchers, preflight::decode_pod>({"", "v1", "pods", scope.ns, {}, {}}));
    feeds.back().labels = "kubevirt.io=virt-launcher";
    feeds.push_back(feed_of<&Sight::warnings, preflight::decode_warning>(
        {"", "v1", "events", scope.ns, {}, {}}, [](const Json& object, const facts::Warning&) {
            return kubeclient::text_at(object, {"metadata", "uid"}).value_or("");
        }));
    feeds.back().fields = "type=Warning";
    return feeds;
}

Feed attachments_feed() {
    return feed_of<&Sight::attachments, preflight::decode_volume_attachment>(
        {"storage.k8s.io", "v1", "volumeattachments", {}, {}, {}},
        [](const Json&, const facts::VolumeAttachment& item) { return item.meta.name; });
}

class ClusterFollower final : public Follower {
public:
    ClusterFollower(Api& api, FollowScope scope)
        : api_(api),
          scope_(std::move(scope)),
          progress_(api_, scope_, [this](SightChange change) { push(std::move(change)); }),
          queue_(api_, scope_, [this](SightChange change) { push(std::move(change)); }) {
        for (Feed& feed : feeds_for(scope_)) start(std::move(feed));
    }

    // Those that write to the changes end before these do.
    ~ClusterFollower() override {
        for (auto& thread : feeds_) thread.request_stop();
        feeds_.clear();
    }

    const Sight& sight() const override { return sight_; }

    bool wait(std::chrono::milliseconds patience) override {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, patience, [this] { return !changes_.empty(); });
        if (changes_.empty()) return false;
        const auto change = std::move(changes_.front());
        changes_.pop_front();
        lock.unlock();
        change(sight_);
        return true;
    }

    void read_progress(const std::set<Copying>& of) override { progress_.read(of); }
    void count_queue(bool wanted) override { queue_.count(wanted); }

    void watch_attachments() override {
        if (std::exchange(attachments_watched_, true)) return;
        start(attachments_feed());
    }

private:
    void push(SightChange change) {
        {
            const std::lock_guard lock(mutex_);
            changes_.push_back(std::move(change));
        }
        changed_.notify_all();
    }

    void start(Feed feed) {
        feeds_.emplace_back(
            [this, feed = std::move(feed)](const std::stop_token& stop) { run(feed, stop); });
    }

    void run(const Feed& feed, const std::stop_token& stop) {
        const auto path = kubeclient::path_of(feed.path);
        if (!path.ok()) return push_gap(feed, path.error());
        auto options = kubeclient::follow_options(stop);
        options.label_selector = feed.labels;
        options.field_selector = feed.fields;
        const kubeclient::Follower follower{
            [&](Change change, const Json& object) {
                push([apply = feed.apply, change, object](Sight& sight) {
                    sight.trouble.clear();
                    apply(sight, change, object);
                });
                return Flow::go_on;
            },
            [&] {
                push([seen = feed.seen](Sight& sight) {
                    sight.trouble.clear();
                    seen(sight, "");
                });
                return Flow::go_on;
            },
            [&](const kubeclient::Error& error, std::chrono::milliseconds) {
                push([message = error.message](Sight& sight) { sight.trouble = message; });
                return Flow::go_on;
            }};
        const auto ended = kubeclient::follow(api_, *path, options, follower);
        const bool told = stop.stop_requested() ||
                          (!ended.ok() && ended.error().kind == kubeclient::ErrorKind::canceled);
        if (!ended.ok() && !told) push_gap(feed, ended.error());
    }

    void push_gap(const Feed& feed, const kubeclient::Error& error) {
        push([seen = feed.seen, message = error.message](Sight& sight) { seen(sight, message); });
    }

    Api& api_;
    const FollowScope scope_;
    std::mutex mutex_{};
    std::condition_variable changed_{};
    std::deque<SightChange> changes_{};
    Sight sight_{};  // of the thread that waits
    bool attachments_watched_ = false;
    ProgressReader progress_;
    QueueCounter queue_;
    std::list<std::jthread> feeds_{};
};

}  // namespace

std::unique_ptr<Follower> follow_cluster(Api& api, FollowScope scope) {
    return std::make_unique<ClusterFollower>(api, std::move(scope));
}

}  // namespace recovery
