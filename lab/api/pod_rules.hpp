// What the API server fills in and refuses of pods. Private to lab/api.
// Sources: Kubernetes pkg/apis/core/v1/defaults.go, pkg/apis/core/validation/validation.go,
// plugin/pkg/admission/{priority,defaulttolerationseconds}.
#pragma once

#include <vector>

#include "lab/api/server_state.hpp"

namespace lab {

void fill_in_new_pod(Json& pod);
// DefaultTolerationSeconds admission, on every write.
void add_default_tolerations(Json& pod);
// Priority admission: the number that goes with the class.
Verdict admit_priority(const ServerState& state, const Kind& kind, Json& pod);
// "Guaranteed", "Burstable" or "BestEffort". Source: pkg/apis/core/helper/qos.
std::string quality_of_service(const Json& pod);

std::vector<Cause> problems_of_new_pod(const Json& pod);
std::vector<Cause> problems_of_changed_pod(const Json& pod, const Json& before);

}  // namespace lab
