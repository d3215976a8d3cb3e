#include "lab/controllers/virt_api.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "kubeclient/api_path.hpp"
#include "lab/controllers/virt_api_parts.hpp"

namespace lab {

namespace virt_api {

using kubeclient::Method;
using kubeclient::Request;

namespace {

std::string path_for(const ResourceId& resource, const ObjectKey& key,
                     std::string_view subresource) {
    const auto path = kubeclient::path_of({.group = resource.group,
                                           .version = "v1",
                                           .resource = resource.plural,
                                           .ns = key.ns,
                                           .name = key.name,
                                           .subresource = std::string(subresource)});
    // Names come from stored objects or from a path that the server has taken apart already.
    return path.ok() ? *path : std::string();
}

void add_dry_run(Request& request, const std::vector<std::string>& values) {
    for (const std::string& value : values) request.query.emplace_back("dryRun", value);
}

}  // namespace

std::string Backend::now() const {
    return kubeclient::format_time(std::chrono::floor<std::chrono::seconds>(clock()));
}

const Json* Backend::configuration(std::initializer_list<std::string_view> path) const {
    const auto& all = objects.all(kubevirts);
    if (all.empty()) return nullptr;
    const Json* found = kubeclient::find(*all.begin()->second, {"spec", "configuration"});
    for (const std::string_view key : path) {
        if (found != nullptr) found = kubeclient::find(*found, key);
    }
    return found;
}

std::string Backend::service_account(std::string_view name) const {
    const auto& all = objects.all(kubevirts);
    const std::string ns = all.empty() ? "kubevirt" : all.begin()->first.ns;
    return "system:serviceaccount:" + ns + ":" + std::string(name);
}

bool Backend::is_virt_controller(const User& asking) const {
    return asking.name == service_account("kubevirt-controller");
}

bool Backend::is_component(const User& asking) const {
    return is_virt_controller(asking) || asking.name == service_account("kubevirt-apiserver") ||
           asking.name == service_account("kubevirt-handler");
}

Reply Backend::send(const Request& request) const {
    const auto response = client->send(request);
    if (!response.ok()) return {500, response.error().message};
    Reply reply{response->status, {}};
    if (reply.ok()) return reply;
    const auto status = kubeclient::parse_json(response->body, "reply");
    if (status.ok()) reply.message = kubeclient::text_at(*status, {"message"}).value_or("");
    return reply;
}

Reply Backend::json_patch(const ResourceId& resource, const ObjectKey& key,
                          std::string_view subresource, const Json& patch,
                          const std::vector<std::string>& dry_run) const {
    Request request{.method = Method::patch,
                    .path = path_for(resource, key, subresource),
                    .content_type = "application/json-patch+json",
                    .body = kubeclient::to_line(patch)};
    add_dry_run(request, dry_run);
    return send(request);
}

Reply Backend::create_migration(const std::string& ns, const Json& object,
                                const std::vector<std::string>& dry_run) const {
    Request request{.method = Method::post,
                    .path = path_for(migrations, {ns, ""}, ""),
                    .content_type = "application/json",
                    .body = kubeclient::to_line(object)};
    add_dry_run(request, dry_run);
    return send(request);
}

Reply Backend::delete_pod(const ObjectKey& key, int grace_seconds) const {
    const Json options{
        {"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"gracePeriodSeconds", grace_seconds}};
    return send({.method = Method::del,
                 .path = path_for(pods, key, ""),
                 .content_type = "application/json",
                 .body = kubeclient::to_line(options)});
}

Refusal denied(std::string_view webhook, int code, const std::string& message) {
    return {code, "",
            "admission webhook \"" + std::string(webhook) + "\" denied the request: " + message};
}

Refusal denied(std::string_view webhook, Cause cause) {
    Refusal refusal = denied(webhook, 422, cause.message);
    refusal.reason = "Invalid";
    refusal.causes.push_back(std::move(cause));
    return refusal;
}

std::optional<std::string> condition_status(const Json& object, std::string_view type) {
    for (const Json& condition : kubeclient::items_at(object, {"status", "conditions"})) {
        if (kubeclient::text_at(condition, {"type"}) == type) {
            return kubeclient::text_at(condition, {"status"});
        }
    }
    return std::nullopt;
}

bool is_final(const Json& instance) {
    const auto phase = kubeclient::text_at(instance, {"status", "phase"});
    return phase == "Succeeded" || phase == "Failed";
}

}  // namespace virt_api

namespace {

class VirtApi : public Extension {
public:
    VirtApi(std::unique_ptr<kubeclient::Transport> client, const Store& objects,
            ApiServer::Clock clock)
        : backend_{std::move(client), objects, std::move(clock)} {}

    std::optional<Refusal> admit(Admission& asked) override {
        using namespace virt_api;
        if (asked.resource == pods && asked.subresource == "eviction") {
            return admit_eviction(backend_, asked);
        }
        // The webhooks' rules name the resources, not their sub-resources.
        if (!asked.subresource.empty() || !asked.object) return std::nullopt;
        if (asked.resource == migrations) return admit_migration(backend_, asked);
        if (asked.resource == instances && asked.verb == "update") {
            return admit_instance_update(backend_, asked);
        }
        if (asked.resource == instances && asked.verb == "create") {
            default_instance(backend_, *asked.object);
        }
        if (asked.resource == virtual_machines) default_machine(backend_, *asked.object);
        return std::nullopt;
    }

    std::optional<kubeclient::Response> serve(const User&,
                                              const kubeclient::Request& request) override {
        return virt_api::serve_subresource(backend_, request);
    }

private:
    virt_api::Backend backend_;
};

}  // namespace

std::unique_ptr<Extension> make_virt_api(ApiServer& server, const Store& objects, User user,
                                         ApiServer::Clock clock) {
    return make_virt_api(transport_as(server, std::move(user)), objects, std::move(clock));
}

std::unique_ptr<Extension> make_virt_api(std::unique_ptr<kubeclient::Transport> client,
                                         const Store& objects, ApiServer::Clock clock) {
    return std::make_unique<VirtApi>(std::move(client), objects, std::move(clock));
}

}  // namespace lab
