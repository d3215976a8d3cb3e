#include "kubeclient/follow_state.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace kubeclient;
using namespace std::chrono_literals;

namespace {

using Texts = std::vector<std::string>;
using Action = NextStep::Action;

Json object(const std::string& name, const std::string& version, const std::string& uid = "u") {
    return {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata",
             {{"namespace", "n"}, {"name", name}, {"resourceVersion", version}, {"uid", uid}}}};
}

ObjectList list_of(std::vector<Json> items, const std::string& version) {
    return {"v1", "Pod", version, std::move(items)};
}

// Writes every report as "+a1".
struct Reports {
    Texts seen{};
    std::string stop_at{};
    std::vector<Json> gone{};

    ChangeSink sink() {
        return [this](Change change, const Json& object) {
            constexpr std::string_view marks = "+*-";
            seen.push_back(marks[static_cast<std::size_t>(change)] +
                           text_at(object, {"metadata", "name"}).value_or("") +
                           text_at(object, {"metadata", "resourceVersion"}).value_or(""));
            if (change == Change::deleted) gone.push_back(object);
            return seen.back() == stop_at ? Flow::stop : Flow::go_on;
        };
    }
    Texts take() { return std::exchange(seen, {}); }
};

Error error(ErrorKind kind, int status = 0, int retry_after = 0) {
    return {kind, "m", "", status, "", retry_after};
}

WatchEnd ended(Status outcome, bool brought_events = false,
               std::chrono::milliseconds lasted = 0ms) {
    return {std::move(outcome), brought_events, lasted};
}

}  // namespace

TEST_CASE("a first list reports everything as added") {
    Picture picture;
    Reports reports;
    CHECK(picture.take(list_of({object("a", "1"), object("b", "2")}, "5"), reports.sink()) ==
          Flow::go_on);
    CHECK(reports.take() == Texts{"+a1", "+b2"});
    CHECK(picture.version() == "5");
}

TEST_CASE("a later list reports the differences, and what is gone first") {
    Picture picture;
    Reports reports;
    picture.take(list_of({object("a", "1"), object("b", "2"), object("c", "3")}, "5"),
                 reports.sink());
    reports.take();
    picture.take(list_of({object("a", "1"), object("c", "7"), object("d", "8")}, "9"),
                 reports.sink());
    CHECK(reports.take() == Texts{"-b", "*c7", "+d8"});
    REQUIRE(reports.gone.size() == 1);
    CHECK(reports.gone[0] == Json{{"apiVersion", "v1"},
                                  {"kind", "Pod"},
                                  {"metadata", {{"namespace", "n"}, {"name", "b"}, {"uid", "u"}}}});
    CHECK(picture.version() == "9");
    picture.take(list_of({object("a", "1"), object("c", "7"), object("d", "8")}, "10"),
                 reports.sink());
    CHECK(reports.take().empty());
}

TEST_CASE("an object that was replaced under its name is deleted and added") {
    Picture picture;
    Reports reports;
    picture.take(list_of({object("a", "1", "old")}, "1"), reports.sink());
    picture.take(list_of({object("a", "4", "new")}, "5"), reports.sink());
    CHECK(reports.take() == Texts{"+a1", "-a", "+a4"});
    CHECK(text_at(reports.gone[0], {"metadata", "uid"}) == "old");
    picture.take(EventType::modified, object("a", "6", "newest"), reports.sink());
    CHECK(reports.take() == Texts{"-a", "+a6"});
}

TEST_CASE("the same name in two namespaces is two objects") {
    Picture picture;
    Reports reports;
    Json other = object("a", "2", "v");
    other["metadata"]["namespace"] = "m";
    Json wide = object("a", "3", "w");
    wide["metadata"].erase("namespace");
    picture.take(list_of({object("a", "1"), other, wide}, "5"), reports.sink());
    picture.take(list_of({object("a", "1")}, "6"), reports.sink());
    CHECK(reports.take() == Texts{"+a1", "+a2", "+a3", "-a", "-a"});
    CHECK(find(reports.gone[0], {"metadata", "namespace"}) == nullptr);
    CHECK(text_at(reports.gone[1], {"metadata", "namespace"}) == "m");
}

TEST_CASE("events that say nothing new are not reported, but move the version on") {
    Picture picture;
    Reports reports;
    picture.take(list_of({object("a", "1")}, "5"), reports.sink());
    reports.take();
    picture.take(EventType::added, object("a", "1"), reports.sink());
    CHECK(picture.version() == "1");
    picture.take(EventType::deleted, object("b", "6"), reports.sink());
    picture.take(EventType::bookmark, object("", "8"), reports.sink());
    CHECK(picture.version() == "8");
    CHECK(reports.take().empty());
    picture.take(EventType::bookmark, Json::object(), reports.sink());
    CHECK(picture.version() == "8");
}

TEST_CASE("events are reported by what is known, whatever they call themselves") {
    Picture picture;
    Reports reports;
    picture.take(EventType::modified, object("a", "1"), reports.sink());
    picture.take(EventType::added, object("a", "2"), reports.sink());
    picture.take(EventType::deleted, object("a", "3"), reports.sink());
    picture.take(EventType::deleted, object("a", "3"), reports.sink());
    picture.take(EventType::modified, object("a", "4"), reports.sink());
    CHECK(reports.take() == Texts{"+a1", "*a2", "-a3", "+a4"});
    CHECK(picture.version() == "4");
}

TEST_CASE("who has enough gets no further report") {
    const auto before = list_of({object("x", "1"), object("y", "1"), object("z", "1")}, "1");
    for (const std::string at : {"-x", "+a2", "-z", "+z3"}) {
        CAPTURE(at);
        Picture picture;
        Reports reports;
        picture.take(before, reports.sink());
        reports.take();
        reports.stop_at = at;
        const auto flow =
            picture.take(list_of({object("y", "1"), object("a", "2"), object("z", "3", "v")}, "4"),
                         reports.sink());
        CHECK(flow == Flow::stop);
        CHECK(reports.seen.back() == at);
    }
}

TEST_CASE("a list is followed by a watch, and an ended watch by the next") {
    FollowPace pace;
    CHECK(pace.after_list(Done{}) == NextStep{Action::watch, 0ms});
    CHECK(pace.after_watch(ended(Done{}, true)) == NextStep{Action::watch, 0ms});
    CHECK(pace.after_watch(ended(Done{}, false, 1s)) == NextStep{Action::watch, 0ms});
}

TEST_CASE("a watch that ends at once with nothing is not repeated at once") {
    FollowPace pace;
    pace.after_list(Done{});
    CHECK(pace.after_watch(ended(Done{}, false, 999ms)) == NextStep{Action::watch, 500ms});
    CHECK(pace.after_watch(ended(Done{}, false, 0ms)) == NextStep{Action::watch, 1000ms});
}

TEST_CASE("pauses double up to ten seconds, and start again after a watch that worked") {
    for (const auto kind : {ErrorKind::transport, ErrorKind::timeout}) {
        FollowPace pace;
        for (const auto pause : {500ms, 1000ms, 2000ms, 4000ms, 8000ms, 10000ms, 10000ms}) {
            CHECK(pace.after_watch(ended(error(kind))) == NextStep{Action::watch, pause});
        }
        CHECK(pace.after_list(error(kind)) == NextStep{Action::list, 10000ms});
        CHECK(pace.after_list(Done{}) == NextStep{Action::watch, 0ms});
        CHECK(pace.after_watch(ended(error(kind))).pause == 10000ms);  // a list proves nothing
        CHECK(pace.after_watch(ended(error(kind), true)) == NextStep{Action::watch, 500ms});
    }
}

TEST_CASE("a version that is gone is listed again, at once the first time") {
    FollowPace pace;
    pace.after_list(Done{});
    const auto gone = error(ErrorKind::conflict, 410);
    CHECK(pace.after_watch(ended(gone)) == NextStep{Action::list, 0ms});
    CHECK(pace.after_watch(ended(gone)) == NextStep{Action::list, 1000ms});
    CHECK(pace.after_watch(ended(gone, true)) == NextStep{Action::list, 0ms});
}

TEST_CASE("a server that has no time is asked again when it says") {
    FollowPace pace;
    CHECK(pace.after_watch(ended(error(ErrorKind::throttled, 429, 7))) ==
          NextStep{Action::watch, 7s});
    CHECK(pace.after_list(error(ErrorKind::throttled, 429)) == NextStep{Action::list, 1s});
    CHECK(pace.after_watch(ended(error(ErrorKind::server, 504, 1))) == NextStep{Action::list, 2s});
    CHECK(pace.after_watch(ended(error(ErrorKind::throttled, 429, 1 << 30))).pause == 60s);
}

TEST_CASE("a refusal ends it, and where the server may have just started only when repeated") {
    for (const auto kind : {ErrorKind::auth, ErrorKind::forbidden, ErrorKind::not_served}) {
        FollowPace fresh;
        CHECK(fresh.after_list(error(kind)).action == Action::end);
        FollowPace listed;
        listed.after_list(Done{});
        CHECK(listed.after_watch(ended(error(kind))).action == Action::end);

        FollowPace worked;
        worked.after_watch(ended(Done{}, true));
        for (const auto pause : {500ms, 1000ms, 2000ms, 4000ms, 8000ms}) {
            CHECK(worked.after_watch(ended(error(kind))) == NextStep{Action::list, pause});
            worked.after_list(Done{});  // may list and not watch
        }
        CHECK(worked.after_watch(ended(error(kind))).action == Action::end);

        FollowPace broken;
        broken.after_list(Done{});
        broken.after_watch(ended(error(ErrorKind::transport)));
        CHECK(broken.after_watch(ended(error(kind))) == NextStep{Action::list, 1000ms});
    }
}

TEST_CASE("what does not pass by waiting ends it") {
    for (const auto kind : {ErrorKind::usage, ErrorKind::config, ErrorKind::invalid,
                            ErrorKind::protocol, ErrorKind::canceled, ErrorKind::conflict}) {
        FollowPace pace;
        pace.after_watch(ended(Done{}, true));
        CHECK(pace.after_watch(ended(error(kind))).action == Action::end);
        CHECK(pace.after_list(error(kind)).action == Action::end);
    }
}
