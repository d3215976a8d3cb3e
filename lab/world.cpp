#include "lab/world.hpp"

#include <algorithm>
#include <deque>
#include <utility>

#include "kubeclient/api.hpp"
#include "lab/controllers/event_recorder.hpp"

namespace lab {

namespace {

// client-go's workqueue.DefaultItemBasedRateLimiter: 5 ms, doubled up to 1000 s.
Duration back_off(int failures) {
    const Duration first = std::chrono::milliseconds(5);
    return std::min<Duration>(first * (std::int64_t{1} << std::min(failures, 24)),
                              std::chrono::seconds(1000));
}

}  // namespace

// One controller and its work queue.
struct World::Worker {
    std::unique_ptr<Controller> controller;
    std::unique_ptr<kubeclient::Transport> transport;
    std::unique_ptr<kubeclient::Api> api;
    std::unique_ptr<EventRecorder> events;
    Duration reaction;
    std::deque<WorkItem> queue{};
    std::set<WorkItem> queued{};
    std::map<WorkItem, kubeclient::Instant> later{};
    std::set<std::pair<kubeclient::Instant, WorkItem>> appointments{};  // `later`, by time
    std::map<WorkItem, int> failures{};

    void enqueue(const WorkItem& item) {
        if (queued.insert(item).second) queue.push_back(item);
    }
    // The earlier of two appointments stands.
    void enqueue_at(const WorkItem& item, kubeclient::Instant when) {
        const auto [place, added] = later.emplace(item, when);
        if (!added) {
            if (place->second <= when) return;
            appointments.erase({place->second, item});
            place->second = when;
        }
        appointments.emplace(when, item);
    }
    void wake(kubeclient::Instant now) {
        while (!appointments.empty() && appointments.begin()->first <= now) {
            const WorkItem item = appointments.begin()->second;
            appointments.erase(appointments.begin());
            later.erase(item);
            enqueue(item);
        }
    }
};

World::World(const WorldOptions& options)
    : now_(options.start),
      server_(
          store_, [this] { return now_; }, options.seed),
      suffixes_(options.seed) {}

World::~World() = default;

void World::add(std::unique_ptr<Controller> controller, User user, Duration reaction) {
    add_remote(std::move(controller), transport_as(server_, std::move(user)), reaction);
}

void World::add_remote(std::unique_ptr<Controller> controller,
                       std::unique_ptr<kubeclient::Transport> transport, Duration reaction) {
    auto worker = std::make_unique<Worker>();
    worker->controller = std::move(controller);
    worker->transport = std::move(transport);
    worker->api = std::make_unique<kubeclient::Api>(*worker->transport);
    worker->events = make_event_recorder(std::string(worker->controller->name()), *worker->api,
                                         [this] { return now_; });
    worker->reaction = reaction;
    workers_.push_back(std::move(worker));
}

void World::feed() {
    while (fed_ < store_.revision()) {
        const auto changes = store_.since(fed_);
        // Nobody else's history is this long: what was compacted is forgotten knowingly.
        if (!changes || changes->empty()) {
            fed_ = store_.revision();
            return;
        }
        for (const Change& change : *changes) {
            for (const auto& worker : workers_) {
                for (const WorkItem& item : worker->controller->concerned(change, store_)) {
                    if (worker->reaction == Duration(0)) {
                        worker->enqueue(item);
                    } else {
                        worker->enqueue_at(item, now_ + worker->reaction);
                    }
                }
            }
        }
        fed_ = changes->back().revision;
    }
}

// One item of one controller, the first that has any; false when all are idle.
bool World::step() {
    feed();
    const auto busy = std::find_if(workers_.begin(), workers_.end(),
                                   [](const auto& worker) { return !worker->queue.empty(); });
    if (busy == workers_.end()) return false;
    Worker& worker = **busy;
    const WorkItem item = worker.queue.front();
    worker.queue.pop_front();
    worker.queued.erase(item);
    // Taking turns: whoever worked goes to the end of the line.
    std::rotate(busy, busy + 1, workers_.end());
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";  // apimachinery util/rand
    Cluster cluster{store_, *worker.api, *worker.events, now_, [this] {
                        std::string text;
                        for (int i = 0; i < 5; ++i) {
                            suffixes_ = suffixes_ * 6364136223846793005U + 1442695040888963407U;
                            text.push_back(letters[(suffixes_ >> 33U) % (sizeof(letters) - 1)]);
                        }
                        return text;
                    }};
    const auto done = worker.controller->sync(item, cluster);
    if (!done.ok()) {
        worker.enqueue_at(item, now_ + back_off(worker.failures[item]++));
        return true;
    }
    worker.failures.erase(item);
    if (*done) worker.enqueue_at(item, now_ + **done);
    return true;
}

void World::settle(int most) {
    for (const auto& worker : workers_) worker->wake(now_);
    while (most > 0 && step()) --most;
}

void World::advance(Duration duration) {
    const auto until = now_ + duration;
    settle();
    for (auto due = next_due(); due && *due <= until; due = next_due()) {
        now_ = std::max(now_ + Duration(1), *due);
        settle();
    }
    now_ = std::max(now_, until);
    settle();
}

std::optional<kubeclient::Instant> World::next_due() const {
    std::optional<kubeclient::Instant> first;
    for (const auto& worker : workers_) {
        if (!worker->queue.empty()) return now_;
        if (worker->appointments.empty()) continue;
        const auto when = worker->appointments.begin()->first;
        if (!first || when < *first) first = when;
    }
    return first;
}

}  // namespace lab
