// Running a credential plugin: the only code of the client that starts a process.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kubeclient/result.hpp"

namespace kubeclient {

enum class PluginInput { none, terminal };  // /dev/null, or this process's own standard input

struct PluginRun {
    std::string program{};  // path, as find_program returns it
    std::string name{};     // argv[0], and what messages call it
    std::vector<std::string> arguments{};
    std::vector<std::pair<std::string, std::string>> environment{};  // on top of our own
    PluginInput input = PluginInput::none;
    std::optional<std::chrono::milliseconds> time_limit{};  // nullopt: as long as it takes
    std::size_t most_output = std::size_t{1} << 20U;        // bytes of standard output
};

// Go's exec.LookPath: a name with a slash is a path; another one is looked up in `path_variable`,
// and one found through a relative folder is refused. Returns an absolute path; not_found where
// there is no such executable.
Result<std::string> find_program(const std::string& name, const std::string& path_variable);

// Runs it without a shell, in our process group, so that Ctrl-C reaches it; standard error passes
// through, no other file of ours does. Returns standard output when it exits with 0. One that
// outlasts its time limit or its output limit is killed. Thread-safe.
Result<std::string> run_plugin(const PluginRun& run);

}  // namespace kubeclient
