// TLS without sockets: bytes in, bytes out, so that the connection alone decides how long to wait.
// Certificates are verified inside the handshake, against our own store and by subject alternative
// names only (never the subject's common name), before anything of ours is sent.
//
// Source of the rules and the wording: Go's crypto/tls and crypto/x509, as kubectl shows them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "kubeclient/result.hpp"
#include "kubeclient/system.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace kubeclient {

struct TlsSettings {
    std::string server_name{};  // name or address to ask for (SNI) and to verify
    std::string authorities{};  // PEM; empty: the system's. Given: these and no others
    bool insecure_skip_verify = false;
    std::string client_certificate{};  // PEM, leaf first
    std::string client_key{};          // PEM, not encrypted
};

// One side of one connection; one thread at a time.
class TlsSession {
public:
    enum class Step { done, wants_input, closed, failed };

    TlsSession(ssl_ctx_st* context, const std::string& server_name);
    ~TlsSession();
    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;

    Step handshake();
    // Decrypted bytes; `size` is what there is room for, then what was read.
    Step read(char* buffer, std::size_t& size);
    // Takes all of it.
    Step write(std::string_view bytes);
    // Says goodbye, as far as that is possible.
    void close();

    void feed(std::string_view received);  // from the peer
    void feed_end();                       // the peer closed
    std::string output();                  // to be sent to the peer; call after every step
    bool drained() const;                  // nothing fed is left to be read

    // After Step::failed: what happened, as Go says it, and what to do about it.
    // `config` when certificates are to blame, `transport` otherwise.
    Error failure() const;

private:
    friend class TlsContext;
    struct State;
    std::unique_ptr<State> state_;
};

// Certificates and rules for any number of sessions; safe to share between threads.
class TlsContext {
public:
    // config: a certificate or key that cannot be used.
    static Result<TlsContext> make(const TlsSettings& settings, const System& system);

    std::unique_ptr<TlsSession> session() const;

private:
    TlsContext(std::shared_ptr<ssl_ctx_st> context, std::string server_name);

    std::shared_ptr<ssl_ctx_st> context_;
    std::string server_name_;
};

}  // namespace kubeclient
