#include "kubeclient/watch.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "kubeclient/api.hpp"
#include "tests/unit/support/fake_transport.hpp"

using namespace kubeclient;
using namespace std::chrono_literals;
using support::FakeTransport;

namespace {

const char* const kPath = "/api/v1/pods";

std::string event(const std::string& type, const std::string& name, const std::string& version) {
    return R"({"type":")" + type + R"(","object":{"kind":"Pod","metadata":{"name":")" + name +
           R"(","resourceVersion":")" + version + "\"}}}\n";
}

// "+a1" for an object a of version 1 that was added, and so on.
struct Watching {
    FakeTransport transport{};
    std::vector<std::string> seen{};
    std::string stop_at{};
    std::vector<std::string> warnings{};
    std::stop_source stop{};

    Status run(const WatchOptions& options = {}) {
        Api api(transport, [this](const std::string& text) { warnings.push_back(text); });
        const auto sink = [this](EventType type, const Json& object) {
            constexpr std::string_view marks = "+*-.";
            seen.push_back(marks[static_cast<std::size_t>(type)] +
                           text_at(object, {"metadata", "name"}).value_or("") +
                           text_at(object, {"metadata", "resourceVersion"}).value_or(""));
            return seen.back() == stop_at ? Flow::stop : Flow::go_on;
        };
        return api.watch(kPath, options, sink, stop.get_token());
    }
};

using Texts = std::vector<std::string>;
using Query = std::vector<std::pair<std::string, std::string>>;

}  // namespace

TEST_CASE("a watch asks for what it needs and nothing else") {
    Watching plain;
    plain.transport.then(200, "");
    CHECK(plain.run().ok());
    CHECK(plain.transport.asked[0].query ==
          Query{{"watch", "true"}, {"allowWatchBookmarks", "true"}});
    CHECK(plain.transport.asked[0].silence == 90s);
    CHECK(plain.transport.asked[0].repeatable == Repeatable::yes);

    Watching full;
    full.transport.then(200, "");
    WatchOptions options;
    options.resource_version = "7";
    options.label_selector = "a=b";
    options.field_selector = "metadata.name=x";
    options.timeout = 300s;
    options.silence = 5s;
    CHECK(full.run(options).ok());
    CHECK(full.transport.asked[0].query == Query{{"watch", "true"},
                                                 {"allowWatchBookmarks", "true"},
                                                 {"resourceVersion", "7"},
                                                 {"labelSelector", "a=b"},
                                                 {"fieldSelector", "metadata.name=x"},
                                                 {"timeoutSeconds", "300"}});
    CHECK(full.transport.asked[0].silence == 5s);
}

TEST_CASE("events arrive in order, whole, however the body is cut") {
    const std::string body = event("ADDED", "a", "1") + event("MODIFIED", "a", "2") + "\r\n\n" +
                             event("BOOKMARK", "", "3") + event("DELETED", "a", "4");
    for (std::size_t at = 0; at <= body.size(); ++at) {
        Watching watching;
        watching.transport.then_pieces({body.substr(0, at), body.substr(at)});
        CHECK(watching.run().ok());
        CHECK(watching.seen == Texts{"+a1", "*a2", ".3", "-a4"});
    }
}

TEST_CASE("a watch that is cut in the middle of an event is a broken connection") {
    const auto whole = event("ADDED", "a", "1");
    const auto half = event("ADDED", "b", "2").substr(0, 30);
    Watching watching;
    watching.transport.then_pieces({whole, half});
    const auto ended = watching.run();
    CHECK(watching.seen == Texts{"+a1"});
    CHECK(ended.error().kind == ErrorKind::transport);
    CHECK(ended.error().message ==
          "watch /api/v1/pods: the stream ended in the middle of an event");

    Watching broken;
    broken.transport.then_pieces({whole, half}, Error{ErrorKind::transport, "reset"});
    CHECK(broken.run().error().message == "reset");
}

TEST_CASE("an ERROR event is the error of its Status") {
    Watching watching;
    watching.transport.then_pieces(
        {event("ADDED", "a", "1"),
         R"j({"type":"ERROR","object":{"kind":"Status","status":"Failure","code":410,)j"
         R"j("reason":"Expired","message":"too old resource version: 1 (9)"}})j"
         "\n" +
             event("ADDED", "b", "2")});
    const auto ended = watching.run();
    CHECK(watching.seen == Texts{"+a1"});
    CHECK(ended.error().http_status == 410);
    CHECK(ended.error().reason == "Expired");

    Watching busy;
    busy.transport.then_pieces(
        {R"({"type":"ERROR","object":{"kind":"Status","code":429,"message":"m",)"
         R"("details":{"retryAfterSeconds":2}}})"
         "\n"});
    const auto throttled = busy.run().error();
    CHECK(throttled.kind == ErrorKind::throttled);
    CHECK(throttled.retry_after == 2);
}

TEST_CASE("a watch that is refused has the error of the reply") {
    Watching watching;
    watching.transport.then(403,
                            R"({"kind":"Status","code":403,"reason":"Forbidden","message":"no"})");
    const auto ended = watching.run();
    CHECK(ended.error().kind == ErrorKind::forbidden);
    CHECK(ended.error().message == "Error from server (Forbidden): no");
}

TEST_CASE("what is no event ends the watch and says so") {
    struct Row {
        const char* line;
        const char* says;
    };
    for (const Row& row : std::initializer_list<Row>{
             {"<html>", "watch /api/v1/pods: "},
             {"[]", "watch /api/v1/pods: an event without an object"},
             {R"({"type":"ADDED"})", "watch /api/v1/pods: an event without an object"},
             {R"({"type":"ADDED","object":[]})", "watch /api/v1/pods: an event without an object"},
             {R"({"object":{}})", "watch /api/v1/pods: an event of an unknown type"},
             {R"({"type":"LATER","object":{}})",
              "watch /api/v1/pods: an event of an unknown type"}}) {
        CAPTURE(row.line);
        Watching watching;
        watching.transport.then_pieces({std::string(row.line) + "\n" + event("ADDED", "a", "1")});
        const auto ended = watching.run();
        REQUIRE(!ended.ok());
        CHECK(ended.error().kind == ErrorKind::protocol);
        CHECK(ended.error().message.find(row.says) == 0);
        CHECK(watching.seen.empty());
    }
    Watching endless;
    endless.transport.then_pieces({std::string(std::size_t{16} << 20, ' '), " "});
    CHECK(endless.run().error().message ==
          "watch /api/v1/pods: a line of the stream is longer than 16777216 bytes");
}

TEST_CASE("who has seen enough ends a watch in order") {
    Watching watching;
    watching.stop_at = "*a2";
    watching.transport.then_pieces(
        {event("ADDED", "a", "1") + event("MODIFIED", "a", "2") + event("MODIFIED", "a", "3"),
         "{"});
    CHECK(watching.run().ok());
    CHECK(watching.seen == Texts{"+a1", "*a2"});
}

TEST_CASE("a watch passes on its stop and the server's warnings") {
    Watching watching;
    watching.transport.then(200, event("ADDED", "a", "1"), {{"warning", "299 - \"old version\""}});
    CHECK(watching.run().ok());
    CHECK(watching.warnings == Texts{"old version"});
    watching.transport.then(200, event("ADDED", "a", "1"));
    watching.stop.request_stop();
    CHECK(watching.run().error().kind == ErrorKind::canceled);
}
