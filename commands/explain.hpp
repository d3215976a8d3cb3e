// `explain [CHECK | TOPIC]`: what a check means, or a page about something else (topics.hpp). Needs
// no cluster.
#pragma once

#include "commands/environment.hpp"
#include "commands/options.hpp"

namespace commands {

ExitCode run_explain(const ExplainOptions& options, Environment& environment);

}  // namespace commands
