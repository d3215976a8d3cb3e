// A machine that exists only in memory: files, variables and a clock that tests turn.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "kubeclient/system.hpp"

namespace kubeclient {

struct FakeMachine {
    std::map<std::string, std::string> files{};
    std::map<std::string, std::string> variables{};
    std::map<std::string, std::string> broken{};  // path → why it cannot be read
    std::chrono::system_clock::time_point time{std::chrono::seconds(1'000'000)};
    int reads = 0;
};

// The machine must outlive the System.
inline System system_of(FakeMachine& machine) {
    System system;
    system.env = [&machine](const std::string& name) -> std::optional<std::string> {
        const auto variable = machine.variables.find(name);
        if (variable == machine.variables.end()) return std::nullopt;
        return variable->second;
    };
    system.read_file = [&machine](const std::string& path) -> Result<std::string> {
        ++machine.reads;
        if (const auto broken = machine.broken.find(path); broken != machine.broken.end()) {
            return Error{ErrorKind::config, "open " + path + ": " + broken->second};
        }
        const auto file = machine.files.find(path);
        if (file == machine.files.end()) {
            return Error{ErrorKind::not_found, "open " + path + ": no such file or directory"};
        }
        return file->second;
    };
    system.now = [&machine] { return machine.time; };
    return system;
}

}  // namespace kubeclient
