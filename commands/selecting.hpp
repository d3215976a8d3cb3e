// Which VMs a command is about, and which cluster it asks: shared by the verbs that read one.
#pragma once

#include <string>
#include <vector>

#include "commands/environment.hpp"
#include "preflight/selection.hpp"

namespace commands {

// The words of the command line about VMs.
struct SelectionWords {
    std::vector<std::string> targets{};  // NAME, vm/NAME, vmi/NAME
    std::string selector{};              // -l
    bool all_namespaces = false;         // -A
    std::string node{};                  // --node
    std::string ns{};                    // -n; empty: not given
};

// Without a namespace where none was given: the connection's is filled in by in_namespace.
kubeclient::Result<preflight::Selection> select_machines(const SelectionWords& words);

// A node's VMs are looked for in every namespace, unless one is named.
void in_namespace(preflight::Selection& selection, const SelectionWords& words,
                  const kubeclient::Target& target);

// kubectl's words for an empty selection; an empty namespace is every one.
std::string no_resources(const std::string& ns);

// "cluster https://10.0.0.1:6443/prefix"
std::string describe_cluster(const kubeclient::Target& target);

// The source of warnings that a server sends: printed to standard error, one call at a time.
std::function<void(const std::string&)> warning_sink(Environment& environment);

}  // namespace commands
