#include "lab/api/list.hpp"

#include <doctest/doctest.h>

#include "lab_api_builders.hpp"

using namespace lab_test;
using Names = std::vector<std::string>;

namespace {

void fill(Server& server, int count) {
    for (int i = 0; i < count; ++i) {
        Json object = config_map("m" + std::to_string(i));
        object["metadata"]["labels"] = {{"odd", std::to_string(i % 2)}};
        REQUIRE(server.create(kConfigMaps, object).status == 201);
    }
}

std::string token(const Answer& page) {
    return page.body.at("metadata").value("continue", "");
}

}  // namespace

TEST_CASE("a list of a kind that is built in does not repeat kind and version in its items") {
    Server server;
    fill(server, 1);
    server.create(kVmis, vmi("web"));
    const auto maps = server.get(kConfigMaps);
    CHECK(maps.body.at("kind") == "ConfigMapList");
    CHECK_FALSE(maps.body.at("items").at(0).contains("kind"));
    CHECK(server.get(kVmis).body.at("items").at(0).at("kind") == "VirtualMachineInstance");
}

TEST_CASE("the pages of a list are all of one revision") {
    Server server;
    fill(server, 5);
    const auto first = server.get(kConfigMaps, {{"limit", "2"}});
    CHECK(names(first.body) == Names{"m0", "m1"});
    CHECK(first.body.at("metadata").at("remainingItemCount") == 3);
    server.remove(kConfigMaps + "/m2");
    server.create(kConfigMaps, config_map("m22"));
    server.merge(kConfigMaps + "/m3", {{"data", {{"color", "blue"}}}});
    const auto second = server.get(kConfigMaps, {{"limit", "2"}, {"continue", token(first)}});
    CHECK(names(second.body) == Names{"m2", "m3"});
    CHECK(second.body.at("items").at(1).at("data").at("color") == "red");
    CHECK(version_of(second.body) == version_of(first.body));
    const auto third = server.get(kConfigMaps, {{"limit", "2"}, {"continue", token(second)}});
    CHECK(names(third.body) == Names{"m4"});
    CHECK(token(third).empty());
    CHECK_FALSE(third.body.at("metadata").contains("remainingItemCount"));
}

TEST_CASE("a page of a revision that is gone is refused with a token that goes on regardless") {
    Server server;
    fill(server, 4);
    const auto first = server.get(kConfigMaps, {{"limit", "2"}});
    server.remove(kConfigMaps + "/m2");
    server.store.compact(server.store.revision());
    const auto expired = server.get(kConfigMaps, {{"limit", "2"}, {"continue", token(first)}});
    CHECK(expired.status == 410);
    CHECK(expired.body.at("reason") == "Expired");
    const auto rest = server.get(kConfigMaps, {{"continue", token(expired)}});
    CHECK(names(rest.body) == Names{"m3"});
}

TEST_CASE("selectors choose, and hide how many are left") {
    Server server;
    fill(server, 5);
    CHECK(names(server.get(kConfigMaps, {{"labelSelector", "odd=1"}}).body) == Names{"m1", "m3"});
    CHECK(names(server.get(kConfigMaps, {{"fieldSelector", "metadata.name=m2"}}).body) ==
          Names{"m2"});
    const auto page = server.get(kConfigMaps, {{"labelSelector", "odd=0"}, {"limit", "2"}});
    CHECK(names(page.body) == Names{"m0", "m2"});
    CHECK_FALSE(token(page).empty());
    CHECK_FALSE(page.body.at("metadata").contains("remainingItemCount"));
}

TEST_CASE("an exact version is listed as it was, and one to come is refused") {
    Server server;
    fill(server, 1);
    const std::string version = std::to_string(server.store.revision());
    server.remove(kConfigMaps + "/m0");
    CHECK(server.get(kConfigMaps).body.at("items").empty());
    CHECK(names(server
                    .get(kConfigMaps,
                         {{"resourceVersion", version}, {"resourceVersionMatch", "Exact"}})
                    .body) == Names{"m0"});
    const auto future = server.get(kConfigMaps, {{"resourceVersion", "9999"}});
    CHECK(future.status == 504);
    CHECK(future.body.at("details").at("causes").at(0).at("reason") == "ResourceVersionTooLarge");
}

TEST_CASE("list options that make no sense are refused") {
    Server server;
    const auto status = [&](const Server::Query& query) {
        return server.get(kConfigMaps, query).status;
    };
    CHECK(status({{"limit", "x"}}) == 400);
    CHECK(status({{"continue", "bogus"}}) == 400);
    CHECK(status({{"resourceVersion", "abc"}}) == 400);
    CHECK(status({{"resourceVersionMatch", "Exact"}}) == 422);
    CHECK(status({{"resourceVersion", "0"}, {"resourceVersionMatch", "Exact"}}) == 422);
    CHECK(status({{"sendInitialEvents", "true"}}) == 422);
    CHECK(status({{"resourceVersion", "0"}}) == 200);
}

TEST_CASE("a list over all namespaces has the order of etcd's keys") {
    Server server;
    for (const char* ns : {"a", "a-b"}) {
        server.api.seed(
            {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", ns}}}});
        Json object = config_map(std::string("in-") + ns);
        CHECK(
            server.create(std::string("/api/v1/namespaces/") + ns + "/configmaps", object).status ==
            201);
    }
    CHECK(names(server.get("/api/v1/configmaps").body) == Names{"in-a-b", "in-a"});
}
