#include "cli/reading.hpp"

#include <algorithm>

#include "cli/words.hpp"

namespace cli {

using kubeclient::Result;
using kubeclient::Status;

Result<commands::ConnectionOptions> read_connection(const Reading& reading) {
    const Bound& bound = reading.bound;
    commands::ConnectionOptions options = bound.connection;
    if (!bound.ns.empty()) {
        TRY_ASSIGN(ns, namespace_name(bound.ns));
        options.ns = std::move(ns);
    }
    // Only when given: "false" then overrides the kubeconfig's "true".
    if (reading.tokens.value_of("insecure-skip-tls-verify").has_value()) {
        options.insecure_skip_tls_verify = bound.insecure;
    }
    TRY_ASSIGN(limit, request_timeout(bound.request_timeout));
    options.request_timeout = limit;
    TRY_ASSIGN(level, verbosity(bound.verbosity));
    options.verbosity = level;
    return options;
}

Result<std::vector<std::string>> read_targets(const Reading& reading) {
    std::vector<std::string> targets;
    for (const auto& word : reading.tokens.arguments) {
        TRY_ASSIGN(target, vm_target(word));
        targets.push_back(std::move(target));
    }
    return targets;
}

Result<std::vector<commands::Waiver>> read_waivers(const Reading& reading) {
    std::vector<commands::Waiver> all;
    for (const auto& word : reading.bound.ignore) {
        TRY_ASSIGN(some, waivers(word, reading.program));
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
}

Result<std::string> read_node(const Reading& reading) {
    if (!reading.tokens.value_of("node").has_value()) return std::string();
    return node_name(reading.bound.node);
}

Result<commands::OutputFormat> read_output(const Reading& reading) {
    const auto& flags = reading.verb.flags;
    const auto found = std::find_if(flags.begin(), flags.end(),
                                    [](const Flag& each) { return each.name == "output"; });
    return output_format(reading.bound.output, found == flags.end() ? "" : found->value);
}

// How kubectl forbids names beside selectors: cli-runtime pkg/resource/builder.go.
Status check_selection(const Reading& reading, const Selection& selection, std::string_view deed) {
    if (selection.named && selection.by_label) {
        return usage("name cannot be provided when a selector is specified");
    }
    if (selection.named && selection.everywhere) {
        return usage("a virtual machine cannot be retrieved by name across all namespaces",
                     "leave out -A, and give the namespace with -n");
    }
    if (selection.named && selection.by_node) {
        return usage(
            "name cannot be provided with --node",
            "leave out the name to " + std::string(deed) + " every virtual machine on the node");
    }
    if (!selection.named && !selection.by_label && !selection.everywhere && !selection.by_node &&
        !selection.from_files) {
        return usage("no virtual machine was named or selected",
                     "one of: " + reading.program + " " + std::string(reading.verb.words->name) +
                         " NAME..., -l SELECTOR, -A, --node NODE");
    }
    return kubeclient::Done{};
}

Status refuse_connection_flags(const Reading& reading, std::span<const std::string_view> harmless,
                               const std::string& where, const std::string& hint_end) {
    for (const auto& use : reading.tokens.flags) {
        const auto& name = use.flag->name;
        const auto same = [&](const Flag& flag) { return flag.name == name; };
        if (std::none_of(reading.line.global.begin(), reading.line.global.end(), same)) continue;
        if (std::find(harmless.begin(), harmless.end(), name) != harmless.end()) continue;
        return usage(use.as_typed + " has no meaning " + where,
                     "leave out " + use.as_typed + hint_end);
    }
    return kubeclient::Done{};
}

}  // namespace cli
