#include "kubeclient/proxy.hpp"

#include <doctest/doctest.h>

#include "tests/unit/support/client.hpp"
#include "tests/unit/support/loopback_server.hpp"

using namespace support;

namespace {

const ServerUrl kServer{true, "api.example", 6443, ""};

std::string chosen(const ServerUrl& server, const std::string& configured,
                   const std::map<std::string, std::string>& environment) {
    const auto proxy = proxy_for(server, configured, system_with(environment));
    if (!proxy.ok()) return proxy.error().message;
    return *proxy ? host_and_port((*proxy)->host, (*proxy)->port) : "none";
}

}  // namespace

TEST_CASE("the environment names a proxy by scheme, in either case") {
    CHECK(chosen(kServer, "", {}) == "none");
    CHECK(chosen(kServer, "", {{"HTTPS_PROXY", "http://p:3128"}}) == "p:3128");
    CHECK(chosen(kServer, "", {{"https_proxy", "p:3128"}}) == "p:3128");
    CHECK(chosen(kServer, "", {{"HTTPS_PROXY", "a"}, {"https_proxy", "b"}}) == "a:80");
    CHECK(chosen(kServer, "", {{"HTTPS_PROXY", ""}, {"https_proxy", "b"}}) == "b:80");
    CHECK(chosen(kServer, "", {{"HTTP_PROXY", "p:3128"}}) == "none");
    const ServerUrl plain{false, "api.example", 80, ""};
    CHECK(chosen(plain, "", {{"HTTP_PROXY", "p:3128"}}) == "p:3128");
    CHECK(chosen(plain, "", {{"http_proxy", "[fd00::1]:3128"}}) == "[fd00::1]:3128");
}

TEST_CASE("the kubeconfig's proxy wins over the environment and over NO_PROXY") {
    CHECK(chosen(kServer, "http://cfg:1", {{"HTTPS_PROXY", "env:2"}}) == "cfg:1");
    CHECK(chosen(kServer, "http://cfg:1", {{"NO_PROXY", "*"}}) == "cfg:1");
    const ServerUrl local{true, "localhost", 6443, ""};
    CHECK(chosen(local, "http://cfg:1", {}) == "cfg:1");
}

TEST_CASE("loopback is never reached through the environment's proxy") {
    for (const auto* host : {"localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"}) {
        CAPTURE(host);
        CHECK(chosen({true, host, 6443, ""}, "", {{"HTTPS_PROXY", "p"}}) == "none");
    }
}

TEST_CASE("NO_PROXY excludes as Go's httpproxy does") {
    struct Row {
        const char* list;
        const char* host;
        bool excluded;
    };
    for (const Row& row : std::initializer_list<Row>{
             {"", "api.example", false},
             {"*", "api.example", true},
             {"example", "api.example", true},
             {"example", "example", true},
             {"example", "anexample", false},
             {".example", "api.example", true},
             {".example", "example", false},
             {"*.example", "api.example", true},
             {"*.example", "example", false},
             {" other , EXAMPLE ", "API.Example", true},
             {"api.example.", "api.example.", false},
             {"api.example:6443", "api.example", true},
             {"api.example:443", "api.example", false},
             {":6443", "api.example", false},
             {",,", "api.example", false},
             {"10.0.0.0/8", "10.1.2.3", true},
             {"10.0.0.0/8", "11.1.2.3", false},
             {"10.1.2.0/23", "10.1.3.9", true},
             {"10.1.2.0/23", "10.1.4.9", false},
             {"0.0.0.0/0", "10.1.2.3", true},
             {"0.0.0.0/0", "fd00::1", false},
             {"10.0.0.0/33", "10.1.2.3", false},
             {"10.0.0.0/-1", "10.1.2.3", false},
             {"fd00::/8", "fd12::1", true},
             {"fd00::/8", "fe80::1", false},
             {"10.0.0.0/8", "api.example", false},
             {"10.1.2.3", "10.1.2.3", true},
             {"10.1.2.3:6443", "10.1.2.3", true},
             {"10.1.2.3:1", "10.1.2.3", false},
             {"[fd00::1]:6443", "fd00::1", true},
             {"fd00::1", "fd00:0:0::1", true},
             {"::ffff:10.1.2.3", "10.1.2.3", true},
         }) {
        CAPTURE(row.list);
        CAPTURE(row.host);
        CHECK(excluded_from_proxy(row.list, row.host, 6443) == row.excluded);
    }
}

TEST_CASE("proxy URLs are read, or refused with a sentence that holds no password") {
    CHECK(parse_proxy("http://us%40er:p%3Aw@proxy:8080/").value() ==
          Proxy{"proxy", 8080, "us@er", "p:w"});
    CHECK(parse_proxy("HTTP://[::1]").value() == Proxy{"::1", 80, "", ""});
    CHECK(parse_proxy("user@proxy").value() == Proxy{"proxy", 80, "user", ""});
    for (const auto* scheme : {"socks5", "socks5h", "https"}) {
        const auto error = parse_proxy(std::string(scheme) + "://u:secret@p:1").error();
        CHECK(error.message ==
              std::string(scheme) + " proxies are not supported: only http proxies are");
        CHECK(error.kind == ErrorKind::config);
    }
    for (const auto* url :
         {"", "http://", "ftp://u:secret@p", "http://u:secret@p:0", "http://u:secret@p:65536",
          "http://u:secret@p:x", "http://u:secret@a b", "http://u:secret@a\r\nb",
          "http://u:secret%@p", "http://u:secret%zz@p", "http://[::1", "http://u:%4-secret@p"}) {
        CAPTURE(url);
        const auto parsed = parse_proxy(url);
        REQUIRE_FALSE(parsed.ok());
        CHECK(parsed.error().message.find("secret") == std::string::npos);
        CHECK(parsed.error().hint.find("secret") == std::string::npos);
    }
}

TEST_CASE("https goes through the proxy's tunnel, whose password goes no further") {
    const Authority authority("ca");
    Wanted wanted;
    wanted.names = "DNS:api.example";
    const ServerTls tls{authority.issue(wanted)};
    std::string tunnelled;
    const LoopbackServer server(
        [&](Wire& wire) {
            tunnelled = wire.read_request();
            wire.reply("{}");
        },
        &tls);
    std::string connect;
    const LoopbackServer proxy([&](Wire& wire) {
        connect = wire.read_request();
        Interrupt nobody{std::stop_token{}};
        const Patience patience{Clock::now() + 10s, nobody};
        const auto onward =
            dial(system_lookup("127.0.0.1", server.port()).value(), "x", Peer::server, patience);
        wire.send("HTTP/1.1 200 Connection established\r\n\r\n");
        char bytes[4096];
        for (;;) {
            pollfd fds[] = {{wire.fd(), POLLIN, 0}, {onward->fd(), POLLIN, 0}};
            if (::poll(fds, 2, 10000) <= 0) return;
            const bool up = fds[0].revents != 0;
            const auto count = ::recv(up ? wire.fd() : onward->fd(), bytes, sizeof bytes, 0);
            if (count <= 0) return;
            const std::string_view data(bytes, static_cast<std::size_t>(count));
            if (up) {
                if (!send_all(onward->fd(), data, patience).ok()) return;
            } else if (!wire.send(data)) {
                return;
            }
        }
    });
    Client client(6443, true, "api.example");
    client.target.certificate_authority = authority.certificate();
    client.target.proxy_url = "http://user:pass@127.0.0.1:" + std::to_string(proxy.port());
    client.credentials[0].authorization = "Bearer token";
    const auto response = client.get();
    REQUIRE(response.ok());
    CHECK(connect ==
          "CONNECT api.example:6443 HTTP/1.1\r\nHost: api.example:6443\r\n"
          "Proxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n");
    CHECK(tunnelled.find("Proxy-Authorization") == std::string::npos);
    CHECK(tunnelled.find("Authorization: Bearer token") != std::string::npos);
    CHECK(tunnelled.find("Host: api.example:6443\r\n") != std::string::npos);
}

TEST_CASE("plain http goes to the proxy with the whole URL") {
    std::string seen;
    const LoopbackServer proxy([&](Wire& wire) {
        seen = wire.read_request();
        wire.reply("{}");
    });
    Client client(80, false, "api.example");
    client.environment = {{"HTTP_PROXY", "u:p@127.0.0.1:" + std::to_string(proxy.port())}};
    CHECK(client.get("/version").ok());
    CHECK(seen.starts_with("GET http://api.example/version HTTP/1.1\r\n"));
    CHECK(seen.find("Proxy-Authorization: Basic dTpw\r\n") != std::string::npos);
}

TEST_CASE("a proxy that refuses, or is none, is named as the reason") {
    const auto through = [](const std::string& reply) {
        const LoopbackServer proxy([&](Wire& wire) {
            wire.read_request();
            wire.send(reply);
        });
        Client client(6443, true, "api.example");
        client.target.insecure_skip_tls_verify = true;
        client.target.proxy_url = "127.0.0.1:" + std::to_string(proxy.port());
        return client.get().error().message;
    };
    const std::string start = "Unable to connect to the server: proxyconnect tcp: ";
    CHECK(through("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n") ==
          start + "Proxy Authentication Required");
    CHECK(through("HTTP/1.1 403 Forbidden\r\n\r\n") ==
          start + "the proxy answered 403 to CONNECT api.example:6443");
    CHECK(through("SSH-2.0-OpenSSH\r\n\r\n") == start + "malformed HTTP response");
    CHECK(through("HTTP/1.1 200 OK\r\n") == start + "unexpected EOF");
    CHECK(through(std::string(20000, 'x')) == start + "reply too long");
    int port = 0;
    {
        port = LoopbackServer([](Wire&) {}).port();
    }
    Client client(6443, true, "api.example");
    client.target.proxy_url = "127.0.0.1:" + std::to_string(port);
    client.target.insecure_skip_tls_verify = true;
    CHECK(client.get().error().message ==
          start + "dial tcp 127.0.0.1:" + std::to_string(port) + ": connect: connection refused");
}
