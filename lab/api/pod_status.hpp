// The status that the API server gives a new pod. Pure.
// Sources: Kubernetes pkg/registry/core/pod/strategy.go (PrepareForCreate) and
// pkg/apis/core/v1/helper/qos/qos.go.
#pragma once

#include <string>

#include "kubeclient/json.hpp"

namespace lab {

using kubeclient::Json;

// By the containers' cpu and memory: "BestEffort", "Burstable" or "Guaranteed".
std::string quality_of_service(const Json& pod);

Json first_pod_status(const Json& pod);

}  // namespace lab
