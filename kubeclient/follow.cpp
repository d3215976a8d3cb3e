#include "kubeclient/follow.hpp"

#include <nlohmann/json.hpp>

#include "kubeclient/retry.hpp"

namespace kubeclient {
namespace {

class Following {
public:
    Following(Api& api, const std::string& path, const FollowOptions& options,
              const Follower& follower)
        : api_(api), path_(path), options_(options), follower_(follower) {}

    Status run() {
        for (NextStep step;;) {
            if (step.pause.count() > 0 && !pause(step.pause)) return end();
            if (options_.stop.stop_requested()) return Error{ErrorKind::canceled, "interrupted"};
            step = step.action == NextStep::Action::list ? list() : watch();
            if (stopped_ || step.action == NextStep::Action::end) return end();
        }
    }

private:
    Status end() const { return stopped_ ? Status(Done{}) : last_; }

    // Whether to go on after it.
    bool pause(std::chrono::milliseconds length) {
        if (!last_.ok() && follower_.trouble) note(follower_.trouble(last_.error(), length));
        if (stopped_) return false;
        if (options_.wait(length)) return true;
        last_ = Error{ErrorKind::canceled, "interrupted"};
        return false;
    }

    NextStep list() {
        ListOptions options;
        options.label_selector = options_.label_selector;
        options.field_selector = options_.field_selector;
        const auto list = api_.list(path_, options);
        last_ = list.ok() ? Status(Done{}) : Status(list.error());
        if (list.ok()) {
            note(picture_.take(*list, follower_.changed));
            if (!stopped_ && follower_.in_step) note(follower_.in_step());
        }
        return pace_.after_list(last_);
    }

    NextStep watch() {
        WatchOptions options;
        options.resource_version = picture_.version();
        options.label_selector = options_.label_selector;
        options.field_selector = options_.field_selector;
        options.timeout = options_.watch_time;
        options.silence = options_.silence;
        bool brought_events = false;
        const auto take = [&](EventType type, const Json& object) {
            brought_events = true;
            return note(picture_.take(type, object, follower_.changed));
        };
        const auto start = options_.now();
        last_ = api_.watch(path_, options, take, options_.stop);
        const auto lasted =
            std::chrono::duration_cast<std::chrono::milliseconds>(options_.now() - start);
        return pace_.after_watch({last_, brought_events, lasted});
    }

    Flow note(Flow flow) {
        stopped_ = stopped_ || flow == Flow::stop;
        return flow;
    }

    Api& api_;
    const std::string& path_;
    const FollowOptions& options_;
    const Follower& follower_;
    Picture picture_{};
    FollowPace pace_{};
    Status last_ = Done{};
    bool stopped_ = false;  // by the follower
};

}  // namespace

FollowOptions follow_options(std::stop_token stop) {
    const auto real = retry_options(std::chrono::milliseconds(0), stop);
    FollowOptions options;
    options.stop = std::move(stop);
    options.now = real.now;
    options.wait = real.wait;
    return options;
}

Status follow(Api& api, const std::string& path, const FollowOptions& options,
              const Follower& follower) {
    return Following(api, path, options, follower).run();
}

}  // namespace kubeclient
