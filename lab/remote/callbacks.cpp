#include "lab/remote/callbacks.hpp"

#include <nlohmann/json.hpp>

#include "lab/api/status.hpp"
#include "lab/remote/admission_review.hpp"
#include "lab/remote/registration.hpp"

namespace lab {

using kubeclient::Request;
using kubeclient::Response;

namespace {

constexpr std::string_view kContainerLogs = "/containerLogs/";

Response review(const Request& request, Webhook webhook, Extension& extension) {
    const auto asked = kubeclient::parse_json(request.body, "admission review");
    if (!asked.ok()) return reply(bad_request(asked.error().message));
    return reply(200, reviewed(*asked, webhook, extension));
}

}  // namespace

Response Callbacks::handle(const Caller&, const Request& request) {
    if (request.path == kMutatingPath) return review(request, Webhook::mutating, virt_api_);
    if (request.path == kValidatingPath) return review(request, Webhook::validating, virt_api_);
    if (request.path.starts_with(kContainerLogs)) return log(request);
    return virt_api_.serve({}, request).value_or(page_not_found());
}

std::unique_ptr<WatchCursor> Callbacks::watch(const Caller&, const Request&, Response& refusal) {
    refusal = page_not_found();
    return nullptr;
}

// /containerLogs/NAMESPACE/POD/CONTAINER, with the query of pods/log.
// Source: kubernetes pkg/registry/core/pod/strategy.go LogLocation.
Response Callbacks::log(const Request& request) {
    const std::string rest = request.path.substr(kContainerLogs.size());
    const auto first = rest.find('/');
    const auto second = first == std::string::npos ? first : rest.find('/', first + 1);
    if (second == std::string::npos) return page_not_found();
    Request asked = request;
    asked.path = "/api/v1/namespaces/" + rest.substr(0, first) + "/pods/" +
                 rest.substr(first + 1, second - first - 1) + "/log";
    asked.query.emplace_back("container", rest.substr(second + 1));
    return nodes_.serve({}, asked).value_or(page_not_found());
}

}  // namespace lab
