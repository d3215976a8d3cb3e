#include "tests/unit/support/played.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <stdexcept>

#include "commands/cancel.hpp"
#include "commands/migrate.hpp"
#include "kubeclient/http_message.hpp"
#include "lab/controllers/node_knobs.hpp"
#include "tests/unit/support/lab_follower.hpp"

namespace support {

using kubeclient::Request;
using kubeclient::Response;
using kubeclient::Result;
using kubeclient::text_at;
using Texts = Played::Texts;

namespace {

const lab::ResourceId kMigrations{"kubevirt.io", "virtualmachineinstancemigrations"};
const Texts kNodeNames{"node-1", "node-2", "node-3"};

void must(bool done) {
    if (!done) throw std::runtime_error("the lab refuses its operator");
}

std::string taken(std::ostringstream& stream) {
    static const std::regex pod("(virt-launcher-vm-[0-9]+)-[a-z0-9]{5}");
    static const std::regex uid("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
    const std::string text = std::regex_replace(stream.str(), pod, "$1-*");
    stream.str("");
    return std::regex_replace(text, uid, "*");
}

bool belongs_to(const kubeclient::Json& pod, const std::string& vm) {
    return lab::is_launcher(pod) &&
           text_at(pod, {"metadata", "labels", "vm.kubevirt.io/name"}) == vm;
}

}  // namespace

// Writes down writes, and loses those that are to be lost.
class Played::Wire final : public kubeclient::Transport {
public:
    explicit Wire(Played& played) : played_(played), inner_(played.cluster.transport()) {}

    Result<Response> send(const Request& request) override {
        const bool review = request.path.ends_with("reviews");
        if (request.method == kubeclient::Method::get || review) return inner_->send(request);
        const std::string prefix = "/namespaces/prod/";
        const auto at = request.path.find(prefix);
        const auto what =
            at == std::string::npos ? request.path : request.path.substr(at + prefix.size());
        bool dry = false;
        for (const auto& [key, value] : request.query) dry = dry || key == "dryRun";
        played_.writes.push_back(std::string(kubeclient::name_of(request.method)) + " " + what +
                                 (dry ? " (dry run)" : ""));
        played_.bodies.push_back(request.body);
        const Fate fate = played_.fates.empty() ? Fate::answered : played_.fates.front();
        if (!played_.fates.empty()) played_.fates.erase(played_.fates.begin());
        if (fate == Fate::refused) {
            return Response{500, {{"content-type", "application/json"}}, kRefusal};
        }
        if (fate == Fate::lost_before) return lost();
        auto response = inner_->send(request);
        if (fate == Fate::lost_after) return lost();
        return response;
    }
    Result<Response> stream(const Request& request, const kubeclient::BodySink& sink,
                            std::stop_token stop) override {
        return inner_->stream(request, sink, std::move(stop));
    }

private:
    static constexpr const char* kRefusal =
        R"({"kind":"Status","apiVersion":"v1","status":"Failure",)"
        R"("message":"etcdserver: no leader","code":500})";
    static kubeclient::Error lost() {
        return {kubeclient::ErrorKind::unknown_outcome, "the connection broke before the reply"};
    }

    Played& played_;
    std::unique_ptr<kubeclient::Transport> inner_;
};

Played::Played(std::string_view scenario, const lab::ClusterSize& size)
    : environment{commands::Streams{in_, out_, err_}},
      cluster(scenario, size),
      begun_(cluster.world().now()) {
    connect_environment();
    advance(std::chrono::seconds(1));  // the guests start
    cluster.each_wait([this] { look_at_phases(); });
}

void Played::connect_environment() {
    environment.system.now = [this] {
        return std::chrono::system_clock::time_point(cluster.now());
    };
    environment.connect = [this](const auto&) -> Result<commands::Connection> {
        TRY_ASSIGN(connection, cluster.connect());
        connection.transport = std::make_unique<Wire>(*this);
        return connection;
    };
    environment.unique = [this] { return "0000000" + std::to_string(++drawn_); };
    environment.pause = [this](std::chrono::milliseconds time, const std::stop_token&) {
        advance(time);
        cluster.do_what_is_due();
        return true;
    };
    environment.follow = [this](kubeclient::Api&, const recovery::FollowScope& scope) {
        return std::make_unique<LabFollower>(cluster, scope.ns);
    };
}

int Played::migrate(const commands::MigrateOptions& options) {
    return static_cast<int>(commands::run_migrate(options, environment));
}
int Played::migrate(const Texts& vms) {
    commands::MigrateOptions options;
    options.targets = vms;
    return migrate(options);
}
int Played::cancel(const commands::CancelOptions& options) {
    return static_cast<int>(commands::run_cancel(options, environment));
}
int Played::cancel(const Texts& vms) {
    commands::CancelOptions options;
    options.targets = vms;
    return cancel(options);
}

std::string Played::out() {
    return taken(out_);
}
std::string Played::err() {
    return taken(err_);
}

// ---- what happens meanwhile

void Played::on_phase(const std::string& vm, const std::string& phase, std::function<void()> what) {
    on_phase_.push_back({vm, phase, std::move(what)});
}

void Played::look_at_phases() {
    const auto place = std::stable_partition(
        on_phase_.begin(), on_phase_.end(),
        [&](const OnPhase& each) { return !is_in_phase(each.vm, each.phase); });
    const std::vector<OnPhase> due(place, on_phase_.end());
    on_phase_.erase(place, on_phase_.end());
    for (const auto& each : due) each.what();
}

void Played::in(lab::Duration time, std::function<void()> what) {
    cluster.at(cluster.world().now() - begun_ + time, std::move(what));
}

void Played::until_phase(const std::string& vm, const std::string& phase) {
    for (int steps = 0; !is_in_phase(vm, phase); ++steps) {
        if (steps > 10'000) throw std::runtime_error(vm + " is never " + phase);
        advance(std::chrono::milliseconds(10));
    }
}

void Played::slow_wires(std::int64_t bandwidth) {
    for (const auto& one : kNodeNames) {
        for (const auto& other : kNodeNames) {
            if (one != other) cluster.hardware().set_link(one, other, {bandwidth});
        }
    }
}

void Played::make_busy(const std::string& vm) {
    constexpr std::int64_t all_memory = 0;
    cluster.hardware().set_load("prod/" + vm, {400'000'000, all_memory});
}

void Played::delete_target(const std::string& vm) {
    must(cluster.api().remove("/api/v1/namespaces/prod/pods/" + target_pod(vm)).ok());
}

void Played::delete_vm(const std::string& vm) {
    must(cluster.api().remove("/apis/kubevirt.io/v1/namespaces/prod/virtualmachines/" + vm).ok());
}

void Played::taint(const std::string& node, const std::string& key) {
    must(cluster.api()
             .patch("/api/v1/nodes/" + node, kubeclient::PatchKind::merge,
                    {{"spec", {{"taints", {{{"key", key}, {"effect", "NoSchedule"}}}}}}},
                    kubeclient::DryRun::none)
             .ok());
}

// KubeVirt refuses with 429, and marks the VMI.
void Played::evict(const std::string& vm) {
    std::string pod;
    for (const auto& [key, each] : cluster.world().objects().all(lab::kPods)) {
        if (belongs_to(*each, vm)) pod = key.name;
    }
    const kubeclient::Json eviction{{"apiVersion", "policy/v1"},
                                    {"kind", "Eviction"},
                                    {"metadata", {{"name", pod}, {"namespace", "prod"}}}};
    must(!cluster.api()
              .create("/api/v1/namespaces/prod/pods/" + pod + "/eviction", eviction,
                      kubeclient::DryRun::none)
              .ok());
    cluster.world().settle();
}

void Played::patch_vmi(const std::string& vm, const kubeclient::Json& patch) {
    must(cluster.api()
             .patch("/apis/kubevirt.io/v1/namespaces/prod/virtualmachineinstances/" + vm,
                    kubeclient::PatchKind::merge, patch, kubeclient::DryRun::none)
             .ok());
}

// ---- what is so

Texts Played::migrations(const std::string& vm) {
    Texts found;
    for (const auto& [key, each] : cluster.world().objects().all(kMigrations)) {
        if (text_at(*each, {"spec", "vmiName"}) != vm) continue;
        found.push_back(key.name + " " + text_at(*each, {"status", "phase"}).value_or(""));
    }
    return found;
}

bool Played::is_in_phase(const std::string& vm, const std::string& phase) {
    const auto all = migrations(vm);
    return std::any_of(all.begin(), all.end(),
                       [&](const std::string& each) { return each.ends_with(" " + phase); });
}

kubeclient::Json Played::vmi(const std::string& vm) {
    const auto object = cluster.world().objects().get(lab::kVmis, {"prod", vm});
    return object ? *object : kubeclient::Json::object();
}

Texts Played::runs_on(const std::string& vm) {
    Texts nodes;
    for (const auto& node : kNodeNames) {
        for (const auto* launcher : cluster.hardware().guests_on(node)) {
            if (launcher->vmi == "prod/" + vm) nodes.push_back(node);
        }
    }
    return nodes;
}

Texts Played::launchers(const std::string& vm) {
    Texts nodes;
    for (const auto& [key, pod] : cluster.world().objects().all(lab::kPods)) {
        const auto phase = text_at(*pod, {"status", "phase"});
        if (!belongs_to(*pod, vm) || phase == "Succeeded" || phase == "Failed") continue;
        nodes.push_back(text_at(*pod, {"spec", "nodeName"}).value_or("?"));
    }
    std::sort(nodes.begin(), nodes.end());
    return nodes;
}

Texts Played::attached(const std::string& vm) {
    const auto& objects = cluster.world().objects();
    const auto claim = objects.get({"", "persistentvolumeclaims"}, {"prod", vm + "-disk"});
    const auto volume = text_at(*claim, {"spec", "volumeName"});
    Texts nodes;
    for (const auto& [key, each] : objects.all({"storage.k8s.io", "volumeattachments"})) {
        if (text_at(*each, {"spec", "source", "persistentVolumeName"}) != volume) continue;
        nodes.push_back(text_at(*each, {"spec", "nodeName"}).value_or(""));
    }
    std::sort(nodes.begin(), nodes.end());
    return nodes;
}

std::string Played::target_pod(const std::string& vm) {
    std::string found;
    const auto source = text_at(vmi(vm), {"status", "nodeName"});
    for (const auto& [key, pod] : cluster.world().objects().all(lab::kPods)) {
        const bool target =
            text_at(*pod, {"metadata", "labels", "kubevirt.io/migrationJobUID"}).has_value();
        // The source keeps the label of the migration that it was the target of.
        const bool here = text_at(*pod, {"spec", "nodeName"}) == source;
        if (belongs_to(*pod, vm) && target && !here) found = key.name;
    }
    return found;
}

bool Played::two_wrote() {
    return !cluster.hardware().ledger().two_writers().empty();
}

bool Played::lost(const std::string& vm) {
    return cluster.hardware().ledger().lost("prod/" + vm).has_value();
}

std::string Played::unsettled(const std::string& vm, const std::string& node) {
    const Texts here{node};
    std::string wrong;
    const auto check = [&](bool right, const std::string& words) {
        if (!right) wrong += (wrong.empty() ? "" : ", ") + words;
    };
    const auto listed = [](const Texts& texts) {
        std::string all;
        for (const auto& text : texts) all += " " + text;
        return all;
    };
    check(runs_on(vm) == here, "runs on" + listed(runs_on(vm)));
    const auto told = text_at(vmi(vm), {"status", "nodeName"}).value_or("?");
    check(told == node, "the VMI says " + told);
    check(launchers(vm) == here, "launchers on" + listed(launchers(vm)));
    check(attached(vm) == here, "attached to" + listed(attached(vm)));
    check(!lost(vm), "the guest was lost");
    check(!two_wrote(), "two wrote one disk");
    return wrong;
}

}  // namespace support
