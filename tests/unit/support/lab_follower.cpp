#include "tests/unit/support/lab_follower.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "kubeclient/json.hpp"
#include "preflight/decode.hpp"
#include "recovery/transfer.hpp"

namespace support {

using kubeclient::text_at;
using recovery::NamedIn;

namespace {

const lab::ResourceId kMigrations{"kubevirt.io", "virtualmachineinstancemigrations"};
const lab::ResourceId kVmis{"kubevirt.io", "virtualmachineinstances"};
const lab::ResourceId kPods{"", "pods"};
const lab::ResourceId kEvents{"", "events"};
const lab::ResourceId kAttachments{"storage.k8s.io", "volumeattachments"};

constexpr lab::Duration kLookEvery = std::chrono::seconds(1);

template <class T>
T decoded(const kubeclient::Json& object, T (*decode)(const preflight::Fields&)) {
    std::string problem;
    T value = decode(preflight::Fields(object, "", problem));
    if (!problem.empty()) throw std::runtime_error("the lab's object is wrong: " + problem);
    return value;
}

// Whether anything has changed by it. An object that is not selected (any more) is gone.
template <class Key, class T>
bool put(recovery::Seen<Key, T>& seen, const Key& key, const lab::Change& change, bool selected,
         T (*decode)(const preflight::Fields&)) {
    if (!selected || change.type == lab::ChangeType::deleted) return seen.items.erase(key) > 0;
    T value = decoded(*change.object, decode);
    const auto [place, added] = seen.items.try_emplace(key, value);
    if (!added && place->second == value) return false;
    place->second = std::move(value);
    return true;
}

std::string collection(const std::string& group_version, const std::string& ns,
                       const std::string& plural) {
    return group_version + (ns.empty() ? "" : "/namespaces/" + ns) + "/" + plural;
}

bool is_under_way(const std::string& phase) {
    return !phase.empty() && phase != "Pending" && phase != "Succeeded" && phase != "Failed";
}

// virt-controller's own count (migration.go, handleTargetPodCreation): VMIMs that are under way,
// and waiting ones that have their target pod already.
recovery::Queue count_in(const lab::Store& objects) {
    recovery::Queue queue;
    for (const auto& [key, migration] : objects.all(kMigrations)) {
        const auto phase = text_at(*migration, {"status", "phase"}).value_or("");
        if (phase == "Succeeded" || phase == "Failed") continue;
        const auto uid = text_at(*migration, {"metadata", "uid"});
        const auto& pods = objects.all(kPods);
        const bool has_target = std::any_of(pods.begin(), pods.end(), [&](const auto& pod) {
            return text_at(*pod.second, {"metadata", "labels", "kubevirt.io/migrationJobUID"}) ==
                   uid;
        });
        if (!is_under_way(phase) && !has_target) continue;
        ++queue.running;
        const auto vmi =
            objects.get(kVmis, {key.ns, text_at(*migration, {"spec", "vmiName"}).value_or("")});
        if (!vmi) continue;
        std::set<std::string> from{text_at(*vmi, {"status", "nodeName"}).value_or("")};
        from.insert(text_at(*vmi, {"status", "migrationState", "sourceNode"}).value_or(""));
        for (const std::string& node : from) {
            if (!node.empty()) ++queue.outbound[node];
        }
    }
    return queue;
}

}  // namespace

struct LabFollower::Kind {
    lab::ResourceId resource{};
    std::string path{};
    std::string& gap;
    bool& complete;
    std::function<void()> clear{};
    std::uint64_t from = 0;  // changes up to here are in the list
};

struct LabFollower::Log {
    std::unique_ptr<lab::Stream> stream{};
    std::string trouble{};
    std::string rest{};  // of a line that has not ended
    std::deque<std::string> lines{};
    bool ended = false;
};

LabFollower::LabFollower(LabCluster& cluster, std::string ns)
    : cluster_(cluster),
      ns_(std::move(ns)),
      transport_(cluster.transport()),
      position_(cluster.world().objects().revision()) {
    const auto add = [&](const lab::ResourceId& resource, std::string path, auto& seen) {
        kinds_.push_back(std::make_unique<Kind>(Kind{
            resource, std::move(path), seen.gap, seen.complete, [&seen] { seen.items.clear(); }}));
    };
    const std::string kubevirt = "/apis/kubevirt.io/v1";
    add(kMigrations, collection(kubevirt, ns_, kMigrations.plural), sight_.migrations);
    add(kVmis, collection(kubevirt, ns_, kVmis.plural), sight_.vmis);
    add(kPods, collection("/api/v1", ns_, kPods.plural), sight_.launchers);
    add(kEvents, collection("/api/v1", ns_, kEvents.plural), sight_.warnings);
}

LabFollower::~LabFollower() = default;

void LabFollower::watch_attachments() {
    if (kind_of(kAttachments) != nullptr) return;
    auto& seen = sight_.attachments;
    kinds_.push_back(std::make_unique<Kind>(
        Kind{kAttachments, collection("/apis/storage.k8s.io/v1", "", kAttachments.plural), seen.gap,
             seen.complete, [&seen] { seen.items.clear(); }}));
}

LabFollower::Kind* LabFollower::kind_of(const lab::ResourceId& resource) {
    const auto found = std::find_if(kinds_.begin(), kinds_.end(),
                                    [&](const auto& kind) { return kind->resource == resource; });
    return found == kinds_.end() ? nullptr : found->get();
}

bool LabFollower::wait(std::chrono::milliseconds patience) {
    lab::World& world = cluster_.world();
    const lab::Instant deadline = world.now() + patience;
    cluster_.begin_wait();
    cluster_.do_what_is_due();
    if (look_at_rights()) return true;
    while (true) {
        if (take_next_change() || look_around()) return true;
        if (world.now() >= deadline) return false;
        cluster_.advance_most(std::min<lab::Duration>(deadline - world.now(), kLookEvery));
        if (cluster_.do_what_is_due() && look_at_rights()) return true;
    }
}

// Why the path cannot be read; empty where it can. What every path meets is the sight's trouble.
std::string LabFollower::refusal(const std::string& path) {
    kubeclient::Request request;
    request.path = path;
    request.query = {{"limit", "1"}};
    const auto response = transport_->send(request);
    if (!response.ok()) return response.error().message;
    if (response->status == 200) return "";
    const auto status = kubeclient::parse_json(response->body, path);
    return status.ok() ? text_at(*status, {"message"}).value_or("?") : response->body;
}

// Lists what may be read and has not been listed; true where that, or what is in the way, is new.
bool LabFollower::look_at_rights() {
    const auto seen = std::pair(cluster_.turns(), kinds_.size());
    if (std::exchange(rights_seen_, seen) == seen) return false;
    kubeclient::Request version;
    version.path = "/version";
    const auto reached = transport_->send(version);
    const std::string trouble = reached.ok() ? "" : reached.error().message;
    bool news = std::exchange(sight_.trouble, trouble) != trouble;
    if (!trouble.empty()) return news;
    for (const auto& kind : kinds_) {
        std::string gap = refusal(kind->path);
        if (gap.empty() && !kind->complete) {
            list(*kind);
            news = true;
        }
        news = news || gap != kind->gap;
        kind->complete = gap.empty();
        kind->gap = std::move(gap);
    }
    return news;
}

void LabFollower::list(Kind& kind) {
    const lab::Store& objects = cluster_.world().objects();
    kind.clear();
    for (const auto& [key, object] : objects.all(kind.resource)) {
        take_in({lab::ChangeType::added, 0, kind.resource, key, object, nullptr});
    }
    kind.from = objects.revision();
}

bool LabFollower::take_next_change() {
    if (!sight_.trouble.empty()) return false;
    const auto changes = cluster_.world().objects().since(position_);
    if (!changes) throw std::runtime_error("the lab's history is too short for its follower");
    for (const lab::Change& change : *changes) {
        const Kind* kind = kind_of(change.resource);
        if (kind != nullptr && kind->complete && change.revision > kind->from) {
            // A log's last line comes before the status that follows from it.
            if (read_logs()) return true;
            position_ = change.revision;
            if (take_in(change)) return true;
        }
        position_ = change.revision;
    }
    return false;
}

bool LabFollower::take_in(const lab::Change& change) {
    const NamedIn key{change.key.ns, change.key.name};
    const kubeclient::Json& object = *change.object;
    if (change.resource == kAttachments) {
        return put(sight_.attachments, change.key.name, change, true,
                   preflight::decode_volume_attachment);
    }
    if (!ns_.empty() && change.key.ns != ns_) return false;
    if (change.resource == kMigrations) {
        return put(sight_.migrations, key, change, true, preflight::decode_migration);
    }
    if (change.resource == kVmis) {
        return put(sight_.vmis, key, change, true, preflight::decode_vmi);
    }
    if (change.resource == kPods) {
        const bool launcher =
            text_at(object, {"metadata", "labels", "kubevirt.io"}) == "virt-launcher";
        return put(sight_.launchers, key, change, launcher, preflight::decode_pod);
    }
    return put(sight_.warnings, text_at(object, {"metadata", "uid"}).value_or(""), change,
               text_at(object, {"type"}) == "Warning", preflight::decode_warning);
}

void LabFollower::read_progress(const std::set<recovery::Copying>& of) {
    std::erase_if(logs_, [&](const auto& log) { return !of.contains(log.first); });
    for (const recovery::Copying& each : of) logs_.try_emplace(each);
}

void LabFollower::open(const recovery::Copying& copying, Log& log) {
    kubeclient::Request request;
    request.path = "/api/v1/namespaces/" + copying.ns + "/pods/" + copying.source_pod + "/log";
    request.query = {{"container", "compute"}, {"follow", "true"}};
    log.stream = cluster_.world().server().follow(cluster_.user(), request);
    log.trouble = log.stream ? "" : refusal(request.path);
}

bool LabFollower::note_gap(const recovery::Copying& copying, const Log& log) {
    auto& gaps = sight_.progress_gaps;
    if (log.trouble.empty()) return gaps.erase(copying.migration_uid) > 0;
    const auto [place, added] = gaps.try_emplace(copying.migration_uid, log.trouble);
    return std::exchange(place->second, log.trouble) != log.trouble || added;
}

// One line with figures at a time.
bool LabFollower::read_logs() {
    for (auto& [copying, log] : logs_) {
        if (!log.stream && !log.ended) {
            open(copying, log);
            if (note_gap(copying, log)) return true;
        }
        if (log.stream) {
            log.rest += log.stream->next();
            for (auto end = log.rest.find('\n'); end != std::string::npos;
                 end = log.rest.find('\n')) {
                log.lines.push_back(log.rest.substr(0, end));
                log.rest.erase(0, end + 1);
            }
            log.ended = log.stream->ended();
            if (log.ended) log.stream.reset();
        }
        while (!log.lines.empty()) {
            const auto note = recovery::read_log_line(log.lines.front());
            log.lines.pop_front();
            const bool own = note && note->migration_uid == copying.migration_uid;
            if (!own || !note->transfer) continue;
            sight_.transfers[copying.migration_uid] = *note->transfer;
            return true;
        }
    }
    return false;
}

bool LabFollower::count() {
    if (!counting_) return false;
    recovery::Queue queue;
    for (const auto& resource : {kMigrations.plural, kVmis.plural}) {
        if (queue.gap.empty()) queue.gap = refusal("/apis/kubevirt.io/v1/" + resource);
    }
    if (queue.gap.empty()) queue.gap = refusal("/api/v1/pods");
    if (queue.gap.empty()) queue = count_in(cluster_.world().objects());
    // When it was counted is no news.
    const auto before = std::exchange(sight_.queue, queue);
    sight_.queue->at = cluster_.now();
    if (before) queue.at = before->at;
    return before != queue;
}

bool LabFollower::look_around() {
    const lab::Instant now = cluster_.world().now();
    if (!sight_.trouble.empty() || now < next_look_) return false;
    if (read_logs() || count()) return true;
    next_look_ = now + kLookEvery;
    return false;
}

}  // namespace support
