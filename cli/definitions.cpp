#include "cli/definitions.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/words.hpp"

namespace cli {

namespace {

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

void add_selection(CLI::App& app, Bound& bound) {
    add_switch(app, "-A,--all-namespaces", bound.all_namespaces,
               "The virtual machines of all namespaces.");
    add_text(app, "--node", bound.node, "NODE",
             "The virtual machines that run on this node, in all namespaces unless -n is given.");
    add_text(app, "-l,--selector", bound.selector, "SELECTOR",
             "The virtual machines with these labels, as in app=web,tier!=test.");
}

void add_ignore(CLI::App& app, Bound& bound) {
    add_list(app, "--ignore", bound.ignore, "CHECK[=[NS/]VM]",
             "Accept what a check finds, for every virtual machine or for one; it stays visible as "
             "waived. May be repeated, or list several with commas.");
}

void add_preflight(CLI::App& app, Bound& bound) {
    auto& to = bound.preflight;
    add_selection(app, bound);
    add_text(
        app, "--fail-on", bound.fail_on, "blocking|warning",
        "The least grave finding that makes the exit code other than 0; blocking unless given.");
    add_text(app, "--from", to.from, "PATH",
             "Judge files instead of a cluster: a YAML or JSON file, a folder of them, or - for "
             "standard input. Flags that choose a cluster or a user are refused beside it.");
    add_ignore(app, bound);
    add_switch(app, "--no-headers", to.no_headers, "No headers in tables.");
    add_text(app, "-o,--output", bound.output, "table|wide|json|yaml|name",
             "Output format; table unless given.");
}

// How work at the server is begun and waited for: kubectl's flags of `delete`.
void add_work(CLI::App& app, Bound& bound, const char* wait, const char* timeout) {
    // The default string is what the flag means without a value: see flags_of().
    app.add_option("--dry-run", bound.dry_run,
                   "client, also without a value: only say what would be done. server: ask the "
                   "server whether it would, too, and let it keep nothing. none, the default, "
                   "does it.")
        ->type_name("none|client|server")
        ->default_str("client")
        ->take_last();
    add_text(app, "-o,--output", bound.output, "table|json|yaml|jsonl|name",
             "Output format; table unless given. With jsonl one JSON document per line tells each "
             "change as it comes.");
    add_text(app, "--timeout", bound.timeout, "TIME", timeout);
    add_switch(app, "--wait", bound.wait, wait);
}

void add_migrate(CLI::App& app, Bound& bound) {
    auto& to = bound.migrate;
    add_selection(app, bound);
    add_switch(app, "--cancel-on-interrupt", to.cancel_on_interrupt,
               "Cancel what is not finished on Ctrl-C or SIGTERM. Without it, work goes on at the "
               "server.");
    add_switch(app, "--cancel-on-timeout", to.cancel_on_timeout,
               "Cancel what is not finished when --timeout is over. Without it, work goes on at "
               "the server.");
    add_ignore(app, bound);
    add_switch(app, "--join", to.join,
               "Follow a migration that is already on its way, instead of refusing to start a "
               "second one.");
    add_text(app, "--max-failures", bound.max_failures, "N",
             "How many migrations may fail before no more are started; 0 unless given: none after "
             "the first failure.");
    add_text(app, "--max-parallel", bound.max_parallel, "N",
             "How many migrations to have on their way at a time; without it the cluster's own "
             "limits decide, and it queues the others.");
    add_list(app, "--node-selector", bound.node_selector, "KEY=VALUE",
             "Go only to a node with this label. May be repeated, or list several with commas.");
    add_switch(app, "--skip-blocked", to.skip_blocked,
               "Where several virtual machines are migrated: leave out those that preflight "
               "blocks, and migrate the others.");
    add_text(app, "--to", bound.to, "NODE",
             "Go to this node. A virtual machine that runs there already is left alone.");
    add_work(app, bound,
             "Follow the migrations to their end; true unless given. With --wait=false they are "
             "only started.",
             "The longest time for all of it, as in 90s or 1h30m; no limit unless given, and with "
             "0. The exit code is 5 when it is over.");
}

void add_cancel(CLI::App& app, Bound& bound) {
    add_selection(app, bound);
    add_work(app, bound,
             "Wait until the migrations have ended; true unless given. With --wait=false they are "
             "only asked to.",
             "The longest time to wait for all of it, as in 90s or 1h30m; 5m unless given, no "
             "limit with 0. The exit code is 5 when it is over.");
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
    add_migrate(*app.get_subcommand("migrate"), bound);
    add_cancel(*app.get_subcommand("cancel"), bound);
    add_explain(*app.get_subcommand("explain"), bound);
    add_lab(*app.get_subcommand("lab"), bound);
    add_version(*app.get_subcommand("version"), bound);
}

std::vector<Flag> flags_of(const CLI::App& app) {
    std::vector<Flag> flags;
    for (const CLI::Option* option : app.get_options()) {
        Flag flag{option->get_lnames().front(), '\0', "", option->get_description()};
        if (!option->get_snames().empty()) flag.letter = option->get_snames().front().front();
        if (option->get_expected_max() > 0) {
            flag.value = option->get_type_name();
            flag.alone = option->get_default_str();
        }
        flags.push_back(std::move(flag));
    }
    std::sort(flags.begin(), flags.end(),
              [](const Flag& a, const Flag& b) { return a.name < b.name; });
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

}  // namespace

CommandLine describe_command_line() {
    Bound bound;
    CLI::App app;
    define(app, bound);
    return describe(app);
}

kubeclient::Result<Bound> bind(const Tokens& tokens) {
    Bound bound;
    CLI::App app;
    define(app, bound);
    try {
        app.parse(canonical(tokens));
    } catch (const CLI::ParseError& problem) {
        return usage(problem.what());
    }
    return bound;
}

}  // namespace cli
