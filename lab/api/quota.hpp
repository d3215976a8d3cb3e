// ResourceQuota: usage is counted from the objects themselves, so that there is no controller
// whose counting has to be waited for. Quotas with scopes are not counted.
// Sources: apiserver pkg/admission/plugin/resourcequota, Kubernetes pkg/quota/v1/evaluator/core.
#pragma once

#include "lab/api/server_state.hpp"

namespace lab {

// Whether `object`, about to be created, still fits in all quotas of its namespace.
Verdict charge_quotas(const ServerState& state, const Call& call, const Json& object);

// Writes what is used into the status of the namespace's quotas, where it has changed.
void refresh_quotas(ServerState& state, const std::string& ns);

}  // namespace lab
