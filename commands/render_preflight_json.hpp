// The PreflightReport document, virt-handoff/v1: one shape for one VM, thousands, or an error
// before anything was read. Every key is always there, null where nothing is known. Pure.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "preflight/report.hpp"

namespace commands {

// The whole document, indented, with a line break at its end. Bytes that are no UTF-8 are
// replaced. Memory beyond the result is that of one item.
std::string render_preflight_json(const preflight::PreflightReport& report,
                                  std::string_view tool_version);

// The same document as YAML in the form that kubectl prints. Members are sorted, save that the
// items stand after those that say what was asked.
std::string render_preflight_yaml(const preflight::PreflightReport& report,
                                  std::string_view tool_version);

// The report of a command that failed before anything was read.
preflight::PreflightReport error_report(preflight::ReportError error, int exit_code,
                                        std::chrono::sys_seconds taken_at);

}  // namespace commands
