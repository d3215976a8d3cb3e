// The command lines of `migrate` and `cancel`. Every error is of kind usage. Pure.
#pragma once

#include "cli/reading.hpp"
#include "commands/options.hpp"
#include "kubeclient/result.hpp"

namespace cli {

kubeclient::Result<commands::Invocation> to_migrate(const Reading& reading);
kubeclient::Result<commands::Invocation> to_cancel(const Reading& reading);

}  // namespace cli
