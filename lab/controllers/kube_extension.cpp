#include "lab/controllers/kube_extension.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "lab/controllers/kube_objects.hpp"
#include "lab/controllers/quota.hpp"

namespace lab {

using kube::text;
using kubeclient::items_at;
using kubeclient::Response;

namespace {

Response answer(int status, const Json& body) {
    return {status, {{"content-type", "application/json"}}, kubeclient::to_line(body)};
}

Response failure(int code, const char* reason, const std::string& message) {
    return answer(code, {{"kind", "Status"},
                         {"apiVersion", "v1"},
                         {"metadata", Json::object()},
                         {"status", "Failure"},
                         {"message", message},
                         {"reason", reason},
                         {"code", code}});
}

// Without its query.
std::vector<std::string> segments(std::string_view path) {
    path = path.substr(0, path.find('?'));
    std::vector<std::string> parts;
    while (!path.empty()) {
        const auto end = std::min(path.find('/'), path.size());
        if (end > 0) parts.emplace_back(path.substr(0, end));
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    return parts;
}

void tolerate_for_a_while(Json& pod) {
    Json& tolerations = pod["spec"]["tolerations"];
    if (!tolerations.is_array()) tolerations = Json::array();
    const Json given = tolerations;
    for (const char* key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
        const bool has = std::any_of(given.begin(), given.end(), [&](const Json& toleration) {
            const auto of = text(toleration, {"key"});
            const auto effect = text(toleration, {"effect"});
            return (of.empty() || of == key) && (effect.empty() || effect == "NoExecute");
        });
        if (has) continue;
        tolerations.push_back({{"key", key},
                               {"operator", "Exists"},
                               {"effect", "NoExecute"},
                               {"tolerationSeconds", 300}});
    }
}

std::optional<Refusal> set_priority(Json& pod, const Store& store) {
    Json& spec = pod["spec"];
    const auto name = text(pod, {"spec", "priorityClassName"});
    const Store::Objects& classes = store.all({"scheduling.k8s.io", "priorityclasses"});
    const Json* chosen = nullptr;
    for (const auto& [key, object] : classes) {
        const bool fallback = kubeclient::bool_at(*object, {"globalDefault"}).value_or(false);
        if (key.name == name || (name.empty() && fallback)) chosen = object.get();
    }
    if (chosen == nullptr && !name.empty()) {
        if (name == "system-node-critical" || name == "system-cluster-critical") {
            spec["priority"] = name == "system-node-critical" ? 2000001000 : 2000000000;
            return std::nullopt;
        }
        return Refusal{403, "Forbidden", "no PriorityClass with name " + name + " was found"};
    }
    const auto value =
        chosen == nullptr ? 0 : kubeclient::integer_at(*chosen, {"value"}).value_or(0);
    if (chosen != nullptr) spec["priorityClassName"] = kube::name_of(*chosen);
    spec["priority"] = value;
    const auto policy = chosen == nullptr ? "" : text(*chosen, {"preemptionPolicy"});
    spec["preemptionPolicy"] = policy.empty() ? "PreemptLowerPriority" : policy;
    return std::nullopt;
}

}  // namespace

std::optional<Refusal> KubeExtension::admit(Admission& admission) {
    const bool new_one = admission.verb == "create" && admission.subresource.empty();
    if (!new_one || !admission.object) return std::nullopt;
    Json& object = *admission.object;
    if (admission.resource != kube::kPods) return std::nullopt;
    tolerate_for_a_while(object);
    const auto name = kube::name_of(object);
    const auto forbidden = "pods \"" + name + "\" is forbidden: ";
    if (auto refusal = set_priority(object, store_)) {
        refusal->message = forbidden + refusal->message;
        return refusal;
    }
    for (const auto& [key, quota] : store_.all(kube::kQuotas)) {
        if (key.ns != admission.key.ns) continue;
        const auto used = usage_in(key.ns, store_);
        if (const auto why = exceeded(*quota, used, usage_of_pod(object))) {
            return Refusal{403, "Forbidden", forbidden + *why};
        }
    }
    return std::nullopt;
}

std::optional<Response> KubeExtension::serve(const User&, const kubeclient::Request& request) {
    const auto parts = segments(request.path);
    const bool core = parts.size() >= 5 && parts[0] == "api" && parts[2] == "namespaces";
    const bool binding = core && parts.size() == 7 && parts[4] == "pods" && parts[6] == "binding" &&
                         request.method == kubeclient::Method::post;
    const bool finalizing = core && parts.size() == 5 && parts[4] == "finalize" &&
                            request.method == kubeclient::Method::put;
    if (!binding && !finalizing) return std::nullopt;
    const auto body = kubeclient::parse_json(request.body, "body");
    if (!body.ok()) return failure(400, "BadRequest", body.error().message);
    return binding ? bind({parts[3], parts[5]}, *body) : finalize(parts[3], *body);
}

Response KubeExtension::bind(const ObjectKey& key, const Json& binding) {
    const Object object = store_.get(kube::kPods, key);
    if (!object) return failure(404, "NotFound", "pods \"" + key.name + "\" not found");
    const auto conflict = [&](const std::string& why) {
        return failure(
            409, "Conflict",
            "Operation cannot be fulfilled on pods/binding \"" + key.name + "\": " + why);
    };
    const auto uid = text(binding, {"metadata", "uid"});
    if (!uid.empty() && uid != kube::uid_of(*object)) {
        return conflict("the pod is another one than the binding names");
    }
    if (kube::is_deleting(*object)) {
        return conflict("pod " + key.name + " is being deleted, cannot be assigned to a host");
    }
    const auto node = text(*object, {"spec", "nodeName"});
    if (!node.empty()) {
        return conflict("pod " + key.name + " is already assigned to node \"" + node + "\"");
    }
    Json pod = *object;
    pod["spec"]["nodeName"] = text(binding, {"target", "name"});
    if (pod.contains("status")) pod["status"].erase("nominatedNodeName");
    pod["status"]["conditions"] = kube::conditions_with(
        pod, {{"type", "PodScheduled"}, {"status", "True"}, {"lastProbeTime", nullptr}}, clock_());
    store_.put(kube::kPods, key, std::move(pod));
    return answer(201, {{"kind", "Status"},
                        {"apiVersion", "v1"},
                        {"metadata", Json::object()},
                        {"status", "Success"},
                        {"code", 201}});
}

Response KubeExtension::finalize(const std::string& name, const Json& object) {
    const ObjectKey key{"", name};
    const Object ns = store_.get(kube::kNamespaces, key);
    if (!ns) return failure(404, "NotFound", "namespaces \"" + name + "\" not found");
    Json changed = *ns;
    changed["spec"]["finalizers"] = items_at(object, {"spec", "finalizers"});
    const bool done = kube::is_deleting(*ns) && changed["spec"]["finalizers"].empty() &&
                      items_at(*ns, {"metadata", "finalizers"}).empty();
    const Object stored = store_.put(kube::kNamespaces, key, std::move(changed));
    if (done) store_.remove(kube::kNamespaces, key);
    return answer(200, *stored);
}

}  // namespace lab
