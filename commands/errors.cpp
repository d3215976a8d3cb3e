#include "commands/errors.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "commands/text.hpp"
#include "kubeclient/json.hpp"
#include "kubeclient/yaml.hpp"

namespace commands {

using kubeclient::Error;
using kubeclient::ErrorKind;

std::string_view to_string(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::usage:
            return "usage";
        case ErrorKind::config:
            return "config";
        case ErrorKind::transport:
            return "transport";
        case ErrorKind::timeout:
            return "timeout";
        case ErrorKind::auth:
            return "auth";
        case ErrorKind::forbidden:
            return "forbidden";
        case ErrorKind::not_found:
            return "not_found";
        case ErrorKind::not_served:
            return "not_served";
        case ErrorKind::conflict:
            return "conflict";
        case ErrorKind::invalid:
            return "invalid";
        case ErrorKind::throttled:
            return "throttled";
        case ErrorKind::server:
            return "server";
        case ErrorKind::protocol:
            return "protocol";
        case ErrorKind::canceled:
            return "canceled";
        case ErrorKind::unknown_outcome:
            return "unknown_outcome";
    }
    return "protocol";
}

ExitCode exit_code(ErrorKind kind) {
    if (kind == ErrorKind::usage) return ExitCode::usage;
    if (kind == ErrorKind::canceled) return ExitCode::interrupted;
    if (kind == ErrorKind::unknown_outcome) return ExitCode::outcome_unknown;
    return ExitCode::error;
}

std::string hint_of(const Error& error) {
    if (!error.hint.empty()) return error.hint;
    switch (error.kind) {
        case ErrorKind::usage:
            return "see 'virt-handoff --help' for usage";
        case ErrorKind::config:
            return "look at the files that are read with: kubectl config view";
        case ErrorKind::auth:
            return "log in again, and test it with: kubectl auth whoami";
        case ErrorKind::forbidden:
            return "see what you may do with: kubectl auth can-i --list";
        case ErrorKind::not_found:
            return "list what is there with: kubectl get vm,vmi -A";
        case ErrorKind::not_served:
            return "see what the cluster serves with: kubectl api-resources";
        case ErrorKind::unknown_outcome:
            return "read the object before anything else is done";
        case ErrorKind::canceled:
            return "run it again when you are ready: nothing was changed";
        case ErrorKind::transport:
        case ErrorKind::timeout:
        case ErrorKind::throttled:
        case ErrorKind::server:
        case ErrorKind::protocol:
        case ErrorKind::conflict:
        case ErrorKind::invalid:
            break;
    }
    return "run it again with -v=8 to see what was asked and answered";
}

void print_error(std::ostream& err, const Error& error) {
    err << "error: " << printable(error.message) << '\n';
    const std::string text = hint_of(error);
    std::string_view hint = text;
    while (!hint.empty()) {
        const auto line = hint.substr(0, hint.find('\n'));
        hint.remove_prefix(std::min(hint.size(), line.size() + 1));
        err << "hint: " << printable(line) << '\n';
    }
}

kubeclient::Json error_json(const Error& error) {
    return {{"kind", to_string(error.kind)}, {"message", error.message}, {"hint", hint_of(error)}};
}

std::string render_document(const kubeclient::Json& document, OutputFormat output) {
    return output == OutputFormat::yaml ? kubeclient::to_yaml(document)
                                        : kubeclient::to_indented(document) + "\n";
}

std::string render_error(const Error& error, OutputFormat output) {
    if (!is_document(output)) return "";
    return render_document({{"apiVersion", "virt-handoff/v1"},
                            {"kind", "Error"},
                            {"exitCode", static_cast<int>(exit_code(error.kind))},
                            {"error", error_json(error)}},
                           output);
}

}  // namespace commands
