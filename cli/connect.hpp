// The way to a cluster, put together from its parts: kubeconfig, credentials, HTTP over TLS,
// retries, traces. Nothing is read before the first call.
#pragma once

#include <functional>

#include "commands/environment.hpp"

namespace cli {

// `environment` must outlive the result.
std::function<kubeclient::Result<commands::Connection>(const commands::ConnectionOptions&)>
make_connect(const commands::Environment& environment);

}  // namespace cli
