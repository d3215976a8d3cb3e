#include "lab/controllers/quota.hpp"

#include <nlohmann/json.hpp>

#include "kubeclient/quantity.hpp"
#include "lab/controllers/kube_objects.hpp"

namespace lab {

using kube::text;
using kubeclient::find;
using kubeclient::items_at;

namespace {

void add_amounts(Usage& usage, const std::string& prefix, const Json* amounts) {
    if (amounts == nullptr || !amounts->is_object()) return;
    for (const auto& [name, quantity] : amounts->items()) {
        if (!quantity.is_string()) continue;
        const auto milli = kubeclient::parse_milli(quantity.get<std::string>());
        if (milli.ok()) usage[prefix + name] += *milli;
    }
}

Usage hard_of(const Json& quota) {
    Usage hard;
    add_amounts(hard, "", find(quota, {"spec", "hard"}));
    return hard;
}

Usage usage_of_claim(const Json& claim) {
    Usage usage{{"persistentvolumeclaims", 1000}, {"count/persistentvolumeclaims", 1000}};
    Usage requests;
    add_amounts(requests, "requests.", find(claim, {"spec", "resources", "requests"}));
    usage["requests.storage"] = requests["requests.storage"];
    return usage;
}

std::string list(const Usage& amounts) {
    std::string text;
    for (const auto& [name, amount] : amounts) {
        text += (text.empty() ? "" : ",") + name + "=" + quantity_text(amount, name);
    }
    return text;
}

}  // namespace

std::string quantity_text(std::int64_t thousandths, const std::string& resource) {
    if (thousandths % 1000 != 0) return std::to_string(thousandths) + "m";
    auto amount = thousandths / 1000;
    const bool bytes = resource.find("memory") != std::string::npos ||
                       resource.find("storage") != std::string::npos;
    static const char* const suffixes[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi"};
    std::size_t steps = 0;
    while (bytes && amount != 0 && amount % 1024 == 0 && steps < 5) {
        amount /= 1024;
        ++steps;
    }
    return std::to_string(amount) + suffixes[steps];
}

Usage usage_of_pod(const Json& pod) {
    Usage usage{{"count/pods", 1000}};
    if (kube::is_finished(pod)) return usage;
    usage["pods"] = 1000;
    for (const Json& container : items_at(pod, {"spec", "containers"})) {
        add_amounts(usage, "requests.", find(container, {"resources", "requests"}));
        add_amounts(usage, "limits.", find(container, {"resources", "limits"}));
    }
    for (const char* name : {"cpu", "memory", "ephemeral-storage"}) {
        const auto requested = usage.find(std::string("requests.") + name);
        if (requested != usage.end()) usage[name] = requested->second;
    }
    return usage;
}

Usage usage_in(const std::string& ns, const Store& objects) {
    Usage all;
    const auto add = [&](const Usage& more) {
        for (const auto& [name, amount] : more) all[name] += amount;
    };
    for (const auto& [key, pod] : objects.all(kube::kPods)) {
        if (key.ns == ns) add(usage_of_pod(*pod));
    }
    for (const auto& [key, claim] : objects.all(kube::kClaims)) {
        if (key.ns == ns) add(usage_of_claim(*claim));
    }
    return all;
}

std::optional<std::string> exceeded(const Json& quota, const Usage& used, const Usage& more) {
    Usage requested;
    Usage limited;
    Usage spent;
    for (const auto& [name, limit] : hard_of(quota)) {
        const auto wanted = more.find(name);
        const auto spent_already = used.find(name);
        const auto now = spent_already == used.end() ? 0 : spent_already->second;
        if (wanted == more.end() || now + wanted->second <= limit) continue;
        requested[name] = wanted->second;
        spent[name] = now;
        limited[name] = limit;
    }
    if (requested.empty()) return std::nullopt;
    return "exceeded quota: " + kube::name_of(quota) + ", requested: " + list(requested) +
           ", used: " + list(spent) + ", limited: " + list(limited);
}

std::optional<Refusal> QuotaAdmission::admit(Admission& admission) {
    const bool new_pod = admission.verb == "create" && admission.subresource.empty() &&
                         admission.resource == kube::kPods && admission.object;
    if (!new_pod) return std::nullopt;
    for (const auto& [key, quota] : store_.all(kube::kQuotas)) {
        if (key.ns != admission.key.ns) continue;
        const auto why =
            exceeded(*quota, usage_in(key.ns, store_), usage_of_pod(*admission.object));
        if (!why) continue;
        return Refusal{403, "Forbidden",
                       "pods \"" + kube::name_of(*admission.object) + "\" is forbidden: " + *why};
    }
    return std::nullopt;
}

std::vector<WorkItem> QuotaController::concerned(const Change& change, const Store& objects) const {
    if (change.resource == kube::kQuotas) return {{change.resource, change.key}};
    if (change.resource != kube::kPods && change.resource != kube::kClaims) return {};
    const bool counts = change.type != ChangeType::modified ||
                        kube::is_finished(*change.object) != kube::is_finished(*change.before);
    std::vector<WorkItem> items;
    for (const auto& [key, quota] : objects.all(kube::kQuotas)) {
        if (counts && key.ns == change.key.ns) items.push_back({kube::kQuotas, key});
    }
    return items;
}

kubeclient::Result<std::optional<Duration>> QuotaController::sync(const WorkItem& item,
                                                                  Cluster& cluster) {
    const std::optional<Duration> rest;
    const Object quota = cluster.objects.get(kube::kQuotas, item.key);
    if (!quota) return rest;
    Usage all = usage_in(item.key.ns, cluster.objects);
    Json used = Json::object();
    for (const auto& [name, limit] : hard_of(*quota)) used[name] = quantity_text(all[name], name);
    const Json* hard = find(*quota, {"spec", "hard"});
    Json status{{"hard", hard == nullptr ? Json::object() : *hard}, {"used", used}};
    const Json* now = find(*quota, "status");
    if (now != nullptr && *now == status) return rest;
    Json changed = *quota;  // replaced, not merged: names that are no longer limited go
    changed["status"] = std::move(status);
    TRY_ASSIGN(path, kube::path(kube::kQuotas, item.key, "status"));
    TRY(cluster.api.replace(path, changed, kubeclient::DryRun::none));
    return rest;
}

}  // namespace lab
