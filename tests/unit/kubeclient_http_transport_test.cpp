#include "kubeclient/http_transport.hpp"

#include <doctest/doctest.h>

#include "tests/unit/support/client.hpp"
#include "tests/unit/support/loopback_server.hpp"

using namespace support;

namespace {

std::string header(const std::string& request, const std::string& name) {
    const auto at = request.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const auto start = at + name.size() + 4;
    return request.substr(start, request.find("\r\n", start) - start);
}

// What the server saw of one request that it answered with {}.
std::string seen_of(const std::function<void(Client&)>& set_up, Request request) {
    std::string seen;
    const LoopbackServer server([&](Wire& wire) {
        seen = wire.read_request();
        wire.reply("{}");
    });
    Client client(server.port(), false);
    set_up(client);
    REQUIRE(client.transport()->send(request).ok());
    return seen;
}

Request get(const std::string& path) {
    Request request;
    request.path = path;
    return request;
}

}  // namespace

TEST_CASE("a request carries path prefix, query, host, agent and credentials") {
    Request request = get("/api/v1/pods");
    request.query = {{"labelSelector", "a=b,c in (d, e)"}, {"continue", "x&y=%z#"}};
    const auto seen = seen_of(
        [](Client& client) {
            client.target.server.base_path = "/k8s/clusters/c-1/";
            client.credentials[0].authorization = "Bearer token";
        },
        request);
    CHECK(
        seen.starts_with("GET /k8s/clusters/c-1/api/v1/pods?"
                         "labelSelector=a%3Db%2Cc%20in%20%28d%2C%20e%29"
                         "&continue=x%26y%3D%25z%23 HTTP/1.1\r\n"));
    CHECK(header(seen, "Host").starts_with("127.0.0.1:"));
    CHECK(header(seen, "User-Agent") == "kubectl-virt-handoff/test (linux/amd64)");
    CHECK(header(seen, "Authorization") == "Bearer token");
    CHECK(header(seen, "Accept") == "application/json");
    CHECK(header(seen, "Accept-Encoding") == "");
    CHECK(header(seen, "Connection") == "");
}

TEST_CASE("a body travels with its type and length") {
    Request request = get("/api/v1/x");
    request.method = Method::post;
    request.content_type = "application/json";
    request.body = "{\"a\":1}";
    request.repeatable = Repeatable::no;
    const auto seen = seen_of([](Client&) {}, request);
    CHECK(seen.starts_with("POST /api/v1/x HTTP/1.1\r\n"));
    CHECK(header(seen, "Content-Type") == "application/json");
    CHECK(header(seen, "Content-Length") == "7");
    CHECK(seen.ends_with("\r\n\r\n{\"a\":1}"));
}

TEST_CASE("impersonation is sent as client-go sends it") {
    const auto seen = seen_of(
        [](Client& client) {
            client.target.impersonate.user = "jane";
            client.target.impersonate.uid = "u-1";
            client.target.impersonate.groups = {"dev", "ops"};
            client.target.impersonate.extra = {{"acme.com/project", {"p1", "p2"}}};
        },
        get("/x"));
    CHECK(header(seen, "Impersonate-User") == "jane");
    CHECK(header(seen, "Impersonate-Uid") == "u-1");
    CHECK(seen.find("Impersonate-Group: dev\r\nImpersonate-Group: ops\r\n") != std::string::npos);
    CHECK(seen.find("Impersonate-Extra-acme.com%2Fproject: p1\r\n"
                    "Impersonate-Extra-acme.com%2Fproject: p2\r\n") != std::string::npos);
}

TEST_CASE("nothing can break out of its line") {
    const LoopbackServer server([](Wire& wire) {
        wire.read_request();
        wire.reply("{}");
    });
    const auto kind_with = [&](const std::function<void(Client&, Request&)>& change) {
        Client client(server.port(), false);
        Request request = get("/x");
        change(client, request);
        const auto made = make_http_transport(client.target,
                                              std::make_unique<FakeCredentials>(client.credentials),
                                              client.options, system_with());
        if (!made.ok()) return made.error().kind;
        const auto sent = (*made)->send(request);
        return sent.ok() ? ErrorKind::server : sent.error().kind;
    };
    using C = Client;
    using R = Request;
    const std::string evil = "a\r\nX-Evil: 1";
    CHECK(kind_with([](C&, R&) {}) == ErrorKind::server);  // the answer came
    CHECK(kind_with([&](C& c, R&) { c.credentials[0].authorization = evil; }) == ErrorKind::config);
    CHECK(kind_with([&](C& c, R&) { c.target.impersonate.user = evil; }) == ErrorKind::config);
    CHECK(kind_with([&](C& c, R&) { c.target.impersonate.groups = {"a\n"}; }) == ErrorKind::config);
    CHECK(kind_with([&](C& c, R&) { c.target.impersonate.extra["k"] = {evil}; }) ==
          ErrorKind::config);
    CHECK(kind_with([&](C& c, R&) { c.options.user_agent = evil; }) == ErrorKind::config);
    CHECK(kind_with([&](C& c, R&) { c.target.server.host = "127.0.0.1\r\nX: 1"; }) ==
          ErrorKind::config);
    CHECK(kind_with([&](C& c, R&) { c.target.server.host = "a b"; }) == ErrorKind::config);
    CHECK(kind_with([&](C&, R& r) { r.accept = evil; }) == ErrorKind::config);
    CHECK(kind_with([&](C&, R& r) { r.content_type = evil; }) == ErrorKind::config);
    for (const std::string path : {"/a\r\nX: 1", "/a b", "/a\n", "/a?b", "/a#b", "/%zz", "/%0",
                                   "/é", "/a/../b", "/./a", "a", ""}) {
        CAPTURE(path);
        CHECK(kind_with([&](C&, R& r) { r.path = path; }) == ErrorKind::usage);
    }
    CHECK(kind_with([&](C& c, R&) { c.target.server.base_path = "/p\r\nX: 1"; }) ==
          ErrorKind::usage);
    // In the query and in keys of extra every such byte is encoded.
    CHECK(kind_with([&](C&, R& r) { r.query = {{evil, evil}}; }) == ErrorKind::server);
    CHECK(kind_with([&](C& c, R&) { c.target.impersonate.extra[evil] = {"v"}; }) ==
          ErrorKind::server);
}

TEST_CASE("gzip is asked for where a network lies between, and decoded") {
    Client client(1, false, "203.0.113.7");
    client.target.proxy_url = "";
    std::string seen;
    // {"a":1} compressed by gzip -n.
    const unsigned char packed[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                    0x03, 0xab, 0x56, 0x4a, 0x54, 0xb2, 0x32, 0xac, 0x05,
                                    0x00, 0xaf, 0xac, 0x1b, 0x56, 0x07, 0x00, 0x00, 0x00};
    const std::string body(reinterpret_cast<const char*>(packed), sizeof packed);
    const LoopbackServer proxy([&](Wire& wire) {
        seen = wire.read_request();
        wire.reply(body, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n");
    });
    client.target.proxy_url = "http://127.0.0.1:" + std::to_string(proxy.port());
    const auto response = client.get();
    REQUIRE(response.ok());
    CHECK(header(seen, "Accept-Encoding") == "gzip");
    CHECK(response->body == "{\"a\":1}");
    client.target.disable_compression = true;
    CHECK(client.get().ok());
    CHECK(header(seen, "Accept-Encoding") == "");
}

TEST_CASE("a connection is kept and used again") {
    std::atomic<int> connections = 0;
    const LoopbackServer server([&](Wire& wire) {
        ++connections;
        while (!wire.read_request().empty()) wire.reply("{}");
    });
    const auto transport = Client(server.port(), false).transport();
    for (int i = 0; i < 5; ++i) CHECK(transport->send(get("/x")).ok());
    CHECK(connections == 1);
    Request write = get("/x");
    write.method = Method::post;
    write.repeatable = Repeatable::no;
    CHECK(transport->send(write).ok());
    CHECK(connections == 2);  // a write never travels on a connection that may be stale
}

TEST_CASE("a connection that the server closed meanwhile is replaced") {
    const Authority authority("ca");
    Wanted wanted;
    wanted.names = "IP:127.0.0.1";
    const ServerTls tls{authority.issue(wanted)};
    for (const auto* with : {static_cast<const ServerTls*>(nullptr), &tls}) {
        std::atomic<int> connections = 0;
        const LoopbackServer server(
            [&](Wire& wire) {
                ++connections;
                wire.read_request();
                wire.reply("{}");  // says keep-alive, and closes
            },
            with);
        Client client(server.port(), with != nullptr);
        client.target.certificate_authority = authority.certificate();
        const auto transport = client.transport();
        for (int i = 0; i < 5; ++i) CHECK(transport->send(get("/x")).ok());
        CHECK(connections == 5);
    }
}

TEST_CASE("a connection that dies under a second request is replaced once") {
    std::atomic<int> connections = 0;
    const LoopbackServer server([&](Wire& wire) {
        const bool first = ++connections == 1;
        wire.read_request();
        wire.reply("{}");
        if (first) {
            wire.read_request();  // and no answer: the peer is gone
            return;
        }
        wire.hang();
    });
    const auto transport = Client(server.port(), false).transport();
    CHECK(transport->send(get("/x")).ok());
    CHECK(transport->send(get("/x")).ok());
    CHECK(connections == 2);
}

TEST_CASE("a connection idle for too long, or that got stray bytes, is not used again") {
    std::atomic<int> connections = 0;
    const LoopbackServer server([&](Wire& wire) {
        ++connections;
        wire.read_request();
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n");
        wire.hang();
    });
    auto client = Client(server.port(), false);
    const auto transport = client.transport();
    CHECK(transport->send(get("/x"))->body == "{}");
    CHECK(transport->send(get("/x"))->body == "{}");
    CHECK(connections == 2);

    connections = 0;
    const LoopbackServer polite([&](Wire& wire) {
        ++connections;
        while (!wire.read_request().empty()) wire.reply("{}");
    });
    client.target.server.port = polite.port();
    client.options.limits.keep = -1ms;
    const auto impatient = client.transport();
    CHECK(impatient->send(get("/x")).ok());
    CHECK(impatient->send(get("/x")).ok());
    CHECK(connections == 2);
}

TEST_CASE("after a 401 the request goes again with new credentials, where there are any") {
    std::vector<std::string> seen;
    const LoopbackServer server([&](Wire& wire) {
        for (auto text = wire.read_request(); !text.empty(); text = wire.read_request()) {
            seen.push_back(header(text, "Authorization"));
            const bool good = seen.back() == "Bearer new";
            wire.reply("{}", good ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 401 Unauthorized\r\n");
        }
    });
    Client client(server.port(), false);
    client.credentials = {{.authorization = "Bearer old"}, {.authorization = "Bearer new"}};
    CHECK(client.get()->status == 200);
    CHECK(seen == std::vector<std::string>{"Bearer old", "Bearer new"});
    seen.clear();
    client.credentials = {{.authorization = "Bearer old"}};
    CHECK(client.get()->status == 401);
    CHECK(seen.size() == 1);  // the same once more would be refused once more
}

TEST_CASE("a new client certificate closes the connections of the old one") {
    const Authority authority("ca");
    Wanted wanted;
    wanted.names = "IP:127.0.0.1";
    ServerTls tls{authority.issue(wanted)};
    tls.client_authority = authority.certificate();
    std::vector<std::string> subjects;
    const LoopbackServer server(
        [&](Wire& wire) {
            X509* peer = SSL_get1_peer_certificate(wire.ssl());
            char name[64] = "";
            X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, name, 64);
            X509_free(peer);
            subjects.push_back(name);
            const bool rotated = std::string(name) == "new";
            while (!wire.read_request().empty()) {
                wire.reply("{}", rotated ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 401 Unauthorized\r\n");
            }
        },
        &tls);
    Client client(server.port(), true);
    client.target.certificate_authority = authority.certificate();
    client.credentials.clear();
    for (const auto* name : {"old", "new"}) {
        wanted.common_name = name;
        const auto issued = authority.issue(wanted);
        client.credentials.push_back({.client_certificate = issued.certificate,
                                      .client_key = issued.key,
                                      .generation = client.credentials.size()});
    }
    CHECK(client.get()->status == 200);
    CHECK(subjects == std::vector<std::string>{"old", "new"});
}

TEST_CASE("redirects are not followed") {
    const LoopbackServer server([&](Wire& wire) {
        wire.read_request();
        wire.reply("", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n");
    });
    const auto response = Client(server.port(), false).get();
    REQUIRE(response.ok());
    CHECK(response->status == 302);
}

TEST_CASE("many threads share one transport, eight at a time") {
    std::atomic<int> running = 0;
    std::atomic<int> most = 0;
    const LoopbackServer server([&](Wire& wire) {
        for (auto text = wire.read_request(); !text.empty(); text = wire.read_request()) {
            const int now = ++running;
            int seen = most;
            while (now > seen && !most.compare_exchange_weak(seen, now)) {
            }
            --running;
            const auto start = text.find("/n/") + 3;
            wire.reply(text.substr(start, text.find(' ', start) - start));
        }
    });
    const auto transport = Client(server.port(), false).transport();
    std::atomic<int> right = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 16; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 20; ++i) {
                const auto name = std::to_string(t * 100 + i);
                const auto response = transport->send(get("/n/" + name));
                if (response.ok() && response->body == name) ++right;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(right == 16 * 20);
    CHECK(most <= 8);
}
