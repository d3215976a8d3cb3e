// `version`: this tool's version, and with a cluster those of Kubernetes and KubeVirt.
#pragma once

#include <string>
#include <string_view>

#include "commands/environment.hpp"
#include "commands/options.hpp"

namespace commands {

// "0.1.0"
std::string_view tool_version();

// How requests name us, in client-go's form: "kubectl-virt_handoff/v0.1.0 (linux/amd64)".
std::string user_agent();

ExitCode run_version(const VersionOptions& options, Environment& environment);

}  // namespace commands
