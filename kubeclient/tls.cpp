// The only file that includes OpenSSL.
#include "kubeclient/tls.hpp"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <strings.h>
#include <algorithm>
#include <array>
#include <ctime>
#include <vector>

#include "kubeclient/system_authorities.hpp"

namespace kubeclient {
namespace {

template <auto release>
struct Release {
    template <class T>
    void operator()(T* object) const {
        release(object);
    }
};
using Bio = std::unique_ptr<BIO, Release<&BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Release<&X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Release<&EVP_PKEY_free>>;
using Store = std::unique_ptr<X509_STORE, Release<&X509_STORE_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Release<&GENERAL_NAMES_free>>;

bool is_address(const std::string& host) {
    std::array<unsigned char, sizeof(in6_addr)> ignored{};
    return ::inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
}

Bio reader_of(const std::string& text) {
    return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Every certificate of a PEM text. Blocks that cannot be read are left out, as Go's
// x509.CertPool.AppendCertsFromPEM leaves them out.
std::vector<Certificate> certificates_of(const std::string& pem) {
    std::vector<Certificate> found;
    const Bio reader = reader_of(pem);
    for (auto before = BIO_pending(reader.get()); before > 0;) {
        Certificate next(PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr));
        if (next) found.push_back(std::move(next));
        const auto left = BIO_pending(reader.get());
        if (left == before) break;
        before = left;
    }
    ERR_clear_error();
    return found;
}

// Without a callback OpenSSL would prompt on the terminal.
int refuse_password(char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

std::string last_reason() {
    const char* reason = ERR_reason_error_string(ERR_peek_error());
    return reason != nullptr ? reason : "unknown reason";
}

Status use_client_certificate(SSL_CTX* context, const TlsSettings& settings) {
    if (settings.client_certificate.empty() && settings.client_key.empty()) return Done{};
    const auto chain = certificates_of(settings.client_certificate);
    if (chain.empty()) {
        return Error{ErrorKind::config,
                     "tls: failed to find any PEM data in the client certificate",
                     "check client-certificate or client-certificate-data of the user"};
    }
    bool encrypted = false;
    const Bio reader = reader_of(settings.client_key);
    const Key key(PEM_read_bio_PrivateKey(reader.get(), nullptr, refuse_password, &encrypted));
    if (encrypted) {
        return Error{ErrorKind::config, "tls: the client key is encrypted",
                     "kubeconfig has no place for its password; store it decrypted, readable by "
                     "you alone: openssl pkey -in KEY -out NEW"};
    }
    if (!key) {
        return Error{ErrorKind::config, "tls: failed to parse the client's private key",
                     "check client-key or client-key-data of the user"};
    }
    if (X509_check_private_key(chain.front().get(), key.get()) != 1) {
        return Error{ErrorKind::config, "tls: private key does not match public key",
                     "client-certificate and client-key of the user are not a pair"};
    }
    bool taken = SSL_CTX_use_certificate(context, chain.front().get()) == 1 &&
                 SSL_CTX_use_PrivateKey(context, key.get()) == 1;
    for (std::size_t i = 1; i < chain.size(); ++i) {
        taken = taken && SSL_CTX_add1_chain_cert(context, chain[i].get()) == 1;
    }
    if (taken) return Done{};
    return Error{ErrorKind::config, "tls: the client certificate cannot be used: " + last_reason()};
}

Result<Store> store_for(const TlsSettings& settings, const System& system) {
    const bool own = !settings.authorities.empty();
    const auto trusted = certificates_of(own ? settings.authorities : system_authorities(system));
    if (own && trusted.empty()) {
        return Error{ErrorKind::config,
                     "unable to load root certificates: unable to parse bytes as PEM block",
                     "check certificate-authority or certificate-authority-data of the cluster"};
    }
    Store store(X509_STORE_new());
    for (const auto& certificate : trusted) X509_STORE_add_cert(store.get(), certificate.get());
    // As in Go, every given certificate is trusted as it stands, also an intermediate.
    X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
    ERR_clear_error();
    return store;
}

// ---- why a certificate was refused ------------------------------------------------------------

// Text of the peer's making, for a terminal.
std::string printable(std::string text) {
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    return text;
}

std::string text_of(const ASN1_STRING* string) {
    const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(string));
    return printable(std::string(bytes, static_cast<std::size_t>(ASN1_STRING_length(string))));
}

std::string text_of_address(const ASN1_OCTET_STRING* octets) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int length = ASN1_STRING_length(octets);
    if (length != 4 && length != 16) return "";  // neither IPv4 nor IPv6: matches nothing
    ::inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(octets), text.data(),
                text.size());
    return text.data();
}

void append(std::string& list, const std::string& item) {
    if (item.empty()) return;
    if (!list.empty()) list += ", ";
    list += item;
}

bool common_name_is(const X509* certificate, const std::string& host) {
    const X509_NAME* subject = X509_get_subject_name(certificate);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0) return false;
    const auto* entry = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    return ::strcasecmp(text_of(entry).c_str(), host.c_str()) == 0;
}

// Go crypto/x509/verify.go, HostnameError.
std::string wrong_name(const X509* certificate, const std::string& host) {
    const Names names(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    if (!names && common_name_is(certificate, host)) {
        return "x509: certificate relies on legacy Common Name field, use SANs instead";
    }
    std::string dns;
    std::string addresses;
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type == GEN_DNS) append(dns, text_of(name->d.dNSName));
        if (name->type == GEN_IPADD) append(addresses, text_of_address(name->d.iPAddress));
    }
    if (is_address(host) && addresses.empty()) {
        return "x509: cannot validate certificate for " + host +
               " because it doesn't contain any IP SANs";
    }
    const std::string& valid = is_address(host) ? addresses : dns;
    if (valid.empty()) {
        return "x509: certificate is not valid for any names, but wanted to match " + host;
    }
    return "x509: certificate is valid for " + valid + ", not " + host;
}

std::string text_of(std::tm time) {
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &time);
    return text.data();
}

std::string wrong_time(const char* relation, const ASN1_TIME* limit) {
    std::tm now{};
    std::tm then{};
    const std::time_t seconds = std::time(nullptr);
    ::gmtime_r(&seconds, &now);
    ASN1_TIME_to_tm(limit, &then);
    return "x509: certificate has expired or is not yet valid: current time " + text_of(now) +
           " is " + relation + " " + text_of(then);
}

struct Refusal {
    std::string sentence{};
    std::string hint{};
};

Refusal refusal_of(X509_STORE_CTX* verification, const std::string& host) {
    const int code = X509_STORE_CTX_get_error(verification);
    const X509* current = X509_STORE_CTX_get_current_cert(verification);
    const X509* leaf = X509_STORE_CTX_get0_cert(verification);
    switch (code) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return {wrong_time("after", X509_get0_notAfter(current)),
                    "renew the server's certificate, or set this machine's clock"};
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return {wrong_time("before", X509_get0_notBefore(current)),
                    "set this machine's clock, or the one that issued the certificate"};
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            return {wrong_name(leaf, host),
                    "use a name the certificate has as server, or give it as tls-server-name"};
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_CERT_SIGNATURE_FAILURE:
            return {"x509: certificate signed by unknown authority",
                    "check certificate-authority-data of the cluster; a proxy that opens TLS has "
                    "an authority of its own"};
        case X509_V_ERR_INVALID_PURPOSE:
            return {"x509: certificate specifies an incompatible key usage",
                    "the server's certificate is not one for servers"};
        default:
            return {std::string("x509: ") + X509_verify_cert_error_string(code), ""};
    }
}

// ---- why a handshake failed ---------------------------------------------------------------------

struct Alert {
    int number;
    const char* text;  // as in Go crypto/tls/alert.go
    const char* hint;
};
constexpr const char* kClientCertificate =
    "the server did not accept the client certificate: check client-certificate-data and "
    "client-key-data of the user, and their dates";
constexpr std::array<Alert, 9> kAlerts{{
    {SSL_AD_HANDSHAKE_FAILURE, "handshake failure", "the server may demand a client certificate"},
    {SSL_AD_BAD_CERTIFICATE, "bad certificate", kClientCertificate},
    {SSL_AD_UNSUPPORTED_CERTIFICATE, "unsupported certificate", kClientCertificate},
    {SSL_AD_CERTIFICATE_REVOKED, "revoked certificate", kClientCertificate},
    {SSL_AD_CERTIFICATE_EXPIRED, "expired certificate", kClientCertificate},
    {SSL_AD_CERTIFICATE_UNKNOWN, "unknown certificate", kClientCertificate},
    {SSL_AD_UNKNOWN_CA, "unknown certificate authority", kClientCertificate},
    {SSL_AD_PROTOCOL_VERSION, "protocol version not supported",
     "the server does not speak TLS 1.2 or newer"},
    {116 /* RFC 8446: certificate_required */, "certificate required",
     "the server demands a client certificate: the user of this context has none"},
}};

Error refused_by_alert(int number) {
    const auto known = std::find_if(kAlerts.begin(), kAlerts.end(),
                                    [&](const Alert& alert) { return alert.number == number; });
    const std::string text =
        known != kAlerts.end() ? known->text : SSL_alert_desc_string_long(number);
    const bool ours = known != kAlerts.end() && number != SSL_AD_PROTOCOL_VERSION;
    return Error{ours ? ErrorKind::config : ErrorKind::transport, "remote error: tls: " + text,
                 known != kAlerts.end() ? known->hint : ""};
}

Error reason_of(unsigned long code) {
    const int reason = ERR_GET_REASON(code);
    if (ERR_GET_LIB(code) != ERR_LIB_SSL) {
        return Error{ErrorKind::transport,
                     std::string("tls: ") + (code != 0 ? ERR_reason_error_string(code) : "EOF")};
    }
    if (reason > SSL_AD_REASON_OFFSET) return refused_by_alert(reason - SSL_AD_REASON_OFFSET);
    switch (reason) {
        case SSL_R_UNEXPECTED_EOF_WHILE_READING:
            return Error{ErrorKind::transport, "unexpected EOF",
                         "the server closed the connection; is a proxy or load balancer between?"};
        case SSL_R_UNSUPPORTED_PROTOCOL:
            return Error{ErrorKind::transport, "tls: server selected unsupported protocol version",
                         "the server does not speak TLS 1.2 or newer"};
        default: {
            const char* text = ERR_reason_error_string(code);
            return Error{ErrorKind::transport,
                         std::string("tls: ") + (text != nullptr ? text : "handshake failure")};
        }
    }
}

}  // namespace

struct TlsSession::State {
    SSL* ssl = nullptr;
    BIO* in = nullptr;   // owned by ssl
    BIO* out = nullptr;  // owned by ssl
    std::string server_name{};
    std::string first_bytes{};  // of the peer, to recognise one that does not speak TLS
    Refusal refusal{};
    unsigned long error_code = 0;

    Step step_of(int result) {
        switch (SSL_get_error(ssl, result)) {
            case SSL_ERROR_WANT_READ:
                return Step::wants_input;
            case SSL_ERROR_ZERO_RETURN:
                return Step::closed;
            default:
                error_code = ERR_peek_error();
                return Step::failed;
        }
    }

    static int verified(int accepted, X509_STORE_CTX* verification) {
        if (accepted == 1) return 1;
        auto* ssl = static_cast<SSL*>(
            X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
        auto* state = static_cast<State*>(SSL_get_ex_data(ssl, 0));
        state->refusal = refusal_of(verification, state->server_name);
        return 0;
    }
};

TlsSession::TlsSession(ssl_ctx_st* context, const std::string& server_name)
    : state_(std::make_unique<State>()) {
    state_->server_name = server_name;
    state_->ssl = SSL_new(context);
    state_->in = BIO_new(BIO_s_mem());
    state_->out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(state_->in, -1);  // nothing there yet is not the end
    SSL_set_bio(state_->ssl, state_->in, state_->out);
    SSL_set_ex_data(state_->ssl, 0, state_.get());
    SSL_set_connect_state(state_->ssl);
    // RFC 6066: an address is not sent as a server name.
    if (!is_address(server_name)) {
        SSL_ctrl(state_->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                 state_->server_name.data());
    }
}

TlsSession::~TlsSession() {
    SSL_free(state_->ssl);
}

TlsSession::Step TlsSession::handshake() {
    ERR_clear_error();
    const int result = SSL_do_handshake(state_->ssl);
    return result == 1 ? Step::done : state_->step_of(result);
}

TlsSession::Step TlsSession::read(char* buffer, std::size_t& size) {
    ERR_clear_error();
    const int result = SSL_read_ex(state_->ssl, buffer, size, &size);
    return result == 1 ? Step::done : state_->step_of(result);
}

TlsSession::Step TlsSession::write(std::string_view bytes) {
    ERR_clear_error();
    std::size_t written = 0;
    if (bytes.empty()) return Step::done;
    const int result = SSL_write_ex(state_->ssl, bytes.data(), bytes.size(), &written);
    return result == 1 ? Step::done : state_->step_of(result);
}

void TlsSession::close() {
    ERR_clear_error();
    SSL_shutdown(state_->ssl);
    ERR_clear_error();
}

void TlsSession::feed(std::string_view received) {
    constexpr std::size_t enough = 16;
    if (state_->first_bytes.size() < enough) {
        state_->first_bytes += received.substr(0, enough - state_->first_bytes.size());
    }
    BIO_write(state_->in, received.data(), static_cast<int>(received.size()));
}

void TlsSession::feed_end() {
    BIO_set_mem_eof_return(state_->in, 0);
}

std::string TlsSession::output() {
    std::string bytes(static_cast<std::size_t>(BIO_pending(state_->out)), '\0');
    if (!bytes.empty()) BIO_read(state_->out, bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
}

bool TlsSession::drained() const {
    return SSL_has_pending(state_->ssl) == 0 && BIO_pending(state_->in) == 0;
}

Error TlsSession::failure() const {
    if (!state_->refusal.sentence.empty()) {
        return Error{ErrorKind::config,
                     "tls: failed to verify certificate: " + state_->refusal.sentence,
                     state_->refusal.hint};
    }
    if (state_->first_bytes.starts_with("HTTP/")) {
        return Error{ErrorKind::config, "http: server gave HTTP response to HTTPS client",
                     "the server address wants http:// here, or another port"};
    }
    constexpr char alert = 21;
    constexpr char handshake = 22;
    const bool tls_record = !state_->first_bytes.empty() && (state_->first_bytes[0] == handshake ||
                                                             state_->first_bytes[0] == alert);
    if (!state_->first_bytes.empty() && !tls_record) {
        return Error{ErrorKind::transport, "tls: first record does not look like a TLS handshake",
                     "is this the port of a Kubernetes API server?"};
    }
    return reason_of(state_->error_code);
}

TlsContext::TlsContext(std::shared_ptr<ssl_ctx_st> context, std::string server_name)
    : context_(std::move(context)), server_name_(std::move(server_name)) {}

Result<TlsContext> TlsContext::make(const TlsSettings& settings, const System& system) {
    std::string name = settings.server_name;
    if (name.ends_with('.')) name.pop_back();  // the root's dot is in no certificate
    const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
    TRY(use_client_certificate(context.get(), settings));
    if (settings.insecure_skip_verify) {
        SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
        return TlsContext(context, name);
    }
    TRY_ASSIGN(store, store_for(settings, system));
    SSL_CTX_set_cert_store(context.get(), store.release());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, &TlsSession::State::verified);
    X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_hostflags(
        rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    const int set = is_address(name) ? X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str())
                                     : X509_VERIFY_PARAM_set1_host(rules, name.data(), name.size());
    if (name.empty() || set != 1) {  // an empty name would switch the check off
        return Error{ErrorKind::config, "tls: no server name to verify"};
    }
    return TlsContext(context, name);
}

std::unique_ptr<TlsSession> TlsContext::session() const {
    return std::make_unique<TlsSession>(context_.get(), server_name_);
}

}  // namespace kubeclient
