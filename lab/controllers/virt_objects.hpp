// KubeVirt's objects as virt-controller looks at them: who owns whom, what a pod's state means,
// and the writes that its controllers share. Reading is pure.
// Sources: kubevirt pkg/controller (controller.go, conditions.go, virtinformers.go) and
// staging/src/kubevirt.io/api/core/v1/types.go; v1.9.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "kubeclient/result.hpp"
#include "lab/controllers/controller.hpp"

namespace lab::virt {

inline const ResourceId kMachines{"kubevirt.io", "virtualmachines"};
inline const ResourceId kInstances{"kubevirt.io", "virtualmachineinstances"};
inline const ResourceId kMigrations{"kubevirt.io", "virtualmachineinstancemigrations"};
inline const ResourceId kKubeVirts{"kubevirt.io", "kubevirts"};
inline const ResourceId kPolicies{"migrations.kubevirt.io", "migrationpolicies"};
inline const ResourceId kPods{"", "pods"};
inline const ResourceId kNodes{"", "nodes"};
inline const ResourceId kClaims{"", "persistentvolumeclaims"};
inline const ResourceId kQuotas{"", "resourcequotas"};
inline const ResourceId kNamespaces{"", "namespaces"};

// The member's text; empty where it is absent or no text.
std::string text(const Json& object, std::initializer_list<std::string_view> path);
std::string name_of(const Json& object);
std::string uid_of(const Json& object);
ObjectKey key_of(const Json& object);
std::string label(const Json& object, std::string_view key);
std::string annotation(const Json& object, std::string_view key);
bool has_annotation(const Json& object, std::string_view key);
bool has_finalizer(const Json& object, std::string_view finalizer);
bool is_deleting(const Json& object);
std::string phase_of(const Json& object);
// metadata.creationTimestamp; the epoch where it cannot be read.
kubeclient::Instant created_at(const Json& object);
std::string seconds_text(kubeclient::Instant time);  // metav1.Time

// Of status.conditions; nullptr where there is none of that type.
const Json* condition(const Json& object, std::string_view type);
bool has_condition(const Json& object, std::string_view type, std::string_view status);
// Puts it in the place of the one of its type, or at the end. One that says the same in status,
// reason and message is left with its times.
void update_condition(Json& object, const Json& condition);
void remove_condition(Json& object, std::string_view type);
// Appends {phase, phaseTransitionTimestamp} when `object` is in another phase than `before`.
void note_phase_change(const Json& before, Json& object, kubeclient::Instant now);
void remove_finalizer(Json& object, std::string_view finalizer);

// VMIs and VMIMs.
bool is_final(const Json& object);     // Succeeded or Failed
bool is_unprocessed(const Json& vmi);  // no phase, or Pending
bool is_running(const Json& vmi);      // phase Running
bool is_marked_for_eviction(const Json& vmi);
// A migration is under way by status.migrationState.
bool is_migrating(const Json& vmi);
// spec.evictionStrategy, else the KubeVirt CR's, else None.
std::string eviction_strategy(const Json& vmi, const Store& objects);

// By the controller reference's uid.
bool is_controlled_by(const Json& object, const Json& owner);
const Json* controller_reference(const Json& object);
// The launchers of the VMI with that name and uid, by name.
std::vector<Object> launchers(const Store& objects, const Json& vmi);
// The one on status.nodeName; the newest where several are, or no node is set. May be null.
Object current_launcher(const Store& objects, const Json& vmi);
// Those that are neither Succeeded nor Failed.
std::size_t live_launchers(const Store& objects, const Json& vmi);
// All VMIMs of the VMI, by name.
std::vector<Object> migrations_of(const Store& objects, const ObjectKey& vmi);

bool is_pod_down(const Json& pod);  // Succeeded or Failed
bool is_pod_down_or_going(const Json& pod);
bool is_pod_ready(const Json& pod);

// What the server said, without the words that kubectl puts in front of it.
std::string server_words(const kubeclient::Error& error);

// One JSON Patch operation; "remove" takes no value.
Json operation(std::string_view op, const std::string& path, const Json& value);
// A key as part of a JSON pointer.
std::string pointer_escaped(std::string_view key);

// A whole object written back, or with "status" its status; conflicts by its resourceVersion.
kubeclient::Result<Json> replace(Cluster& cluster, const ResourceId& resource, const Json& object,
                                 const std::string& subresource = {});
kubeclient::Result<Json> json_patch(Cluster& cluster, const ResourceId& resource,
                                    const ObjectKey& key, const Json& operations,
                                    const std::string& subresource = {});
kubeclient::Result<Json> merge_patch(Cluster& cluster, const ResourceId& resource,
                                     const ObjectKey& key, const Json& patch,
                                     const std::string& subresource = {});
kubeclient::Result<Json> create(Cluster& cluster, const ResourceId& resource, const Json& object);
kubeclient::Status remove(Cluster& cluster, const ResourceId& resource, const Json& object);

}  // namespace lab::virt
