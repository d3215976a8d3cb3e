#include "lab/api/quota.hpp"

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "kubeclient/quantity.hpp"

namespace lab {

using kubeclient::find;
using kubeclient::items_at;
using kubeclient::text_at;

namespace {

const ResourceId kQuotas{"", "resourcequotas"};
const ResourceId kPods{"", "pods"};
const ResourceId kClaims{"", "persistentvolumeclaims"};

// By the quota's name of the resource, in thousandths.
using Usage = std::map<std::string, std::int64_t>;

std::int64_t amount(const Json& value) {
    const auto text = value.is_string() ? value.get<std::string>() : value.dump();
    const auto milli = kubeclient::parse_milli(text);
    return milli.ok() ? milli.value() : 0;
}

bool is_cpu(const std::string& name) {
    return name == "cpu" || name == "requests.cpu" || name == "limits.cpu";
}

// Canonical, as resource.Quantity writes a whole number; bytes keep their binary suffix.
std::string written(const std::string& name, std::int64_t milli) {
    if (milli % 1000 != 0) return std::to_string(milli) + "m";
    std::int64_t number = milli / 1000;
    const bool bytes = !is_cpu(name) && (name.find("memory") != std::string::npos ||
                                         name.find("storage") != std::string::npos);
    static constexpr const char* binary[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi"};
    static constexpr const char* decimal[] = {"", "k", "M", "G", "T", "P"};
    const std::int64_t step = bytes ? 1024 : 1000;
    std::size_t power = 0;
    while (number != 0 && number % step == 0 && power < 5) {
        number /= step;
        ++power;
    }
    return std::to_string(number) + (bytes ? binary[power] : decimal[power]);
}

void add_resources(const Json& container, Usage& usage) {
    for (const char* side : {"requests", "limits"}) {
        const Json* amounts = find(container, {"resources", side});
        if (amounts == nullptr) continue;
        for (const auto& [name, value] : amounts->items()) {
            const std::string full = std::string(side) + "." + name;
            usage[full] += amount(value);
            const bool plain = name == "cpu" || name == "memory";
            if (plain && side == std::string_view("requests")) usage[name] += amount(value);
        }
    }
}

// Init containers run one after the other, before the rest.
Usage usage_of_pod(const Json& pod) {
    Usage usage;
    for (const Json& container : items_at(pod, {"spec", "containers"})) {
        add_resources(container, usage);
    }
    for (const Json& container : items_at(pod, {"spec", "initContainers"})) {
        Usage one;
        add_resources(container, one);
        for (const auto& [name, value] : one) usage[name] = std::max(usage[name], value);
    }
    usage["pods"] = 1000;
    return usage;
}

Usage usage_of(const Kind& kind, const Json& object) {
    Usage usage;
    if (kind.resource == kPods) {
        const auto phase = text_at(object, {"status", "phase"}).value_or("");
        if (phase == "Failed" || phase == "Succeeded") return {{"count/pods", 1000}};
        usage = usage_of_pod(object);
    } else if (kind.resource == kClaims) {
        const Json* storage = find(object, {"spec", "resources", "requests", "storage"});
        if (storage != nullptr) usage["requests.storage"] = amount(*storage);
        usage[kind.resource.plural] = 1000;
    } else if (kind.resource.group.empty()) {
        usage[kind.resource.plural] = 1000;
    }
    usage["count/" + kind.qualified()] = 1000;
    return usage;
}

bool counts(const Json& quota) {
    return find(quota, {"spec", "scopes"}) == nullptr &&
           find(quota, {"spec", "scopeSelector"}) == nullptr;
}

// Which kinds a quota's names are about: all of the lab's that are in a namespace.
Usage used_in(const ServerState& state, const std::string& ns, const Json& hard) {
    Usage used;
    for (const auto& [name, value] : hard.items()) used[name] = 0;
    for (const auto& [resource, kind] : state.kinds.all()) {
        if (kind.scope == Scope::cluster) continue;
        const bool named = hard.contains(resource.plural) ||
                           hard.contains("count/" + kind.qualified()) || resource == kPods ||
                           resource == kClaims;
        if (!named) continue;
        const auto& objects = state.store.all(resource);
        for (auto one = objects.lower_bound({ns, ""}); one != objects.end() && one->first.ns == ns;
             ++one) {
            for (const auto& [name, value] : usage_of(kind, *one->second)) {
                if (used.contains(name)) used[name] += value;
            }
        }
    }
    return used;
}

std::string listed(const Usage& usage) {
    std::string text;
    for (const auto& [name, value] : usage) {
        text += (text.empty() ? "" : ",") + name + "=" + written(name, value);
    }
    return text;
}

// "limits.cpu for: compute; requests.cpu for: compute": what pods must say where a quota limits it.
std::string unsaid(const Json& hard, const Json& pod) {
    std::string text;
    for (const char* name :
         {"cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"}) {
        if (!hard.contains(name)) continue;
        const std::string full(name);
        const auto dot = full.find('.');
        const std::string side = dot == std::string::npos ? "requests" : full.substr(0, dot);
        const std::string resource = dot == std::string::npos ? full : full.substr(dot + 1);
        std::string containers;
        for (const Json& container : items_at(pod, {"spec", "containers"})) {
            if (find(container, {"resources", side, resource}) != nullptr) continue;
            containers +=
                (containers.empty() ? "" : ",") + text_at(container, {"name"}).value_or("");
        }
        if (containers.empty()) continue;
        text += (text.empty() ? "" : "; ") + full + " for: " + containers;
    }
    return text;
}

Verdict charge(const ServerState& state, const Call& call, const Json& object,
               const ObjectKey& quota, const Json& hard) {
    const auto name = text_at(object, {"metadata", "name"}).value_or("");
    if (call.kind.resource == kPods) {
        const std::string missing = unsaid(hard, object);
        if (!missing.empty()) {
            return forbidden(call.kind, name,
                             "failed quota: " + quota.name + ": must specify " + missing);
        }
    }
    Usage requested;
    for (const auto& [resource, value] : usage_of(call.kind, object)) {
        if (hard.contains(resource) && value != 0) requested[resource] = value;
    }
    if (requested.empty()) return allowed();
    const Usage used = used_in(state, quota.ns, hard);
    Usage too_much;
    Usage used_of_it;
    Usage limits;
    for (const auto& [resource, value] : requested) {
        const auto limit = amount(hard.at(resource));
        if (used.at(resource) + value <= limit) continue;
        too_much[resource] = value;
        used_of_it[resource] = used.at(resource);
        limits[resource] = limit;
    }
    if (too_much.empty()) return allowed();
    return forbidden(call.kind, name,
                     "exceeded quota: " + quota.name + ", requested: " + listed(too_much) +
                         ", used: " + listed(used_of_it) + ", limited: " + listed(limits));
}

}  // namespace

Verdict charge_quotas(const ServerState& state, const Call& call, const Json& object) {
    if (call.kind.scope == Scope::cluster) return allowed();
    const auto& quotas = state.store.all(kQuotas);
    for (auto one = quotas.lower_bound({call.key.ns, ""});
         one != quotas.end() && one->first.ns == call.key.ns; ++one) {
        const Json* hard = find(*one->second, {"spec", "hard"});
        if (hard == nullptr || !counts(*one->second)) continue;
        TRY(charge(state, call, object, one->first, *hard));
    }
    return allowed();
}

void refresh_quotas(ServerState& state, const std::string& ns) {
    std::vector<std::pair<ObjectKey, Json>> changed;
    const auto& quotas = state.store.all(kQuotas);
    for (auto one = quotas.lower_bound({ns, ""}); one != quotas.end() && one->first.ns == ns;
         ++one) {
        const Json* hard = find(*one->second, {"spec", "hard"});
        if (hard == nullptr || !counts(*one->second)) continue;
        Json quota = *one->second;
        Json used = Json::object();
        for (const auto& [name, value] : used_in(state, ns, *hard)) {
            used[name] = written(name, value);
        }
        quota["status"] = {{"hard", *hard}, {"used", used}};
        if (quota != *one->second) changed.emplace_back(one->first, std::move(quota));
    }
    for (auto& [key, quota] : changed) state.store.put(kQuotas, key, std::move(quota));
}

}  // namespace lab
