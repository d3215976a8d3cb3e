// What the client takes from the machine it runs on. The command line makes the real one; tests
// make theirs. The functions must be callable from any thread.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kubeclient/result.hpp"

namespace kubeclient {

struct System {
    // The value of an environment variable; nullopt when unset.
    std::function<std::optional<std::string>(const std::string& name)> env;
    // The whole file. not_found when there is none, config for every other failure; the message
    // names the path and the system's own reason.
    std::function<Result<std::string>(const std::string& path)> read_file;
    // The path itself when it is a file; every regular file below it, sorted, when it is a folder.
    // Links to folders are not followed. Errors as for read_file.
    std::function<Result<std::vector<std::string>>(const std::string& path)> list_files;
    std::function<std::chrono::system_clock::time_point()> now;
    bool stdin_is_terminal = false;
};

}  // namespace kubeclient
