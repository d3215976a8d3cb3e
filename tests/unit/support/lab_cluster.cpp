#include "tests/unit/support/lab_cluster.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "kubeclient/time.hpp"
#include "lab/api/rbac.hpp"

namespace support {

using kubeclient::Request;
using kubeclient::Response;
using kubeclient::Result;

namespace {

const std::string kMachines = "/apis/kubevirt.io/v1/namespaces/prod/";

template <class T>
void must(const Result<T>& done) {
    if (!done.ok()) throw std::runtime_error(done.error().message);
}

}  // namespace

// The user's way to the lab, as long as there is one.
class LabCluster::Client final : public kubeclient::Transport {
public:
    explicit Client(LabCluster& cluster)
        : cluster_(cluster), inner_(lab::transport_as(cluster.world().server(), cluster.user_)) {}

    Result<Response> send(const Request& request) override {
        if (!cluster_.trouble_.empty()) return lost();
        return inner_->send(request);
    }
    Result<Response> stream(const Request& request, const kubeclient::BodySink& sink,
                            std::stop_token stop) override {
        if (!cluster_.trouble_.empty()) return lost();
        return inner_->stream(request, sink, std::move(stop));
    }

private:
    kubeclient::Error lost() const { return {kubeclient::ErrorKind::transport, cluster_.trouble_}; }

    LabCluster& cluster_;
    std::unique_ptr<kubeclient::Transport> inner_;
};

LabCluster::LabCluster(std::string_view scenario, const lab::ClusterSize& size)
    : simulation_({.world = {1, kubeclient::parse_time("2026-11-21T04:00:00Z").value()}}),
      operator_(lab::transport_as(simulation_.world().server(),
                                  {"admin", {"system:masters", "system:authenticated"}})),
      api_(*operator_) {
    const lab::Scenario* found = lab::find_scenario(scenario);
    if (found == nullptr) throw std::runtime_error("no such scenario: " + std::string(scenario));
    found->build(simulation_, size);
    started_ = simulation_.world().now();
    simulation_.world().server().authorize_with(
        [this](const lab::User& user, const lab::Attributes& asked) {
            std::optional<lab::Refusal> refusal;
            if (user.name != user_.name) return refusal;
            const std::string part = asked.subresource.empty() ? "" : "/" + asked.subresource;
            const auto [first, last] = forbidden_.equal_range(asked.resource + part);
            const bool no = std::any_of(first, last, [&](const auto& each) {
                return each.second.empty() || each.second == asked.verb;
            });
            if (no) refusal = lab::forbidden_text(user, asked);
            return refusal;
        });
}

recovery::Instant LabCluster::now() {
    return std::chrono::floor<std::chrono::milliseconds>(world().now());
}

std::unique_ptr<kubeclient::Transport> LabCluster::transport() {
    return std::make_unique<Client>(*this);
}

Result<commands::Connection> LabCluster::connect() {
    commands::Connection connection;
    connection.target.ns = lab::kMachineNamespace;
    connection.target.context = "lab";
    connection.transport = transport();
    return connection;
}

void LabCluster::forbid(const std::string& resource, const std::string& verb) {
    ++turns_;
    forbidden_.emplace(resource, verb);
}

void LabCluster::forbid_nothing() {
    ++turns_;
    forbidden_.clear();
}

void LabCluster::migrate(const std::string& vm, const std::string& migration) {
    must(api_.create(kMachines + "virtualmachineinstancemigrations",
                     {{"apiVersion", "kubevirt.io/v1"},
                      {"kind", "VirtualMachineInstanceMigration"},
                      {"metadata", {{"name", migration}}},
                      {"spec", {{"vmiName", vm}}}},
                     kubeclient::DryRun::none));
}

void LabCluster::cancel(const std::string& migration) {
    must(api_.remove(kMachines + "virtualmachineinstancemigrations/" + migration));
}

void LabCluster::turn(const std::string& vm, const std::string& knob, const std::string& value) {
    must(api_.patch(kMachines + "virtualmachineinstances/" + vm, kubeclient::PatchKind::merge,
                    {{"metadata", {{"annotations", {{knob, value}}}}}}, kubeclient::DryRun::none));
}

void LabCluster::at(lab::Duration since_start, std::function<void()> what) {
    const lab::Instant when = started_ + since_start;
    const auto place = std::find_if(planned_.begin(), planned_.end(),
                                    [&](const Planned& each) { return each.at > when; });
    planned_.insert(place, Planned{when, std::move(what)});
}

void LabCluster::begin_wait() {
    if (each_wait_) each_wait_();
}

bool LabCluster::do_what_is_due() {
    bool any = false;
    while (!planned_.empty() && planned_.front().at <= world().now()) {
        const auto what = std::move(planned_.front().what);
        planned_.erase(planned_.begin());
        what();
        any = true;
    }
    if (any) world().settle();
    return any;
}

void LabCluster::advance_most(lab::Duration most) {
    const lab::Instant present = world().now();
    lab::Instant until = present + most;
    if (const auto due = world().next_due()) until = std::min<lab::Instant>(until, *due);
    if (!planned_.empty()) until = std::min(until, planned_.front().at);
    world().advance(std::max(until - present, lab::Duration(1)));
}

}  // namespace support
