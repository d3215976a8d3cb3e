// cancel: stops live migrations and takes evacuation marks back, and sees to it that it took
// effect.
#pragma once

#include "commands/environment.hpp"
#include "commands/migration_options.hpp"

namespace commands {

ExitCode run_cancel(const CancelOptions& options, Environment& environment);

}  // namespace commands
