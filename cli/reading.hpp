// What the verbs share on the way from a command line to an Invocation. Every error is of kind
// usage. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/definitions.hpp"
#include "cli/tokens.hpp"
#include "commands/options.hpp"
#include "kubeclient/result.hpp"

namespace cli {

// One command line on its way to an Invocation. Refers to what parse() holds.
struct Reading {
    const CommandLine& line;
    const Verb& verb;
    const Tokens& tokens;
    const Bound& bound;
    const std::string& program;
};

// The flags that every verb takes.
kubeclient::Result<commands::ConnectionOptions> read_connection(const Reading& reading);

// The arguments as virtual machines.
kubeclient::Result<std::vector<std::string>> read_targets(const Reading& reading);

// All values of --ignore.
kubeclient::Result<std::vector<commands::Waiver>> read_waivers(const Reading& reading);

// --node; empty when it was not given.
kubeclient::Result<std::string> read_node(const Reading& reading);

// -o, one of those that the verb offers.
kubeclient::Result<commands::OutputFormat> read_output(const Reading& reading);

// Puts the virtual machines that were chosen into `options`: targets, selector, all_namespaces and
// node. Nothing is checked.
template <class Options>
kubeclient::Status read_selection(const Reading& reading, Options& options) {
    TRY_ASSIGN(targets, read_targets(reading));
    options.targets = std::move(targets);
    TRY_ASSIGN(node, read_node(reading));
    options.node = std::move(node);
    options.selector = reading.bound.selector;
    options.all_namespaces = reading.bound.all_namespaces;
    return kubeclient::Done{};
}

// How the virtual machines were chosen.
struct Selection {
    bool named = false;
    bool by_label = false;
    bool everywhere = false;  // -A
    bool by_node = false;
    bool from_files = false;
};

template <class Options>
Selection selection_of(const Options& options) {
    return {.named = !options.targets.empty(),
            .by_label = !options.selector.empty(),
            .everywhere = options.all_namespaces,
            .by_node = !options.node.empty()};
}

// Refuses what contradicts itself, and what chooses nothing. `deed` is what the verb does, as in
// "judge every virtual machine on the node".
kubeclient::Status check_selection(const Reading& reading, const Selection& selection,
                                   std::string_view deed);

// Flags that choose a cluster or a user say that a cluster is meant, where none is asked. `where`
// and `hint_end` are the words for why.
kubeclient::Status refuse_connection_flags(const Reading& reading,
                                           std::span<const std::string_view> harmless,
                                           const std::string& where, const std::string& hint_end);

}  // namespace cli
