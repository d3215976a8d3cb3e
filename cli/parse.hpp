// From argv to what is to be done. Pure: nothing is printed, read or ended here, and help never
// looks at any configuration.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "commands/options.hpp"
#include "kubeclient/result.hpp"

namespace cli {

// A command line that cannot be understood. The error is of kind usage.
struct Refusal {
    kubeclient::Error error{};
    std::string verb{};  // as far as it was recognised; else empty
    // What was asked for, as far as it can be told: who wants JSON gets JSON for the error as well.
    commands::OutputFormat output = commands::OutputFormat::table;

    bool operator==(const Refusal&) const = default;
};

using ParseOutcome = std::variant<commands::Invocation, Refusal>;

// `argv` as main() gets it; the first word is the program itself.
ParseOutcome parse(std::span<const char* const> argv);

// How the user calls the tool: "kubectl virt-handoff" for a file kubectl-virt_handoff (kubectl
// turns
// '-' of a command into '_' of the file), "kubectl virt handoff" for kubectl-virt-handoff, else
// "virt-handoff". Source: kubectl pkg/cmd/cmd.go HandlePluginCommand.
std::string program_name(std::string_view argv0);

}  // namespace cli
