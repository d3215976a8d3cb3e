// What virt-api's webhooks and its aggregated API share. For the virt_api*.cpp files only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubeclient/json.hpp"
#include "lab/api/api_server.hpp"

namespace lab::virt_api {

inline const ResourceId virtual_machines{"kubevirt.io", "virtualmachines"};
inline const ResourceId instances{"kubevirt.io", "virtualmachineinstances"};
inline const ResourceId migrations{"kubevirt.io", "virtualmachineinstancemigrations"};
inline const ResourceId pods{"", "pods"};
inline const ResourceId nodes{"", "nodes"};
inline const ResourceId kubevirts{"kubevirt.io", "kubevirts"};

struct Reply {
    int status = 0;
    std::string message{};  // of the Status, when refused

    bool ok() const { return status < 300; }
};

// What virt-api works with: its informers' view, and a client with its own rights.
struct Backend {
    std::unique_ptr<kubeclient::Transport> client;
    const Store& objects;
    ApiServer::Clock clock;

    std::string now() const;  // as metav1.Time
    // Of the KubeVirt resource: {"spec", "configuration", …}. Null where there is none.
    const Json* configuration(std::initializer_list<std::string_view> path) const;
    // Whether the request comes from one of KubeVirt's own service accounts.
    bool is_component(const User& asking) const;
    bool is_virt_controller(const User& asking) const;

    // `subresource` may be empty; `dry_run` holds the query's values, most often none or "All".
    Reply json_patch(const ResourceId& resource, const ObjectKey& key, std::string_view subresource,
                     const Json& patch, const std::vector<std::string>& dry_run) const;
    Reply create_migration(const std::string& ns, const Json& object,
                           const std::vector<std::string>& dry_run) const;
    Reply delete_pod(const ObjectKey& key, int grace_seconds) const;

private:
    std::string service_account(std::string_view name) const;
    Reply send(const kubeclient::Request& request) const;
};

// The refusal as kube-apiserver words what a webhook said. Without causes virt-api gives a code
// alone; with causes it is 422 Invalid. Sources: util/webhooks/webhooks.go ToAdmissionResponse,
// ToAdmissionResponseError; k8s.io/apiserver ToStatusErr.
Refusal denied(std::string_view webhook, int code, const std::string& message);
Refusal denied(std::string_view webhook, Cause cause);

// Condition of an object's status; nullopt: absent.
std::optional<std::string> condition_status(const Json& object, std::string_view type);
// VirtualMachineInstance.IsFinal.
bool is_final(const Json& instance);

std::optional<Refusal> admit_migration(const Backend& backend, Admission& asked);
std::optional<Refusal> admit_eviction(const Backend& backend, const Admission& asked);
std::optional<Refusal> admit_instance_update(const Backend& backend, const Admission& asked);
// What the mutating webhooks fill in on create.
void default_machine(const Backend& backend, Json& machine);
void default_instance(const Backend& backend, Json& instance);

// nullopt: not a path of the group.
std::optional<kubeclient::Response> serve_subresource(const Backend& backend,
                                                      const kubeclient::Request& request);

}  // namespace lab::virt_api
