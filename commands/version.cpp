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
using kubeclient::Result;

// What a cluster says about itself. The KubeVirt version is empty where there is none.
struct ServerVersions {
    Json kubernetes = nullptr;  // the whole of GET /version
    std::string kubevirt{};
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

Result<ServerVersions> read_server(const ConnectionOptions& options, Environment& environment) {
    TRY_ASSIGN(connection, environment.connect(options));
    kubeclient::Api api(*connection.transport);
    ServerVersions versions;
    TRY_ASSIGN(kubernetes, api.get("/version"));
    versions.kubernetes = std::move(kubernetes);
    const auto list = api.list("/apis/kubevirt.io/v1/kubevirts");
    if (list.ok()) {
        versions.kubevirt = kubevirt_version(*list);
    } else if (list.error().kind != ErrorKind::not_found) {
        return list.error();
    }
    return versions;
}

std::string table(const std::optional<ServerVersions>& server) {
    std::string text = "Client Version: v" + std::string(tool_version()) + "\n";
    if (!server.has_value()) return text;
    const auto kubernetes = kubeclient::text_at(server->kubernetes, {"gitVersion"});
    text += "Server Version: " + printable(kubernetes.value_or("unknown")) + "\n";
    text +=
        "KubeVirt Version: " + (server->kubevirt.empty() ? "none" : printable(server->kubevirt)) +
        "\n";
    return text;
}

}  // namespace

std::string_view tool_version() {
    return VIRT_HANDOFF_VERSION;
}

std::string user_agent() {
    return "kubectl-virt_handoff/v" VIRT_HANDOFF_VERSION " (" VIRT_HANDOFF_PLATFORM ")";
}

ExitCode run_version(const VersionOptions& options, Environment& environment) {
    std::optional<ServerVersions> server;
    std::optional<Error> error;
    if (!options.client_only) {
        auto versions = read_server(options.connection, environment);
        if (versions.ok()) server = std::move(versions).value();
        if (!versions.ok()) error = versions.error();
    }
    const ExitCode code = error.has_value() ? exit_code(error->kind) : ExitCode::done;
    auto& io = environment.io;
    if (is_document(options.output)) {
        Json document{{"apiVersion", "virt-handoff/v1"},
                      {"kind", "Version"},
                      {"clientVersion", client_json()},
                      {"serverVersion", nullptr},
                      {"kubevirtVersion", nullptr},
                      {"exitCode", static_cast<int>(code)},
                      {"error", nullptr}};
        if (server.has_value()) document["serverVersion"] = server->kubernetes;
        if (server.has_value() && !server->kubevirt.empty()) {
            document["kubevirtVersion"] = server->kubevirt;
        }
        if (error.has_value()) document["error"] = error_json(*error);
        io.out << render_document(document, options.output);
    } else {
        io.out << table(server);
    }
    if (error.has_value()) print_error(io.err, *error);
    return code;
}

}  // namespace commands
