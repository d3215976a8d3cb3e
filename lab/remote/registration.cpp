#include "lab/remote/registration.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "kubeclient/base64.hpp"

namespace lab {

using kubeclient::DryRun;
using kubeclient::Json;
using kubeclient::text_at;

namespace {

struct Asked {
    const char* webhook;
    const char* group;
    const char* resource;
    std::vector<const char*> operations;
    const char* condition;  // CEL; empty: none
};

// Names and rules: kubevirt pkg/virt-operator/resource/generate/components/webhooks.go. One name
// for each, so that the API server says it as it would there.
const Asked kMutating[] = {
    {"virtualmachines-mutator.kubevirt.io",
     "kubevirt.io",
     "virtualmachines",
     {"CREATE", "UPDATE"},
     ""},
    {"virtualmachineinstances-mutator.kubevirt.io",
     "kubevirt.io",
     "virtualmachineinstances",
     {"CREATE"},
     ""},
    {"migrations-mutator.kubevirt.io",
     "kubevirt.io",
     "virtualmachineinstancemigrations",
     {"CREATE"},
     ""},
};

const Asked kValidating[] = {
    {"virtualmachineinstances-update-validator.kubevirt.io",
     "kubevirt.io",
     "virtualmachineinstances",
     {"UPDATE"},
     ""},
    {"migration-create-validator.kubevirt.io",
     "kubevirt.io",
     "virtualmachineinstancemigrations",
     {"CREATE"},
     ""},
    {"migration-update-validator.kubevirt.io",
     "kubevirt.io",
     "virtualmachineinstancemigrations",
     {"UPDATE"},
     ""},
    {"virt-launcher-eviction-interceptor.kubevirt.io",
     "",
     "pods/eviction",
     {"CREATE"},
     "request.name.startsWith('virt-launcher')"},
    {"hotplug-pod-eviction-interceptor.kubevirt.io",
     "",
     "pods/eviction",
     {"CREATE"},
     "request.name.startsWith('hp-volume-')"},
};

Json webhook(const Asked& asked, const std::string& url, const std::string& authority) {
    Json made{{"name", asked.webhook},
              {"admissionReviewVersions", Json::array({"v1"})},
              {"sideEffects", "NoneOnDryRun"},
              {"failurePolicy", "Fail"},
              {"timeoutSeconds", 10},
              {"clientConfig", {{"url", url}, {"caBundle", authority}}},
              {"rules",
               {{{"operations", asked.operations},
                 {"apiGroups", Json::array({asked.group})},
                 {"apiVersions", Json::array({"v1"})},
                 {"resources", Json::array({asked.resource})}}}}};
    if (*asked.condition != '\0') {
        made["matchConditions"] = {{{"name", "by-name"}, {"expression", asked.condition}}};
    }
    return made;
}

template <std::size_t N>
Json configuration(const char* kind, const Asked (&all)[N], const std::string& url,
                   const std::string& authority) {
    Json webhooks = Json::array();
    for (const Asked& asked : all) webhooks.push_back(webhook(asked, url, authority));
    return {{"apiVersion", "admissionregistration.k8s.io/v1"},
            {"kind", kind},
            {"metadata", {{"name", "virt-api"}}},
            {"webhooks", std::move(webhooks)}};
}

// The collection, of an object made here.
std::string collection_of(const Json& object) {
    const std::string kind = text_at(object, {"kind"}).value_or("");
    if (kind == "Service") return "/api/v1/namespaces/kubevirt/services";
    if (kind == "APIService") return "/apis/apiregistration.k8s.io/v1/apiservices";
    return "/apis/admissionregistration.k8s.io/v1/" +
           std::string(kind == "MutatingWebhookConfiguration" ? "mutating" : "validating") +
           "webhookconfigurations";
}

}  // namespace

std::vector<Json> registrations(int port, const std::string& authority) {
    const std::string url = "https://127.0.0.1:" + std::to_string(port);
    const std::string bundle = kubeclient::encode_base64(authority);
    return {
        configuration("MutatingWebhookConfiguration", kMutating, url + kMutatingPath, bundle),
        configuration("ValidatingWebhookConfiguration", kValidating, url + kValidatingPath, bundle),
        {{"apiVersion", "v1"},
         {"kind", "Service"},
         {"metadata", {{"name", "virt-api"}, {"namespace", "kubevirt"}}},
         {"spec",
          {{"type", "ExternalName"},
           {"externalName", "localhost"},
           {"ports", {{{"name", "https"}, {"port", port}}}}}}},
        {{"apiVersion", "apiregistration.k8s.io/v1"},
         {"kind", "APIService"},
         {"metadata", {{"name", "v1.subresources.kubevirt.io"}}},
         {"spec",
          {{"group", "subresources.kubevirt.io"},
           {"version", "v1"},
           {"groupPriorityMinimum", 1000},
           {"versionPriority", 15},
           {"caBundle", bundle},
           {"service", {{"namespace", "kubevirt"}, {"name", "virt-api"}, {"port", port}}}}}}};
}

kubeclient::Status register_all(kubeclient::Api& api, const std::vector<Json>& all) {
    for (const Json& object : all) {
        const std::string collection = collection_of(object);
        const std::string name = text_at(object, {"metadata", "name"}).value_or("");
        const auto made = api.create(collection, object, DryRun::none);
        if (made.ok()) continue;
        if (made.error().kind != kubeclient::ErrorKind::conflict) return made.error();
        TRY(api.patch(collection + "/" + name, kubeclient::PatchKind::merge, object, DryRun::none));
    }
    return kubeclient::Done{};
}

}  // namespace lab
