// Role-based access control, decided from the Roles and bindings in the store as kube-apiserver
// decides it. Rules of aggregated ClusterRoles are put together when asked: no controller copies
// them. Source: Kubernetes plugin/pkg/auth/authorizer/rbac, pkg/apis/rbac/v1/evaluation_helpers.go.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lab/api/api_server.hpp"
#include "lab/api/store.hpp"

namespace lab {

class Rbac {
public:
    // `store` outlives it.
    explicit Rbac(const Store& store) : store_(store) {}

    struct Decision {
        bool allowed = false;
        std::string reason{};  // which binding allows it; empty where none does, or for
                               // system:masters, who may do everything
    };
    Decision decide(const User& user, const Attributes& attributes) const;

    // The same as an Authorizer: nullopt, or 403 in kube-apiserver's words.
    std::optional<Refusal> authorize(const User& user, const Attributes& attributes) const;

    // The rules (rbac.authorization.k8s.io/v1 PolicyRule) that hold for the user in a namespace
    // and in the cluster.
    std::vector<Json> rules_for(const User& user, const std::string& ns) const;

private:
    // A rule that holds for the user, and the words for why. False from `visit` ends it.
    using Visit = std::function<bool(const Json& rule, const std::string& why)>;
    void visit_rules(const User& user, const std::string& ns, const Visit& visit) const;
    bool visit_role(const Json& binding, const std::string& ns, const std::string& subject,
                    const Visit& visit) const;
    std::vector<Json> rules_of(const Json& role_ref, const std::string& ns) const;

    const Store& store_;
};

// apiserver pkg/endpoints/handlers/responsewriters/errors.go.
Refusal forbidden_text(const User& user, const Attributes& attributes);

}  // namespace lab
