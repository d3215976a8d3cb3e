#include "lab/api/watch.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "lab_api_builders.hpp"

using namespace lab_test;
using Query = Server::Query;
using Events = std::vector<std::string>;

namespace {

struct Watch {
    Watch(Server& server, const std::string& path, Query query = {}) {
        kubeclient::Request request;
        request.path = path;
        query.emplace_back("watch", "true");
        request.query = query;
        cursor = server.api.watch(server.user, request, refusal);
    }

    // "ADDED web", …; of a bookmark the annotation, of an error the message.
    Events next() {
        Events events;
        std::istringstream lines(cursor->next());
        for (std::string line; std::getline(lines, line);) {
            last = Json::parse(line);
            const Json& object = last.at("object");
            const auto type = last.at("type").get<std::string>();
            std::string about = object.at("metadata").value("name", "");
            if (type == "ERROR") about = object.at("message").get<std::string>();
            events.push_back(about.empty() ? type : type + " " + about);
        }
        return events;
    }

    kubeclient::Response refusal{};
    std::unique_ptr<lab::WatchCursor> cursor{};
    Json last{};
};

Json labelled(const std::string& name, const std::string& color) {
    Json object = config_map(name);
    object["metadata"]["labels"] = {{"color", color}};
    return object;
}

}  // namespace

TEST_CASE("a watch without a version begins with what is there") {
    Server server;
    server.create(kConfigMaps, config_map("a"));
    Watch watch(server, kConfigMaps);
    CHECK(watch.next() == Events{"ADDED a"});
    CHECK(watch.next().empty());
    server.merge(kConfigMaps + "/a", {{"data", {{"x", "y"}}}});
    server.remove(kConfigMaps + "/a");
    server.create(kVmis, vmi("web"));
    CHECK(watch.next() == Events{"MODIFIED a", "DELETED a"});
    CHECK(version_of(watch.last.at("object")) == std::to_string(server.store.revision() - 1));
    CHECK(watch.last.at("object").at("kind") == "ConfigMap");
}

TEST_CASE("a watch from a version tells only what came after it") {
    Server server;
    const auto version = version_of(server.create(kConfigMaps, config_map("a")).body);
    server.create(kConfigMaps, config_map("b"));
    Watch watch(server, kConfigMaps, {{"resourceVersion", version}});
    CHECK(watch.next() == Events{"ADDED b"});
}

TEST_CASE("an object that leaves the selection is deleted for the watch") {
    Server server;
    Watch watch(server, kConfigMaps, {{"labelSelector", "color=red"}});
    server.create(kConfigMaps, labelled("a", "red"));
    server.create(kConfigMaps, labelled("b", "blue"));
    server.merge(kConfigMaps + "/a", {{"metadata", {{"labels", {{"color", "blue"}}}}}});
    server.merge(kConfigMaps + "/b", {{"metadata", {{"labels", {{"color", "red"}}}}}});
    CHECK(watch.next() == Events{"ADDED a", "DELETED a", "ADDED b"});
    server.remove(kConfigMaps + "/a");
    CHECK(watch.next().empty());
}

TEST_CASE("a deselected object is shown as it was, with the version of the change") {
    Server server;
    server.create(kConfigMaps, labelled("a", "red"));
    Watch watch(server, kConfigMaps, {{"labelSelector", "color=red"}});
    watch.next();
    const auto changed =
        server.merge(kConfigMaps + "/a", {{"metadata", {{"labels", {{"color", "blue"}}}}}});
    watch.next();
    CHECK(watch.last.at("object").at("metadata").at("labels").at("color") == "red");
    CHECK(version_of(watch.last.at("object")) == version_of(changed.body));
}

TEST_CASE("a watch of one object and of one namespace sees no others") {
    Server server;
    Watch one(server, kConfigMaps + "/a");
    Watch other(server, "/api/v1/namespaces/kube-system/configmaps");
    server.create(kConfigMaps, config_map("a"));
    server.create(kConfigMaps, config_map("b"));
    CHECK(one.next() == Events{"ADDED a"});
    CHECK(other.next().empty());
}

TEST_CASE("a version that is compacted away ends the watch with an expiry") {
    Server server;
    server.create(kConfigMaps, config_map("a"));
    server.store.compact(server.store.revision());
    Watch watch(server, kConfigMaps, {{"resourceVersion", "2"}});
    const auto events = watch.next();
    REQUIRE(events.size() == 1);
    CHECK(events[0] ==
          "ERROR too old resource version: 2 (" + std::to_string(server.store.revision()) + ")");
    CHECK(watch.last.at("object").at("code") == 410);
    CHECK(watch.last.at("object").at("reason") == "Expired");
    CHECK(watch.cursor->ended());
}

TEST_CASE("initial events end with a bookmark that says so") {
    Server server;
    server.create(kConfigMaps, config_map("a"));
    Watch watch(server, kConfigMaps,
                {{"sendInitialEvents", "true"},
                 {"resourceVersionMatch", "NotOlderThan"},
                 {"allowWatchBookmarks", "true"}});
    CHECK(watch.next() == Events{"ADDED a", "BOOKMARK"});
    const Json& metadata = watch.last.at("object").at("metadata");
    CHECK(metadata.at("annotations").at("k8s.io/initial-events-end") == "true");
    CHECK(metadata.at("resourceVersion") == std::to_string(server.store.revision()));
}

TEST_CASE("bookmarks come every minute and before the end, by the clock") {
    Server server;
    Watch watch(server, kConfigMaps, {{"allowWatchBookmarks", "true"}, {"timeoutSeconds", "65"}});
    Watch plain(server, kConfigMaps, {{"timeoutSeconds", "65"}});
    CHECK(watch.next().empty());
    server.now += std::chrono::seconds(60);
    CHECK(watch.next() == Events{"BOOKMARK"});
    CHECK(plain.next().empty());
    CHECK_FALSE(watch.cursor->ended());
    server.now += std::chrono::seconds(3);
    CHECK(watch.next() == Events{"BOOKMARK"});
    server.now += std::chrono::seconds(2);
    CHECK(watch.next().empty());
    CHECK(watch.cursor->ended());
}

TEST_CASE("a watch that cannot be is refused before it begins") {
    Server server;
    Watch selector(server, kConfigMaps, {{"labelSelector", "a b"}});
    CHECK_FALSE(selector.cursor);
    CHECK(selector.refusal.status == 400);
    Watch unknown(server, "/api/v1/things");
    CHECK(unknown.refusal.status == 404);
}

TEST_CASE("the in-process stream hands on what is there and ends") {
    Server server;
    server.create(kConfigMaps, config_map("a"));
    server.create(kConfigMaps, config_map("b"));
    const auto transport = lab::transport_as(server.api, server.user);
    kubeclient::Request request;
    request.path = kConfigMaps;
    request.query = {{"watch", "1"}};
    std::string body;
    const auto head = transport->stream(request,
                                        [&](const kubeclient::Response&, std::string_view piece) {
                                            body += piece;
                                            return kubeclient::Flow::go_on;
                                        },
                                        {});
    REQUIRE(head.ok());
    CHECK(head.value().status == 200);
    CHECK(std::count(body.begin(), body.end(), '\n') == 2);
}
