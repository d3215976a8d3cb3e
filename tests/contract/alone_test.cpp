#include <thread>

#include "kubeclient/follow.hpp"
#include "tests/contract/contract.hpp"

using namespace contract;

namespace {

// What a follower of the case's config maps hears; `then` runs after each.
struct Followed {
    Texts heard{};
    Status end = Done{};
};

Followed follow_maps(Bench& bench, User& user,
                     const std::function<Flow(const std::string&)>& then) {
    Followed followed;
    const auto hear = [&](const std::string& text) {
        followed.heard.push_back(text);
        return then(text);
    };
    Follower follower;
    follower.changed = [&](Change change, const Json& object) {
        constexpr std::string_view marks = "+*-";
        return hear(marks[static_cast<std::size_t>(change)] + name_of(object));
    };
    follower.in_step = [&] { return hear("="); };
    const auto deadline = std::chrono::steady_clock::now() + 120s;
    follower.trouble = [&](const Error&, std::chrono::milliseconds) {
        return std::chrono::steady_clock::now() < deadline ? Flow::go_on : Flow::stop;
    };
    followed.end = follow(user.api, bench.maps(), follow_options({}), follower);
    return followed;
}

}  // namespace

TEST_CASE("alone: a follower lives through a restart of the API server") {
    Bench bench;
    bench.create(bench.maps(), config_map("a"));
    bench.create(bench.maps(), config_map("b"));
    const auto followed = follow_maps(bench, bench.admin, [&](const std::string& text) {
        if (text == "=" && must(bench.admin.api.list(bench.maps())).items.size() == 2) {
            bench.create(bench.maps(), config_map("seen"));
        }
        if (text == "+seen") {  // the watch is open
            control("restart");
            must(bench.admin.api.remove(bench.maps("b")));
            bench.create(bench.maps(), config_map("z-after"));
        }
        return text == "+z-after" ? Flow::stop : Flow::go_on;
    });
    CHECK(followed.end.ok());
    auto heard = followed.heard;
    // Whether it is listed again depends on what the server remembers; every change is told once.
    std::erase(heard, "=");
    CHECK(heard == Texts{"+a", "+b", "+seen", "-b", "+z-after"});
}

TEST_CASE("alone: a follower lives through all that a starting API server says") {
    Bench bench;
    User viewer("viewer");
    bench.create(bench.maps(), config_map("a"));
    std::jthread restarter;
    const auto followed = follow_maps(bench, viewer, [&](const std::string& text) {
        // It refuses everybody but system:masters until it has read its roles.
        if (text == "+a") {
            restarter = std::jthread([&] {
                control("restart");
                bench.create(bench.maps(), config_map("z-after"));
            });
        }
        return text == "+z-after" ? Flow::stop : Flow::go_on;
    });
    CHECK(followed.end.ok());
    CHECK(followed.heard.back() == "+z-after");
}

TEST_CASE("alone: a follower whose version is gone lists again and misses nothing") {
    Bench bench;
    bench.create(bench.maps(), config_map("a"));
    bench.create(bench.maps(), config_map("b"));
    const auto followed = follow_maps(bench, bench.admin, [&](const std::string& text) {
        if (text == "+b") {  // listed, and not watched yet
            must(bench.admin.api.remove(bench.maps("a")));
            bench.create(bench.maps(), config_map("c"));
            must(bench.admin.api.patch(bench.maps("b"), PatchKind::merge,
                                       {{"data", {{"key", "new"}}}}, DryRun::none));
            control("compact");
        }
        return text == "+c" ? Flow::stop : Flow::go_on;
    });
    CHECK(followed.end.ok());
    CHECK(followed.heard == Texts{"+a", "+b", "=", "-a", "*b", "+c"});
}

TEST_CASE("alone: a watch from a forgotten version is told so inside the stream") {
    Bench bench;
    const auto before = must(bench.admin.api.list(bench.maps())).resource_version;
    bench.create(bench.maps(), config_map("a"));
    control("compact");
    WatchOptions options;
    options.resource_version = before;
    const auto watched = watch(bench.admin.api, bench.maps(), options, 1);
    REQUIRE(!watched.end.ok());
    const Error& error = watched.end.error();
    CHECK(error.http_status == 410);
    CHECK(error.reason == "Expired");
    CHECK(error.message.starts_with(
        "Error from server (Expired): too old resource version: " + before + " ("));
    CHECK(watched.events.empty());
}

TEST_CASE("alone: a page of a forgotten version is refused, and the list is read whole") {
    Bench bench;
    for (const auto* name : {"a", "b", "c"}) bench.create(bench.maps(), config_map(name));
    Request request;
    request.path = bench.maps();
    request.query = {{"limit", "1"}};
    auto& transport = bench.admin.transport();
    const auto first = must(parse_json(must(transport.send(request)).body, "page"));
    bench.create(bench.maps(), config_map("d"));
    control("compact");
    request.query.emplace_back("continue", text_at(first, {"metadata", "continue"}).value_or(""));
    const auto reply = must(transport.send(request));
    CHECK(reply.status == 410);
    const auto status = must(parse_json(reply.body, "reply"));
    CHECK(text_at(status, {"reason"}) == "Expired");
    CHECK(
        text_at(status, {"message"})
            .value_or("")
            .starts_with(
                "The provided continue parameter is too old to display a consistent list result."));
    ListOptions options;
    options.limit = 1;
    CHECK(names_of(must(bench.admin.api.list(bench.maps(), options))) == Texts{"a", "b", "c", "d"});
}
