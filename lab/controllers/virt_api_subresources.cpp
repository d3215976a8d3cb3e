// The aggregated API subresources.kubevirt.io/v1: what acts on a machine rather than storing one.
// Sources: virt-api/rest/{lifecycle,evacuate_cancel,dialers,subresource}.go, virt-api/api.go.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "lab/api/status.hpp"
#include "lab/controllers/virt_api_actions.hpp"
#include "lab/controllers/virt_api_parts.hpp"

namespace lab::virt_api {

using kubeclient::Method;
using kubeclient::Request;
using kubeclient::Response;

namespace {

constexpr std::string_view group_path = "/apis/subresources.kubevirt.io";
constexpr std::string_view group_version_path = "/apis/subresources.kubevirt.io/v1";

struct Route {
    std::string_view resource;
    std::string_view action;
    Response (*act)(const Backend&, const Call&);
};

constexpr Route routes[] = {
    {"virtualmachines", "migrate", migrate},
    {"virtualmachines", "start", start},
    {"virtualmachines", "stop", stop},
    {"virtualmachines", "restart", restart},
    {"virtualmachines", "evacuate/cancel", cancel_evacuation_of_machine},
    {"virtualmachineinstances", "evacuate/cancel", cancel_evacuation_of_instance},
};

// go-restful's own words, as text.
Response plain(int status, std::string body) {
    return {status, {{"content-type", "text/plain; charset=utf-8"}}, std::move(body)};
}

// The routes name no type they produce, and go-restful then takes only "*/*".
bool accepts_anything(std::string_view accept) {
    return accept.empty() || accept.find("*/*") != std::string_view::npos;
}

struct Target {
    std::string_view ns;
    std::string_view resource;
    std::string_view name;
    std::string_view action;
};

// "/namespaces/NS/RESOURCE/NAME/ACTION"
std::optional<Target> target_of(std::string_view path) {
    std::string_view rest = path;
    const auto segment = [&rest] {
        if (!rest.empty() && rest.front() == '/') rest.remove_prefix(1);
        const std::size_t end = std::min(rest.find('/'), rest.size());
        const std::string_view taken = rest.substr(0, end);
        rest.remove_prefix(end);
        return taken;
    };
    if (segment() != "namespaces") return std::nullopt;
    Target target{};
    target.ns = segment();
    target.resource = segment();
    target.name = segment();
    if (rest.size() < 2) return std::nullopt;
    target.action = rest.substr(1);
    return target;
}

Response version(const Backend& backend) {
    const auto& all = backend.objects.all(kubevirts);
    std::string release;
    if (!all.empty()) {
        release = kubeclient::text_at(*all.begin()->second, {"status", "observedKubeVirtVersion"})
                      .value_or("");
    }
    return reply(200, {{"gitVersion", release.empty() ? "v1.9.0" : release},
                       {"gitCommit", ""},
                       {"gitTreeState", "clean"},
                       {"buildDate", ""},
                       {"goVersion", ""},
                       {"compiler", "gc"},
                       {"platform", "linux/amd64"}});
}

Json group_version() {
    return {{"groupVersion", "subresources.kubevirt.io/v1"}, {"version", "v1"}};
}

Response discover_group() {
    return reply(200, {{"kind", "APIGroup"},
                       {"apiVersion", "v1"},
                       {"name", "subresources.kubevirt.io"},
                       {"versions", Json::array({group_version()})},
                       {"preferredVersion", group_version()}});
}

Response discover_resources() {
    Json resources = Json::array();
    for (const Route& route : routes) {
        resources.push_back(
            {{"name", std::string(route.resource) + "/" + std::string(route.action)},
             {"singularName", ""},
             {"namespaced", true},
             {"kind", ""},
             {"verbs", nullptr}});
    }
    return reply(200, {{"kind", "APIResourceList"},
                       {"apiVersion", "v1"},
                       {"groupVersion", "subresources.kubevirt.io/v1"},
                       {"resources", std::move(resources)}});
}

Response act(const Backend& backend, const Route& route, const Target& target,
             const Request& request) {
    if (request.method != Method::put) return plain(405, "405: Method Not Allowed");
    if (!accepts_anything(request.accept)) {
        return plain(406, "406: Not Acceptable\n\nAvailable representations: ");
    }
    Json options = Json::object();
    // No body at all is as good as an empty object.
    if (request.body.find_first_not_of(" \t\r\n") != std::string::npos) {
        auto body = kubeclient::parse_json(request.body, "json");
        if (!body.ok() || !(body->is_object() || body->is_null())) {
            return reply(bad_request("Can not unmarshal Request body to struct, error: " +
                                     (body.ok() ? "json: not an object" : body.error().message)));
        }
        if (body->is_object()) options = std::move(*body);
    }
    return route.act(backend, {std::string(target.ns), std::string(target.name), options});
}

}  // namespace

std::optional<Response> serve_subresource(const Backend& backend, const Request& request) {
    const std::string_view path = request.path;
    const bool reading = request.method == Method::get;
    if (path == group_path && reading) return discover_group();
    if (!path.starts_with(group_version_path)) return std::nullopt;
    const std::string_view rest = path.substr(group_version_path.size());
    if (!rest.empty() && rest.front() != '/') return std::nullopt;
    if (reading && (rest.empty() || rest == "/")) return discover_resources();
    if (reading && rest == "/version") return version(backend);
    if (const auto target = target_of(rest)) {
        const auto* route =
            std::find_if(std::begin(routes), std::end(routes), [&target](const Route& candidate) {
                return candidate.resource == target->resource && candidate.action == target->action;
            });
        if (route != std::end(routes)) return act(backend, *route, *target, request);
    }
    return plain(404, "404: Page Not Found");
}

}  // namespace lab::virt_api
