#include "recovery/execute.hpp"

#include <nlohmann/json.hpp>

#include "preflight/decode.hpp"

namespace recovery {
namespace {

using kubeclient::DryRun;
using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Json;
using kubeclient::ResourcePath;
using kubeclient::Result;
using kubeclient::Status;

constexpr int kTries = 3;
constexpr std::chrono::milliseconds kPause{500};

ResourcePath migration_path(const std::string& ns, const std::string& name) {
    return {"kubevirt.io", "v1", "virtualmachineinstancemigrations", ns, name, {}};
}

Json json_of(const Order& order) {
    Json object{{"apiVersion", "kubevirt.io/v1"},
                {"kind", "VirtualMachineInstanceMigration"},
                {"metadata", {{"name", order.name}, {"namespace", order.ns}}},
                {"spec", {{"vmiName", order.vmi}}}};
    for (const auto& [key, value] : order.node_selector) {
        object["spec"]["addedNodeSelector"][key] = value;
    }
    return object;
}

// What a write may have done although it reports an error.
bool is_open(const Error& error) {
    return error.kind == ErrorKind::unknown_outcome || error.kind == ErrorKind::server;
}

Result<facts::Migration> decoded(const Json& object) {
    std::string problem;
    auto migration = preflight::decode_migration(preflight::Fields(object, "", problem));
    if (problem.empty()) return migration;
    return Error{ErrorKind::unknown_outcome,
                 "the migration was created, but the reply reads badly: " + problem};
}

}  // namespace

std::string migration_name(const std::string& vmi, const std::string& unique) {
    constexpr std::size_t longest = 35;
    std::string name = vmi.substr(0, longest);
    while (!name.empty() && (name.back() == '-' || name.back() == '.')) name.pop_back();
    return "handoff-" + name + "-" + unique;
}

Executor::Executor(kubeclient::Api& api, std::function<bool(std::chrono::milliseconds)> wait)
    : api_(api), wait_(std::move(wait)) {}

Result<facts::Migration> Executor::read(const Order& order) {
    TRY_ASSIGN(path, kubeclient::path_of(migration_path(order.ns, order.name)));
    TRY_ASSIGN(object, api_.get(path, "VirtualMachineInstanceMigration"));
    TRY_ASSIGN(migration, decoded(object));
    if (migration.vmi == order.vmi) return migration;
    return Error{ErrorKind::conflict,
                 "a migration " + order.ns + "/" + order.name + " of another VMI exists already",
                 "run it again: another name is drawn then", 409};
}

Result<facts::Migration> Executor::send(const Order& order, DryRun dry_run) {
    TRY_ASSIGN(path, kubeclient::path_of(migration_path(order.ns, "")));
    TRY_ASSIGN(object, api_.create(path, json_of(order), dry_run));
    return decoded(object);
}

Result<facts::Migration> Executor::create(const Order& order, DryRun dry_run) {
    // A server that knows no such field says so before there is anything to take back.
    if (dry_run == DryRun::none && !order.node_selector.empty()) {
        TRY_ASSIGN(asked, create(order, DryRun::server));
    }
    auto result = send(order, dry_run);
    bool absent = false;
    // Where the reply is lost the name tells whether it was created: it is drawn for this alone.
    for (int tries = 1; !result.ok() && is_open(result.error()) && dry_run == DryRun::none;
         ++tries) {
        if (!wait_(kPause * tries)) break;
        auto found = read(order);
        absent = !found.ok() && found.error().kind == ErrorKind::not_found;
        if (found.ok() || found.error().kind == ErrorKind::conflict) return found;
        if (tries == kTries) break;
        if (!absent) continue;
        result = send(order, dry_run);
        // Refused now may mean that the first attempt has arrived meanwhile.
        if (!result.ok() && !is_open(result.error())) {
            auto again = read(order);
            if (again.ok()) return again;
        }
    }
    // A server that answered, and shows nothing afterwards, did nothing; unless it was out of time.
    const bool refused = !result.ok() && absent && result.error().kind == ErrorKind::server &&
                         result.error().http_status != 504;
    if (!result.ok() && is_open(result.error()) && !refused && dry_run == DryRun::none) {
        Error error = result.error();
        error.kind = ErrorKind::unknown_outcome;
        error.hint =
            "see whether it exists with: kubectl get vmim " + order.name + " -n " + order.ns;
        return error;
    }
    if (!result.ok() || result->added_node_selector == order.node_selector) return result;
    if (dry_run == DryRun::none) static_cast<void>(remove(result->meta, dry_run).ok());
    return Error{
        ErrorKind::protocol,
        "the server drops spec.addedNodeSelector: the VM would land on any node",
        "migrate without --to and --node-selector, or update KubeVirt (1.6 knows the field)"};
}

Status Executor::erase(const ResourcePath& where, const facts::Meta& meta, DryRun dry_run) {
    TRY_ASSIGN(path, kubeclient::path_of(where));
    kubeclient::DeleteOptions options;
    options.uid = meta.uid;
    options.dry_run = dry_run;
    for (int tries = 1;; ++tries) {
        const auto result = api_.remove(path, options);
        if (result.ok() || result.error().kind == ErrorKind::not_found) return kubeclient::Done{};
        // Another object under this name: the one that was meant is gone.
        if (result.error().kind == ErrorKind::conflict) return kubeclient::Done{};
        // With its uid in it, the same request can do no other thing a second time.
        if (!is_open(result.error()) || tries == kTries) return result.error();
        if (!wait_(kPause * tries)) return result.error();
    }
}

Status Executor::remove(const facts::Meta& migration, DryRun dry_run) {
    return erase(migration_path(migration.ns, migration.name), migration, dry_run);
}

Status Executor::remove_target(const facts::Meta& pod, DryRun dry_run) {
    return erase({"", "v1", "pods", pod.ns, pod.name, {}}, pod, dry_run);
}

// pkg/virt-api/rest/evacuate_cancel.go: the body has to name the marked node; any other is refused
// with 500, and no mark at all is success.
Status Executor::take_back_mark(const std::string& ns, const std::string& vmi,
                                const std::string& node, DryRun dry_run) {
    TRY_ASSIGN(path, kubeclient::path_of({"subresources.kubevirt.io", "v1",
                                          "virtualmachineinstances", ns, vmi, "evacuate/cancel"}));
    return api_.invoke(path, {{"evacuationNodeName", node}}, dry_run);
}

}  // namespace recovery
