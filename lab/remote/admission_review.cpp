#include "lab/remote/admission_review.hpp"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <utility>

#include "kubeclient/base64.hpp"
#include "lab/api/status.hpp"

namespace lab {

using kubeclient::find;
using kubeclient::text_at;

namespace {

std::string text(const Json& request, std::initializer_list<std::string_view> path) {
    return text_at(request, path).value_or("");
}

Object object_at(const Json& request, const char* key) {
    const Json* found = find(request, key);
    return found == nullptr ? nullptr : std::make_shared<const Json>(*found);
}

Admission asked_in(const Json& request) {
    Admission asked;
    asked.verb = text(request, {"operation"});
    std::transform(asked.verb.begin(), asked.verb.end(), asked.verb.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    asked.resource = {text(request, {"resource", "group"}),
                      text(request, {"resource", "resource"})};
    asked.subresource = text(request, {"subResource"});
    asked.key = {text(request, {"namespace"}), text(request, {"name"})};
    asked.user.name = text(request, {"userInfo", "username"});
    for (const Json& group : kubeclient::items_at(request, {"userInfo", "groups"})) {
        if (group.is_string()) asked.user.groups.push_back(group.get<std::string>());
    }
    asked.dry_run = kubeclient::bool_at(request, {"dryRun"}).value_or(false);
    asked.before = object_at(request, "oldObject");
    const Json* object = find(request, "object");
    if (object != nullptr) asked.object = std::make_shared<Json>(*object);
    return asked;
}

// Member by member: a patch of the whole document at once is not everybody's.
Json difference(const Json& before, const Json& after) {
    Json patch = Json::array();
    for (const auto& member : after.items()) {
        const Json* old = find(before, member.key());
        if (old != nullptr && *old == member.value()) continue;
        patch.push_back({{"op", "add"}, {"path", "/" + member.key()}, {"value", member.value()}});
    }
    return patch;
}

// The API server puts the webhook's name in front itself.
Json status_of(Refusal refusal) {
    constexpr std::string_view words = " denied the request: ";
    const auto end = refusal.message.find(words);
    if (refusal.message.starts_with("admission webhook ") && end != std::string::npos) {
        refusal.message.erase(0, end + words.size());
    }
    return to_status(refusal);
}

}  // namespace

Json reviewed(const Json& review, Webhook webhook, Extension& extension) {
    const Json* request = find(review, "request");
    const Json nothing = Json::object();
    Admission asked = asked_in(request == nullptr ? nothing : *request);
    const Json before = asked.object ? *asked.object : nothing;
    const auto refusal = extension.admit(asked);
    Json response{{"uid", text(review, {"request", "uid"})}, {"allowed", true}};
    if (webhook == Webhook::validating && refusal) {
        response["allowed"] = false;
        response["status"] = status_of(*refusal);
    }
    if (webhook == Webhook::mutating && !refusal && asked.object) {
        const Json patch = difference(before, *asked.object);
        if (!patch.empty()) {
            response["patchType"] = "JSONPatch";
            response["patch"] = kubeclient::encode_base64(kubeclient::to_line(patch));
        }
    }
    return {{"apiVersion", "admission.k8s.io/v1"},
            {"kind", "AdmissionReview"},
            {"response", std::move(response)}};
}

}  // namespace lab
