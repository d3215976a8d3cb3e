#include <algorithm>
#include <nlohmann/json.hpp>

#include "lab/controllers/attach_detach.hpp"
#include "lab/controllers/kube_objects.hpp"

namespace lab {

using kube::text;

namespace {

// external-attacher pkg/controller/util.go GetFinalizerName
std::string finalizer_of(const std::string& driver) {
    std::string name = driver;
    std::replace(name.begin(), name.end(), '.', '-');
    return "external-attacher/" + name;
}

}  // namespace

std::vector<WorkItem> CsiAttacher::concerned(const Change& change, const Store&) const {
    if (change.resource != kube::kAttachments) return {};
    return {{change.resource, change.key}};
}

std::optional<Duration> CsiAttacher::left(const std::string& work, Duration takes,
                                          kubeclient::Instant now) {
    const auto due = begun_.emplace(work, now).first->second + takes;
    if (now < due) return due - now;
    begun_.erase(work);
    return std::nullopt;
}

kubeclient::Result<std::optional<Duration>> CsiAttacher::sync(const WorkItem& item,
                                                              Cluster& cluster) {
    const Object attachment = cluster.objects.get(kube::kAttachments, item.key);
    std::optional<Duration> again;
    if (!attachment) return again;
    const auto& name = item.key.name;
    const auto uid = kube::uid_of(*attachment);
    const auto finalizer = finalizer_of(text(*attachment, {"spec", "attacher"}));
    Json finalizers = kubeclient::items_at(*attachment, {"metadata", "finalizers"});
    const auto ours = std::find(finalizers.begin(), finalizers.end(), Json(finalizer));
    if (kube::is_deleting(*attachment)) {
        if (ours == finalizers.end()) return again;
        again = left("detach " + uid, times_.detach, cluster.now);
        if (again) return again;
        finalizers.erase(ours);
        TRY(kube::patch(cluster, kube::kAttachments, {"", name},
                        {{"metadata", {{"finalizers", finalizers}}}}));
        return again;
    }
    if (kubeclient::bool_at(*attachment, {"status", "attached"}).value_or(false)) return again;
    if (ours == finalizers.end()) {
        finalizers.push_back(finalizer);
        TRY(kube::patch(cluster, kube::kAttachments, {"", name},
                        {{"metadata", {{"finalizers", finalizers}}}}));
    }
    again = left("attach " + uid, times_.attach, cluster.now);
    if (again) return again;
    TRY(kube::patch(cluster, kube::kAttachments, {"", name}, {{"status", {{"attached", true}}}},
                    "status"));
    return again;
}

}  // namespace lab
