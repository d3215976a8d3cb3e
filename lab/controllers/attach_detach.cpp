#include "lab/controllers/attach_detach.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kubeclient/tls_digest.hpp"
#include "lab/controllers/kube_objects.hpp"

namespace lab {

using kube::text;
using kubeclient::items_at;

// The nodes that shall have a volume, and the pods there that want it.
struct AttachDetach::Wanted {
    std::map<std::string, std::vector<Object>> pods_by_node{};
};

namespace {

// A pod that is going lets go of its volumes when none of its containers runs any more.
bool still_wants(const Json& pod) {
    if (kube::is_finished(pod)) return false;
    if (!kube::is_deleting(pod)) return true;
    const auto& containers = items_at(pod, {"status", "containerStatuses"});
    return containers.empty()
               ? text(pod, {"status", "phase"}) == "Running"
               : std::any_of(containers.begin(), containers.end(), [](const Json& container) {
                     return kubeclient::find(container, {"state", "terminated"}) == nullptr &&
                            kubeclient::find(container, {"state", "waiting"}) == nullptr;
                 });
}

// As node.status.volumesInUse and volumesAttached have it.
std::string unique_name(const Json& volume) {
    return "kubernetes.io/csi/" + text(volume, {"spec", "csi", "driver"}) + "^" +
           text(volume, {"spec", "csi", "volumeHandle"});
}

bool needs_attaching(const Json& volume, const Store& objects) {
    const auto driver = text(volume, {"spec", "csi", "driver"});
    if (driver.empty()) return false;
    const Object object = objects.get(kube::kDrivers, {"", driver});
    return !object || kubeclient::bool_at(*object, {"spec", "attachRequired"}).value_or(true);
}

bool is_multi_attach(const Json& volume) {
    const auto& modes = items_at(volume, {"spec", "accessModes"});
    return modes.empty() || std::any_of(modes.begin(), modes.end(), [](const Json& mode) {
               return mode == "ReadWriteMany" || mode == "ReadOnlyMany";
           });
}

bool is_in_use(const Json& node, const std::string& unique) {
    const auto& names = items_at(node, {"status", "volumesInUse"});
    return std::find(names.begin(), names.end(), Json(unique)) != names.end();
}

// node.status.volumesAttached with the volume, or without it.
enum class Report { attached, detached };
kubeclient::Status report(const Json& volume, const std::string& node, Report what,
                          Cluster& cluster) {
    const Object object = cluster.objects.get(kube::kNodes, {"", node});
    if (!object) return kubeclient::Done{};
    const auto unique = unique_name(volume);
    Json attached = Json::array();
    bool listed = false;
    for (const Json& entry : items_at(*object, {"status", "volumesAttached"})) {
        const bool same = text(entry, {"name"}) == unique;
        listed = listed || same;
        if (!same || what == Report::attached) attached.push_back(entry);
    }
    if (listed == (what == Report::attached)) return kubeclient::Done{};
    if (!listed) attached.push_back({{"name", unique}, {"devicePath", ""}});
    return kube::patch(cluster, kube::kNodes, {"", node},
                       {{"status", {{"volumesAttached", attached}}}}, "status");
}

bool is_attached(const Json& attachment) {
    return kubeclient::bool_at(attachment, {"status", "attached"}).value_or(false);
}

// Heartbeats do not.
bool tells_more(const Change& change) {
    if (change.type != ChangeType::modified) return true;
    const auto same = [&](std::initializer_list<std::string_view> path) {
        return items_at(*change.before, path) == items_at(*change.object, path);
    };
    return !same({"status", "volumesInUse"}) || !same({"spec", "taints"}) ||
           kube::is_ready(*change.before) != kube::is_ready(*change.object);
}

}  // namespace

std::vector<WorkItem> AttachDetach::concerned(const Change& change, const Store& objects) const {
    std::vector<WorkItem> items;
    const auto add_volume = [&](const std::string& name) {
        if (!name.empty()) items.push_back({kube::kVolumes, {"", name}});
    };
    if (change.resource == kube::kPods) {
        for (const auto& claim : kube::claims_of(*change.object)) {
            const Object object = objects.get(kube::kClaims, {change.key.ns, claim});
            if (object) add_volume(text(*object, {"spec", "volumeName"}));
        }
    } else if (change.resource == kube::kClaims) {
        add_volume(text(*change.object, {"spec", "volumeName"}));
    } else if (change.resource == kube::kAttachments) {
        add_volume(text(*change.object, {"spec", "source", "persistentVolumeName"}));
    } else if (change.resource == kube::kNodes && tells_more(change)) {
        items.push_back({change.resource, change.key});
    }
    return items;
}

void AttachDetach::catch_up(const Store& objects) {
    while (seen_ < objects.revision()) {
        const auto changes = objects.since(seen_);
        if (!changes || changes->empty()) break;
        for (const Change& change : *changes) note(change);
        seen_ = changes->back().revision;
    }
}

void AttachDetach::note(const Change& change) {
    const bool gone = change.type == ChangeType::deleted;
    if (change.resource == kube::kAttachments) {
        const auto volume = text(*change.object, {"spec", "source", "persistentVolumeName"});
        const auto node = text(*change.object, {"spec", "nodeName"});
        if (gone) {
            by_volume_[volume].erase(change.key.name);
            on_node_[node].erase(volume);
        } else {
            by_volume_[volume].insert(change.key.name);
            on_node_[node].insert(volume);
        }
    }
    if (change.resource != kube::kPods) return;
    const bool there = !gone && !text(*change.object, {"spec", "nodeName"}).empty();
    for (const auto& claim : kube::claims_of(*change.object)) {
        auto& pods = users_[{change.key.ns, claim}];
        if (there) {
            pods.insert(change.key);
        } else {
            pods.erase(change.key);
        }
    }
}

std::vector<Object> AttachDetach::attachments_of(const std::string& volume,
                                                 const Store& objects) const {
    std::vector<Object> attachments;
    const auto names = by_volume_.find(volume);
    if (names == by_volume_.end()) return attachments;
    for (const auto& name : names->second) {
        const Object object = objects.get(kube::kAttachments, {"", name});
        if (object) attachments.push_back(object);
    }
    return attachments;
}

AttachDetach::Wanted AttachDetach::wanted(const Json& volume, const Store& objects) const {
    Wanted wanted;
    const ObjectKey claim{text(volume, {"spec", "claimRef", "namespace"}),
                          text(volume, {"spec", "claimRef", "name"})};
    const Object bound = objects.get(kube::kClaims, claim);
    const auto users = users_.find(claim);
    if (!bound || users == users_.end()) return wanted;
    if (text(*bound, {"spec", "volumeName"}) != kube::name_of(volume)) return wanted;
    for (const auto& key : users->second) {
        const Object pod = objects.get(kube::kPods, key);
        if (!pod || !still_wants(*pod)) continue;
        const auto node = text(*pod, {"spec", "nodeName"});
        if (objects.get(kube::kNodes, {"", node})) wanted.pods_by_node[node].push_back(pod);
    }
    return wanted;
}

kubeclient::Result<std::optional<Duration>> AttachDetach::sync(const WorkItem& item,
                                                               Cluster& cluster) {
    catch_up(cluster.objects);
    if (item.resource == kube::kVolumes) return reconcile(item.key.name, cluster);
    std::optional<Duration> again;
    const auto volumes = on_node_[item.key.name];  // a copy: detaching changes it
    for (const auto& volume : volumes) {
        TRY_ASSIGN(wait, reconcile(volume, cluster));
        if (wait && (!again || *wait < *again)) again = wait;
    }
    return again;
}

kubeclient::Result<std::optional<Duration>> AttachDetach::reconcile(const std::string& name,
                                                                    Cluster& cluster) {
    const Object volume = cluster.objects.get(kube::kVolumes, {"", name});
    std::optional<Duration> again;
    if (!volume || !needs_attaching(*volume, cluster.objects)) return again;
    const Wanted wishes = wanted(*volume, cluster.objects);
    for (const Object& attachment : attachments_of(name, cluster.objects)) {
        const auto node = text(*attachment, {"spec", "nodeName"});
        if (wishes.pods_by_node.contains(node)) {
            detach_asked_.erase({name, node});
            if (is_attached(*attachment)) {
                TRY(report(*volume, node, Report::attached, cluster));
                tell_attached(*volume, node, wishes, cluster);
            }
        } else if (!kube::is_deleting(*attachment)) {
            TRY_ASSIGN(wait, detach(*volume, *attachment, cluster));
            if (wait && (!again || *wait < *again)) again = wait;
        }
    }
    std::erase_if(refused_, [&](const VolumeOnNode& refused) {
        return refused.first == name && !wishes.pods_by_node.contains(refused.second);
    });
    TRY(attach(*volume, wishes, cluster));
    return again;
}

kubeclient::Result<std::optional<Duration>> AttachDetach::detach(const Json& volume,
                                                                 const Json& attachment,
                                                                 Cluster& cluster) {
    const auto name = text(attachment, {"spec", "nodeName"});
    const VolumeOnNode place{kube::name_of(volume), name};
    const auto asked = detach_asked_.emplace(place, cluster.now).first->second;
    const auto limit = asked + kMaxWaitForUnmount;
    const Object node = cluster.objects.get(kube::kNodes, {"", name});
    const bool healthy = node && kube::is_ready(*node);
    const bool abandoned = node && kube::has_taint(*node, "node.kubernetes.io/out-of-service");
    const bool mounted = node && is_in_use(*node, unique_name(volume));
    const bool forced = !healthy && cluster.now > limit;
    if (mounted && !forced && !abandoned) {
        if (healthy) return std::optional<Duration>();  // its kubelet will say so
        return std::optional<Duration>(limit - cluster.now + std::chrono::milliseconds(100));
    }
    TRY(report(volume, name, Report::detached, cluster));
    TRY(kube::remove(cluster, kube::kAttachments, attachment));
    detach_asked_.erase(place);
    return std::optional<Duration>();
}

kubeclient::Status AttachDetach::attach(const Json& volume, const Wanted& wanted,
                                        Cluster& cluster) {
    for (const auto& [node, pods] : wanted.pods_by_node) {
        const auto attachments = attachments_of(kube::name_of(volume), cluster.objects);
        const auto is_here = [&, &name = node](const Object& attachment) {
            return text(*attachment, {"spec", "nodeName"}) == name;
        };
        if (std::any_of(attachments.begin(), attachments.end(), is_here)) continue;
        if (!is_multi_attach(volume) && !attachments.empty()) {
            const bool going =
                std::any_of(attachments.begin(), attachments.end(),
                            [](const Object& object) { return kube::is_deleting(*object); });
            const bool first = !going && refused_.insert({kube::name_of(volume), node}).second;
            if (first) refuse(volume, node, wanted, cluster);
            continue;
        }
        const auto driver = text(volume, {"spec", "csi", "driver"});
        const auto handle = text(volume, {"spec", "csi", "volumeHandle"});
        const Json attachment{
            {"apiVersion", "storage.k8s.io/v1"},
            {"kind", "VolumeAttachment"},
            {"metadata", {{"name", "csi-" + kubeclient::sha256_hex(handle + driver + node)}}},
            {"spec",
             {{"attacher", driver},
              {"nodeName", node},
              {"source", {{"persistentVolumeName", kube::name_of(volume)}}}}}};
        TRY(kube::create(cluster, kube::kAttachments, "", attachment));
        attaching_.insert({kube::name_of(volume), node});
        catch_up(cluster.objects);
    }
    return kubeclient::Done{};
}

void AttachDetach::tell_attached(const Json& volume, const std::string& node, const Wanted& wanted,
                                 Cluster& cluster) {
    if (attaching_.erase({kube::name_of(volume), node}) == 0) return;
    for (const Object& pod : wanted.pods_by_node.at(node)) {
        // The blank at the end is Kubernetes' own.
        cluster.events.record(
            *pod, "Normal", "SuccessfulAttachVolume",
            "AttachVolume.Attach succeeded for volume \"" + kube::name_of(volume) + "\" ");
    }
}

void AttachDetach::refuse(const Json& volume, const std::string& node, const Wanted& wanted,
                          Cluster& cluster) {
    const std::string start = "Multi-Attach error for volume \"" + kube::name_of(volume) + "\" ";
    for (const Object& pod : wanted.pods_by_node.at(node)) {
        std::string users;
        for (const auto& [other, pods] : wanted.pods_by_node) {
            if (other == node) continue;
            for (const Object& user : pods) {
                users += (users.empty() ? "" : ", ") + kube::name_of(*user);
            }
        }
        cluster.events.record(
            *pod, "Warning", "FailedAttachVolume",
            start + (users.empty() ? "Volume is already exclusively attached to one node and can't "
                                     "be attached to another"
                                   : "Volume is already used by pod(s) " + users));
    }
}

}  // namespace lab
