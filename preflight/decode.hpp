// Objects of the Kubernetes API to facts. Pure. The one place, with its .cpp files, where the JSON
// of clusters and files becomes values; no check ever sees JSON.
#pragma once

#include "facts/snapshot.hpp"
#include "kubeclient/json.hpp"
#include "preflight/fields.hpp"

namespace preflight {

// Adds the object to the reading of its kind. done.used is false for kinds that nothing here needs.
// Errors (protocol): no apiVersion, kind or name, or a field of another type than the API has; the
// message names kind, object and field.
struct Added {
    bool used = false;
};
kubeclient::Result<Added> add_object(facts::Snapshot& snapshot, const kubeclient::Json& object);

// Whether objects of this kind live in a namespace; false for kinds that nothing here needs.
bool is_namespaced(const kubeclient::Json& object);

// The pieces, one per kind; problems are kept in the fields.
facts::Meta decode_meta(const Fields& object);
facts::Placement decode_placement(const Fields& pod_spec);
std::vector<facts::Requirement> decode_requirements(const std::vector<Fields>& items);
std::vector<facts::NodeTerm> decode_node_terms(const Fields& node_selector);
facts::MigrationSettings decode_migration_settings(const Fields& settings);
std::vector<facts::Condition> decode_conditions(const Fields& status);

// A stopped VM's template gets defaults that a VMI already has.
enum class Form { instance, machine_template };
facts::Guest decode_guest(const Fields& spec, Form form);
facts::Vm decode_vm(const Fields& object);
facts::Vmi decode_vmi(const Fields& object);
facts::DataVolume decode_data_volume(const Fields& object);
facts::Migration decode_migration(const Fields& object);
facts::MigrationState decode_migration_state(const Fields& state);
facts::VolumeAttachment decode_volume_attachment(const Fields& object);
facts::Warning decode_warning(const Fields& object);

facts::KubeVirt decode_kubevirt(const Fields& object);
facts::MigrationPolicy decode_policy(const Fields& object);
facts::Node decode_node(const Fields& object);
facts::Pod decode_pod(const Fields& object);
facts::Claim decode_claim(const Fields& object);
facts::PersistentVolume decode_volume(const Fields& object);
facts::ResourceQuota decode_quota(const Fields& object);
facts::HandlerDaemonSet decode_handler_set(const Fields& object);
facts::NetworkPolicy decode_network_policy(const Fields& object);
facts::NetworkAttachment decode_attachment(const Fields& object);

}  // namespace preflight
