// admission.k8s.io/v1 AdmissionReviews, answered by an Extension. Pure but for what the extension
// does.
#pragma once

#include "kubeclient/json.hpp"
#include "lab/api/api_server.hpp"

namespace lab {

// What a webhook is asked for. Both kinds are given the object and answer at different times.
enum class Webhook { mutating, validating };

// The review with its response. A mutating webhook refuses nothing: as in KubeVirt that is the
// validating one's business, whose words the API server hands on under the webhook's name.
Json reviewed(const Json& review, Webhook webhook, Extension& extension);

}  // namespace lab
