// What users may ask about themselves: SelfSubjectAccessReview and SelfSubjectRulesReview
// (authorization.k8s.io/v1), SelfSubjectReview (authentication.k8s.io/v1).
#pragma once

#include <optional>

#include "lab/api/api_server.hpp"
#include "lab/api/rbac.hpp"

namespace lab {

class Reviews final : public Extension {
public:
    // `rbac` outlives it.
    Reviews(const Rbac& rbac, ApiServer::Clock clock);

    std::optional<kubeclient::Response> serve(const User& user,
                                              const kubeclient::Request& request) override;

private:
    Json access(const User& user, const Json& spec) const;
    Json rules(const User& user, const Json& spec) const;

    const Rbac& rbac_;
    ApiServer::Clock clock_;
};

}  // namespace lab
