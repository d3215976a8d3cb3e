// What the user asked of `migrate` and `cancel`. Defaults are those of the command line.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "commands/shared_options.hpp"

namespace commands {

// kubectl's --dry-run. client: nothing is sent that could write; server: the server is asked
// whether it would, and keeps nothing.
enum class DryRunMode { none, client, server };

// The parser lets through only what makes sense together: join means no dry run and wait;
// cancel_on_timeout means a timeout; a timeout, max_parallel and both cancel_on_… mean wait.
struct MigrateOptions {
    ConnectionOptions connection{};
    std::vector<std::string> targets{};                  // NAME, vm/NAME, vmi/NAME
    std::string selector{};                              // -l
    bool all_namespaces = false;                         // -A, or --node without -n
    std::string node{};                                  // --node: VMs that run there
    std::string to{};                                    // --to: the node to go to; empty: any
    std::map<std::string, std::string> node_selector{};  // labels that the target node must have
    std::vector<Waiver> ignore{};
    DryRunMode dry_run = DryRunMode::none;
    bool wait = true;
    std::chrono::milliseconds timeout{0};  // for all of it; 0: none
    int max_parallel = 0;                  // at a time; 0: the cluster's own limits decide
    int max_failures = 0;                  // so many may fail before no more are started
    bool cancel_on_timeout = false;
    bool cancel_on_interrupt = false;
    bool skip_blocked = false;  // in a batch: leave out what preflight blocks, migrate the others
    bool join = false;          // follow a migration that is in flight instead of refusing
    OutputFormat output = OutputFormat::table;  // all but wide

    bool operator==(const MigrateOptions&) const = default;
};

struct CancelOptions {
    ConnectionOptions connection{};
    std::vector<std::string> targets{};  // NAME, vm/NAME, vmi/NAME
    std::string selector{};              // -l
    bool all_namespaces = false;         // -A, or --node without -n
    std::string node{};                  // --node: VMs that run there
    DryRunMode dry_run = DryRunMode::none;
    bool wait = true;
    std::chrono::milliseconds timeout{300'000};  // for all of it; 0: none
    OutputFormat output = OutputFormat::table;   // all but wide

    bool operator==(const CancelOptions&) const = default;
};

}  // namespace commands
