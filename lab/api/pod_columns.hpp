// One pod as `kubectl get pods` shows it. Pure.
// Source: Kubernetes pkg/printers/internalversion/printers.go, printPod.
#pragma once

#include <vector>

#include "kubeclient/json.hpp"
#include "kubeclient/time.hpp"

namespace lab {

// Name, Ready, Status, Restarts, Age, IP, Node, Nominated Node, Readiness Gates.
std::vector<kubeclient::Json> pod_cells(const kubeclient::Json& pod, kubeclient::Instant now);

}  // namespace lab
