// The webhooks on pods/eviction. The answers and their order:
// virt-api/webhooks/validating-webhook/admitters/pod-eviction-admitter.go.
#include <nlohmann/json.hpp>

#include "lab/controllers/virt_api_parts.hpp"

namespace lab::virt_api {

using kubeclient::text_at;

namespace {

constexpr std::string_view launcher_webhook = "virt-launcher-eviction-interceptor.kubevirt.io";
constexpr std::string_view hotplug_webhook = "hotplug-pod-eviction-interceptor.kubevirt.io";

Refusal too_many_requests(std::string_view webhook, const std::string& message) {
    return denied(webhook, 429, message);
}

bool is_live_launcher(const Json& pod) {
    const auto phase = text_at(pod, {"status", "phase"});
    return text_at(pod, {"metadata", "labels", "kubevirt.io"}) == "virt-launcher" &&
           phase != "Succeeded" && phase != "Failed";
}

// Asked for in the query or in the Eviction itself.
bool is_dry_run(const Admission& asked) {
    if (asked.dry_run || !asked.object) return asked.dry_run;
    const auto& values = kubeclient::items_at(*asked.object, {"deleteOptions", "dryRun"});
    return !values.empty() && values.front() == "All";
}

enum class Wanted { nothing, migration, impossible };

Wanted wanted(const Backend& backend, const Json& instance) {
    auto strategy = text_at(instance, {"spec", "evictionStrategy"});
    const Json* of_cluster = backend.configuration({"evictionStrategy"});
    if (!strategy && of_cluster != nullptr && of_cluster->is_string()) {
        strategy = of_cluster->get<std::string>();
    }
    if (strategy == "External") return Wanted::migration;
    const bool migratable = condition_status(instance, "LiveMigratable") == "True";
    if (strategy == "LiveMigrate") return migratable ? Wanted::migration : Wanted::impossible;
    if (strategy == "LiveMigrateIfPossible" && migratable) return Wanted::migration;
    return Wanted::nothing;
}

std::string not_found(const std::string& name) {
    return "virtualmachineinstances.kubevirt.io \"" + name + "\" not found";
}

Refusal mark(const Backend& backend, const Admission& asked, const ObjectKey& key,
             const std::string& node) {
    const Json patch =
        Json::array({{{"op", "add"}, {"path", "/status/evacuationNodeName"}, {"value", node}}});
    std::vector<std::string> dry_run;
    if (is_dry_run(asked)) dry_run.emplace_back("All");
    const Reply reply = backend.json_patch(instances, key, "", patch, dry_run);
    if (!reply.ok()) {
        return too_many_requests(launcher_webhook,
                                 "kubevirt failed marking the vmi for eviction: " + reply.message);
    }
    // The descheduler waits for these words.
    return too_many_requests(launcher_webhook, "Eviction triggered evacuation of VMI \"" + key.ns +
                                                   "/" + key.name + "\"");
}

std::optional<Refusal> admit_launcher(const Backend& backend, const Admission& asked,
                                      const Json& pod) {
    const auto name = text_at(pod, {"metadata", "annotations", "kubevirt.io/domain"});
    if (!is_live_launcher(pod) || !name) return std::nullopt;
    const ObjectKey key{asked.key.ns, *name};
    const Object instance = backend.objects.get(instances, key);
    if (!instance) {
        return too_many_requests(launcher_webhook,
                                 "kubevirt failed getting the vmi: " + not_found(*name));
    }
    switch (wanted(backend, *instance)) {
        case Wanted::nothing:
            return std::nullopt;
        case Wanted::impossible:
            return too_many_requests(
                launcher_webhook,
                "VMI " + *name +
                    " is configured with an eviction strategy but is not live-migratable");
        case Wanted::migration:
            break;
    }
    if (!text_at(*instance, {"status", "evacuationNodeName"}).value_or("").empty()) {
        return too_many_requests(launcher_webhook,
                                 "Evacuation in progress: Eviction triggered evacuation of VMI \"" +
                                     key.ns + "/" + key.name + "\"");
    }
    const std::string node = text_at(pod, {"spec", "nodeName"}).value_or("");
    if (text_at(*instance, {"status", "nodeName"}).value_or("") != node) {
        return too_many_requests(launcher_webhook, "Eviction request for target Pod");
    }
    return mark(backend, asked, key, node);
}

// The disks of a running guest hang on these pods.
std::optional<Refusal> admit_hotplug(const Backend& backend, const Admission& asked,
                                     const Json& pod) {
    const auto& owners = kubeclient::items_at(pod, {"metadata", "ownerReferences"});
    if (text_at(pod, {"metadata", "labels", "kubevirt.io"}) != "hotplug-disk" ||
        owners.size() != 1) {
        return std::nullopt;
    }
    const Object launcher =
        backend.objects.get(pods, {asked.key.ns, text_at(owners.front(), {"name"}).value_or("")});
    if (!launcher || !is_live_launcher(*launcher)) return std::nullopt;
    const auto name = text_at(*launcher, {"metadata", "annotations", "kubevirt.io/domain"});
    if (!name || !backend.objects.get(instances, {asked.key.ns, *name})) return std::nullopt;
    return too_many_requests(hotplug_webhook, "cannot evict hotplug pod: " + asked.key.name +
                                                  " associated with running vmi: " + *name +
                                                  " in namespace " + asked.key.ns);
}

}  // namespace

std::optional<Refusal> admit_eviction(const Backend& backend, const Admission& asked) {
    const Object pod = backend.objects.get(pods, asked.key);
    if (!pod) return std::nullopt;
    // matchConditions of the two webhooks: by the pod's name.
    if (asked.key.name.starts_with("virt-launcher")) return admit_launcher(backend, asked, *pod);
    if (asked.key.name.starts_with("hp-volume-")) return admit_hotplug(backend, asked, *pod);
    return std::nullopt;
}

}  // namespace lab::virt_api
