#include "lab/controllers/event_recorder.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "lab_api_builders.hpp"

using namespace lab_test;

namespace {

struct Recording {
    Server server{};
    std::unique_ptr<kubeclient::Transport> transport =
        lab::transport_as(server.api, {"recorder", {"system:masters"}});
    kubeclient::Api api{*transport};
    std::unique_ptr<lab::EventRecorder> events =
        lab::make_event_recorder("tester", api, [this] { return server.now; });
    Json about{{"apiVersion", "v1"},
               {"kind", "ConfigMap"},
               {"metadata", {{"name", "web"}, {"namespace", "default"}, {"uid", "1"}}}};

    Recording() {
        server.api.seed(
            {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "default"}}}});
    }
    void tell(const std::string& message) { events->record(about, "Warning", "Failed", message); }
    std::vector<Json> written() const {
        std::vector<Json> all;
        for (const auto& [key, event] : server.store.all({"", "events"})) all.push_back(*event);
        return all;
    }
};

}  // namespace

TEST_CASE("an event that repeats is counted, with the time of its last") {
    Recording recording;
    recording.tell("no");
    recording.server.now += std::chrono::seconds(7);
    recording.tell("no");
    recording.tell("no");
    const auto all = recording.written();
    REQUIRE(all.size() == 1);
    CHECK(all[0].at("count") == 3);
    CHECK(all[0].at("firstTimestamp") == "2026-11-21T04:45:50Z");
    CHECK(all[0].at("lastTimestamp") == "2026-11-21T04:45:57Z");
}

TEST_CASE("the tenth similar event in ten minutes is combined with those that follow") {
    Recording recording;
    for (int i = 1; i <= 12; ++i) recording.tell("no " + std::to_string(i));
    const auto all = recording.written();
    REQUIRE(all.size() == 10);
    int combined = 0;
    for (const Json& event : all) {
        const auto message = event.at("message").get<std::string>();
        if (message.find("(combined from similar events): ") != 0) continue;
        ++combined;
        CHECK(message == "(combined from similar events): no 12");
        CHECK(event.at("count") == 3);
    }
    CHECK(combined == 1);
    recording.server.now += std::chrono::minutes(11);
    recording.tell("no 13");
    CHECK(recording.written().size() == 11);
}

TEST_CASE("one object gets 25 events, then one in five minutes") {
    Recording recording;
    for (int i = 0; i < 40; ++i) recording.tell("no");
    REQUIRE(recording.written().size() == 1);
    CHECK(recording.written()[0].at("count") == 25);
    recording.server.now += std::chrono::minutes(5);
    recording.tell("no");
    // client-go counts what it does not write.
    CHECK(recording.written()[0].at("count") == 41);
}

TEST_CASE("two recorders that write in one instant both are heard") {
    Recording recording;
    const auto other =
        lab::make_event_recorder("other", recording.api, [&] { return recording.server.now; });
    recording.tell("no");
    other->record(recording.about, "Normal", "Fine", "yes");
    CHECK(recording.written().size() == 2);
}
