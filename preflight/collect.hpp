// Reads a cluster: the only code that does so for facts. Whatever the number of VMs, there are at
// most three rounds of requests, each sent in parallel; nothing is asked once per VM but what was
// named on the command line. What cannot be read becomes a gap with the missing verb and resource.
#pragma once

#include <string>

#include "facts/snapshot.hpp"
#include "kubeclient/api.hpp"
#include "kubeclient/result.hpp"
#include "preflight/selection.hpp"

namespace preflight {

// `source` is how the cluster is called in the report. The migrations that are asked for with
// dryRun=All change nothing at the server. Errors: no VM could be read at all, or the reply was
// none of Kubernetes, or the request was interrupted.
kubeclient::Result<facts::Snapshot> collect(kubeclient::Api& api, const Selection& selection,
                                            const std::string& source,
                                            std::chrono::sys_seconds now);

}  // namespace preflight
