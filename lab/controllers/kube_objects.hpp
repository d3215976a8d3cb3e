// Kubernetes' own objects as the lab's controllers of kube-controller-manager and the scheduler
// look at them, and the writes they share. Reading is pure.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "kubeclient/result.hpp"
#include "lab/controllers/controller.hpp"

namespace lab::kube {

inline const ResourceId kPods{"", "pods"};
inline const ResourceId kNodes{"", "nodes"};
inline const ResourceId kClaims{"", "persistentvolumeclaims"};
inline const ResourceId kVolumes{"", "persistentvolumes"};
inline const ResourceId kNamespaces{"", "namespaces"};
inline const ResourceId kLeases{"coordination.k8s.io", "leases"};
inline const ResourceId kClasses{"storage.k8s.io", "storageclasses"};
inline const ResourceId kDrivers{"storage.k8s.io", "csidrivers"};
inline const ResourceId kAttachments{"storage.k8s.io", "volumeattachments"};

// The member's text; empty where it is absent or no text.
std::string text(const Json& object, std::initializer_list<std::string_view> path);
std::string name_of(const Json& object);
std::string uid_of(const Json& object);
ObjectKey key_of(const Json& object);
bool is_deleting(const Json& object);
bool is_finished(const Json& pod);  // Succeeded or Failed
bool is_ready(const Json& node);
bool has_taint(const Json& node, std::string_view key);
std::vector<std::string> claims_of(const Json& pod);  // names, in the order of the volumes
std::string seconds_text(kubeclient::Instant time);   // metav1.Time

// Of status.conditions; nullptr where there is none of that type.
const Json* condition(const Json& object, std::string_view type);
// status.conditions with this one in the place of its type, or at the end. Its lastTransitionTime
// becomes `now`, or stays what it was where the status does.
Json conditions_with(const Json& object, Json condition, kubeclient::Instant now);

// Where the API has the object; `resource` is of version v1. An empty name is the collection..
kubeclient::Result<std::string> path(const ResourceId& resource, const ObjectKey& key,
                                     std::string_view subresource = {});

// Merge patches. An object that is gone is no error.
kubeclient::Status patch(Cluster& cluster, const ResourceId& resource, const ObjectKey& key,
                         const Json& patch, std::string_view subresource = {});
// A new object in the namespace `ns`; one that is there already is no error.
kubeclient::Status create(Cluster& cluster, const ResourceId& resource, const std::string& ns,
                          const Json& object);
// An object that is gone, or has been replaced by another of its name, is no error.
kubeclient::Status remove(Cluster& cluster, const ResourceId& resource, const Json& object,
                          std::optional<int> grace_seconds = std::nullopt);

}  // namespace lab::kube
