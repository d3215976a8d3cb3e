// What the user asked for, one struct per verb: values that the parser fills and tests compare.
// Defaults are those of the command line.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "commands/migration_options.hpp"
#include "commands/shared_options.hpp"

namespace commands {

struct PreflightOptions {
    ConnectionOptions connection{};
    std::vector<std::string> targets{};  // NAME, vm/NAME, vmi/NAME
    std::string selector{};              // -l
    bool all_namespaces = false;         // -A
    std::string node{};                  // --node: VMs that run there
    std::string from{};                  // --from PATH or "-": files instead of a cluster
    std::vector<Waiver> ignore{};
    OutputFormat output = OutputFormat::table;
    bool fail_on_warning = false;  // --fail-on=warning
    bool no_headers = false;

    bool operator==(const PreflightOptions&) const = default;
};

struct ExplainOptions {
    std::string check{};  // or a topic; empty: the list of all checks
    OutputFormat output = OutputFormat::table;

    bool operator==(const ExplainOptions&) const = default;
};

struct VersionOptions {
    ConnectionOptions connection{};
    bool client_only = false;  // --client
    OutputFormat output = OutputFormat::table;

    bool operator==(const VersionOptions&) const = default;
};

struct LabOptions {
    std::string scenario{};  // empty: the first
    int nodes = 0;           // 0: as many as the virtual machines need
    int machines = 6;
    double speed = 1;              // seconds of the lab in one second; 0: its time stands still
    std::string kubeconfig_out{};  // empty: in a folder of its own
    int port = 0;                  // 0: a free one
    bool list = false;             // only says which scenarios there are

    bool operator==(const LabOptions&) const = default;
};

// Text that is known without doing anything: help, options, completion scripts.
struct ShowText {
    std::string text{};

    bool operator==(const ShowText&) const = default;
};

using Invocation = std::variant<PreflightOptions, MigrateOptions, CancelOptions, ExplainOptions,
                                LabOptions, VersionOptions, ShowText>;

}  // namespace commands
