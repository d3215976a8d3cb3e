// Who we are to the API server, kept fresh: tokens, token files, client certificates, basic
// authentication and exec plugins. Thread-safe.
//
// Sources: client-go transport/token_source.go (token files: read again after a minute less a
// leeway of ten seconds, the old token kept when that fails) and
// plugin/pkg/client/auth/exec/exec.go (plugins: cached until they expire or are refused).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "kubeclient/result.hpp"
#include "kubeclient/system.hpp"
#include "kubeclient/target.hpp"

namespace kubeclient {

struct Credential {
    std::string authorization{};       // the whole header value; empty: no such header
    std::string client_certificate{};  // PEM; empty: none
    std::string client_key{};
    std::uint64_t serial = 1;      // another one whenever anything above changes
    std::uint64_t generation = 1;  // another one when the certificate changes: connections made
                                   // with the old one must be closed

    bool operator==(const Credential&) const = default;
};

class CredentialSource {
public:
    virtual ~CredentialSource() = default;

    // The credential to use now. May read a file or run a plugin; one caller does, others wait.
    virtual Result<Credential> current() = 0;

    // The server answered 401 to the credential with this serial. The next current() reads or runs
    // again, unless somebody else already did. Trying again makes sense where the serial changes.
    virtual void rejected(std::uint64_t serial) = 0;
};

// `plugin_limit` bounds each run of an exec plugin; nullopt: as long as a person needs to log in.
// As in client-go, a plugin is not run where the target has a token, a password or a certificate.
Result<std::unique_ptr<CredentialSource>> make_credentials(
    const Target& target, const System& system,
    std::optional<std::chrono::milliseconds> plugin_limit = std::nullopt);

}  // namespace kubeclient
