#include "commands/version.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>

#include "commands/errors.hpp"
#include "commands/text.hpp"
#include "kubeclient/api.hpp"
#include "kubeclient/json.hpp"

namespace commands {

namespace {

using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Json;

// What a cluster says about itself. kubevirt: nullopt when not read, empty when there is none.
struct ServerVersions {
    Json kubernetes = nullptr;  // the whole of GET /version
    std::optional<std::string> kubevirt{};
};

Json client_json() {
    return {{"gitVersion", "v" + std::string(tool_version())},
            {"platform", VIRT_HANDOFF_PLATFORM},
            {"compiler", VIRT_HANDOFF_COMPILER}};
}

// KubeVirt is one object in the cluster; the version that runs is observed, not wished for.
std::string kubevirt_version(const kubeclient::ObjectList& list) {
    for (const auto& item : list.items) {
        const auto version = kubeclient::text_at(item, {"status", "observedKubeVirtVersion"});
        if (version.has_value()) return *version;
    }
    return "";
}

// Fills in what can be read; the error is about the rest.
kubeclient::Status read_server(const ConnectionOptions& options, const Environment& environment,
                               ServerVersions& versions) {
    TRY_ASSIGN(connection, environment.connect(options));
    kubeclient::Api api(*connection.transport);
    TRY_ASSIGN(kubernetes, api.get("/version"));
    versions.kubernetes = std::move(kubernetes);
    const auto list = api.list("/apis/kubevirt.io/v1/kubevirts");
    if (list.ok()) {
        versions.kubevirt = kubevirt_version(*list);
    } else if (list.error().kind == ErrorKind::not_served) {
        versions.kubevirt = "";
    } else {
        return list.error();
    }
    return kubeclient::Done{};
}

Json to_json(const ServerVersions& versions, const std::optional<Error>& error, ExitCode code) {
    return {{"apiVersion", "virt-handoff/v1"},
            {"kind", "Version"},
            {"clientVersion", client_json()},
            {"serverVersion", versions.kubernetes},
            {"kubevirtVersion",
             versions.kubevirt.value_or("").empty() ? Json(nullptr) : Json(*versions.kubevirt)},
            {"exitCode", static_cast<int>(code)},
            {"error", error.has_value() ? error_json(*error) : Json(nullptr)}};
}

std::string to_text(const ServerVersions& versions) {
    std::string text = "Client Version: v" + std::string(tool_version()) + "\n";
    if (versions.kubernetes.is_null()) return text;
    const auto kubernetes = kubeclient::text_at(versions.kubernetes, {"gitVersion"});
    text += "Server Version: " + printable(kubernetes.value_or("unknown")) + "\n";
    const std::string kubevirt = versions.kubevirt.value_or("unknown");
    return text + "KubeVirt Version: " + (kubevirt.empty() ? "none" : printable(kubevirt)) + "\n";
}

}  // namespace

std::string_view tool_version() {
    return VIRT_HANDOFF_VERSION;
}

std::string user_agent() {
    return "kubectl-virt_handoff/v" VIRT_HANDOFF_VERSION " (" VIRT_HANDOFF_PLATFORM ")";
}

ExitCode run_version(const VersionOptions& options, Environment& environment) {
    ServerVersions versions;
    std::optional<Error> error;
    if (!options.client_only) {
        const auto outcome = read_server(options.connection, environment, versions);
        if (!outcome.ok()) error = outcome.error();
    }
    const ExitCode code = error.has_value() ? exit_code(error->kind) : ExitCode::done;
    auto& io = environment.io;
    io.out << (is_document(options.output)
                   ? render_document(to_json(versions, error, code), options.output)
                   : to_text(versions));
    if (error.has_value()) print_error(io.err, *error);
    return code;
}

}  // namespace commands
