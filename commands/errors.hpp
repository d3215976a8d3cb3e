// How a command that could not do its work says so: for people, for scripts, and as exit code.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "commands/environment.hpp"
#include "commands/options.hpp"
#include "kubeclient/json.hpp"
#include "kubeclient/result.hpp"

namespace commands {

// "usage", "not_found": the name in documents. Part of virt-handoff/v1.
std::string_view to_string(kubeclient::ErrorKind kind);

ExitCode exit_code(kubeclient::ErrorKind kind);

// The error's own hint, or the next step for errors of its kind: no error ends without one.
std::string hint_of(const kubeclient::Error& error);

// "error: …" and one "hint: …" line for each line of the hint.
void print_error(std::ostream& err, const kubeclient::Error& error);

// Whether standard output holds one document, also when something failed.
constexpr bool is_document(OutputFormat output) {
    return output == OutputFormat::json || output == OutputFormat::yaml;
}

// A document as JSON or YAML, with a line break at its end.
std::string render_document(const kubeclient::Json& document, OutputFormat output);

// The member "error" of every document.
kubeclient::Json error_json(const kubeclient::Error& error);

// A document of kind Error, for a command line that asked for one and names no verb with a document
// of its own; nothing for other formats.
std::string render_error(const kubeclient::Error& error, OutputFormat output);

}  // namespace commands
