#include "recovery/follower_progress.hpp"

#include <nlohmann/json.hpp>

#include "kubeclient/follow.hpp"
#include "recovery/transfer.hpp"

namespace recovery {
namespace {

using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Flow;
using kubeclient::Result;

// virt-handler measures every 5 s, virt-launcher writes every 4.
constexpr std::chrono::milliseconds kInterval{5000};
constexpr std::chrono::milliseconds kPause{2000};
constexpr int kTries = 3;

// What going on cannot mend: no right, no such thing, a kubelet that cannot be reached.
bool is_final(const Error& error) {
    return error.kind != ErrorKind::transport && error.kind != ErrorKind::timeout &&
           error.kind != ErrorKind::throttled;
}

// By an interruption of the program.
template <class T>
bool was_told(const Result<T>& result) {
    return !result.ok() && result.error().kind == ErrorKind::canceled;
}

std::string in_words(const Copying& of, const std::string& source, const Error& error) {
    return source + " of " + of.ns + "/" + of.vmi + ": " + error.message;
}

}  // namespace

ProgressReader::ProgressReader(kubeclient::Api& api, const FollowScope& scope, SightSink sink)
    : api_(api), scope_(scope), sink_(std::move(sink)) {}

ProgressReader::~ProgressReader() {
    for (auto& [of, thread] : logs_) thread.request_stop();
    logs_.clear();
    std::map<std::string, std::jthread> handlers;
    {
        const std::lock_guard lock(mutex_);
        handlers.swap(handlers_);
    }
    for (auto& [node, thread] : handlers) thread.request_stop();
}

void ProgressReader::read(const std::set<Copying>& of) {
    // A thread that is let go is told to stop, and its stream ends at once.
    std::erase_if(logs_, [&](const auto& entry) { return of.count(entry.first) == 0; });
    {
        const std::lock_guard lock(mutex_);
        std::erase_if(without_log_, [&](const Copying& each) { return of.count(each) == 0; });
    }
    for (const auto& each : of) {
        if (logs_.count(each) != 0) continue;
        logs_.emplace(each, std::jthread([this, each](const std::stop_token& stop) {
                          read_log(each, stop);
                      }));
    }
}

void ProgressReader::read_log(const Copying& of, const std::stop_token& stop) {
    const auto path = kubeclient::path_of({"", "v1", "pods", of.ns, of.source_pod, "log"});
    if (!path.ok()) return;
    const auto take = [&](std::string_view line) {
        auto note = read_log_line(line);
        if (!note || !note->transfer || note->migration_uid != of.migration_uid) return Flow::go_on;
        sink_([uid = of.migration_uid, transfer = *note->transfer](Sight& sight) {
            sight.transfers[uid] = transfer;
        });
        return stop.stop_requested() ? Flow::stop : Flow::go_on;
    };
    const auto wait = kubeclient::follow_options(stop).wait;
    std::string since = "tailLines";
    // A kubelet that restarts answers with 5xx for a moment, one that cannot be reached for ever.
    int failures = 0;
    while (!stop.stop_requested()) {
        const kubeclient::Api::Query query{{"container", "compute"},
                                           {"follow", "true"},
                                           {since, since == "tailLines" ? "100" : "10"}};
        const auto ended = api_.lines(*path, query, take, stop);
        if (stop.stop_requested() || was_told(ended)) return;
        const bool passing =
            !ended.ok() && ended.error().kind == ErrorKind::server && ++failures < kTries;
        if (!ended.ok() && is_final(ended.error()) && !passing) {
            sink_([of, words = in_words(of, "launcher log", ended.error())](Sight& sight) {
                sight.progress_gaps[of.migration_uid] = words;
            });
            return start_metrics(of);
        }
        since = "sinceSeconds";
        if (!wait(kPause)) return;
    }
}

void ProgressReader::start_metrics(const Copying& of) {
    if (scope_.kubevirt_ns.empty() || of.source_node.empty()) return;
    const std::lock_guard lock(mutex_);
    without_log_.insert(of);
    if (handlers_.count(of.source_node) != 0) return;
    handlers_.emplace(of.source_node,
                      std::jthread([this, node = of.source_node](const std::stop_token& stop) {
                          read_metrics(node, stop);
                      }));
}

std::set<Copying> ProgressReader::copying_on(const std::string& node) {
    const std::lock_guard lock(mutex_);
    std::set<Copying> result;
    for (const auto& each : without_log_) {
        if (each.source_node == node) result.insert(each);
    }
    return result;
}

Result<std::string> ProgressReader::metrics_of(const std::string& node) {
    const auto& ns = scope_.kubevirt_ns;
    TRY_ASSIGN(list_path, kubeclient::path_of({"", "v1", "pods", ns, {}, {}}));
    kubeclient::ListOptions options;
    options.label_selector = "kubevirt.io=virt-handler";
    options.field_selector = "spec.nodeName=" + node;
    TRY_ASSIGN(pods, api_.list(list_path, options));
    if (pods.items.empty()) return Error{ErrorKind::not_found, "no virt-handler runs on " + node};
    const auto name = kubeclient::text_at(pods.items.front(), {"metadata", "name"}).value_or("");
    TRY_ASSIGN(path, kubeclient::path_of(
                         {"", "v1", "pods", ns, "https:" + name + ":8443", "proxy/metrics"}));
    return api_.text(path);
}

void ProgressReader::read_metrics(const std::string& node, const std::stop_token& stop) {
    const auto wait = kubeclient::follow_options(stop).wait;
    while (!stop.stop_requested()) {
        const auto text = metrics_of(node);
        const auto wanted = copying_on(node);
        if (was_told(text)) return;
        if (!text.ok() && is_final(text.error())) {
            for (const auto& of : wanted) {
                sink_(
                    [of, words = in_words(of, "virt-handler metrics", text.error())](Sight& sight) {
                        auto& gap = sight.progress_gaps[of.migration_uid];
                        if (gap.find(words) == std::string::npos) gap += "; " + words;
                    });
            }
        }
        const auto samples =
            text.ok() ? read_handler_metrics(*text, scope_.now()) : std::vector<HandlerSample>{};
        for (const auto& sample : samples) {
            for (const auto& of : wanted) {
                if (of.ns != sample.ns || of.vmi != sample.vmi) continue;
                sink_([uid = of.migration_uid, transfer = sample.transfer](Sight& sight) {
                    sight.transfers[uid] = transfer;
                });
            }
        }
        if (!wait(kInterval)) return;
    }
}

}  // namespace recovery
