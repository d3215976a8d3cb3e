// One command from its words to its exit code.
#pragma once

#include <span>

#include "commands/environment.hpp"

namespace cli {

// `argv` as main() gets it. Fills in what the environment lacks: program and connect.
commands::ExitCode run(std::span<const char* const> argv, commands::Environment& environment);

}  // namespace cli
