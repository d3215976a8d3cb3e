// What kube-apiserver does to pods and namespaces beyond storing them: admission plugins, the
// sub-resources pods/binding and namespaces/finalize.
// Source: kubernetes v1.36 plugin/pkg/admission/{defaulttolerationseconds,priority,resourcequota},
// pkg/registry/core/pod/storage (BindingREST), pkg/registry/core/namespace/storage (FinalizeREST).
#pragma once

#include <functional>

#include "lab/api/api_server.hpp"

namespace lab {

class KubeExtension final : public Extension {
public:
    // `store` is the server's, and outlives the extension.
    KubeExtension(Store& store, ApiServer::Clock clock) : store_(store), clock_(std::move(clock)) {}

    std::optional<Refusal> admit(Admission& admission) override;
    std::optional<kubeclient::Response> serve(const User& user,
                                              const kubeclient::Request& request) override;

private:
    kubeclient::Response bind(const ObjectKey& pod, const Json& binding);
    kubeclient::Response finalize(const std::string& ns, const Json& object);

    Store& store_;
    ApiServer::Clock clock_;
};

}  // namespace lab
