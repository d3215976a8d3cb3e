// `lab`: a simulated cluster on this machine, with its own failures.
#pragma once

#include <string_view>
#include <vector>

#include "commands/environment.hpp"
#include "commands/options.hpp"

namespace commands {

// What is said of a scenario, for help and manual.
struct ScenarioText {
    std::string_view name;
    std::string_view summary;  // one line
    std::string_view page;     // paragraphs
};
std::vector<ScenarioText> lab_scenarios();

// Runs until it is asked to stop.
ExitCode run_lab(const LabOptions& options, Environment& environment);

}  // namespace commands
