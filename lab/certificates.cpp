#include "lab/certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <mutex>
#include <set>

namespace lab {

namespace {

using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Result;

constexpr long kHour = 3600;
constexpr long kYear = 365 * 24 * kHour;

Error failed(const std::string& what) {
    return Error{ErrorKind::config, "cannot make " + what};
}

struct BioFree {
    void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, BioFree>;

std::string text_of(const Bio& bio) {
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
    const Bio bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), certificate);
    return text_of(bio);
}

std::string pem_of(EVP_PKEY* key) {
    const Bio bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    return text_of(bio);
}

std::shared_ptr<EVP_PKEY> new_key() {
    return {EVP_EC_gen("P-256"), &EVP_PKEY_free};
}

bool extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    if (extension == nullptr) return false;
    const bool added = X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

// RFC 5280 section 4.1.2.2: positive, at most 20 octets, never used twice.
bool set_serial(X509* certificate) {
    unsigned char bytes[16];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1) return false;
    bytes[0] = static_cast<unsigned char>((bytes[0] & 0x3fU) | 0x40U);
    BIGNUM* number = BN_bin2bn(bytes, sizeof(bytes), nullptr);
    const bool set = number != nullptr &&
                     BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
    BN_free(number);
    return set;
}

// Everything but the extensions and the signature; null where OpenSSL fails.
std::shared_ptr<X509> unsigned_certificate(const std::string& common_name, EVP_PKEY* key,
                                           X509* issuer) {
    std::shared_ptr<X509> made(X509_new(), &X509_free);
    X509* certificate = made.get();
    if (certificate == nullptr || X509_set_version(certificate, 2) != 1) return nullptr;
    X509_gmtime_adj(X509_getm_notBefore(certificate), -kHour);
    X509_gmtime_adj(X509_getm_notAfter(certificate), kYear);
    const bool named =
        X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(common_name.c_str()), -1,
                                   -1, 0) == 1;
    X509* signer = issuer == nullptr ? certificate : issuer;
    if (!named || !set_serial(certificate) || X509_set_pubkey(certificate, key) != 1 ||
        X509_set_issuer_name(certificate, X509_get_subject_name(signer)) != 1) {
        return nullptr;
    }
    return made;
}

}  // namespace

Result<CertificateAuthority> CertificateAuthority::make(const std::string& name) {
    CertificateAuthority authority;
    authority.key_ = new_key();
    if (!authority.key_) return failed("a key");
    authority.issuer_ = unsigned_certificate(name, authority.key_.get(), nullptr);
    X509* certificate = authority.issuer_.get();
    if (certificate == nullptr ||
        !extend(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE") ||
        !extend(certificate, certificate, NID_key_usage, "critical,keyCertSign") ||
        !extend(certificate, certificate, NID_subject_key_identifier, "hash") ||
        X509_sign(certificate, authority.key_.get(), EVP_sha256()) == 0) {
        return failed("a certificate authority");
    }
    authority.certificate_ = pem_of(certificate);
    return authority;
}

Result<Identity> CertificateAuthority::issue(const std::string& common_name,
                                             const std::string& names) const {
    const auto key = new_key();
    if (!key) return failed("a key");
    const auto made = unsigned_certificate(common_name, key.get(), issuer_.get());
    X509* certificate = made.get();
    if (certificate == nullptr ||
        !extend(certificate, issuer_.get(), NID_basic_constraints, "critical,CA:FALSE") ||
        !extend(certificate, issuer_.get(), NID_key_usage, "critical,digitalSignature") ||
        !extend(certificate, issuer_.get(), NID_ext_key_usage, "serverAuth") ||
        !extend(certificate, issuer_.get(), NID_subject_alt_name, names) ||
        !extend(certificate, issuer_.get(), NID_authority_key_identifier, "keyid") ||
        X509_sign(certificate, key_.get(), EVP_sha256()) == 0) {
        return failed("a certificate for " + names);
    }
    return Identity{pem_of(certificate), pem_of(key.get())};
}

bool serve_as(ssl_ctx_st& context, const Identity& identity) {
    const auto bio_of = [](const std::string& text) {
        return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    };
    const auto no_password = [](char*, int, int, void*) { return 0; };
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        PEM_read_bio_X509(bio_of(identity.certificate).get(), nullptr, nullptr, nullptr),
        &X509_free);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        PEM_read_bio_PrivateKey(bio_of(identity.key).get(), nullptr, no_password, nullptr),
        &EVP_PKEY_free);
    return certificate != nullptr && key != nullptr &&
           SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_use_certificate(&context, certificate.get()) == 1 &&
           SSL_CTX_use_PrivateKey(&context, key.get()) == 1;
}

struct OpenConnections::State {
    std::mutex mutex{};
    std::set<int> sockets{};
    bool ended = false;

    // Where a context keeps its State, and a connection the State that it counts for.
    static int context_index() {
        static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
        return index;
    }
    static int connection_index() {
        static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, &forget);
        return index;
    }

    static void remember(const SSL* connection, int where, int /*result*/) {
        if ((where & SSL_CB_HANDSHAKE_START) == 0) return;
        auto* state =
            static_cast<State*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), context_index()));
        SSL_set_ex_data(const_cast<SSL*>(connection), connection_index(), state);
        const std::lock_guard lock(state->mutex);
        state->sockets.insert(SSL_get_fd(connection));
        if (state->ended) shutdown(SSL_get_fd(connection), SHUT_RDWR);
    }

    // OpenSSL calls it from SSL_free, while the descriptor is still open and still ours.
    static void forget(void* parent, void* data, CRYPTO_EX_DATA* /*all*/, int /*index*/,
                       long /*argument*/, void* /*pointer*/) {
        if (data == nullptr) return;
        auto* state = static_cast<State*>(data);
        const std::lock_guard lock(state->mutex);
        state->sockets.erase(SSL_get_fd(static_cast<SSL*>(parent)));
    }
};

OpenConnections::OpenConnections() : state_(std::make_unique<State>()) {}
OpenConnections::~OpenConnections() = default;

bool OpenConnections::watch(ssl_ctx_st& context) {
    if (State::connection_index() < 0 ||
        SSL_CTX_set_ex_data(&context, State::context_index(), state_.get()) != 1) {
        return false;
    }
    SSL_CTX_set_info_callback(&context, &State::remember);
    return true;
}

void OpenConnections::end_all() {
    const std::lock_guard lock(state_->mutex);
    for (const int socket : state_->sockets) shutdown(socket, SHUT_RDWR);
}

void OpenConnections::end_for_good() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->ended = true;
    }
    end_all();
}

}  // namespace lab
