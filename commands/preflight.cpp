#include "commands/preflight.hpp"

#include <iterator>
#include <ostream>

#include "commands/errors.hpp"
#include "commands/render_preflight_json.hpp"
#include "commands/render_preflight_table.hpp"
#include "commands/selecting.hpp"
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

SelectionWords words_of(const PreflightOptions& options) {
    return {options.targets, options.selector, options.all_namespaces, options.node,
            options.connection.ns.value_or("")};
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

Result<facts::Snapshot> read_cluster(const PreflightOptions& options, Environment& environment,
                                     Selection& selection) {
    TRY_ASSIGN(connection, environment.connect(options.connection));
    in_namespace(selection, words_of(options), connection.target);
    kubeclient::Api api(*connection.transport, warning_sink(environment));
    return preflight::collect(api, selection, describe_cluster(connection.target),
                              now(environment));
}

Result<PreflightReport> make_report(const PreflightOptions& options, Environment& environment) {
    TRY_ASSIGN(selection, select_machines(words_of(options)));
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
        report.notes.push_back(no_resources(selection.ns));
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
        case OutputFormat::jsonl:  // the parser lets it through for migrations alone
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
