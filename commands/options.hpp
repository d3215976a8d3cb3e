// What the user asked for, one struct per verb: values that the parser fills and tests compare.
// Defaults are those of the command line.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace commands {

enum class OutputFormat { table, wide, json, yaml, name };

// kubectl's own connection flags; they mean what they mean there.
struct ConnectionOptions {
    std::string kubeconfig{};
    std::string context{};
    std::string cluster{};
    std::string user{};
    std::string server{};
    std::string token{};
    std::string username{};
    std::string password{};
    std::string tls_server_name{};
    std::string certificate_authority{};
    std::string client_certificate{};
    std::string client_key{};
    std::optional<bool> insecure_skip_tls_verify{};
    std::string as{};
    std::string as_uid{};
    std::vector<std::string> as_group{};
    std::string proxy_url{};
    bool disable_compression = false;
    std::optional<std::string> ns{};              // -n; nullopt: the context's own
    std::chrono::milliseconds request_timeout{};  // 0: none given
    int verbosity = 0;                            // -v

    bool operator==(const ConnectionOptions&) const = default;
};

// --ignore ID[=ns/vm]
struct Waiver {
    std::string check{};   // id or slug as typed; checked against the registry by the parser
    std::string target{};  // "ns/name", "name" or "" for every VM

    bool operator==(const Waiver&) const = default;
};

struct PreflightOptions {
    ConnectionOptions connection{};
    std::vector<std::string> targets{};  // NAME, vm/NAME, vmi/NAME
    std::string selector{};              // -l
    bool all_namespaces = false;         // -A
    std::string node{};                  // --node: VMs that run there
    std::string from{};                  // --from PATH or "-": files instead of a cluster
    std::vector<Waiver> ignore{};
    OutputFormat output = OutputFormat::table;
    bool fail_on_warning = false;  // --fail-on=warning
    bool no_headers = false;

    bool operator==(const PreflightOptions&) const = default;
};

struct ExplainOptions {
    std::string check{};  // empty: the list of all checks
    OutputFormat output = OutputFormat::table;

    bool operator==(const ExplainOptions&) const = default;
};

struct VersionOptions {
    ConnectionOptions connection{};
    bool client_only = false;  // --client
    OutputFormat output = OutputFormat::table;

    bool operator==(const VersionOptions&) const = default;
};

struct LabOptions {
    std::string scenario{};  // empty: the first
    int nodes = 0;           // 0: as many as the virtual machines need
    int machines = 6;
    double speed = 1;              // seconds of the lab in one second; 0: its time stands still
    std::string kubeconfig_out{};  // empty: in a folder of its own
    int port = 0;                  // 0: a free one
    bool list = false;             // only says which scenarios there are

    bool operator==(const LabOptions&) const = default;
};

// Text that is known without doing anything: help, options, completion scripts.
struct ShowText {
    std::string text{};

    bool operator==(const ShowText&) const = default;
};

using Invocation =
    std::variant<PreflightOptions, ExplainOptions, LabOptions, VersionOptions, ShowText>;

}  // namespace commands
