// Certificates made on the spot, so that clients of the lab verify it as they would any cluster.
#pragma once

#include <memory>
#include <string>

#include "kubeclient/result.hpp"

struct ssl_ctx_st;
struct evp_pkey_st;
struct x509_st;

namespace lab {

// A certificate and its key as PEM text.
struct Identity {
    std::string certificate{};
    std::string key{};
};

// An authority of our own, known to nobody but who is told. Its key never leaves the process.
class CertificateAuthority {
public:
    // Valid from an hour ago, for a year: by the machine's clock, because that is what clients
    // look at.
    static kubeclient::Result<CertificateAuthority> make(const std::string& name);

    const std::string& certificate() const { return certificate_; }  // PEM

    // For a server. `names` as openssl.cnf writes subjectAltName: "DNS:localhost,IP:127.0.0.1".
    kubeclient::Result<Identity> issue(const std::string& common_name,
                                       const std::string& names) const;

private:
    CertificateAuthority() = default;

    std::shared_ptr<evp_pkey_st> key_{};
    std::shared_ptr<x509_st> issuer_{};
    std::string certificate_{};
};

// Connections under a server's TLS context, so that a server that stops need not wait until idle
// clients go away. Thread-safe; outlives the context's connections.
class OpenConnections {
public:
    OpenConnections();
    ~OpenConnections();
    OpenConnections(const OpenConnections&) = delete;
    OpenConnections& operator=(const OpenConnections&) = delete;

    // Every connection of `context` counts from its handshake to its end; false when that cannot
    // be arranged.
    bool watch(ssl_ctx_st& context);
    // Whoever reads from or writes to one of them finds it ended.
    void end_all();
    // The same, and later ones end at once.
    void end_for_good();

private:
    struct State;
    std::unique_ptr<State> state_;
};

// TLS 1.2 and later, as `identity`; false when it cannot be used.
bool serve_as(ssl_ctx_st& context, const Identity& identity);

}  // namespace lab
