// preflight: will these VMs migrate, and if not, why. Reads only.
#pragma once

#include "commands/environment.hpp"
#include "commands/options.hpp"

namespace commands {

ExitCode run_preflight(const PreflightOptions& options, Environment& environment);

}  // namespace commands
