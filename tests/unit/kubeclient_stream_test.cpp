#include <doctest/doctest.h>

#include <condition_variable>
#include <thread>

#include "kubeclient/retry.hpp"
#include "kubeclient/trace.hpp"
#include "tests/unit/support/client.hpp"
#include "tests/unit/support/fake_transport.hpp"
#include "tests/unit/support/loopback_server.hpp"

using namespace support;

namespace {

const std::string kHead =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunk(const std::string& bytes) {
    std::ostringstream text;
    text << std::hex << bytes.size() << "\r\n" << bytes << "\r\n";
    return text.str();
}

Request watch() {
    Request request;
    request.path = "/api/v1/pods";
    request.query = {{"watch", "true"}};
    return request;
}

// A sink that keeps everything.
struct Kept {
    std::string body{};
    std::vector<int> statuses{};

    BodySink sink() {
        return [this](const Response& head, std::string_view piece) {
            statuses.push_back(head.status);
            body += piece;
            return Flow::go_on;
        };
    }
};

// Opens once; then everybody passes.
class Gate {
public:
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        opened_.notify_all();
    }
    void pass() {
        std::unique_lock lock(mutex_);
        opened_.wait(lock, [this] { return open_; });
    }

private:
    std::mutex mutex_{};
    std::condition_variable opened_{};
    bool open_ = false;
};

}  // namespace

TEST_CASE("a piece is handed over when it comes, with status and headers") {
    Gate first_seen;
    const LoopbackServer server([&](Wire& wire) {
        wire.read_request();
        wire.send(kHead + chunk("one"));
        first_seen.pass();  // nothing more before the client has the first
        wire.send(chunk("two") + chunk(""));
    });
    std::vector<std::string> pieces;
    const auto done = Client(server.port(), false)
                          .transport()
                          ->stream(watch(),
                                   [&](const Response& head, std::string_view piece) {
                                       CHECK(head.status == 200);
                                       CHECK(head.headers.size() == 2);
                                       CHECK(head.body.empty());
                                       pieces.emplace_back(piece);
                                       first_seen.open();
                                       return Flow::go_on;
                                   },
                                   {});
    REQUIRE(done.ok());
    CHECK(done->status == 200);
    CHECK(done->body.empty());
    CHECK(pieces == std::vector<std::string>{"one", "two"});
}

TEST_CASE("a refused stream comes back whole") {
    for (const std::string code : {"410 Gone", "403 Forbidden", "500 Oh", "302 Found"}) {
        const LoopbackServer server([&](Wire& wire) {
            wire.read_request();
            wire.reply("{\"kind\":\"Status\"}", "HTTP/1.1 " + code + "\r\n");
        });
        Kept kept;
        const auto done =
            Client(server.port(), false).transport()->stream(watch(), kept.sink(), {});
        REQUIRE(done.ok());
        CHECK(done->status == std::stoi(code));
        CHECK(done->body == "{\"kind\":\"Status\"}");
        CHECK(kept.statuses.empty());
    }
}

TEST_CASE("a stream is opened with a renewed credential where the first is refused") {
    const LoopbackServer server([&](Wire& wire) {
        for (auto seen = wire.read_request(); !seen.empty(); seen = wire.read_request()) {
            if (seen.find("Bearer old") != std::string::npos) {
                wire.reply("{}", "HTTP/1.1 401 Unauthorized\r\n");
            } else {
                wire.send(kHead + chunk("x") + chunk(""));
            }
        }
    });
    Client client(server.port(), false);
    client.credentials = {{}, {}};
    client.credentials[0].authorization = "Bearer old";
    client.credentials[1].authorization = "Bearer new";
    Kept kept;
    CHECK(client.transport()->stream(watch(), kept.sink(), {}).ok());
    CHECK(kept.body == "x");
}

TEST_CASE("a body without its end is an error, after the pieces that came") {
    for (const std::string& rest :
         {chunk("two").substr(0, 4), std::string("3\r\n"), std::string()}) {
        CAPTURE(rest);
        const LoopbackServer server([&](Wire& wire) {
            wire.read_request();
            wire.send(kHead + chunk("one") + rest);
        });
        Kept kept;
        const auto done =
            Client(server.port(), false).transport()->stream(watch(), kept.sink(), {});
        REQUIRE(!done.ok());
        CHECK(done.error().kind == ErrorKind::transport);
        CHECK(done.error().message.find("unexpected EOF") != std::string::npos);
        CHECK(kept.body.starts_with("one"));
    }
}

TEST_CASE("a silent stream is given up after the silence that the request allows") {
    const LoopbackServer server([&](Wire& wire) {
        wire.read_request();
        wire.send(kHead + chunk("one"));
        wire.hang();
    });
    Request request = watch();
    request.silence = 50ms;
    Kept kept;
    const auto done = Client(server.port(), false).transport()->stream(request, kept.sink(), {});
    REQUIRE(!done.ok());
    CHECK(done.error().kind == ErrorKind::timeout);
    CHECK(done.error().message.find("fell silent in the middle") != std::string::npos);
    CHECK(kept.body == "one");
}

TEST_CASE("the time of a request bounds a stream until its reply begins, and no longer") {
    const LoopbackServer endless([&](Wire& wire) {
        wire.read_request();
        wire.send(kHead);
        wire.trickle(chunk("x"), 1);
    });
    Request request = watch();
    request.timeout = 100ms;
    const auto start = Clock::now();
    const auto transport = Client(endless.port(), false).transport();
    const auto long_after = [&](const Response&, std::string_view) {
        return Clock::now() - start > 200ms ? Flow::stop : Flow::go_on;
    };
    CHECK(transport->stream(request, long_after, {}).ok());

    const LoopbackServer mute([](Wire& wire) {
        wire.read_request();
        wire.hang();
    });
    Kept kept;
    const auto done = Client(mute.port(), false).transport()->stream(request, kept.sink(), {});
    REQUIRE(!done.ok());
    CHECK(done.error().kind == ErrorKind::timeout);
}

TEST_CASE("a stream ends at once when its own stop or everybody's is requested") {
    const LoopbackServer server([&](Wire& wire) {
        wire.read_request();
        wire.send(kHead + chunk("one"));
        wire.hang();
    });
    for (const bool own : {true, false}) {
        Client client(server.port(), false);
        std::stop_source all;
        std::stop_source one;
        client.options.stop = all.get_token();
        std::jthread stopper;
        const auto sink = [&](const Response&, std::string_view) {
            stopper = std::jthread([&] { (own ? one : all).request_stop(); });
            return Flow::go_on;
        };
        const auto transport = client.transport();
        const auto done = transport->stream(watch(), sink, one.get_token());
        REQUIRE(!done.ok());
        CHECK(done.error().kind == ErrorKind::canceled);
        const auto never = transport->stream(watch(), sink, one.get_token());
        CHECK(never.error().kind == ErrorKind::canceled);  // also before it begins
    }
}

TEST_CASE("a sink that has enough ends the stream and its connection") {
    std::atomic<int> connections = 0;
    const LoopbackServer server([&](Wire& wire) {
        ++connections;
        while (wire.read_request().find("watch") != std::string::npos) {
            if (!wire.send(kHead + chunk("one") + chunk("two"))) return;
        }
        wire.reply("{}");
    });
    const auto transport = Client(server.port(), false).transport();
    int pieces = 0;
    const auto once = [&](const Response&, std::string_view) {
        ++pieces;
        return Flow::stop;
    };
    const auto done = transport->stream(watch(), once, {});
    REQUIRE(done.ok());
    CHECK(done->status == 200);
    CHECK(pieces == 1);
    Request next;
    next.path = "/x";
    CHECK(transport->send(next).ok());
    CHECK(connections == 2);
}

TEST_CASE("open streams leave all places to requests") {
    constexpr int streams = 12;
    std::atomic<int> open = 0;
    Gate all_open;
    const LoopbackServer server([&](Wire& wire) {
        if (wire.read_request().find("watch") == std::string::npos) {
            wire.reply("{}");
            return;
        }
        wire.send(kHead + chunk("x"));
        wire.hang();
    });
    Client client(server.port(), false);
    std::stop_source stop;
    const auto transport = client.transport();
    std::vector<std::jthread> watchers;
    for (int i = 0; i < streams; ++i) {
        watchers.emplace_back([&] {
            const auto counting = [&](const Response&, std::string_view) {
                if (++open == streams) all_open.open();
                return Flow::go_on;
            };
            const auto done = transport->stream(watch(), counting, stop.get_token());
            CHECK(done.error().kind == ErrorKind::canceled);
        });
    }
    all_open.pass();
    Request request;
    request.path = "/x";
    CHECK(transport->send(request).ok());
    stop.request_stop();
}

TEST_CASE("a stream does not ask for compression") {
    std::string seen;
    const LoopbackServer proxy([&](Wire& wire) {
        seen = wire.read_request();
        wire.send(kHead + chunk(""));
    });
    Client client(1, false, "203.0.113.7");
    client.target.proxy_url = "http://127.0.0.1:" + std::to_string(proxy.port());
    Kept kept;
    CHECK(client.transport()->stream(watch(), kept.sink(), {}).ok());
    CHECK(seen.find("Accept-Encoding: gzip") == std::string::npos);
    CHECK(kept.body.empty());
}

TEST_CASE("a stream is not opened again by itself, and is traced when it begins and breaks") {
    auto owned = std::make_unique<FakeTransport>();
    auto& fake = *owned;
    fake.then_pieces({"a", "b"}, Error{ErrorKind::transport, "gone"})
        .then(429, "{}")
        .then_pieces({"c"});
    std::vector<std::string> lines;
    TraceOptions trace;
    trace.level = 6;
    trace.server = {true, "host", 443, ""};
    trace.now = [] { return std::chrono::steady_clock::time_point(); };
    trace.sink = [&](const std::string& line) { lines.push_back(line); };
    const auto transport = with_retries(with_trace(std::move(owned), trace), retry_options({}, {}));
    const auto asked = [](const std::string& rest) {
        return "GET https://host/api/v1/pods?watch=true " + rest;
    };
    using Texts = std::vector<std::string>;
    Texts begun;
    std::string body;
    const auto sink = [&](const Response&, std::string_view piece) {
        if (begun.empty()) begun = lines;
        body += piece;
        return Flow::go_on;
    };
    CHECK(transport->stream(watch(), sink, {}).error().message == "gone");
    CHECK(body == "ab");
    CHECK(begun == Texts{asked("200 in 0 milliseconds")});
    CHECK(transport->stream(watch(), sink, {})->status == 429);
    CHECK(transport->stream(watch(), sink, {}).ok());
    CHECK(fake.asked.size() == 3);
    CHECK(lines == Texts{asked("200 in 0 milliseconds"), asked("in 0 milliseconds: gone"),
                         asked("429 in 0 milliseconds"), asked("200 in 0 milliseconds")});
}
