// `explain [CHECK]`: what a check means. Needs no cluster.
#pragma once

#include "commands/environment.hpp"
#include "commands/options.hpp"

namespace commands {

ExitCode run_explain(const ExplainOptions& options, Environment& environment);

}  // namespace commands
