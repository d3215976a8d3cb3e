// Migration reports and events as documents of virt-handoff/v1. Pure.
#pragma once

#include <string>
#include <string_view>

#include "commands/options.hpp"
#include "recovery/report.hpp"

namespace commands {

// Kind MigrationReport, as JSON or YAML, with a line break at its end.
std::string render_migration_report(const recovery::MigrationReport& report,
                                    std::string_view tool_version, OutputFormat output);

// Kind MigrationEvent on one line, with its line break.
std::string render_migration_event(const recovery::MigrationEvent& event);

// The same of type "error": for a run that ended before there was anything to follow.
std::string render_migration_error_event(const recovery::MigrationReport& report);

}  // namespace commands
