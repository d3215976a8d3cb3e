#include "kubeclient/follow.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "tests/unit/support/client.hpp"
#include "tests/unit/support/fake_transport.hpp"
#include "tests/unit/support/loopback_server.hpp"

using namespace support;

namespace {

using Texts = std::vector<std::string>;
using Query = std::vector<std::pair<std::string, std::string>>;

std::string pod(const std::string& name, const std::string& version) {
    return R"({"kind":"Pod","metadata":{"name":")" + name + R"(","uid":"u","resourceVersion":")" +
           version + "\"}}";
}

std::string pods(const std::string& version, const Texts& items) {
    std::string text;
    for (const auto& item : items) text += (text.empty() ? "" : ",") + item;
    return R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":")" + version +
           R"("},"items":[)" + text + "]}";
}

std::string event(const std::string& type, const std::string& object) {
    return R"({"type":")" + type + R"(","object":)" + object + "}\n";
}

std::string refusal(int code, const std::string& reason) {
    return R"({"kind":"Status","status":"Failure","message":"m","reason":")" + reason +
           R"(","code":)" + std::to_string(code) + "}";
}

// What a follower hears: "+a1", "=" when in step, "!" and the pause in trouble.
struct Heard {
    Texts texts{};
    std::string stop_at{};
    std::stop_source stop{};
    FollowOptions options = with_clock();

    // A clock that only pauses move; a pause never waits.
    FollowOptions with_clock() {
        FollowOptions made;
        made.stop = stop.get_token();
        auto now = std::make_shared<std::chrono::steady_clock::time_point>();
        made.now = [now] { return *now; };
        made.wait = [now](std::chrono::milliseconds pause) {
            *now += pause;
            return true;
        };
        return made;
    }
    Status follow(Transport& transport) {
        Api api(transport);
        return kubeclient::follow(api, "/api/v1/pods", options, follower());
    }
    Follower follower() {
        return {[this](Change change, const Json& object) {
                    constexpr std::string_view marks = "+*-";
                    return hear(marks[static_cast<std::size_t>(change)] +
                                text_at(object, {"metadata", "name"}).value_or("") +
                                text_at(object, {"metadata", "resourceVersion"}).value_or(""));
                },
                [this] { return hear("="); },
                [this](const Error&, std::chrono::milliseconds pause) {
                    return hear("!" + std::to_string(pause.count()));
                }};
    }
    Flow hear(const std::string& text) {
        texts.push_back(text);
        return text == stop_at ? Flow::stop : Flow::go_on;
    }
};

std::string version_asked(const Request& request) {
    for (const auto& [name, value] : request.query) {
        if (name == "resourceVersion") return value;
    }
    return "";
}

const std::string kHead =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunk(const std::string& bytes) {
    std::ostringstream text;
    text << std::hex << bytes.size() << "\r\n" << bytes << "\r\n";
    return text.str();
}

bool is_watch(const std::string& request) {
    return request.find("watch=true") != std::string::npos;
}

}  // namespace

TEST_CASE("following lists, watches from there, and goes on from the last version seen") {
    FakeTransport transport;
    transport.then(200, pods("5", {pod("a", "3")}))
        .then(200, event("MODIFIED", pod("a", "7")))
        .then(200, event("BOOKMARK", pod("", "9")))
        .then(200, event("DELETED", pod("a", "10")));
    Heard heard;
    heard.stop_at = "-a10";
    CHECK(heard.follow(transport).ok());
    CHECK(heard.texts == Texts{"+a3", "=", "*a7", "-a10"});
    REQUIRE(transport.asked.size() == 4);
    CHECK(version_asked(transport.asked[0]).empty());
    CHECK(version_asked(transport.asked[1]) == "5");
    CHECK(version_asked(transport.asked[2]) == "7");
    CHECK(version_asked(transport.asked[3]) == "9");
}

TEST_CASE("selectors go with lists and watches") {
    FakeTransport transport;
    transport.then(200, pods("5", {})).then(200, event("ADDED", pod("a", "6")));
    Heard heard;
    heard.stop_at = "+a6";
    heard.options.field_selector = "metadata.name=a";
    heard.options.label_selector = "x=y";
    heard.options.watch_time = 60s;
    heard.options.silence = 7s;
    CHECK(heard.follow(transport).ok());
    CHECK(transport.asked[0].query ==
          Query{{"labelSelector", "x=y"}, {"fieldSelector", "metadata.name=a"}, {"limit", "500"}});
    CHECK(transport.asked[1].query == Query{{"watch", "true"},
                                            {"allowWatchBookmarks", "true"},
                                            {"resourceVersion", "5"},
                                            {"labelSelector", "x=y"},
                                            {"fieldSelector", "metadata.name=a"},
                                            {"timeoutSeconds", "60"}});
    CHECK(transport.asked[1].silence == 7s);
}

TEST_CASE("after a broken connection nothing is missed and nothing is told twice") {
    FakeTransport transport;
    const auto second = event("MODIFIED", pod("a", "6"));
    transport.then(200, pods("5", {pod("a", "3")}))
        .then_pieces({second, event("MODIFIED", pod("a", "7")).substr(0, 20)})
        .then(Error{ErrorKind::transport, "refused"})
        .then(Error{ErrorKind::transport, "refused"})
        .then(200, second + event("MODIFIED", pod("a", "7")));
    Heard heard;
    heard.stop_at = "*a7";
    CHECK(heard.follow(transport).ok());
    CHECK(heard.texts == Texts{"+a3", "=", "*a6", "!500", "!1000", "!2000", "*a7"});
    CHECK(version_asked(transport.asked[4]) == "6");
}

TEST_CASE("a version that is gone is made up for by a list") {
    for (const bool inside : {true, false}) {
        FakeTransport transport;
        transport.then(200, pods("5", {pod("a", "3"), pod("b", "4")}));
        if (inside) {
            transport.then(200, event("ERROR", refusal(410, "Expired")));
        } else {
            transport.then(410, refusal(410, "Expired"));
        }
        transport.then(200, pods("20", {pod("b", "15"), pod("c", "16")}))
            .then(200, event("DELETED", pod("c", "21")));
        Heard heard;
        heard.stop_at = "-c21";
        CHECK(heard.follow(transport).ok());
        CHECK(heard.texts == Texts{"+a3", "+b4", "=", "-a", "*b15", "+c16", "=", "-c21"});
        CHECK(version_asked(transport.asked[3]) == "20");
    }
}

TEST_CASE("a busy server is waited for as long as it asks") {
    FakeTransport transport;
    transport.then(200, pods("5", {}))
        .then(429, refusal(429, "TooManyRequests"), {{"retry-after", "3"}})
        .then(503, "", {{"retry-after", "4"}})
        .then(200, pods("6", {pod("a", "6")}));
    Heard heard;
    heard.stop_at = "+a6";
    CHECK(heard.follow(transport).ok());
    CHECK(heard.texts == Texts{"=", "!3000", "!4000", "+a6"});
}

TEST_CASE("lost rights end it with the server's words") {
    FakeTransport transport;
    transport.then(403, refusal(403, "Forbidden"));
    Heard heard;
    const auto error = heard.follow(transport).error();
    CHECK(error.kind == ErrorKind::forbidden);
    CHECK(error.message == "Error from server (Forbidden): m");
    CHECK(heard.texts.empty());

    FakeTransport later;
    later.then(200, pods("5", {})).then(200, event("ADDED", pod("a", "6")));
    for (int i = 0; i < 7; ++i) later.then(401, refusal(401, "Unauthorized"));
    CHECK(heard.follow(later).error().kind == ErrorKind::auth);
    CHECK(heard.texts == Texts{"=", "+a6", "!500", "!1000", "!2000", "!4000", "!8000"});
}

TEST_CASE("the follower ends it wherever it is") {
    for (const std::string at : {"+a3", "=", "*a6", "!500"}) {
        CAPTURE(at);
        FakeTransport transport;
        transport.then(200, pods("5", {pod("a", "3")}))
            .then_pieces({event("MODIFIED", pod("a", "6"))}, Error{ErrorKind::transport, "x"});
        Heard heard;
        heard.stop_at = at;
        CHECK(heard.follow(transport).ok());
        CHECK(heard.texts.back() == at);
    }
}

TEST_CASE("an interruption ends it wherever it is") {
    Heard before;
    before.stop.request_stop();
    FakeTransport none;
    CHECK(before.follow(none).error().kind == ErrorKind::canceled);
    CHECK(none.asked.empty());

    Heard pausing;
    pausing.options.wait = [](std::chrono::milliseconds) { return false; };
    FakeTransport down;
    down.then(Error{ErrorKind::transport, "refused"});
    CHECK(pausing.follow(down).error().kind == ErrorKind::canceled);
    CHECK(pausing.texts == Texts{"!500"});
}

TEST_CASE("a watch over a socket that falls silent is made again from where it was") {
    std::atomic<int> watches = 0;
    std::string second_request;
    const LoopbackServer server([&](Wire& wire) {
        const auto request = wire.read_request();
        if (!is_watch(request)) {
            wire.reply(pods("5", {pod("a", "3")}));
        } else if (++watches == 1) {
            wire.send(kHead + chunk(event("MODIFIED", pod("a", "6"))));
            wire.hang();
        } else {
            second_request = request;
            wire.send(kHead + chunk(event("MODIFIED", pod("a", "7"))));
            wire.hang();
        }
    });
    Heard heard;
    heard.stop_at = "*a7";
    heard.options.silence = 50ms;
    CHECK(heard.follow(*Client(server.port(), false).transport()).ok());
    CHECK(heard.texts == Texts{"+a3", "=", "*a6", "!500", "*a7"});
    CHECK(second_request.find("resourceVersion=6") != std::string::npos);
}

TEST_CASE("events cut anywhere over a socket are whole for the follower") {
    const auto body = event("MODIFIED", pod("a", "6")) + event("DELETED", pod("a", "7"));
    std::atomic<int> watches = 0;
    const LoopbackServer server([&](Wire& wire) {
        if (!is_watch(wire.read_request())) {
            wire.reply(pods("5", {pod("a", "3")}));
            return;
        }
        // The first is cut off inside an event and inside a chunk, the second comes in bytes.
        if (++watches == 1) {
            wire.send(kHead + chunk(body.substr(0, 100)).substr(0, 70));
            return;
        }
        wire.send(kHead);
        for (const char c : body) wire.send(chunk(std::string(1, c)));
        wire.send("0\r\n\r\n");
    });
    Heard heard;
    heard.stop_at = "-a7";
    CHECK(heard.follow(*Client(server.port(), false).transport()).ok());
    CHECK(heard.texts == Texts{"+a3", "=", "!500", "*a6", "-a7"});
}

TEST_CASE("a stop ends a silent watch at once") {
    const LoopbackServer server([&](Wire& wire) {
        if (!is_watch(wire.read_request())) {
            wire.reply(pods("5", {}));
            return;
        }
        wire.send(kHead + chunk(event("ADDED", pod("a", "6"))));
        wire.hang();
    });
    Heard heard;
    std::jthread stopper;
    auto follower = heard.follower();
    follower.changed = [&](Change, const Json&) {
        stopper = std::jthread([&] { heard.stop.request_stop(); });
        return Flow::go_on;
    };
    const auto transport = Client(server.port(), false).transport();
    Api api(*transport);
    const auto done = follow(api, "/api/v1/pods", heard.options, follower);
    CHECK(done.error().kind == ErrorKind::canceled);
}

TEST_CASE("the real clock of a follow ends its pauses with the stop") {
    std::stop_source stop;
    const auto options = follow_options(stop.get_token());
    CHECK(options.wait(1ms));
    stop.request_stop();
    CHECK(!options.wait(1h));
    const auto before = std::chrono::steady_clock::now();
    CHECK(options.now() >= before);
}
