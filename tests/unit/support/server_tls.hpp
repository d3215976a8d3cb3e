// The TLS side of a test's server.
#pragma once

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "tests/unit/support/certificates.hpp"

namespace support {

struct ServerTls {
    Issued certificate{};            // leaf first; more certificates may follow it
    std::string client_authority{};  // PEM; empty: client certificates are not asked for
    int highest_version = 0;
};

struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using ServerContext = std::unique_ptr<SSL_CTX, FreeContext>;

inline ServerContext server_context(const ServerTls& tls) {
    ServerContext context;
    context.reset(SSL_CTX_new(TLS_server_method()));
    BIO* chain = BIO_new_mem_buf(tls.certificate.certificate.data(), -1);
    X509* leaf = PEM_read_bio_X509(chain, nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(context.get(), leaf);
    X509_free(leaf);
    while (X509* next = PEM_read_bio_X509(chain, nullptr, nullptr, nullptr)) {
        SSL_CTX_add0_chain_cert(context.get(), next);
    }
    BIO_free(chain);
    BIO* key_text = BIO_new_mem_buf(tls.certificate.key.data(), -1);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(key_text, nullptr, nullptr, nullptr);
    SSL_CTX_use_PrivateKey(context.get(), key);
    EVP_PKEY_free(key);
    BIO_free(key_text);
    if (tls.highest_version != 0) {
        SSL_CTX_set_cipher_list(context.get(), "ALL:@SECLEVEL=0");
        SSL_CTX_set_min_proto_version(context.get(), 0);
        SSL_CTX_set_max_proto_version(context.get(), tls.highest_version);
    }
    if (tls.client_authority.empty()) return context;
    BIO* authority = BIO_new_mem_buf(tls.client_authority.data(), -1);
    X509* trusted = PEM_read_bio_X509(authority, nullptr, nullptr, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), trusted);
    X509_free(trusted);
    BIO_free(authority);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    return context;
}

}  // namespace support
