#include "lab/http_server.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "lab/certificates.hpp"
#include "lab/cluster_builder.hpp"
#include "lab/gateway.hpp"
#include "lab/scenarios.hpp"
#include "lab/ticker.hpp"
#include "tests/unit/support/client.hpp"

namespace {

using kubeclient::Json;
using support::Client;

struct Lab {
    std::condition_variable changed{};
    lab::Simulation simulation{
        {.world = {1, kubeclient::parse_time("2026-11-21T04:45:50Z").value()}}};
    lab::World& world = simulation.world();
    lab::Gateway gateway{world.server(),
                         [this] { return world.now(); },
                         {{"secret", {"admin", {"system:masters"}}}}};
    lab::CertificateAuthority authority = lab::CertificateAuthority::make("lab CA").value();
    std::unique_ptr<lab::HttpServer> server{};

    explicit Lab(std::string_view scenario = {}) {
        if (scenario.empty()) {
            lab::ClusterBuilder(world).add_system();
        } else {
            lab::find_scenario(scenario)->build(simulation, {});
        }
        server = lab::HttpServer::start(
                     world, gateway, changed,
                     authority.issue("kube-apiserver", "DNS:localhost,IP:127.0.0.1").value(), 0)
                     .value();
    }

    Client client(const std::string& host = "127.0.0.1") const {
        Client made(server->port(), true, host);
        made.target.certificate_authority = authority.certificate();
        kubeclient::Credential credential;
        credential.authorization = "Bearer secret";
        made.credentials = {credential};
        return made;
    }
};

kubeclient::Request config_map(const std::string& name) {
    kubeclient::Request request;
    request.method = kubeclient::Method::post;
    request.path = "/api/v1/namespaces/prod/configmaps";
    request.content_type = "application/json";
    request.body =
        R"({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": ")" + name + "\"}}";
    return request;
}

}  // namespace

TEST_CASE("our client trusts the lab by its authority, by address and by name") {
    const Lab lab;
    CHECK(lab.client().get().value().status == 200);
    CHECK(lab.client("localhost").get().value().status == 200);
    Client stranger = lab.client();
    stranger.target.certificate_authority =
        lab::CertificateAuthority::make("lab CA").value().certificate();
    CHECK_FALSE(stranger.get().ok());
}

TEST_CASE("what is written over HTTP can be read over HTTP") {
    const Lab lab;
    const auto transport = lab.client().transport();
    CHECK(transport->send(config_map("a")).value().status == 201);
    CHECK(transport->send(config_map("a")).value().status == 409);
    const auto read = lab.client().get("/api/v1/namespaces/prod/configmaps/a").value();
    CHECK(Json::parse(read.body).at("metadata").at("name") == "a");
    CHECK(lab.client().get("/no/such/path").value().status == 404);
}

TEST_CASE("a path as long as HTTP allows is refused, not fatal") {
    const Lab lab;
    const auto response = lab.client().get("/" + std::string(8000, 'a'));
    REQUIRE(response.ok());
    CHECK(response->status == 404);
    CHECK(lab.client().get().value().status == 200);
}

TEST_CASE("a second server on the same port is an error with a next step") {
    Lab lab;
    const auto other = lab::HttpServer::start(
        lab.world, lab.gateway, lab.changed,
        lab.authority.issue("kube-apiserver", "IP:127.0.0.1").value(), lab.server->port());
    REQUIRE_FALSE(other.ok());
    CHECK(other.error().message ==
          "cannot listen on 127.0.0.1:" + std::to_string(lab.server->port()));
}

TEST_CASE("a server that stops does not wait for connections that lie idle") {
    Lab lab;
    const auto transport = lab.client().transport();
    CHECK(transport->send(config_map("a")).value().status == 201);  // kept open
    const auto before = std::chrono::steady_clock::now();
    lab.server.reset();
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(5));
    CHECK_FALSE(transport->send(config_map("b")).ok());
}

TEST_CASE("watches get what happens, and end with the server") {
    Lab lab;
    const lab::Ticker ticker(lab.world, lab.changed, 1);
    const auto transport = lab.client().transport();
    std::atomic<int> seen = 0;
    std::vector<std::jthread> watchers;
    constexpr int count = 20;
    for (int i = 0; i < count; ++i) {
        watchers.emplace_back([&lab, &seen] {
            kubeclient::Request watch;
            watch.path = "/api/v1/namespaces/prod/configmaps";
            watch.query = {{"watch", "true"}};
            bool counted = false;
            const auto ended = lab.client().transport()->stream(
                watch,
                [&](const kubeclient::Response&, std::string_view piece) {
                    if (!counted && piece.find("\"a\"") != std::string_view::npos) ++seen;
                    counted = counted || piece.find("\"a\"") != std::string_view::npos;
                    return kubeclient::Flow::go_on;
                },
                {});
            static_cast<void>(ended);
        });
    }
    CHECK(transport->send(config_map("a")).value().status == 201);
    while (seen < count) std::this_thread::yield();
    lab.server.reset();
    for (auto& watcher : watchers) watcher.join();
    CHECK(seen == count);
}

TEST_CASE("a log that is followed comes line by line, until the client has enough") {
    Lab lab("slow-network");
    kubeclient::Request follow;
    for (const auto& [key, pod] : lab.world.objects().all({"", "pods"})) {
        if (key.name.starts_with("virt-launcher-vm-1-") &&
            kubeclient::text_at(*pod, {"spec", "nodeName"}) == "node-1") {
            follow.path = "/api/v1/namespaces/prod/pods/" + key.name + "/log";
        }
    }
    follow.query = {{"container", "compute"}, {"follow", "true"}, {"tailLines", "0"}};
    const lab::Ticker ticker(lab.world, lab.changed, 100);
    int lines = 0;
    const auto ended = lab.client().transport()->stream(
        follow,
        [&](const kubeclient::Response&, std::string_view piece) {
            lines += static_cast<int>(std::count(piece.begin(), piece.end(), '\n'));
            CHECK(piece.find("Migration info for") != std::string_view::npos);
            return lines < 3 ? kubeclient::Flow::go_on : kubeclient::Flow::stop;
        },
        {});
    REQUIRE(ended.ok());
    CHECK(ended->status == 200);
    CHECK(lines >= 3);
    follow.path = "/api/v1/namespaces/prod/pods/no-such-pod/log";
    const auto refused = lab.client().transport()->stream(follow, {}, {});
    REQUIRE(refused.ok());
    CHECK(refused->status == 404);
}

TEST_CASE("a log that is followed ends in order when its container does") {
    Lab lab("slow-network");
    kubeclient::Request follow;
    for (const auto& [key, pod] : lab.world.objects().all({"", "pods"})) {
        const auto label = [&](const char* name) {
            return kubeclient::text_at(*pod, {"metadata", "labels", name});
        };
        // The source of the migration: its log has lines already.
        if (label("vm.kubevirt.io/name") == "vm-1" && !label("kubevirt.io/migrationJobUID")) {
            follow.path = "/api/v1/namespaces/prod/pods/" + key.name + "/log";
        }
    }
    follow.query = {{"container", "compute"}, {"follow", "true"}};
    kubeclient::Request remove;
    remove.method = kubeclient::Method::del;
    remove.path = follow.path.substr(0, follow.path.rfind('/'));
    const lab::Ticker ticker(lab.world, lab.changed, 100);
    bool removed = false;
    const auto ended = lab.client().transport()->stream(
        follow,
        [&](const kubeclient::Response&, std::string_view) {
            if (!std::exchange(removed, true)) {
                CHECK(lab.client().transport()->send(remove).value().status == 200);
            }
            return kubeclient::Flow::go_on;
        },
        {});
    REQUIRE(ended.ok());
    CHECK(ended->status == 200);
    CHECK(removed);
}
