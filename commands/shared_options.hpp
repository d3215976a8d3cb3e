// Options that several verbs take.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace commands {

// Which of these a verb offers is the parser's business. jsonl: one document per line while the
// work goes on.
enum class OutputFormat { table, wide, json, yaml, name, jsonl };

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

}  // namespace commands
