#include "commands/selecting.hpp"

#include <ostream>
#include <syncstream>

#include "commands/text.hpp"

namespace commands {

kubeclient::Result<preflight::Selection> select_machines(const SelectionWords& words) {
    preflight::Selection selection;
    for (const auto& text : words.targets) {
        TRY_ASSIGN(target, preflight::parse_target(text));
        selection.targets.push_back(std::move(target));
    }
    TRY_ASSIGN(selector, preflight::parse_selector(words.selector));
    selection.selector = std::move(selector);
    selection.node = words.node;
    if (!words.all_namespaces) selection.ns = words.ns;
    return selection;
}

void in_namespace(preflight::Selection& selection, const SelectionWords& words,
                  const kubeclient::Target& target) {
    const bool everywhere = words.all_namespaces || !words.node.empty();
    if (selection.ns.empty() && !everywhere) selection.ns = target.ns;
}

std::string no_resources(const std::string& ns) {
    return ns.empty() ? "No resources found" : "No resources found in " + ns + " namespace.";
}

std::string describe_cluster(const kubeclient::Target& target) {
    const auto& server = target.server;
    const bool brackets = server.host.find(':') != std::string::npos;
    return std::string("cluster ") + (server.tls ? "https://" : "http://") +
           (brackets ? "[" + server.host + "]" : server.host) + ":" + std::to_string(server.port) +
           server.base_path;
}

std::function<void(const std::string&)> warning_sink(Environment& environment) {
    return [&err = environment.io.err](const std::string& warning) {
        std::osyncstream(err) << "Warning: " << warning << '\n';
    };
}

}  // namespace commands
