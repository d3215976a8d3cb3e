#include "lab/controllers/node_endpoints.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kubeclient/json.hpp"
#include "lab/api/route.hpp"
#include "lab/api/status.hpp"
#include "lab/controllers/migration_log.hpp"
#include "lab/controllers/node_knobs.hpp"
#include "lab/controllers/pod_log.hpp"

namespace lab {

using kubeclient::items_at;
using kubeclient::Request;
using kubeclient::Response;
using kubeclient::text_at;

namespace {

Response plain(int status, std::string body) {
    return {status, {{"content-type", "text/plain"}}, std::move(body)};
}

Refusal no_pod(const std::string& name) {
    Refusal refusal;
    refusal.code = 404;
    refusal.reason = "NotFound";
    refusal.message = "pods \"" + name + "\" not found";
    refusal.name = name;
    refusal.kind = "pods";
    return refusal;
}

// As the API server hands on what its connection to a node ended with.
Refusal unreachable(const std::string& url, const std::string& host) {
    Refusal refusal;
    refusal.code = 500;
    refusal.reason = "";
    refusal.message = "Get \"" + url + "\": dial tcp " + host + ": i/o timeout";
    return refusal;
}

std::string first_container(const Json& pod) {
    if (auto named =
            text_at(pod, {"metadata", "annotations", "kubectl.kubernetes.io/default-container"})) {
        return *named;
    }
    const auto& containers = items_at(pod, {"spec", "containers"});
    return containers.empty() ? "" : text_at(containers.front(), {"name"}).value_or("");
}

bool has_container(const Json& pod, const std::string& name) {
    const auto named = [&](const Json& container) { return text_at(container, {"name"}) == name; };
    const auto& own = items_at(pod, {"spec", "containers"});
    const auto& init = items_at(pod, {"spec", "initContainers"});
    return std::any_of(own.begin(), own.end(), named) ||
           std::any_of(init.begin(), init.end(), named);
}

// A family of the text format: its samples are lines, each with its own time.
class Family {
public:
    Family(std::string name, std::string type, const std::string& help)
        : name_(std::move(name)),
          text_("# HELP " + name_ + " " + help + "\n# TYPE " + name_ + " " + type + "\n") {}

    void add(const std::string& labels, std::int64_t value, std::optional<Instant> at) {
        text_ += name_ + "{" + labels + "} " + std::to_string(value);
        if (at) {
            const auto time = std::chrono::floor<std::chrono::milliseconds>(*at);
            text_ += " " + std::to_string(time.time_since_epoch().count());
        }
        text_ += "\n";
        used_ = true;
    }
    std::string text() const { return used_ ? text_ : ""; }

private:
    std::string name_;
    std::string text_;
    bool used_ = false;
};

// Names of the API need no escaping.
std::string labels_of(const std::string& vmi, const std::string& node) {
    const auto slash = vmi.find('/');
    return "name=\"" + vmi.substr(slash + 1) + "\",namespace=\"" + vmi.substr(0, slash) +
           "\",node=\"" + node + "\"";
}

struct Measure {
    const char* name;
    const char* type;
    const char* help;
    std::int64_t (*of)(const Progress&);
};

const Measure kMeasures[] = {
    {"kubevirt_vmi_migration_data_bytes_total", "counter",
     "The total Guest OS data to be migrated to the new VM.",
     [](const Progress& progress) { return progress.total(); }},
    {"kubevirt_vmi_migration_data_processed_bytes", "gauge",
     "The total Guest OS data processed and migrated to the new VM.",
     [](const Progress& progress) { return progress.processed(); }},
    {"kubevirt_vmi_migration_data_remaining_bytes", "gauge",
     "The remaining guest OS data to be migrated to the new VM.",
     [](const Progress& progress) { return progress.remaining(); }},
    {"kubevirt_vmi_migration_dirty_memory_rate_bytes", "gauge",
     "The rate of memory being dirty in the Guest OS.",
     [](const Progress& progress) { return progress.dirty_rate; }},
    {"kubevirt_vmi_migration_memory_transfer_rate_bytes", "gauge",
     "The rate at which the memory is being transferred.",
     [](const Progress& progress) { return progress.memory_rate; }},
};

}  // namespace

// A connection to a kubelet that is being read from.
class NodeEndpoints::Followed final : public Stream {
public:
    Followed(NodeEndpoints& node, LogSource source, LogReader reader)
        : node_(node), source_(std::move(source)), reader_(std::move(reader)) {}

    std::string next() override {
        if (ended_) return "";
        const Machine* machine = node_.hardware_.machine(source_.node);
        // Nobody closes what hangs; what was written meanwhile comes if the way is open again.
        if (machine != nullptr && !(machine->powered && machine->api_reachable)) return "";
        ended_ = (machine != nullptr && !machine->kubelet_runs) || node_.has_ended(source_);
        std::string text = reader_.next(node_.lines_of(source_));
        ended_ = ended_ || reader_.full();
        return text;
    }
    bool ended() const override { return ended_; }

private:
    NodeEndpoints& node_;
    LogSource source_;
    LogReader reader_;
    bool ended_ = false;
};

std::optional<Response> NodeEndpoints::serve(const User&, const Request& request) {
    const auto route = route_of(request.path);
    if (!route || route->resource != kPods || request.method != kubeclient::Method::get) {
        return std::nullopt;
    }
    if (route->subresource == "log") return log(route->key, request);
    constexpr std::string_view scheme = "https:";
    constexpr std::string_view port = ":8443";
    const std::string& name = route->key.name;
    if (route->subresource != "proxy/metrics" || !name.starts_with(scheme) ||
        !name.ends_with(port)) {
        return std::nullopt;
    }
    return metrics(
        {route->key.ns, name.substr(scheme.size(), name.size() - scheme.size() - port.size())});
}

std::unique_ptr<Stream> NodeEndpoints::follow(const User&, const Request& request) {
    const auto route = route_of(request.path);
    if (!route || route->resource != kPods || request.method != kubeclient::Method::get ||
        route->subresource != "log") {
        return nullptr;
    }
    auto source = log_source(route->key, request);
    if (!source.ok()) return nullptr;
    return std::make_unique<Followed>(*this, std::move(source).value(),
                                      LogReader(request, clock_()));
}

Response NodeEndpoints::log(const ObjectKey& key, const Request& request) {
    const auto source = log_source(key, request);
    if (!source.ok()) return reply(source.error());
    return plain(200, LogReader(request, clock_()).next(lines_of(source.value())));
}

Outcome<NodeEndpoints::LogSource> NodeEndpoints::log_source(const ObjectKey& key,
                                                            const Request& request) const {
    const Object pod = objects_.get(kPods, key);
    if (!pod) return no_pod(key.name);
    std::string container = parameter(request, "container");
    if (container.empty()) container = first_container(*pod);
    if (!has_container(*pod, container)) {
        return bad_request("container " + container + " is not valid for pod " + key.name);
    }
    std::string node = text_at(*pod, {"spec", "nodeName"}).value_or("");
    if (node.empty()) return bad_request("pod " + key.name + " does not have a host assigned");
    const Machine* machine = hardware_.machine(node);
    if (machine != nullptr && !machine->kubelet_works()) {
        const std::string host = node + ":10250";
        return unreachable(
            "https://" + host + "/containerLogs/" + key.ns + "/" + key.name + "/" + container,
            host);
    }
    if (text_at(*pod, {"status", "phase"}).value_or("Pending") == "Pending") {
        return bad_request("container \"" + container + "\" in pod \"" + key.name +
                           "\" is waiting to start: ContainerCreating");
    }
    return LogSource{key, text_at(*pod, {"metadata", "uid"}).value_or(""),
                     text_at(*pod, {"metadata", "labels", "kubevirt.io/created-by"}).value_or(""),
                     std::move(node), std::move(container)};
}

std::vector<LogLine> NodeEndpoints::lines_of(const LogSource& source) {
    const Launcher* launcher = hardware_.launcher(source.pod_uid);
    if (launcher == nullptr || source.container != "compute") return {};
    const auto slash = launcher->vmi.find('/');
    const LogSubject about{launcher->vmi.substr(0, slash), launcher->vmi.substr(slash + 1),
                           source.vmi_uid};
    std::vector<LogLine> lines;
    for (const MigrationJob* job : hardware_.jobs_from(source.pod_uid)) {
        const auto more = migration_log(*job, about, clock_());
        lines.insert(lines.end(), more.begin(), more.end());
    }
    return lines;
}

bool NodeEndpoints::has_ended(const LogSource& source) {
    const Object pod = objects_.get(kPods, source.pod);
    if (!pod || text_at(*pod, {"metadata", "uid"}) != source.pod_uid) return true;
    const std::string phase = text_at(*pod, {"status", "phase"}).value_or("");
    if (phase == "Succeeded" || phase == "Failed") return true;
    const Launcher* launcher = hardware_.launcher(source.pod_uid);
    return source.container == "compute" && launcher != nullptr && launcher->exit_code;
}

Response NodeEndpoints::metrics(const ObjectKey& key) {
    const Object pod = objects_.get(kPods, key);
    if (!pod) return reply(no_pod(key.name));
    const std::string node = text_at(*pod, {"spec", "nodeName"}).value_or("");
    const Machine* machine = hardware_.machine(node);
    const bool handler = text_at(*pod, {"metadata", "labels", "kubevirt.io"}) == "virt-handler";
    if (!handler || machine == nullptr || !machine->handler_works()) {
        const std::string host = node + ":8443";
        return reply(unreachable("https://" + host + "/metrics", host));
    }
    return {200, {{"content-type", "text/plain; version=0.0.4; charset=utf-8"}}, measured(node)};
}

std::string NodeEndpoints::measured(const std::string& node) {
    const Instant now = clock_();
    const auto jobs = hardware_.jobs_on(node);
    std::string text;
    for (const Measure& measure : kMeasures) {
        Family family(measure.name, measure.type, measure.help);
        for (const MigrationJob* job : jobs) {
            const std::string labels = labels_of(hardware_.launcher(job->source_pod)->vmi, node);
            for (const Sample& sample : migration_samples(*job, now)) {
                family.add(labels, measure.of(sample.progress), sample.at);
            }
        }
        text += family.text();
    }
    // Cannot be measured while a migration runs.
    Family dirty("kubevirt_vmi_dirty_rate_bytes_per_second", "gauge",
                 "Guest dirty-rate in bytes per second.");
    for (const Launcher* guest : hardware_.guests_on(node)) {
        const bool moves = std::any_of(jobs.begin(), jobs.end(), [&](const MigrationJob* job) {
            return job->source_pod == guest->pod_uid;
        });
        if (moves) continue;
        dirty.add(labels_of(guest->vmi, node), hardware_.load(guest->vmi).dirty_rate, std::nullopt);
    }
    return text + dirty.text();
}

}  // namespace lab
