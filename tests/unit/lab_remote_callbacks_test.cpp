#include "lab/remote/callbacks.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "kubeclient/base64.hpp"
#include "lab/remote/node_address.hpp"
#include "lab/remote/registration.hpp"

namespace {

using kubeclient::Json;
using kubeclient::Method;
using kubeclient::Request;
using kubeclient::Response;

// Keeps what it is asked, labels what it admits, and refuses what is called "bad".
struct Witness final : lab::Extension {
    lab::Admission asked{};
    Request served{};

    std::optional<lab::Refusal> admit(lab::Admission& admission) override {
        asked = admission;
        if (admission.key.name == "bad") {
            lab::Refusal refusal{422, "Invalid",
                                 "admission webhook \"some.kubevirt.io\" denied the request: no"};
            refusal.causes.push_back({"FieldValueRequired", "no", "spec.vmiName"});
            return refusal;
        }
        if (admission.object) (*admission.object)["metadata"]["labels"]["seen"] = "yes";
        return std::nullopt;
    }
    std::optional<Response> serve(const lab::User&, const Request& request) override {
        served = request;
        if (request.path.starts_with("/apis/nothing")) return std::nullopt;
        return Response{200, {}, "served"};
    }
};

struct Door {
    Witness virt_api{};
    Witness nodes{};
    lab::Callbacks callbacks{virt_api, nodes};

    Json review(const char* path, const std::string& name) {
        const Json object{{"kind", "Any"}, {"metadata", {{"name", name}}}, {"spec", {{"a", 1}}}};
        const Json request{
            {"uid", "review-uid"},
            {"operation", "UPDATE"},
            {"resource", {{"group", "kubevirt.io"}, {"version", "v1"}, {"resource", "things"}}},
            {"subResource", "status"},
            {"namespace", "prod"},
            {"name", name},
            {"userInfo", {{"username", "anna"}, {"groups", Json::array({"ops"})}}},
            {"dryRun", true},
            {"oldObject", {{"spec", {{"a", 0}}}}},
            {"object", object}};
        Request http;
        http.method = Method::post;
        http.path = path;
        http.body = Json{{"kind", "AdmissionReview"}, {"request", request}}.dump();
        const auto reply = callbacks.handle({}, http);
        CHECK(reply.status == 200);
        return Json::parse(reply.body).at("response");
    }
};

}  // namespace

TEST_CASE("a webhook's review becomes a question of admission") {
    Door door;
    door.review(lab::kValidatingPath, "good");
    const lab::Admission& asked = door.virt_api.asked;
    CHECK(asked.verb == "update");
    CHECK(asked.resource == lab::ResourceId{"kubevirt.io", "things"});
    CHECK(asked.subresource == "status");
    CHECK(asked.key == lab::ObjectKey{"prod", "good"});
    CHECK(asked.user == lab::User{"anna", {"ops"}});
    CHECK(asked.dry_run);
    CHECK(asked.before->at("spec").at("a") == 0);
}

TEST_CASE("what a mutating webhook changes comes back as a patch of what differs") {
    Door door;
    const Json response = door.review(lab::kMutatingPath, "good");
    CHECK(response.at("uid") == "review-uid");
    CHECK(response.at("allowed") == true);
    CHECK(response.at("patchType") == "JSONPatch");
    const auto patch = kubeclient::decode_base64(response.at("patch").get<std::string>());
    CHECK(Json::parse(*patch) ==
          Json::array({{{"op", "add"},
                        {"path", "/metadata"},
                        {"value", {{"name", "good"}, {"labels", {{"seen", "yes"}}}}}}}));
}

TEST_CASE("only the validating webhook refuses, and leaves its name to the API server") {
    Door door;
    CHECK(door.review(lab::kMutatingPath, "bad") == Json{{"uid", "review-uid"}, {"allowed", true}});
    const Json response = door.review(lab::kValidatingPath, "bad");
    CHECK(response.at("allowed") == false);
    CHECK(response.at("status").at("message") == "no");
    CHECK(response.at("status").at("code") == 422);
    CHECK(response.at("status").at("details").at("causes").at(0).at("field") == "spec.vmiName");
    CHECK_FALSE(door.review(lab::kValidatingPath, "good").contains("patch"));
}

TEST_CASE("the kubelet's path is that of a pod's log") {
    Door door;
    Request request;
    request.path = "/containerLogs/prod/virt-launcher-web/compute";
    request.query.emplace_back("tailLines", "5");
    CHECK(door.callbacks.handle({}, request).body == "served");
    CHECK(door.nodes.served.path == "/api/v1/namespaces/prod/pods/virt-launcher-web/log");
    CHECK(door.nodes.served.query == std::vector<std::pair<std::string, std::string>>{
                                         {"tailLines", "5"}, {"container", "compute"}});
    request.path = "/containerLogs/prod/virt-launcher-web";
    CHECK(door.callbacks.handle({}, request).status == 404);
}

TEST_CASE("everything else is virt-api's, or not there") {
    Door door;
    Request request;
    request.path = "/apis/subresources.kubevirt.io/v1";
    CHECK(door.callbacks.handle({}, request).body == "served");
    request.path = "/apis/nothing";
    CHECK(door.callbacks.handle({}, request).status == 404);
    Response refusal;
    CHECK_FALSE(door.callbacks.watch({}, request, refusal));
    CHECK(refusal.status == 404);
}

TEST_CASE("every webhook is registered under the name that its refusals have") {
    const auto all = lab::registrations(4711, "PEM");
    std::vector<std::string> names;
    for (const Json& object : all) {
        for (const Json& webhook : kubeclient::items_at(object, {"webhooks"})) {
            names.push_back(webhook.at("name").get<std::string>());
            CHECK(webhook.at("clientConfig")
                      .at("url")
                      .get<std::string>()
                      .starts_with("https://127.0.0.1:4711/"));
            CHECK(webhook.at("clientConfig").at("caBundle") == "UEVN");
            CHECK(webhook.at("rules").size() == 1);
            CHECK(webhook.at("rules").at(0).at("resources").is_array());
        }
    }
    CHECK(names == std::vector<std::string>{"virtualmachines-mutator.kubevirt.io",
                                            "virtualmachineinstances-mutator.kubevirt.io",
                                            "migrations-mutator.kubevirt.io",
                                            "virtualmachineinstances-update-validator.kubevirt.io",
                                            "migration-create-validator.kubevirt.io",
                                            "migration-update-validator.kubevirt.io",
                                            "virt-launcher-eviction-interceptor.kubevirt.io",
                                            "hotplug-pod-eviction-interceptor.kubevirt.io"});
}
