#include "preflight/collect.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "preflight/decode.hpp"
#include "preflight/judged.hpp"

namespace preflight {
namespace {

using facts::Snapshot;
using kubeclient::Api;
using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Json;
using kubeclient::ListOptions;
using kubeclient::ResourcePath;
using kubeclient::Result;

// The answer of a request that was not sent, because an earlier one did not reach the server.
Error not_asked() {
    return {ErrorKind::transport, "not asked, because the server could not be reached", "", 0};
}

bool was_reached(const std::optional<Error>& error) {
    return !error || (error->kind != ErrorKind::transport && error->kind != ErrorKind::timeout &&
                      error->kind != ErrorKind::canceled);
}

// One request: a list, or one object where the path has a name.
struct Ask {
    ResourcePath path{};
    facts::Coverage* coverage = nullptr;
    std::string id{};  // of the gap, when it fails; empty: the resource with its group
    std::string labels{};
    std::optional<Error>* refusal = nullptr;  // keeps the first error of several requests
};

struct Answer {
    std::vector<Json> objects{};
    std::optional<Error> error = not_asked();
};

std::string resource_of(const ResourcePath& path) {
    std::string text = path.resource;
    if (!path.subresource.empty()) text += "/" + path.subresource;
    return path.group.empty() ? text : text + "." + path.group;
}

Answer send(Api& api, const Ask& ask) {
    const auto path = kubeclient::path_of(ask.path);
    if (!path.ok()) return {{}, path.error()};
    if (!ask.path.name.empty()) {
        auto object = api.get(*path);
        if (!object.ok()) return {{}, object.error()};
        return {{std::move(object).value()}, {}};
    }
    ListOptions options;
    options.label_selector = ask.labels;
    options.source = kubeclient::ListSource::cache;
    auto list = api.list(*path, options);
    if (!list.ok()) return {{}, list.error()};
    return {std::move(list).value().items, {}};
}

// One request of a round: `send` runs in parallel with the others, `take` afterwards, one by one.
// An error of `take` ends the whole reading.
struct Step {
    std::function<bool()> send;  // false: the server was not reached
    std::function<kubeclient::Status()> take;
};

kubeclient::Status run_round(const std::vector<Step>& steps) {
    constexpr std::size_t most_at_once = 8;
    std::atomic<std::size_t> next = 0;
    std::atomic<std::size_t> failures = 0;
    std::atomic<bool> any_reached = false;
    // Where a whole batch got no answer, the rest would only wait as long again.
    const auto hopeless = [&] { return !any_reached && failures >= most_at_once; };
    std::vector<std::future<void>> workers;  // carry an exception over to this thread
    for (std::size_t worker = 0; worker < std::min(steps.size(), most_at_once); ++worker) {
        workers.push_back(std::async(std::launch::async, [&] {
            for (auto at = next++; at < steps.size() && !hopeless(); at = next++) {
                if (steps[at].send()) {
                    any_reached = true;
                } else {
                    ++failures;
                }
            }
        }));
    }
    for (auto& worker : workers) worker.wait();
    for (auto& worker : workers) worker.get();
    for (const auto& step : steps) TRY(step.take());
    return kubeclient::Done{};
}

void note_gap(Snapshot& snapshot, const std::string& id, const std::string& verb,
              const std::string& resource, const std::string& reason) {
    const bool known = std::any_of(snapshot.gaps.begin(), snapshot.gaps.end(),
                                   [&](const auto& gap) { return gap.id == id; });
    if (!known) snapshot.gaps.push_back({id, verb, resource, reason});
}

// Where an object of the wrong shape cannot be understood, its whole kind is incomplete.
kubeclient::Status take(Snapshot& snapshot, const Ask& ask, const Answer& answer) {
    if (answer.error && answer.error->kind == ErrorKind::canceled) return *answer.error;
    const auto resource = resource_of(ask.path);
    const auto id = ask.id.empty() ? resource : ask.id;
    const bool one = !ask.path.name.empty();
    const bool absent = one && answer.error && answer.error->kind == ErrorKind::not_found;
    std::string problem = answer.error && !absent ? answer.error->message : "";
    for (const auto& object : answer.objects) {
        const auto added = add_object(snapshot, object);
        if (!problem.empty()) continue;
        if (!added.ok()) {
            problem = added.error().message;
        } else if (!added->used) {
            const auto kind = kubeclient::text_at(object, {"kind"}).value_or("object");
            problem = "the reply holds a " + kind + ", which was not asked for";
        }
    }
    if (problem.empty()) return kubeclient::Done{};
    if (ask.refusal != nullptr && !*ask.refusal) {
        *ask.refusal = answer.error ? *answer.error : Error{ErrorKind::protocol, problem};
    }
    ask.coverage->complete = false;
    ask.coverage->gap = id;
    note_gap(snapshot, id, one ? "get" : "list", resource, problem);
    return kubeclient::Done{};
}

Step read_step(Api& api, Snapshot& snapshot, Ask ask) {
    ask.coverage->complete = true;
    auto answer = std::make_shared<Answer>();
    return {[&api, ask, answer] {
                *answer = send(api, ask);
                return was_reached(answer->error);
            },
            [&snapshot, ask, answer] { return take(snapshot, ask, *answer); }};
}

std::vector<Step> read_steps(Api& api, Snapshot& snapshot, const std::vector<Ask>& asks) {
    std::vector<Step> steps;
    for (const auto& ask : asks) steps.push_back(read_step(api, snapshot, ask));
    return steps;
}

ResourcePath kubevirt_path(const std::string& resource, const std::string& ns,
                           const std::string& name = {}) {
    return {"kubevirt.io", "v1", resource, ns, name, {}};
}

ResourcePath core_path(const std::string& resource, const std::string& ns,
                       const std::string& name = {}) {
    return {"", "v1", resource, ns, name, {}};
}

void ask_for_machines(Snapshot& snapshot, const Selection& selection, std::optional<Error>& refusal,
                      std::vector<Ask>& asks) {
    std::set<std::string> names;
    for (const auto& target : selection.targets) names.insert(target.name);
    if (names.empty()) names.insert("");  // the whole list
    for (const auto& name : names) {
        asks.push_back({kubevirt_path("virtualmachines", selection.ns, name),
                        &snapshot.vms,
                        {},
                        {},
                        &refusal});
        asks.push_back({kubevirt_path("virtualmachineinstances", selection.ns, name),
                        &snapshot.vmis,
                        {},
                        {},
                        &refusal});
    }
}

std::vector<Ask> first_round(Snapshot& snapshot, const Selection& selection,
                             std::optional<Error>& refusal) {
    const auto& ns = selection.ns;
    std::vector<Ask> asks;
    ask_for_machines(snapshot, selection, refusal, asks);
    asks.push_back({kubevirt_path("virtualmachineinstancemigrations", ns), &snapshot.migrations});
    asks.push_back({kubevirt_path("kubevirts", ""), &snapshot.kubevirts});
    asks.push_back({{"migrations.kubevirt.io", "v1alpha1", "migrationpolicies", "", "", ""},
                    &snapshot.policies});
    asks.push_back({core_path("nodes", ""), &snapshot.nodes});
    asks.push_back({core_path("namespaces", "", ns), &snapshot.namespaces});
    asks.push_back({core_path("resourcequotas", ns), &snapshot.quotas});
    asks.push_back(
        {{"storage.k8s.io", "v1", "storageclasses", "", "", ""}, &snapshot.storage_classes});
    if (selection.targets.empty()) {
        asks.push_back(
            {core_path("pods", ns), &snapshot.launchers, {}, "kubevirt.io=virt-launcher"});
        asks.push_back({core_path("persistentvolumeclaims", ns), &snapshot.claims});
        asks.push_back({core_path("persistentvolumes", ""), &snapshot.volumes});
    }
    return asks;
}

template <class Machines>
void add_claims(const Machines& machines, std::set<std::string>& claims) {
    for (const auto& machine : machines) {
        for (const auto& volume : machine.guest.volumes) {
            if (!volume.claim.empty()) claims.insert(volume.claim);
        }
    }
}

// The pods and claims of named VMs, by what the first round has told.
void ask_for_named(Snapshot& snapshot, const Selection& selection, std::vector<Ask>& asks) {
    std::set<std::string> claims;
    add_claims(snapshot.vms.items, claims);
    add_claims(snapshot.vmis.items, claims);
    for (const auto& claim : claims) {
        asks.push_back(
            {core_path("persistentvolumeclaims", selection.ns, claim), &snapshot.claims});
    }
    std::string uids;
    for (const auto& vmi : snapshot.vmis.items) uids += (uids.empty() ? "" : ",") + vmi.meta.uid;
    if (uids.empty()) return;
    asks.push_back({core_path("pods", selection.ns),
                    &snapshot.launchers,
                    {},
                    "kubevirt.io/created-by in (" + uids + ")"});
}

// What lives in KubeVirt's own namespace.
void ask_for_handlers(Snapshot& snapshot, std::vector<Ask>& asks) {
    const auto* kubevirt = kubevirt_of(snapshot);
    if (kubevirt == nullptr) {
        for (auto* coverage : {static_cast<facts::Coverage*>(&snapshot.handlers),
                               static_cast<facts::Coverage*>(&snapshot.handler_sets),
                               static_cast<facts::Coverage*>(&snapshot.network_policies)}) {
            coverage->gap = snapshot.kubevirts.gap;
        }
        return;
    }
    const auto& ns = kubevirt->meta.ns;
    asks.push_back({core_path("pods", ns), &snapshot.handlers, "pods/virt-handler",
                    "kubevirt.io=virt-handler"});
    asks.push_back({{"apps", "v1", "daemonsets", ns, "virt-handler", ""}, &snapshot.handler_sets});
    asks.push_back(
        {{"networking.k8s.io", "v1", "networkpolicies", ns, "", ""}, &snapshot.network_policies});
    if (kubevirt->migrations.network.value_or("").empty()) return;
    asks.push_back({{"k8s.cni.cncf.io", "v1", "network-attachment-definitions", ns, "", ""},
                    &snapshot.attachments});
}

bool has_vmi(const Snapshot& snapshot, const facts::Vm& vm) {
    return snapshot.vmis.find(vm.meta.ns, vm.meta.name) != nullptr;
}

// DataVolumes tell the access modes of claims that are not made yet, for stopped VMs.
bool needs_data_volumes(const Snapshot& snapshot) {
    return std::any_of(
        snapshot.vms.items.begin(), snapshot.vms.items.end(), [&](const facts::Vm& vm) {
            return !has_vmi(snapshot, vm) &&
                   std::any_of(vm.guest.volumes.begin(), vm.guest.volumes.end(),
                               [](const facts::Volume& volume) {
                                   return volume.kind == facts::VolumeKind::data_volume;
                               });
        });
}

std::vector<Ask> second_round(Snapshot& snapshot, const Selection& selection) {
    std::vector<Ask> asks;
    if (!selection.targets.empty()) ask_for_named(snapshot, selection, asks);
    ask_for_handlers(snapshot, asks);
    if (needs_data_volumes(snapshot)) {
        asks.push_back({{"cdi.kubevirt.io", "v1beta1", "datavolumes", selection.ns, "", ""},
                        &snapshot.data_volumes});
    }
    return asks;
}

std::vector<Ask> third_round(Snapshot& snapshot, const Selection& selection) {
    std::vector<Ask> asks;
    if (selection.targets.empty()) return asks;
    std::set<std::string> names;
    for (const auto& claim : snapshot.claims.items) {
        if (!claim.volume.empty()) names.insert(claim.volume);
    }
    for (const auto& name : names) {
        asks.push_back({core_path("persistentvolumes", "", name), &snapshot.volumes});
    }
    return asks;
}

// What an instancetype and a preference make of the template of a stopped VM. Where it cannot be
// asked, the gap of the unexpanded template stays.
Step expand_step(Api& api, Snapshot& snapshot, const facts::Vm& vm) {
    auto answer = std::make_shared<Answer>();
    const Ask ask{{"subresources.kubevirt.io", "v1", "virtualmachines", vm.meta.ns, vm.meta.name,
                   "expand-spec"}};
    return {[&api, ask, answer] {
                *answer = send(api, ask);
                return was_reached(answer->error);
            },
            [&snapshot, ns = vm.meta.ns, name = vm.meta.name, answer]() -> kubeclient::Status {
                const std::string resource = "virtualmachines/expand-spec.subresources.kubevirt.io";
                if (answer->error) {
                    note_gap(snapshot, resource + "/" + ns + "/" + name, "get", resource,
                             answer->error->message);
                }
                std::string problem;
                for (const auto& object : answer->objects) {
                    const auto expanded = decode_vm(Fields(object, "", problem));
                    for (auto& known : snapshot.vms.items) {
                        if (known.meta.name != name || !problem.empty()) continue;
                        known.guest = expanded.guest;
                        known.instancetype.clear();
                        known.preference.clear();
                    }
                }
                return kubeclient::Done{};
            }};
}

void expand_templates(Api& api, Snapshot& snapshot, std::vector<Step>& steps) {
    for (const auto& vm : snapshot.vms.items) {
        const bool composed = !vm.instancetype.empty() || !vm.preference.empty();
        if (composed && !has_vmi(snapshot, vm)) steps.push_back(expand_step(api, snapshot, vm));
    }
}

constexpr auto migrations_resource = "virtualmachineinstancemigrations";

void refuse_opinion(Snapshot& snapshot, const std::string& reason) {
    snapshot.opinions.gap = "dry-run";
    note_gap(snapshot, snapshot.opinions.gap, "create",
             std::string(migrations_resource) + ".kubevirt.io", reason);
}

// Whether the user may create migrations: nobody is asked for a dry run without that right.
Step review_step(Api& api, Snapshot& snapshot, const std::string& ns) {
    auto review = std::make_shared<Result<kubeclient::AccessReview>>(not_asked());
    return {[&api, ns, review] {
                *review = api.self_subject_access_review(
                    {"create", "kubevirt.io", migrations_resource, "", ns, ""});
                return review->ok() || was_reached(review->error());
            },
            [&snapshot, review]() -> kubeclient::Status {
                if (!review->ok()) {
                    refuse_opinion(snapshot, review->error().message);
                } else if (!(*review)->allowed) {
                    refuse_opinion(snapshot,
                                   "forbidden: you may not create migrations here; since KubeVirt "
                                   "1.5 the role kubevirt.io:migrate has to be bound");
                }
                return kubeclient::Done{};
            }};
}

// The API server's own opinion: the migration is created with dryRun=All, so nothing is stored.
Step dry_run_step(Api& api, Snapshot& snapshot, const facts::Meta& vmi) {
    auto refusal = std::make_shared<std::optional<Error>>(not_asked());
    const auto send_dry_run = [&api, vmi, refusal] {
        const Json migration{
            {"apiVersion", "kubevirt.io/v1"},
            {"kind", "VirtualMachineInstanceMigration"},
            {"metadata", {{"generateName", "virt-handoff-"}, {"namespace", vmi.ns}}},
            {"spec", {{"vmiName", vmi.name}}}};
        const auto path = kubeclient::path_of(kubevirt_path(migrations_resource, vmi.ns));
        const auto created = path.ok() ? api.create(*path, migration, kubeclient::DryRun::server)
                                       : Result<Json>(path.error());
        *refusal = created.ok() ? std::nullopt : std::optional(created.error());
        return was_reached(*refusal);
    };
    return {send_dry_run, [&snapshot, vmi, refusal]() -> kubeclient::Status {
                const auto kind = *refusal ? (*refusal)->kind : ErrorKind::invalid;
                const bool answered = kind == ErrorKind::invalid || kind == ErrorKind::conflict ||
                                      kind == ErrorKind::forbidden;
                if (answered) {
                    const auto message = *refusal ? (*refusal)->message : "";
                    snapshot.opinions.items.push_back({vmi, !*refusal, message});
                } else {
                    refuse_opinion(snapshot, (*refusal)->message);
                }
                return kubeclient::Done{};
            }};
}

void ask_server(Api& api, Snapshot& snapshot, std::vector<Step>& steps) {
    if (!snapshot.opinions.gap.empty()) return;
    for (const auto& vmi : snapshot.vmis.items) {
        steps.push_back(dry_run_step(api, snapshot, vmi.meta));
    }
}

// Without any VM to judge there is nothing to report; the first refusal tells why. A kind that was
// read and is empty does not make up for one that was refused.
kubeclient::Status machines_read(const Snapshot& snapshot, const std::optional<Error>& refusal) {
    const bool some = !snapshot.vms.items.empty() || !snapshot.vmis.items.empty();
    if (some || !refusal) return kubeclient::Done{};
    if (refusal->kind != ErrorKind::not_served) return *refusal;
    return Error{ErrorKind::not_served, "the cluster serves no virtualmachines.kubevirt.io",
                 "see whether KubeVirt is installed with: kubectl get kubevirt -A", 404};
}

// A cluster with VMs has a KubeVirt CR: where the list is empty, it is out of sight, not absent.
void expect_kubevirt(Snapshot& snapshot) {
    auto& reading = snapshot.kubevirts;
    if (!reading.complete || !reading.items.empty()) return;
    reading.complete = false;
    reading.gap = "kubevirts.kubevirt.io";
    note_gap(snapshot, reading.gap, "list", reading.gap, "the cluster shows no KubeVirt object");
}

}  // namespace

Result<Snapshot> collect(Api& api, const Selection& selection, const std::string& source,
                         std::chrono::sys_seconds now) {
    Snapshot snapshot;
    snapshot.taken_at = now;
    snapshot.source = source;
    snapshot.live = true;
    const bool named = !selection.targets.empty();
    std::optional<Error> refusal;
    auto steps = read_steps(api, snapshot, first_round(snapshot, selection, refusal));
    if (named) steps.push_back(review_step(api, snapshot, selection.ns));
    TRY(run_round(steps));
    TRY(machines_read(snapshot, refusal));
    expect_kubevirt(snapshot);

    steps = read_steps(api, snapshot, second_round(snapshot, selection));
    if (named) {
        expand_templates(api, snapshot, steps);
        ask_server(api, snapshot, steps);
    }
    TRY(run_round(steps));
    TRY(run_round(read_steps(api, snapshot, third_round(snapshot, selection))));
    facts::sort_readings(snapshot);
    return snapshot;
}

}  // namespace preflight
