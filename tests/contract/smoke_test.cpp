// The least that every server must do; when this fails, look at the server's log first.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "kubeclient/api.hpp"
#include "kubeclient/credentials.hpp"
#include "kubeclient/http_transport.hpp"
#include "kubeclient/kubeconfig.hpp"
#include "kubeclient/retry.hpp"

namespace {

using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Json;
using kubeclient::Result;

kubeclient::System test_system() {
    kubeclient::System system;
    system.env = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
    system.read_file = [](const std::string& path) -> Result<std::string> {
        std::ifstream file(path);
        if (!file) return Error{ErrorKind::not_found, "open " + path};
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    system.now = [] { return std::chrono::system_clock::now(); };
    return system;
}

std::unique_ptr<kubeclient::Transport> connect(const std::string& user) {
    const char* folder = std::getenv("CONTRACT_KUBECONFIG_DIR");
    REQUIRE_MESSAGE(folder != nullptr, "CONTRACT_KUBECONFIG_DIR is not set: run this with ctest");
    const auto system = test_system();
    kubeclient::KubeconfigFlags flags;
    flags.kubeconfig = std::string(folder) + "/" + user + ".kubeconfig";
    auto target = kubeclient::load_target(flags, system);
    REQUIRE(target.ok());
    auto credentials = kubeclient::make_credentials(*target, system);
    REQUIRE(credentials.ok());
    auto transport = kubeclient::make_http_transport(*target, std::move(*credentials), {}, system);
    REQUIRE(transport.ok());
    return kubeclient::with_retries(std::move(*transport),
                                    kubeclient::retry_options(std::chrono::milliseconds(0), {}));
}

}  // namespace

TEST_CASE("an object is read and a list comes in pages") {
    const auto transport = connect("admin");
    kubeclient::Api api(*transport);

    const auto ns = api.get("/api/v1/namespaces/default", "Namespace");
    REQUIRE(ns.ok());
    CHECK(kubeclient::text_at(*ns, {"metadata", "name"}) == "default");

    const std::string path = "/api/v1/namespaces/default/configmaps";
    for (int i = 0; i < 5; ++i) {
        const Json object = {
            {"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata", {{"generateName", "smoke-"}, {"labels", {{"case", "smoke"}}}}}};
        REQUIRE(api.create(path, object, kubeclient::DryRun::none).ok());
    }
    const auto list = api.list(path, {.label_selector = "case=smoke", .limit = 2});
    REQUIRE(list.ok());
    CHECK(list->items.size() == 5);
    CHECK(list->kind == "ConfigMap");
}

TEST_CASE("users have the rights that their names promise") {
    const std::string vmis = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances";
    for (const std::string user : {"admin", "viewer", "nobody"}) {
        CAPTURE(user);
        const auto transport = connect(user);
        kubeclient::Api api(*transport);
        const auto list = api.list(vmis);
        CHECK(list.ok() == (user != "nobody"));
        if (!list.ok()) CHECK(list.error().kind == ErrorKind::forbidden);
        const auto review = api.self_subject_access_review(
            {.verb = "delete", .group = "kubevirt.io", .resource = "virtualmachineinstances"});
        REQUIRE(review.ok());
        CHECK(review->allowed == (user == "admin"));
    }
}
