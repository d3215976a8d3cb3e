#include "lab/controllers/volume_binder.hpp"

#include <nlohmann/json.hpp>

#include "kubeclient/json.hpp"

namespace lab {

using kubeclient::DryRun;
using kubeclient::find;
using kubeclient::PatchKind;
using kubeclient::text_at;

namespace {

const ResourceId volumes{"", "persistentvolumes"};
const ResourceId claims{"", "persistentvolumeclaims"};
constexpr const char* bound_annotation = "pv.kubernetes.io/bind-completed";

std::string claim_path(const ObjectKey& key) {
    return "/api/v1/namespaces/" + key.ns + "/persistentvolumeclaims/" + key.name;
}

ObjectKey claim_of(const Json& volume) {
    return {text_at(volume, {"spec", "claimRef", "namespace"}).value_or(""),
            text_at(volume, {"spec", "claimRef", "name"}).value_or("")};
}

bool is_bound(const Json& object) {
    return text_at(object, {"status", "phase"}) == "Bound";
}

kubeclient::Status bind_volume(const Json& volume, const Json& claim, kubeclient::Api& api) {
    const std::string path =
        "/api/v1/persistentvolumes/" + text_at(volume, {"metadata", "name"}).value_or("");
    if (find(volume, {"spec", "claimRef", "uid"}) == nullptr) {
        const Json reference{{"apiVersion", "v1"},
                             {"kind", "PersistentVolumeClaim"},
                             {"uid", claim["metadata"]["uid"]}};
        TRY(api.patch(path, PatchKind::merge, {{"spec", {{"claimRef", reference}}}}, DryRun::none));
    }
    if (!is_bound(volume)) {
        TRY(api.patch(path + "/status", PatchKind::merge, {{"status", {{"phase", "Bound"}}}},
                      DryRun::none));
    }
    return kubeclient::Done{};
}

kubeclient::Status bind_claim(const Json& claim, const Json& volume, const ObjectKey& key,
                              kubeclient::Api& api) {
    if (!text_at(claim, {"metadata", "annotations", bound_annotation})) {
        const Json patch{{"metadata", {{"annotations", {{bound_annotation, "yes"}}}}},
                         {"spec", {{"volumeName", volume["metadata"]["name"]}}}};
        TRY(api.patch(claim_path(key), PatchKind::merge, patch, DryRun::none));
    }
    if (!is_bound(claim)) {
        const Json status{{"phase", "Bound"},
                          {"accessModes", volume["spec"].value("accessModes", Json::array())},
                          {"capacity", volume["spec"].value("capacity", Json::object())}};
        TRY(api.patch(claim_path(key) + "/status", PatchKind::merge, {{"status", status}},
                      DryRun::none));
    }
    return kubeclient::Done{};
}

}  // namespace

std::vector<WorkItem> VolumeBinder::concerned(const Change& change, const Store& objects) const {
    std::vector<WorkItem> items;
    const Json& object = *change.object;
    if (change.resource == kube::kClaims) {
        items.push_back({change.resource, change.key});
        const auto volume = text(object, {"spec", "volumeName"});
        if (!volume.empty()) items.push_back({kube::kVolumes, {"", volume}});
        return items;
    }
    if (change.resource == kube::kVolumes) items.push_back({change.resource, change.key});
    const auto claim = text(object, {"spec", "claimRef", "name"});
    if (!claim.empty()) {
        items.push_back({kube::kClaims, {text(object, {"spec", "claimRef", "namespace"}), claim}});
    } else if (change.resource == kube::kVolumes || change.resource == kube::kClasses) {
        for (const auto& [key, waiting] : objects.all(kube::kClaims)) {
            if (text(*waiting, {"status", "phase"}) == "Bound") continue;
            items.push_back({kube::kClaims, key});
        }
    }
    for (const auto& [key, volume] : objects.all(volumes)) {
        if (claim_of(*volume) == change.key) return {{volumes, key}};
    }
    return {};
}

kubeclient::Result<std::optional<Duration>> VolumeBinder::sync(const WorkItem& item,
                                                               Cluster& cluster) {
    const Object volume = cluster.objects.get(volumes, item.key);
    if (!volume) return std::optional<Duration>();
    const ObjectKey key = claim_of(*volume);
    const Object claim = cluster.objects.get(claims, key);
    if (!claim) return std::optional<Duration>();
    const auto wanted = text_at(*claim, {"spec", "volumeName"});
    const auto uid = text_at(*volume, {"spec", "claimRef", "uid"});
    const bool another = (wanted && *wanted != item.key.name) ||
                         (uid && uid != text_at(*claim, {"metadata", "uid"}));
    if (another) return std::optional<Duration>();
    TRY(bind_volume(*volume, *claim, cluster.api));
    TRY(bind_claim(*claim, *volume, key, cluster.api));
    return std::optional<Duration>();
}

}  // namespace lab
