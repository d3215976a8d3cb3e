// Objects of the Kubernetes API to what the scheduler reads of them. Pure.
#pragma once

#include <string>

#include "facts/scheduling.hpp"
#include "kubeclient/json.hpp"

namespace preflight {

// Source: component-helpers resource/helpers.go PodRequests; pkg/scheduler/util.
facts::SchedulerPod decode_scheduler_pod(const kubeclient::Json& pod);

// Adds the object to the view, or takes it out; `object` has its kind. Kinds that the scheduler
// does not ask about are passed over, as are finished pods. Fields of a type that the API does not
// have count as absent: the API server has let the object in.
void put_object(facts::SchedulerView& view, const kubeclient::Json& object);
void remove_object(facts::SchedulerView& view, const std::string& kind,
                   const facts::NamespacedName& key);

}  // namespace preflight
