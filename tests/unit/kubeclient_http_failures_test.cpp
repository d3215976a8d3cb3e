// What the HTTP transport says and does when the other side is missing, slow, cut off or broken.
#include <doctest/doctest.h>

#include <condition_variable>
#include <latch>

#include "kubeclient/http_transport.hpp"
#include "tests/unit/support/client.hpp"
#include "tests/unit/support/loopback_server.hpp"

using namespace support;

namespace {

Request get(const std::string& path) {
    Request request;
    request.path = path;
    return request;
}

// The error of one GET to a server that sends these bytes and closes.
Error error_for(const std::string& bytes) {
    const LoopbackServer server([&](Wire& wire) {
        wire.read_request();
        wire.send(bytes);
    });
    const auto response = Client(server.port(), false).get();
    return response.ok() ? Error{ErrorKind::usage, "no error: " + response->body}
                         : response.error();
}

}  // namespace

TEST_CASE("a refused connection is told in kubectl's words") {
    int port = 0;
    {
        port = LoopbackServer([](Wire&) {}).port();
    }
    const auto error = Client(port, false).get().error();
    CHECK(error.message == "The connection to the server 127.0.0.1:" + std::to_string(port) +
                               " was refused - did you specify the right host or port?");
    CHECK(error.kind == ErrorKind::transport);
}

TEST_CASE("a name that does not exist is told from one that is never answered") {
    Client client(443, false, "api.cluster.invalid");
    client.options.lookup = [](const std::string&, int) -> Result<std::vector<Address>> {
        return Error{ErrorKind::transport, "no such host"};
    };
    CHECK(client.get().error().message ==
          "Unable to connect to the server: dial tcp: lookup api.cluster.invalid: no such host");

    // A resolver that hangs: it is released when the test is over, and owns what it touches.
    struct Gate {
        std::mutex mutex{};
        std::condition_variable opened{};
        bool open = false;
    };
    const auto gate = std::make_shared<Gate>();
    client.options.lookup = [gate](const std::string&, int) -> Result<std::vector<Address>> {
        std::unique_lock lock(gate->mutex);
        gate->opened.wait(lock, [&] { return gate->open; });
        return Error{ErrorKind::transport, "too late"};
    };
    client.options.limits.connect.lookup = 30ms;
    const auto slow = client.get().error();
    CHECK(slow.kind == ErrorKind::timeout);
    CHECK(slow.message ==
          "Unable to connect to the server: dial tcp: lookup api.cluster.invalid: i/o timeout");
    client.options.limits.connect.lookup = 30s;
    client.options.request_timeout = 30ms;
    CHECK(client.get().error().kind == ErrorKind::timeout);
    const std::lock_guard lock(gate->mutex);
    gate->open = true;
    gate->opened.notify_all();
}

TEST_CASE("the second address of a name is tried when the first refuses") {
    const LoopbackServer server([](Wire& wire) {
        wire.read_request();
        wire.reply("{}");
    });
    Client client(server.port(), false, "api.cluster.invalid");
    client.options.lookup = [&](const std::string&, int port) -> Result<std::vector<Address>> {
        auto addresses = system_lookup("127.0.0.1", 1).value();
        addresses.push_back(system_lookup("127.0.0.1", port)->front());
        return addresses;
    };
    CHECK(client.get().ok());
}

TEST_CASE("a server that accepts and never answers runs into the limit") {
    const LoopbackServer server([](Wire& wire) { wire.hang(); });
    Client client(server.port(), false);
    client.options.limits.first_byte = 30ms;
    CHECK(client.get().error().message ==
          "Unable to connect to the server: GET /version: net/http: timeout awaiting response "
          "headers");
    client.options.limits.first_byte = 30s;
    client.options.request_timeout = 300ms;
    const auto error = client.get().error();
    CHECK(error.kind == ErrorKind::timeout);
    CHECK(error.message ==
          "Unable to connect to the server: GET /version: net/http: request canceled "
          "(Client.Timeout exceeded while awaiting headers)");
    CHECK(error.hint.starts_with("there was no complete reply within 300ms"));
    // The same before TLS.
    client.target.server.tls = true;
    client.target.insecure_skip_tls_verify = true;
    client.options.request_timeout = 0ms;
    client.options.limits.connect.handshake = 30ms;
    CHECK(client.get().error().message ==
          "Unable to connect to the server: net/http: TLS handshake timeout");
    client.options.limits.connect.handshake = 30s;
    client.options.request_timeout = 40ms;
    CHECK(client.get().error().kind == ErrorKind::timeout);
}

TEST_CASE("a request timeout holds however slowly bytes come") {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"", "H"},
        {"HTTP/1.1 200 OK\r\n", "X: y\r\n"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "{"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n{\r\n"}};
    for (const auto& [start, rest] : cases) {
        CAPTURE(start);
        const LoopbackServer server([&](Wire& wire) {
            wire.read_request();
            wire.send(start);
            wire.trickle(rest, 5);
        });
        Client client(server.port(), false);
        client.options.request_timeout = 100ms;
        const auto begin = Clock::now();
        const auto error = client.get().error();
        CHECK(error.kind == ErrorKind::timeout);
        CHECK(Clock::now() - begin < 5s);
    }
}

TEST_CASE("headers that trickle count as a late first byte, a silent body as silence") {
    const LoopbackServer trickling([](Wire& wire) {
        wire.read_request();
        wire.send("HTTP/1.1 200 OK\r\n");
        wire.trickle("X: y\r\n", 5);
    });
    Client client(trickling.port(), false);
    client.options.limits.first_byte = 60ms;
    CHECK(client.get().error().message.find("timeout awaiting response headers") !=
          std::string::npos);
    const LoopbackServer silent([](Wire& wire) {
        wire.read_request();
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{");
        wire.hang();
    });
    client.target.server.port = silent.port();
    client.options.limits.silence = 40ms;
    CHECK(client.get().error().message.find("fell silent in the middle of its reply") !=
          std::string::npos);
}

TEST_CASE("a request's own timeout shortens the option's") {
    const LoopbackServer server([](Wire& wire) { wire.hang(); });
    Client client(server.port(), false);
    client.options.request_timeout = 30s;
    Request request = get("/x");
    request.timeout = 30ms;
    CHECK(client.transport()->send(request).error().kind == ErrorKind::timeout);
}

TEST_CASE("half a reply is an error, never a document") {
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
    CHECK(error_for("").message == "Unable to connect to the server: EOF");
    CHECK(error_for("HTTP/1.1 200").message == "Unable to connect to the server: EOF");
    for (const auto& bytes : {ok, ok + "Content-Length: 10\r\n\r\n{}", chunked, chunked + "2\r\n{}",
                              chunked + "2\r\n{}\r\n", chunked + "2\r\n{}\r\n0\r\n"}) {
        CAPTURE(bytes);
        CHECK(error_for(bytes).message == "Unable to connect to the server: unexpected EOF");
        CHECK(error_for(bytes).kind == ErrorKind::transport);
    }
}

TEST_CASE("a reply that breaks the framing is refused") {
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
    for (const auto& bytes :
         {std::string("\x15\x03\x01\x02\x02\x50"), std::string("SSH-2.0-x\r\n"),
          std::string("HTTP/2 200\r\n\r\n"), std::string("HTTP/1.1 100 Continue\r\n\r\n") + ok,
          "HTTP/1.1 200 " + std::string(100000, 'x') + "\r\n\r\n",
          ok + "Content-Length: x\r\n\r\n{}", ok + "Content-Length: -1\r\n\r\n{}",
          ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
          ok + "Content-Length: 99999999999999999999\r\n\r\n{}",
          ok + "Transfer-Encoding: gzip\r\n\r\n{}", ok + "\r\n{}", chunked + "x\r\n{}",
          chunked + "1\r\n{}\r\n0\r\n\r\n"}) {
        CAPTURE(bytes.substr(0, 80));
        const auto error = error_for(bytes);
        CHECK(error.kind == ErrorKind::protocol);
        CHECK(error.message.starts_with("GET /version: "));
    }
    // Endless headers stop at a limit.
    CHECK(error_for(ok + std::string(2 << 20, 'x')).kind == ErrorKind::protocol);
}

TEST_CASE("a reply that ends with the connection is taken only as an error's text") {
    CHECK(error_for("HTTP/1.0 503 Service Unavailable\r\n\r\nno server").message ==
          "no error: no server");
}

TEST_CASE("a body may not grow without limit") {
    const LoopbackServer server([](Wire& wire) {
        wire.read_request();
        wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        wire.trickle("5\r\n12345\r\n", 0);
    });
    Client client(server.port(), false);
    client.options.limits.body = 1000;
    CHECK(client.get().error().message == "GET /version: reply larger than 1000 bytes");
}

TEST_CASE("a write that was sent and not answered is of unknown outcome, one not sent is not") {
    const LoopbackServer server([](Wire& wire) { wire.read_request(); });
    Client client(server.port(), false);
    Request request = get("/apis/x/y");
    request.method = Method::post;
    request.body = "{}";
    request.repeatable = Repeatable::no;
    const auto lost = client.transport()->send(request).error();
    CHECK(lost.kind == ErrorKind::unknown_outcome);
    CHECK(lost.message == "the outcome of POST /apis/x/y is unknown: EOF");
    CHECK(lost.hint.find("read the object") != std::string::npos);
    int port = 0;
    {
        port = LoopbackServer([](Wire&) {}).port();
    }
    client.target.server.port = port;
    CHECK(client.transport()->send(request).error().kind == ErrorKind::transport);
}

TEST_CASE("an interrupt ends requests in flight and those that come later") {
    std::stop_source stop;
    std::latch arrived(1);
    const LoopbackServer server([&](Wire& wire) {
        wire.read_request();
        arrived.count_down();
        wire.hang();
    });
    Client client(server.port(), false);
    client.options.stop = stop.get_token();
    const auto transport = client.transport();
    std::thread interrupting([&] {
        arrived.wait();
        stop.request_stop();
    });
    CHECK(transport->send(get("/x")).error().kind == ErrorKind::canceled);
    interrupting.join();
    CHECK(transport->send(get("/x")).error().kind == ErrorKind::canceled);
}
