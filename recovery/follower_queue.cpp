#include "recovery/follower_queue.hpp"

#include <nlohmann/json.hpp>

#include "preflight/decode.hpp"

namespace recovery {
namespace {

using kubeclient::ErrorKind;
using kubeclient::Json;
using kubeclient::Result;

constexpr std::chrono::seconds kEvery{15};

Result<std::vector<Json>> list(kubeclient::Api& api, const kubeclient::ResourcePath& where,
                               const std::string& labels) {
    TRY_ASSIGN(path, kubeclient::path_of(where));
    kubeclient::ListOptions options;
    options.label_selector = labels;
    options.source = kubeclient::ListSource::cache;
    TRY_ASSIGN(found, api.list(path, options));
    return std::move(found.items);
}

// The node that a VMI runs on; empty where there is none any more.
Result<std::string> node_of(kubeclient::Api& api, const facts::Migration& migration) {
    TRY_ASSIGN(path, kubeclient::path_of({"kubevirt.io",
                                          "v1",
                                          "virtualmachineinstances",
                                          migration.meta.ns,
                                          migration.vmi,
                                          {}}));
    const auto vmi = api.get(path);
    if (vmi.ok()) return kubeclient::text_at(*vmi, {"status", "nodeName"}).value_or("");
    if (vmi.error().kind == ErrorKind::not_found) return std::string();
    return vmi.error();
}

}  // namespace

std::vector<facts::Migration> counted(const std::vector<facts::Migration>& migrations,
                                      const std::set<std::string>& uids_with_target) {
    std::vector<facts::Migration> result;
    for (const auto& each : migrations) {
        if (each.finished() || each.phase.empty()) continue;
        const bool before = each.phase == "Pending" || each.phase == "WaitingForSync" ||
                            each.phase == "Synchronizing";
        if (!before || uids_with_target.count(each.meta.uid) != 0) result.push_back(each);
    }
    return result;
}

QueueCounter::QueueCounter(kubeclient::Api& api, const FollowScope& scope, SightSink sink)
    : api_(api), scope_(scope), sink_(std::move(sink)) {}

void QueueCounter::count(bool wanted) {
    {
        const std::lock_guard lock(mutex_);
        if (wanted_ == wanted) return;
        wanted_ = wanted;
    }
    if (wanted && !thread_.joinable()) {
        thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    }
    changed_.notify_all();
}

void QueueCounter::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        {
            std::unique_lock lock(mutex_);
            if (!changed_.wait(lock, stop, [this] { return wanted_; })) return;
        }
        auto queue = read();
        const bool told = !queue.ok() && queue.error().kind == ErrorKind::canceled;
        if (stop.stop_requested() || told) return;
        Queue result;
        if (queue.ok()) {
            result = std::move(queue).value();
        } else {
            result.gap = queue.error().message;
        }
        result.at = scope_.now();
        sink_([result](Sight& sight) { sight.queue = result; });
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, stop, kEvery, [] { return false; });
    }
}

Result<Queue> QueueCounter::read() {
    TRY_ASSIGN(
        objects,
        list(api_, {"kubevirt.io", "v1", "virtualmachineinstancemigrations", {}, {}, {}}, ""));
    TRY_ASSIGN(pods, list(api_, {"", "v1", "pods", {}, {}, {}}, "kubevirt.io/migrationJobUID"));
    std::vector<facts::Migration> migrations;
    for (const Json& object : objects) {
        std::string problem;
        migrations.push_back(preflight::decode_migration(preflight::Fields(object, "", problem)));
        if (!problem.empty()) return kubeclient::Error{ErrorKind::protocol, problem};
    }
    std::set<std::string> with_target;
    for (const Json& pod : pods) {
        const auto uid =
            kubeclient::text_at(pod, {"metadata", "labels", "kubevirt.io/migrationJobUID"});
        if (uid) with_target.insert(*uid);
    }
    Queue queue;
    for (const auto& migration : counted(migrations, with_target)) {
        ++queue.running;
        TRY_ASSIGN(node, node_of(api_, migration));
        if (!node.empty()) ++queue.outbound[node];
    }
    return queue;
}

}  // namespace recovery
