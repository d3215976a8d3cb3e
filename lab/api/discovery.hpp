// What the API server says about itself: groups, versions and resources (both the legacy and the
// aggregated documents), version, health, OpenAPI v3. Sources: apiserver
// pkg/endpoints/discovery, k8s.io/api/apidiscovery/v2; shapes as kube-apiserver 1.36 answers.
#pragma once

#include <optional>
#include <string>

#include "lab/api/api_server.hpp"
#include "lab/api/kinds.hpp"

namespace lab {

class Discovery final : public Extension {
public:
    // `kinds` outlives it.
    explicit Discovery(const Kinds& kinds) : kinds_(kinds) {}

    std::optional<kubeclient::Response> serve(const User& user,
                                              const kubeclient::Request& request) override;

private:
    const Kinds& kinds_;
};

// The documents of /openapi/v3: which group versions there are, and one of them. They say what
// kubectl looks for: that writes take fieldValidation, and the schemas of custom resources.
Json openapi_index(const Kinds& kinds);
std::optional<Json> openapi_document(const Kinds& kinds, const std::string& group,
                                     const std::string& version);

}  // namespace lab
