#include "commands/preflight.hpp"

#include <iterator>
#include <nlohmann/json.hpp>
#include <ostream>
#include <syncstream>

#include "commands/errors.hpp"
#include "commands/render_preflight_json.hpp"
#include "commands/render_preflight_table.hpp"
#include "commands/version.hpp"
#include "kubeclient/api.hpp"
#include "preflight/collect.hpp"
#include "preflight/judge.hpp"
#include "preflight/load.hpp"

namespace commands {
namespace {

using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Result;
using preflight::PreflightReport;
using preflight::Selection;

std::chrono::sys_seconds now(const Environment& environment) {
    return std::chrono::floor<std::chrono::seconds>(environment.system.now());
}

Result<Selection> select(const PreflightOptions& options) {
    Selection selection;
    for (const auto& text : options.targets) {
        TRY_ASSIGN(target, preflight::parse_target(text));
        selection.targets.push_back(std::move(target));
    }
    TRY_ASSIGN(selector, preflight::parse_selector(options.selector));
    selection.selector = std::move(selector);
    selection.node = options.node;
    if (!options.all_namespaces) selection.ns = options.connection.ns.value_or("");
    return selection;
}

Result<facts::Snapshot> read_files(const PreflightOptions& options, Environment& environment) {
    std::string text;
    if (options.from == "-") {
        text.assign(std::istreambuf_iterator<char>(environment.io.in), {});
        // Half of the input gives no verdict.
        if (environment.stop.stop_requested()) return Error{ErrorKind::canceled, "interrupted"};
    }
    return preflight::load_path(options.from, text, environment.system);
}

// A node's VMs are looked for in every namespace, unless one is named.
Result<facts::Snapshot> read_cluster(const PreflightOptions& options, Environment& environment,
                                     Selection& selection) {
    TRY_ASSIGN(connection, environment.connect(options.connection));
    const bool everywhere = options.all_namespaces || !options.node.empty();
    if (selection.ns.empty() && !everywhere) selection.ns = connection.target.ns;
    kubeclient::Api api(*connection.transport, [&](const std::string& warning) {
        std::osyncstream(environment.io.err) << "Warning: " << warning << '\n';
    });
    const auto& server = connection.target.server;
    const bool brackets = server.host.find(':') != std::string::npos;
    const std::string source = std::string("cluster ") + (server.tls ? "https://" : "http://") +
                               (brackets ? "[" + server.host + "]" : server.host) + ":" +
                               std::to_string(server.port) + server.base_path;
    return preflight::collect(api, selection, source, now(environment));
}

Result<PreflightReport> make_report(const PreflightOptions& options, Environment& environment) {
    TRY_ASSIGN(selection, select(options));
    TRY_ASSIGN(snapshot, options.from.empty() ? read_cluster(options, environment, selection)
                                              : read_files(options, environment));
    preflight::Terms terms;
    terms.fail_on_warning = options.fail_on_warning;
    if (environment.stop.stop_requested()) return Error{ErrorKind::canceled, "interrupted"};
    for (const auto& waiver : options.ignore)
        terms.waivers.push_back({waiver.check, waiver.target});
    auto report = preflight::judge(snapshot, selection, terms);
    const bool has_header =
        options.output == OutputFormat::table || options.output == OutputFormat::wide;
    if (!report.rules_note.empty() && !has_header) {
        report.notes.push_back("note: " + report.rules_note);
    }
    if (report.items.empty() && !report.error) {
        report.notes.push_back(selection.ns.empty()
                                   ? "No resources found"
                                   : "No resources found in " + selection.ns + " namespace.");
    }
    return report;
}

PreflightReport failed_report(const Error& error, const Environment& environment) {
    const auto code =
        error.kind == ErrorKind::canceled ? environment.interruption() : exit_code(error.kind);
    return error_report({std::string(to_string(error.kind)), error.message, hint_of(error)},
                        static_cast<int>(code), now(environment));
}

std::string render(const PreflightReport& report, const PreflightOptions& options,
                   const Environment& environment) {
    switch (options.output) {
        case OutputFormat::json:
            return render_preflight_json(report, tool_version());
        case OutputFormat::yaml:
            return render_preflight_yaml(report, tool_version());
        case OutputFormat::name:
            return render_preflight_names(report);
        case OutputFormat::table:
        case OutputFormat::wide:
        case OutputFormat::jsonl:  // other verbs' only
            break;
    }
    const auto& io = environment.io;
    TableStyle style{io.width,           io.colour,
                     io.unicode,         options.output == OutputFormat::wide,
                     options.no_headers, environment.program};
    return render_preflight_table(report, style);
}

}  // namespace

ExitCode run_preflight(const PreflightOptions& options, Environment& environment) {
    auto outcome = make_report(options, environment);
    const auto report =
        outcome.ok() ? std::move(outcome).value() : failed_report(outcome.error(), environment);
    auto& io = environment.io;
    io.out << render(report, options, environment);
    for (const auto& note : report.notes) io.err << note << '\n';
    if (report.error) {
        print_error(io.err, {{}, report.error->message, report.error->hint, 0});
    }
    return static_cast<ExitCode>(report.exit_code);
}

}  // namespace commands
