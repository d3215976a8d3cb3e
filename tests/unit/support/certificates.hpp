// Certificates made on the spot, for tests: authorities, servers and clients, good and bad.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace support {

struct Issued {
    std::string certificate;  // PEM
    std::string key;          // PEM
};

struct Wanted {
    std::string common_name = "test";
    std::string names{};  // subjectAltName as openssl.cnf has it: "DNS:localhost,IP:127.0.0.1"
    long valid_from = -3600;
    long valid_to = 3600;
    bool authority = false;
};

class Authority {
public:
    explicit Authority(const std::string& name) {
        Wanted wanted;
        wanted.common_name = name;
        wanted.authority = true;
        key_.reset(EVP_EC_gen("P-256"));
        certificate_ = make(wanted, key_.get(), nullptr);
    }
    // An intermediate.
    Authority(const std::string& name, const Authority& issuer) {
        Wanted wanted;
        wanted.common_name = name;
        wanted.authority = true;
        key_.reset(EVP_EC_gen("P-256"));
        certificate_ = make(wanted, key_.get(), &issuer);
    }

    Issued issue(const Wanted& wanted) const {
        const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                      &EVP_PKEY_free);
        const auto certificate = make(wanted, key.get(), this);
        return {pem(certificate.get()), pem(key.get(), "")};
    }

    std::string certificate() const { return pem(certificate_.get()); }

    // `password` empty: not encrypted.
    static std::string pem(EVP_PKEY* key, const std::string& password) {
        BIO* bio = BIO_new(BIO_s_mem());
        std::string secret = password;
        PEM_write_bio_PrivateKey(bio, key, password.empty() ? nullptr : EVP_aes_128_cbc(), nullptr,
                                 0, nullptr, password.empty() ? nullptr : secret.data());
        return drain(bio);
    }
    static std::string encrypted_key(const std::string& password) {
        EVP_PKEY* key = EVP_EC_gen("P-256");
        auto text = pem(key, password);
        EVP_PKEY_free(key);
        return text;
    }

private:
    using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;

    static std::string drain(BIO* bio) {
        char* data = nullptr;
        const auto size = BIO_get_mem_data(bio, &data);
        std::string text(data, static_cast<std::size_t>(size));
        BIO_free(bio);
        return text;
    }
    static std::string pem(X509* certificate) {
        BIO* bio = BIO_new(BIO_s_mem());
        PEM_write_bio_X509(bio, certificate);
        return drain(bio);
    }
    static void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
        X509V3_CTX context;
        X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
        X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
    }
    static X509Ptr make(const Wanted& wanted, EVP_PKEY* key, const Authority* issuer) {
        static long serial = 1;
        X509Ptr made(X509_new(), &X509_free);
        X509* certificate = made.get();
        X509_set_version(certificate, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
        X509_gmtime_adj(X509_getm_notBefore(certificate), wanted.valid_from);
        X509_gmtime_adj(X509_getm_notAfter(certificate), wanted.valid_to);
        X509_set_pubkey(certificate, key);
        X509_NAME_add_entry_by_txt(
            X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
            reinterpret_cast<const unsigned char*>(wanted.common_name.c_str()), -1, -1, 0);
        X509* signer = issuer != nullptr ? issuer->certificate_.get() : certificate;
        X509_set_issuer_name(certificate, X509_get_subject_name(signer));
        extend(certificate, signer, NID_basic_constraints,
               wanted.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
        if (!wanted.names.empty()) extend(certificate, signer, NID_subject_alt_name, wanted.names);
        X509_sign(certificate, issuer != nullptr ? issuer->key_.get() : key, EVP_sha256());
        return made;
    }

    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_{nullptr, &EVP_PKEY_free};
    X509Ptr certificate_{nullptr, &X509_free};
};

}  // namespace support
