#include "cli/run.hpp"

#include <chrono>
#include <ostream>
#include <string>
#include <variant>

#include "cli/connect.hpp"
#include "cli/parse.hpp"
#include "commands/cancel.hpp"
#include "commands/errors.hpp"
#include "commands/explain.hpp"
#include "commands/lab.hpp"
#include "commands/migrate.hpp"
#include "commands/preflight.hpp"
#include "commands/render_migration_json.hpp"
#include "commands/render_preflight_json.hpp"
#include "commands/version.hpp"
#include "kubeclient/json.hpp"

namespace cli {

namespace {

using commands::ExitCode;

// Preflight has one shape for everything, so also for the words that it could not understand.
std::string preflight_document(const Refusal& refusal, ExitCode code,
                               std::chrono::system_clock::time_point now) {
    const auto report = commands::error_report(
        {std::string(commands::to_string(refusal.error.kind)), refusal.error.message,
         refusal.error.hint},
        static_cast<int>(code), std::chrono::floor<std::chrono::seconds>(now));
    return refusal.output == commands::OutputFormat::yaml
               ? commands::render_preflight_yaml(report, commands::tool_version())
               : commands::render_preflight_json(report, commands::tool_version());
}

// A MigrationReport without items: what `migrate` and `cancel` print of a line that could not be
// understood. With -o jsonl nothing has happened, and there is no event to tell of.
std::string migration_document(const Refusal& refusal, ExitCode code,
                               std::chrono::system_clock::time_point now) {
    recovery::MigrationReport report;
    report.verb = refusal.verb;
    report.taken_at = std::chrono::floor<std::chrono::seconds>(now);
    report.exit_code = static_cast<int>(code);
    report.error = {std::string(commands::to_string(refusal.error.kind)), refusal.error.message,
                    commands::hint_of(refusal.error)};
    return commands::render_migration_report(report, commands::tool_version(), refusal.output);
}

// Whoever asked for JSON or YAML gets one document on standard output, whatever went wrong.
ExitCode refuse(const Refusal& refusal, commands::Environment& environment) {
    auto& io = environment.io;
    const auto code = commands::exit_code(refusal.error.kind);
    commands::print_error(io.err, refusal.error);
    const bool document = commands::is_document(refusal.output);
    if (document && refusal.verb == "preflight") {
        io.out << preflight_document(refusal, code, environment.system.now());
    } else if (document && (refusal.verb == "migrate" || refusal.verb == "cancel")) {
        io.out << migration_document(refusal, code, environment.system.now());
    } else {
        io.out << commands::render_error(refusal.error, refusal.output);
    }
    return code;
}

struct Runner {
    commands::Environment& environment;

    ExitCode operator()(const commands::PreflightOptions& options) const {
        return commands::run_preflight(options, environment);
    }
    ExitCode operator()(const commands::MigrateOptions& options) const {
        return commands::run_migrate(options, environment);
    }
    ExitCode operator()(const commands::CancelOptions& options) const {
        return commands::run_cancel(options, environment);
    }
    ExitCode operator()(const commands::ExplainOptions& options) const {
        return commands::run_explain(options, environment);
    }
    ExitCode operator()(const commands::LabOptions& options) const {
        return commands::run_lab(options, environment);
    }
    ExitCode operator()(const commands::VersionOptions& options) const {
        return commands::run_version(options, environment);
    }
    ExitCode operator()(const commands::ShowText& show) const {
        environment.io.out << show.text;
        return ExitCode::done;
    }
};

}  // namespace

ExitCode run(std::span<const char* const> argv, commands::Environment& environment) {
    environment.program = program_name(argv.empty() ? "" : argv.front());
    environment.connect = make_connect(environment);
    const ParseOutcome outcome = parse(argv);
    if (const auto* refusal = std::get_if<Refusal>(&outcome)) return refuse(*refusal, environment);
    const auto& invocation = std::get<commands::Invocation>(outcome);
    const auto code = std::visit(Runner{environment}, invocation);
    // These stand by what they began, and say themselves how they ended.
    const bool exact = std::holds_alternative<commands::MigrateOptions>(invocation) ||
                       std::holds_alternative<commands::CancelOptions>(invocation);
    // What was read until then may be half of it: no verdict stands on that.
    return environment.stop.stop_requested() && !exact ? ExitCode::interrupted : code;
}

}  // namespace cli
