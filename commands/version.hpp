// `version`: this tool's version, and with a cluster those of Kubernetes and KubeVirt.
#pragma once

#include <string_view>

#include "commands/environment.hpp"
#include "commands/options.hpp"

namespace commands {

// "0.1.0"
std::string_view tool_version();

ExitCode run_version(const VersionOptions& options, Environment& environment);

}  // namespace commands
