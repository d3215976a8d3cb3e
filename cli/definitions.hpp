// Every flag, defined once: what the parser, help, completion and the manual pages know of them.
// definitions.cpp is the only file that knows CLI11. Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/tokens.hpp"
#include "commands/options.hpp"
#include "kubeclient/result.hpp"

namespace cli {

// What stands on a line, flag by flag. Words that need more than copying are kept as typed.
struct Bound {
    commands::ConnectionOptions connection{};
    std::string ns{};
    std::string request_timeout = "0";
    std::string verbosity = "0";
    bool insecure = false;
    bool version = false;

    std::string selector{};
    bool all_namespaces = false;
    std::string node{};
    std::vector<std::string> ignore{};
    std::string output = "table";

    commands::PreflightOptions preflight{};
    std::string fail_on = "blocking";

    commands::MigrateOptions migrate{};
    std::string to{};
    std::vector<std::string> node_selector{};
    std::string dry_run = "none";
    bool wait = true;
    std::string timeout{};  // empty: the verb's own
    std::string max_parallel{};
    std::string max_failures = "0";

    bool client_only = false;

    commands::LabOptions lab{};
    std::string nodes{};
    std::string machines = "6";
    std::string speed = "1x";
    std::string port = "0";
};

// All verbs and flags.
CommandLine describe_command_line();

// The values of the flags of `tokens`, which have no problem and a known verb. The error is of kind
// usage.
kubeclient::Result<Bound> bind(const Tokens& tokens);

}  // namespace cli
