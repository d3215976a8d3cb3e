#include "cli/parse.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "cli/complete.hpp"
#include "cli/definitions.hpp"
#include "cli/help.hpp"
#include "cli/parse_migrations.hpp"
#include "cli/reading.hpp"
#include "cli/tokens.hpp"
#include "cli/words.hpp"
#include "commands/suggest.hpp"
#include "commands/text.hpp"

namespace cli {

namespace {

using commands::Invocation;
using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Result;

Result<Invocation> to_preflight(const Reading& reading) {
    const auto& bound = reading.bound;
    commands::PreflightOptions options = bound.preflight;
    TRY_ASSIGN(connection, read_connection(reading));
    options.connection = std::move(connection);
    TRY(read_selection(reading, options));
    TRY_ASSIGN(ignore, read_waivers(reading));
    options.ignore = std::move(ignore);
    if (reading.tokens.value_of("from").has_value()) {
        if (options.from.empty()) return usage("--from needs a path", "give a file, a folder or -");
        constexpr std::array<std::string_view, 3> harmless{"namespace", "request-timeout", "v"};
        TRY(refuse_connection_flags(reading, harmless, "with --from: files are read, no cluster",
                                    " or --from"));
    }
    if (bound.fail_on != "blocking" && bound.fail_on != "warning") {
        return usage("invalid argument " + commands::quoted(bound.fail_on) + " for --fail-on",
                     "write --fail-on=blocking or --fail-on=warning");
    }
    options.fail_on_warning = bound.fail_on == "warning";
    TRY_ASSIGN(output, read_output(reading));
    options.output = output;
    const bool chosen = !options.targets.empty() || !options.selector.empty();
    Selection selection = selection_of(options);
    selection.from_files = !options.from.empty();
    TRY(check_selection(reading, selection, "judge"));
    // Who empties a node means every VM on it, and who gives files means all that is in them.
    const bool everywhere = !options.node.empty() || (!options.from.empty() && !chosen);
    if (everywhere && !options.connection.ns.has_value()) options.all_namespaces = true;
    return Invocation{std::move(options)};
}

Result<Invocation> to_explain(const Reading& reading) {
    commands::ExplainOptions options;
    if (!reading.tokens.arguments.empty()) options.check = reading.tokens.arguments.front();
    TRY_ASSIGN(output, read_output(reading));
    options.output = output;
    return Invocation{std::move(options)};
}

Result<Invocation> to_lab(const Reading& reading) {
    constexpr std::array<std::string_view, 1> harmless{"v"};
    TRY(refuse_connection_flags(reading, harmless, "for lab: it makes a cluster of its own",
                                "; --kubeconfig-out says where its kubeconfig goes"));
    const auto& bound = reading.bound;
    commands::LabOptions options = bound.lab;
    if (!reading.tokens.arguments.empty()) options.scenario = reading.tokens.arguments.front();
    if (!bound.nodes.empty()) {
        TRY_ASSIGN(nodes, whole_number(bound.nodes, "--nodes", 1, 1000));
        options.nodes = nodes;
    }
    TRY_ASSIGN(machines, whole_number(bound.machines, "--vms", 0, 10000));
    options.machines = machines;
    TRY_ASSIGN(times, speed(bound.speed));
    options.speed = times;
    TRY_ASSIGN(port, whole_number(bound.port, "--port", 0, 65535));
    options.port = port;
    if (reading.tokens.value_of("kubeconfig-out") == "") {
        return usage("--kubeconfig-out needs a path");
    }
    return Invocation{std::move(options)};
}

Result<Invocation> to_version(const Reading& reading) {
    commands::VersionOptions options;
    TRY_ASSIGN(connection, read_connection(reading));
    options.connection = std::move(connection);
    options.client_only = reading.bound.client_only;
    TRY_ASSIGN(output, read_output(reading));
    options.output = output;
    return Invocation{std::move(options)};
}

Result<Invocation> to_completion(const Reading& reading) {
    const auto& arguments = reading.tokens.arguments;
    const std::string shell = arguments.empty() ? "" : arguments.front();
    const std::string script = completion_script(shell);
    if (!script.empty()) return Invocation{commands::ShowText{script}};
    return usage(shell.empty() ? "no shell was named" : "unknown shell " + commands::quoted(shell),
                 "one of: bash, zsh, fish");
}

Error unknown_command(const std::string& word, const CommandLine& line,
                      const std::string& program) {
    std::vector<std::string_view> names;
    for (const auto& verb : line.verbs) names.push_back(verb.words->name);
    const auto name = commands::nearest(word, names);
    return usage("unknown command " + commands::quoted(word) + " for " + commands::quoted(program),
                 name.has_value() ? "did you mean " + commands::quoted(*name) + "?" : "");
}

Result<Invocation> to_help(const Reading& reading) {
    const auto& arguments = reading.tokens.arguments;
    if (arguments.empty()) {
        return Invocation{commands::ShowText{render_help(reading.line, reading.program)}};
    }
    const Verb* verb = reading.line.find(arguments.front());
    if (verb == nullptr) return unknown_command(arguments.front(), reading.line, reading.program);
    return Invocation{commands::ShowText{render_verb_help(*verb, reading.program)}};
}

kubeclient::Status check_arguments(const Reading& reading) {
    const auto& words = *reading.verb.words;
    const auto& arguments = reading.tokens.arguments;
    const bool many = words.arguments.find("...") != std::string_view::npos;
    const std::size_t most = words.arguments.empty() ? 0 : 1;
    if (many || arguments.size() <= most) return kubeclient::Done{};
    return usage("unexpected argument " + commands::quoted(arguments[most]) + " for " +
                 commands::quoted(words.name));
}

Result<Invocation> to_invocation(const Reading& reading) {
    TRY(check_arguments(reading));
    const auto name = reading.verb.words->name;
    if (name == "preflight") return to_preflight(reading);
    if (name == "migrate") return to_migrate(reading);
    if (name == "cancel") return to_cancel(reading);
    if (name == "explain") return to_explain(reading);
    if (name == "lab") return to_lab(reading);
    if (name == "version") return to_version(reading);
    if (name == "completion") return to_completion(reading);
    if (name == "options") return Invocation{commands::ShowText{render_options(reading.line)}};
    return to_help(reading);
}

Result<Invocation> read(const Tokens& tokens, const CommandLine& line, const std::string& program) {
    const Verb* verb = line.find(tokens.verb);
    if (tokens.help || (tokens.verb.empty() && tokens.flags.empty() && !tokens.problem)) {
        return Invocation{commands::ShowText{verb == nullptr ? render_help(line, program)
                                                             : render_verb_help(*verb, program)}};
    }
    if (tokens.problem.has_value()) return *tokens.problem;
    if (tokens.value_of("version") == "true") {
        return Invocation{commands::VersionOptions{.client_only = true}};
    }
    if (tokens.verb.empty()) return usage("no command was given");
    if (verb == nullptr) return unknown_command(tokens.verb, line, program);
    TRY_ASSIGN(bound, bind(tokens));
    return to_invocation({line, *verb, tokens, bound, program});
}

// "-o json" in any spelling, whatever else is wrong; the table where it is no format.
commands::OutputFormat asked_output(const Tokens& tokens) {
    const auto word = tokens.value_of("output");
    const auto format = output_format(word.value_or("table"), "table|wide|json|yaml|name|jsonl");
    return format.ok() ? *format : commands::OutputFormat::table;
}

Refusal refuse(Error error, const Tokens& tokens, const CommandLine& line,
               const std::string& program) {
    const Verb* verb = line.find(tokens.verb);
    const std::string name = verb == nullptr ? "" : tokens.verb;
    error.message = commands::printable(error.message);  // it may quote any word
    if (!error.hint.empty()) error.hint += "\n";
    error.hint += "see '" + program + (name.empty() ? "" : " " + name) + " --help' for usage";
    return {std::move(error), name, asked_output(tokens)};
}

}  // namespace

ParseOutcome parse(std::span<const char* const> argv) {
    const std::string program = program_name(argv.empty() ? "" : argv.front());
    std::vector<std::string> words;
    for (const char* word : argv.subspan(argv.empty() ? 0 : 1)) words.emplace_back(word);

    const CommandLine line = describe_command_line();
    if (!words.empty() && words.front() == "__complete") {
        return Invocation{commands::ShowText{complete(std::span(words).subspan(1), line)}};
    }
    const Tokens tokens = read_tokens(words, line);
    auto invocation = read(tokens, line, program);
    if (invocation.ok()) return std::move(invocation).value();
    return refuse(invocation.error(), tokens, line, program);
}

std::string program_name(std::string_view argv0) {
    constexpr std::string_view plugin = "kubectl-";
    const auto slash = argv0.rfind('/');
    std::string name(slash == std::string_view::npos ? argv0 : argv0.substr(slash + 1));
    if (!name.starts_with(plugin)) return "virt-handoff";
    for (char& c : name) {
        if (c == '-') {
            c = ' ';
        } else if (c == '_') {
            c = '-';
        }
    }
    return name;
}

}  // namespace cli
