#include "kubeclient/tls.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "tests/unit/support/client.hpp"
#include "tests/unit/support/loopback_server.hpp"

using namespace support;

namespace {

void answer(Wire& wire) {
    while (!wire.read_request().empty()) wire.reply("{}");
}

const Authority& cluster_authority() {
    static const Authority authority("kube-ca");
    return authority;
}

ServerTls server_tls(const std::string& names, const Authority& authority = cluster_authority()) {
    Wanted wanted;
    wanted.names = names;
    return {authority.issue(wanted)};
}

struct Attempt {
    std::string host = "127.0.0.1";
    std::string server_name{};
    std::string authorities = cluster_authority().certificate();
    std::map<std::string, std::string> environment{};
    Credential credential{};
    bool insecure = false;
    int family = AF_INET;
};

// Connects to a server with this certificate: "" on success, otherwise the message.
Error connecting(const ServerTls& tls, const Attempt& attempt = {}) {
    const LoopbackServer server(answer, &tls, attempt.family);
    Client client(server.port(), true, attempt.host);
    client.target.certificate_authority = attempt.authorities;
    client.target.tls_server_name = attempt.server_name;
    client.target.insecure_skip_tls_verify = attempt.insecure;
    client.environment = attempt.environment;
    client.credentials = {attempt.credential};
    const auto response = client.get();
    return response.ok() ? Error{ErrorKind::transport, ""} : response.error();
}

const std::string kVerify = "Unable to connect to the server: tls: failed to verify certificate: ";

// A file or folder that goes with the test.
class Scratch {
public:
    Scratch() {
        std::string pattern = (std::filesystem::temp_directory_path() / "tls-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    ~Scratch() { std::filesystem::remove_all(path_); }
    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path_ / name) << text;
        return path_ / name;
    }
    std::string path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace

TEST_CASE("the cluster's authority and the right name pass") {
    CHECK(connecting(server_tls("DNS:localhost,IP:127.0.0.1")).message == "");
    Attempt by_name;
    by_name.host = "localhost";
    CHECK(connecting(server_tls("DNS:localhost"), by_name).message == "");
    by_name.server_name = "LocalHost.";
    CHECK(connecting(server_tls("DNS:localhost"), by_name).message == "");
}

TEST_CASE("an IPv6 address is verified by its address") {
    Attempt v6;
    v6.server_name = "::1";
    CHECK(connecting(server_tls("IP:::1"), v6).message == "");
    CHECK(connecting(server_tls("IP:0:0:0:0:0:0:0:1,IP:10.0.0.1"), v6).message == "");
    CHECK(connecting(server_tls("IP:127.0.0.1"), v6).message ==
          kVerify + "x509: certificate is valid for 127.0.0.1, not ::1");
    CHECK(connecting(server_tls("IP:fd00::1"), v6).message ==
          kVerify + "x509: certificate is valid for fd00::1, not ::1");
    CHECK(connecting(server_tls("DNS:localhost"), v6).message.find("any IP SANs") !=
          std::string::npos);
}

TEST_CASE("a server with an IPv6 address is reached") {
    if (!LoopbackServer::available(AF_INET6)) {
        MESSAGE("this machine has no ::1");
        return;
    }
    Attempt v6;
    v6.host = "::1";
    v6.family = AF_INET6;
    CHECK(connecting(server_tls("IP:::1"), v6).message == "");
}

TEST_CASE("another authority fails and is named as the reason") {
    const Authority other("other-ca");
    for (const auto* names : {"IP:127.0.0.1", "DNS:elsewhere"}) {
        const auto error = connecting(server_tls(names, other));
        CHECK(error.message == kVerify + "x509: certificate signed by unknown authority");
        CHECK(error.kind == ErrorKind::config);
        CHECK(error.hint.find("certificate-authority-data") != std::string::npos);
    }
}

TEST_CASE("another name fails and both names are shown") {
    Attempt by_name;
    by_name.host = "localhost";
    CHECK(connecting(server_tls("DNS:a.example,DNS:b.example"), by_name).message ==
          kVerify + "x509: certificate is valid for a.example, b.example, not localhost");
    CHECK(connecting(server_tls("IP:10.0.0.1"), by_name).message ==
          kVerify + "x509: certificate is not valid for any names, but wanted to match localhost");
}

TEST_CASE("an address that is no subject alternative name fails") {
    CHECK(connecting(server_tls("DNS:localhost")).message ==
          kVerify +
              "x509: cannot validate certificate for 127.0.0.1 because it doesn't contain "
              "any IP SANs");
    CHECK(connecting(server_tls("IP:10.0.0.1,IP:fd00::1")).message ==
          kVerify + "x509: certificate is valid for 10.0.0.1, fd00::1, not 127.0.0.1");
    // An address in a DNS name is no address.
    CHECK(connecting(server_tls("DNS:127.0.0.1")).message.find("any IP SANs") != std::string::npos);
}

TEST_CASE("the common name alone is not enough") {
    Wanted wanted;
    wanted.common_name = "localhost";
    Attempt by_name;
    by_name.host = "localhost";
    CHECK(connecting({cluster_authority().issue(wanted)}, by_name).message ==
          kVerify + "x509: certificate relies on legacy Common Name field, use SANs instead");
    wanted.common_name = "127.0.0.1";
    CHECK(connecting({cluster_authority().issue(wanted)}).message.find("x509: ") !=
          std::string::npos);
}

TEST_CASE("wildcards stand for one whole label") {
    Attempt attempt;
    attempt.server_name = "api.cluster.example";
    CHECK(connecting(server_tls("DNS:*.cluster.example"), attempt).message == "");
    CHECK(connecting(server_tls("DNS:*.example"), attempt).message.find("not api.cluster") !=
          std::string::npos);
    CHECK(connecting(server_tls("DNS:a*.cluster.example"), attempt).message.find("not api") !=
          std::string::npos);
}

TEST_CASE("an expired certificate and one of the future say so, with both times") {
    Wanted wanted;
    wanted.names = "IP:127.0.0.1";
    wanted.valid_from = -7200;
    wanted.valid_to = -3600;
    const auto expired = connecting({cluster_authority().issue(wanted)});
    CHECK(expired.message.starts_with(kVerify +
                                      "x509: certificate has expired or is not yet valid: "
                                      "current time 2"));
    CHECK(expired.message.find("Z is after 2") != std::string::npos);
    wanted.valid_from = 3600;
    wanted.valid_to = 7200;
    CHECK(connecting({cluster_authority().issue(wanted)}).message.find("Z is before 2") !=
          std::string::npos);
}

TEST_CASE("a system authority does not pass for the cluster's") {
    const Authority other("system-ca");
    const Scratch scratch;
    Attempt attempt;
    attempt.environment = {{"SSL_CERT_FILE", scratch.write("ca.pem", other.certificate())},
                           {"SSL_CERT_DIR", scratch.path()}};
    // OpenSSL reads the real environment, so that is where they must not count either.
    ::setenv("SSL_CERT_FILE", attempt.environment["SSL_CERT_FILE"].c_str(), 1);
    ::setenv("SSL_CERT_DIR", scratch.path().c_str(), 1);
    CHECK(connecting(server_tls("IP:127.0.0.1", other), attempt).message ==
          kVerify + "x509: certificate signed by unknown authority");
    ::unsetenv("SSL_CERT_FILE");
    ::unsetenv("SSL_CERT_DIR");
}

TEST_CASE("without an authority the system's count") {
    const Authority other("system-ca");
    const Scratch scratch;
    const auto file = scratch.write("ca.pem", other.certificate());
    Attempt attempt;
    attempt.authorities = "";
    attempt.environment = {{"SSL_CERT_FILE", file}};
    CHECK(connecting(server_tls("IP:127.0.0.1", other), attempt).message == "");
    attempt.environment = {{"SSL_CERT_FILE", "/nonexistent"},
                           {"SSL_CERT_DIR", "/nonexistent:" + scratch.path()}};
    CHECK(connecting(server_tls("IP:127.0.0.1", other), attempt).message == "");
    attempt.environment = {{"SSL_CERT_FILE", "/nonexistent"}, {"SSL_CERT_DIR", "/nonexistent"}};
    CHECK(connecting(server_tls("IP:127.0.0.1", other), attempt).message ==
          kVerify + "x509: certificate signed by unknown authority");
}

TEST_CASE("tls-server-name changes what is asked for and what is verified") {
    Attempt attempt;
    attempt.server_name = "api.cluster.example";
    CHECK(connecting(server_tls("DNS:api.cluster.example"), attempt).message == "");
    CHECK(connecting(server_tls("IP:127.0.0.1"), attempt).message ==
          kVerify +
              "x509: certificate is not valid for any names, but wanted to match "
              "api.cluster.example");
}

TEST_CASE("a name goes out as SNI, an address does not") {
    const auto tls = server_tls("DNS:api.example,IP:127.0.0.1");
    std::string seen;
    const LoopbackServer server(
        [&](Wire& wire) {
            const char* name = SSL_get_servername(wire.ssl(), TLSEXT_NAMETYPE_host_name);
            seen = name != nullptr ? name : "none";
            answer(wire);
        },
        &tls);
    Client client(server.port(), true);
    client.target.certificate_authority = cluster_authority().certificate();
    CHECK(client.get().ok());
    CHECK(seen == "none");
    client.target.tls_server_name = "api.example";
    CHECK(client.get().ok());
    CHECK(seen == "api.example");
}

TEST_CASE("skipping verification takes any certificate") {
    Attempt attempt;
    attempt.insecure = true;
    attempt.authorities = "";
    CHECK(connecting(server_tls("DNS:elsewhere", Authority("other-ca")), attempt).message == "");
}

TEST_CASE("an intermediate that is trusted is enough") {
    const Authority intermediate("intermediate", cluster_authority());
    Attempt attempt;
    attempt.authorities = intermediate.certificate();
    CHECK(connecting(server_tls("IP:127.0.0.1", intermediate), attempt).message == "");
}

TEST_CASE("a client certificate with its intermediates is accepted") {
    const Authority clients("client-ca");
    const Authority intermediate("client-intermediate", clients);
    auto tls = server_tls("IP:127.0.0.1");
    tls.client_authority = clients.certificate();
    Attempt attempt;
    const auto issued = intermediate.issue({});
    attempt.credential.client_certificate = issued.certificate + intermediate.certificate();
    attempt.credential.client_key = issued.key;
    CHECK(connecting(tls, attempt).message == "");
    attempt.credential.client_certificate = issued.certificate;  // the chain has a hole
    CHECK(
        connecting(tls, attempt).message.find("remote error: tls: unknown certificate authority") !=
        std::string::npos);
}

TEST_CASE("a server that demands a client certificate is told from others") {
    auto tls = server_tls("IP:127.0.0.1");
    tls.client_authority = Authority("client-ca").certificate();
    for (const int version : {0, TLS1_2_VERSION}) {
        tls.highest_version = version;
        const auto error = connecting(tls);
        CAPTURE(version);
        CHECK(error.kind == ErrorKind::config);
        CHECK(error.message.starts_with("Unable to connect to the server: remote error: tls: "));
        CHECK(error.hint.find("client certificate") != std::string::npos);
    }
}

TEST_CASE("a server that speaks only old TLS is refused") {
    auto tls = server_tls("IP:127.0.0.1");
    tls.highest_version = TLS1_1_VERSION;
    const auto error = connecting(tls);
    CHECK(error.message.find("protocol version not supported") != std::string::npos);
    CHECK(error.hint.find("TLS 1.2") != std::string::npos);
}

TEST_CASE("a peer that speaks plain HTTP, or something else, is recognised") {
    const LoopbackServer http([](Wire& wire) {
        wire.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        wire.hang();
    });
    Client client(http.port(), true);
    client.target.certificate_authority = cluster_authority().certificate();
    CHECK(client.get().error().message ==
          "Unable to connect to the server: http: server gave HTTP response to HTTPS client");
    const LoopbackServer ssh([](Wire& wire) {
        wire.send("SSH-2.0-OpenSSH_9.2\r\n");
        wire.hang();
    });
    client.target.server.port = ssh.port();
    CHECK(client.get().error().message ==
          "Unable to connect to the server: tls: first record does not look like a TLS handshake");
    const LoopbackServer closing([](Wire&) {});
    client.target.server.port = closing.port();
    CHECK(client.get().error().kind == ErrorKind::transport);
}

TEST_CASE("certificates and keys that cannot be used say which and what to do") {
    const auto made = [](const TlsSettings& settings) {
        const auto context = TlsContext::make(settings, system_with());
        return context.ok() ? std::string("ok") : context.error().message;
    };
    const auto issued = cluster_authority().issue({});
    const auto other = cluster_authority().issue({});
    TlsSettings settings;
    settings.server_name = "localhost";
    settings.authorities = "no certificate at all";
    CHECK(made(settings) == "unable to load root certificates: unable to parse bytes as PEM block");
    settings.authorities = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    CHECK(made(settings) == "unable to load root certificates: unable to parse bytes as PEM block");
    settings.authorities += cluster_authority().certificate();
    CHECK(made(settings) == "ok");
    settings.client_certificate = issued.certificate;
    CHECK(made(settings) == "tls: failed to parse the client's private key");
    settings.client_key = other.key;
    CHECK(made(settings) == "tls: private key does not match public key");
    settings.client_key = Authority::encrypted_key("secret");
    CHECK(made(settings) == "tls: the client key is encrypted");
    settings.client_key = issued.key;
    CHECK(made(settings) == "ok");
    settings.client_certificate = "";
    CHECK(made(settings) == "tls: failed to find any PEM data in the client certificate");
    settings = {};
    settings.authorities = cluster_authority().certificate();
    CHECK(made(settings) == "tls: no server name to verify");
}
