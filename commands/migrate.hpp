// migrate: starts live migrations, follows them, ends with a verdict.
#pragma once

#include "commands/environment.hpp"
#include "commands/migration_options.hpp"

namespace commands {

ExitCode run_migrate(const MigrateOptions& options, Environment& environment);

}  // namespace commands
