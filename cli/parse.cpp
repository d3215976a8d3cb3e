#include "cli/parse.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "cli/complete.hpp"
#include "cli/help.hpp"
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

// What CLI11 writes into. Words that need more than copying are kept as typed until `to_…`.
struct Bound {
    commands::ConnectionOptions connection{};
    std::string ns{};
    std::string request_timeout = "0";
    std::string verbosity = "0";
    bool insecure = false;
    bool version = false;

    commands::PreflightOptions preflight{};
    std::vector<std::string> ignore{};
    std::string node{};
    std::string fail_on = "blocking";
    std::string output = "table";

    bool client_only = false;

    commands::LabOptions lab{};
    std::string nodes{};
    std::string machines = "6";
    std::string speed = "1x";
    std::string port = "0";
};

void add_text(CLI::App& app, const char* names, std::string& value, const char* type,
              const char* text) {
    app.add_option(names, value, text)->type_name(type)->take_last();
}

void add_list(CLI::App& app, const char* names, std::vector<std::string>& values, const char* type,
              const char* text) {
    // Without extra arguments CLI11 neither splits "[a,b]" nor takes what follows the value.
    app.add_option(names, values, text)
        ->type_name(type)
        ->expected(1)
        ->allow_extra_args(false)
        ->take_all();
}

void add_switch(CLI::App& app, const char* names, bool& value, const char* text) {
    app.add_flag(names, value, text)->take_last();
}

// kubectl's own flags, under the same names and letters (client-go tools/clientcmd/overrides.go,
// cli-runtime pkg/genericclioptions/config_flags.go).
void add_connection_flags(CLI::App& app, Bound& bound) {
    auto& to = bound.connection;
    add_text(app, "--as", to.as, "USER", "User to impersonate; may be a service account.");
    add_list(app, "--as-group", to.as_group, "GROUP", "Group to impersonate; may be repeated.");
    add_text(app, "--as-uid", to.as_uid, "UID", "UID to impersonate.");
    add_text(app, "--certificate-authority", to.certificate_authority, "FILE",
             "Certificates of the authorities that may vouch for the server.");
    add_text(app, "--client-certificate", to.client_certificate, "FILE", "Client certificate.");
    add_text(app, "--client-key", to.client_key, "FILE", "Key of the client certificate.");
    add_text(app, "--cluster", to.cluster, "NAME", "Cluster of the kubeconfig to use.");
    add_text(app, "--context", to.context, "NAME", "Context of the kubeconfig to use.");
    add_switch(app, "--disable-compression", to.disable_compression,
               "Ask the server for uncompressed replies.");
    add_switch(app, "--insecure-skip-tls-verify", bound.insecure,
               "Do not check who the server is. This makes the connection insecure.");
    add_text(app, "--kubeconfig", to.kubeconfig, "FILE",
             "The kubeconfig file; without it the files of $KUBECONFIG, then ~/.kube/config.");
    add_text(app, "-n,--namespace", bound.ns, "NAME", "Namespace; without it the context's own.");
    add_text(app, "--password", to.password, "PASSWORD", "Password for basic authentication.");
    add_text(app, "--proxy-url", to.proxy_url, "URL",
             "Proxy to reach the server through; wins over kubeconfig and environment.");
    add_text(app, "--request-timeout", bound.request_timeout, "TIME",
             "Longest time for one request: seconds, or with units as in 30s or 1m30s. "
             "0, the default, leaves only the limits for connecting and for the first reply.");
    add_text(app, "-s,--server", to.server, "URL", "Address of the Kubernetes API server.");
    add_text(app, "--tls-server-name", to.tls_server_name, "NAME",
             "Name that the server's certificate must carry, if not the host's.");
    add_text(app, "--token", to.token, "TOKEN", "Bearer token.");
    add_text(app, "--user", to.user, "NAME", "User of the kubeconfig to use.");
    add_text(app, "--username", to.username, "NAME", "User name for basic authentication.");
    add_text(app, "-v,--v", bound.verbosity, "N",
             "How much to say about requests on standard error: 6 each request, 7 and 8 their "
             "headers, 8 and 9 bodies. Secrets are never shown.");
    add_switch(app, "--version", bound.version, "The same as the command 'version --client'.");
}

void add_preflight(CLI::App& app, Bound& bound) {
    auto& to = bound.preflight;
    add_switch(app, "-A,--all-namespaces", to.all_namespaces,
               "The virtual machines of all namespaces.");
    add_text(
        app, "--fail-on", bound.fail_on, "blocking|warning",
        "The least grave finding that makes the exit code other than 0; blocking unless given.");
    add_text(app, "--from", to.from, "PATH",
             "Judge files instead of a cluster: a YAML or JSON file, a folder of them, or - for "
             "standard input. Flags that choose a cluster or a user are refused beside it.");
    add_list(app, "--ignore", bound.ignore, "CHECK[=[NS/]VM]",
             "Accept what a check finds, for every virtual machine or for one; it stays visible as "
             "waived. May be repeated, or list several with commas.");
    add_switch(app, "--no-headers", to.no_headers, "No headers in tables.");
    add_text(app, "--node", bound.node, "NODE",
             "The virtual machines that run on this node, in all namespaces unless -n is given.");
    add_text(app, "-o,--output", bound.output, "table|wide|json|yaml|name",
             "Output format; table unless given.");
    add_text(app, "-l,--selector", to.selector, "SELECTOR",
             "The virtual machines with these labels, as in app=web,tier!=test.");
}

void add_explain(CLI::App& app, Bound& bound) {
    add_text(app, "-o,--output", bound.output, "table|json|yaml",
             "Output format; table unless given.");
}

void add_lab(CLI::App& app, Bound& bound) {
    auto& to = bound.lab;
    add_text(app, "--kubeconfig-out", to.kubeconfig_out, "FILE",
             "Where to write the kubeconfig; without it a folder of its own. A file that no lab "
             "wrote is left alone.");
    add_switch(app, "--list", to.list, "Only list the scenarios.");
    add_text(app, "--nodes", bound.nodes, "N",
             "How many nodes; without it as many as the virtual machines need, at least 3.");
    add_text(app, "--port", bound.port, "N",
             "The port to listen on, on 127.0.0.1; a free one unless given.");
    add_text(app, "--speed", bound.speed, "TIMES",
             "How fast time passes, as in 10x; 1x unless given. With 0x it stands still, and "
             "nothing happens, but when admin posts to /lab/advance?seconds=N.");
    add_text(app, "--vms", bound.machines, "N",
             "How many virtual machines, up to 10000; 6 unless given.");
}

void add_version(CLI::App& app, Bound& bound) {
    add_switch(app, "--client", bound.client_only, "This tool's own version only.");
    add_text(app, "-o,--output", bound.output, "table|json|yaml",
             "Output format; table unless given.");
}

// The definitions; `bound` must outlive the app.
void define(CLI::App& app, Bound& bound) {
    app.set_help_flag();
    app.fallthrough();
    app.require_subcommand(0, 1);
    add_connection_flags(app, bound);
    for (const auto& words : verb_texts()) {
        CLI::App* verb = app.add_subcommand(std::string(words.name), std::string(words.summary));
        verb->set_help_flag();
    }
    add_preflight(*app.get_subcommand("preflight"), bound);
    add_explain(*app.get_subcommand("explain"), bound);
    add_lab(*app.get_subcommand("lab"), bound);
    add_version(*app.get_subcommand("version"), bound);
}

std::vector<Flag> flags_of(const CLI::App& app) {
    std::vector<Flag> flags;
    for (const CLI::Option* option : app.get_options()) {
        Flag flag{option->get_lnames().front(), '\0', "", option->get_description()};
        if (!option->get_snames().empty()) flag.letter = option->get_snames().front().front();
        if (option->get_expected_max() > 0) flag.value = option->get_type_name();
        flags.push_back(std::move(flag));
    }
    return flags;
}

CommandLine describe(CLI::App& app) {
    CommandLine line;
    for (const auto& words : verb_texts()) {
        line.verbs.push_back({&words, flags_of(*app.get_subcommand(std::string(words.name)))});
    }
    line.global = flags_of(app);
    return line;
}

Error usage(std::string message, std::string hint = "") {
    return Error{ErrorKind::usage, std::move(message), std::move(hint)};
}

// The flags of one command line in a form that CLI11 cannot misread, written backwards as it wants
// them. Arguments are not its business: it would take a VM named "version" for a verb.
std::vector<std::string> canonical(const Tokens& tokens) {
    std::vector<std::string> words{tokens.verb};
    for (const auto& use : tokens.flags) {
        const std::string name = "--" + use.flag->name;
        if (use.flag->is_switch()) {
            words.push_back(name + "=" + use.value);
        } else {
            words.insert(words.end(), {name, use.value});
        }
    }
    std::reverse(words.begin(), words.end());
    return words;
}

// The list of a flag's values, "table|json|yaml".
std::string value_list(const Verb& verb, std::string_view flag) {
    const auto found = std::find_if(verb.flags.begin(), verb.flags.end(),
                                    [&](const Flag& each) { return each.name == flag; });
    return found == verb.flags.end() ? "" : found->value;
}

Result<commands::ConnectionOptions> to_connection(const Bound& bound, const Tokens& tokens) {
    commands::ConnectionOptions options = bound.connection;
    if (!bound.ns.empty()) {
        TRY_ASSIGN(ns, namespace_name(bound.ns));
        options.ns = std::move(ns);
    }
    // Only when given: "false" then overrides the kubeconfig's "true".
    if (tokens.value_of("insecure-skip-tls-verify").has_value()) {
        options.insecure_skip_tls_verify = bound.insecure;
    }
    TRY_ASSIGN(limit, request_timeout(bound.request_timeout));
    options.request_timeout = limit;
    TRY_ASSIGN(level, verbosity(bound.verbosity));
    options.verbosity = level;
    return options;
}

// One command line on its way to an Invocation.
struct Reading {
    const CommandLine& line;
    const Verb& verb;
    const Tokens& tokens;
    Bound& bound;
    const std::string& program;
};

// Flags that choose a cluster or a user say that a cluster is meant, where none is asked. `where`
// and `hint_end` are the words for why.
kubeclient::Status refuse_connection_flags(const Reading& reading,
                                           std::span<const std::string_view> harmless,
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

// How kubectl forbids names beside selectors: cli-runtime pkg/resource/builder.go.
kubeclient::Status check_selection(const commands::PreflightOptions& options,
                                   const std::string& program) {
    const bool named = !options.targets.empty();
    if (named && !options.selector.empty()) {
        return usage("name cannot be provided when a selector is specified");
    }
    if (named && options.all_namespaces) {
        return usage("a virtual machine cannot be retrieved by name across all namespaces",
                     "leave out -A, and give the namespace with -n");
    }
    if (named && !options.node.empty()) {
        return usage("name cannot be provided with --node",
                     "leave out the name to judge every virtual machine on the node");
    }
    if (!named && options.selector.empty() && !options.all_namespaces && options.node.empty() &&
        options.from.empty()) {
        return usage("no virtual machine was named or selected",
                     "one of: " + program + " preflight NAME..., -l SELECTOR, -A, --node NODE");
    }
    return kubeclient::Done{};
}

Result<Invocation> to_preflight(const Reading& reading) {
    auto& bound = reading.bound;
    commands::PreflightOptions options = std::move(bound.preflight);
    TRY_ASSIGN(connection, to_connection(bound, reading.tokens));
    options.connection = std::move(connection);
    for (const auto& word : reading.tokens.arguments) {
        TRY_ASSIGN(target, vm_target(word));
        options.targets.push_back(std::move(target));
    }
    for (const auto& word : bound.ignore) {
        TRY_ASSIGN(some, waivers(word, reading.program));
        options.ignore.insert(options.ignore.end(), some.begin(), some.end());
    }
    if (reading.tokens.value_of("node").has_value()) {
        TRY_ASSIGN(node, node_name(bound.node));
        options.node = std::move(node);
    }
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
    TRY_ASSIGN(output, output_format(bound.output, value_list(reading.verb, "output")));
    options.output = output;
    TRY(check_selection(options, reading.program));
    // Who empties a node means every VM on it, and who gives files means all that is in them.
    const bool chosen = !options.targets.empty() || !options.selector.empty();
    const bool everywhere = !options.node.empty() || (!options.from.empty() && !chosen);
    if (everywhere && !options.connection.ns.has_value()) options.all_namespaces = true;
    return Invocation{std::move(options)};
}

Result<Invocation> to_explain(const Reading& reading) {
    commands::ExplainOptions options;
    if (!reading.tokens.arguments.empty()) options.check = reading.tokens.arguments.front();
    TRY_ASSIGN(output, output_format(reading.bound.output, value_list(reading.verb, "output")));
    options.output = output;
    return Invocation{std::move(options)};
}

Result<Invocation> to_lab(const Reading& reading) {
    constexpr std::array<std::string_view, 1> harmless{"v"};
    TRY(refuse_connection_flags(reading, harmless, "for lab: it makes a cluster of its own",
                                "; --kubeconfig-out says where its kubeconfig goes"));
    auto& bound = reading.bound;
    commands::LabOptions options = std::move(bound.lab);
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
    TRY_ASSIGN(connection, to_connection(reading.bound, reading.tokens));
    options.connection = std::move(connection);
    options.client_only = reading.bound.client_only;
    TRY_ASSIGN(output, output_format(reading.bound.output, value_list(reading.verb, "output")));
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
    if (name == "explain") return to_explain(reading);
    if (name == "lab") return to_lab(reading);
    if (name == "version") return to_version(reading);
    if (name == "completion") return to_completion(reading);
    if (name == "options") return Invocation{commands::ShowText{render_options(reading.line)}};
    return to_help(reading);
}

Result<Invocation> read(const Tokens& tokens, const CommandLine& line, CLI::App& app, Bound& bound,
                        const std::string& program) {
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
    try {
        app.parse(canonical(tokens));
    } catch (const CLI::ParseError& problem) {
        return usage(problem.what());
    }
    return to_invocation({line, *verb, tokens, bound, program});
}

// "-o json" in any spelling, whatever else is wrong; the table where it is no format.
commands::OutputFormat asked_output(const Tokens& tokens) {
    const auto word = tokens.value_of("output");
    const auto format = output_format(word.value_or("table"), "table|wide|json|yaml|name");
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

    Bound bound;
    CLI::App app;
    define(app, bound);
    const CommandLine line = describe(app);
    if (!words.empty() && words.front() == "__complete") {
        return Invocation{commands::ShowText{complete(std::span(words).subspan(1), line)}};
    }
    const Tokens tokens = read_tokens(words, line);
    auto invocation = read(tokens, line, app, bound, program);
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

CommandLine describe_command_line() {
    Bound bound;
    CLI::App app;
    define(app, bound);
    return describe(app);
}

}  // namespace cli
