#include "lab/api/reviews.hpp"

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "kubeclient/time.hpp"
#include "lab/api/status.hpp"

namespace lab {

namespace {

using kubeclient::find;
using kubeclient::text_at;

constexpr std::string_view kAuthorization = "/apis/authorization.k8s.io/v1/";
constexpr std::string_view kWhoAmI = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

Attributes attributes_of(const Json& spec) {
    Attributes attributes;
    if (const Json* path = find(spec, "nonResourceAttributes")) {
        attributes.verb = text_at(*path, {"verb"}).value_or("");
        attributes.path = text_at(*path, {"path"}).value_or("");
        return attributes;
    }
    const Json* resource = find(spec, "resourceAttributes");
    if (resource == nullptr) return attributes;
    const auto text = [&](const char* key) { return text_at(*resource, {key}).value_or(""); };
    return {text("verb"),        text("group"),     text("version"), text("resource"),
            text("subresource"), text("namespace"), text("name"),    ""};
}

// The part of a policy rule that SelfSubjectRulesReview shows.
Json shown(const Json& rule, std::initializer_list<const char*> members) {
    Json result = Json::object();
    for (const char* member : members) {
        if (rule.contains(member)) result[member] = rule.at(member);
    }
    return result;
}

}  // namespace

Reviews::Reviews(const Rbac& rbac, ApiServer::Clock clock)
    : rbac_(rbac), clock_(std::move(clock)) {}

Json Reviews::access(const User& user, const Json& spec) const {
    const auto decision = rbac_.decide(user, attributes_of(spec));
    Json status{{"allowed", decision.allowed}};
    if (!decision.reason.empty()) status["reason"] = decision.reason;
    return status;
}

Json Reviews::rules(const User& user, const Json& spec) const {
    Json resource_rules = Json::array();
    Json path_rules = Json::array();
    for (const Json& rule : rbac_.rules_for(user, text_at(spec, {"namespace"}).value_or(""))) {
        if (rule.contains("resources")) {
            resource_rules.push_back(
                shown(rule, {"verbs", "apiGroups", "resources", "resourceNames"}));
        }
        if (rule.contains("nonResourceURLs")) {
            path_rules.push_back(shown(rule, {"verbs", "nonResourceURLs"}));
        }
    }
    return {{"resourceRules", std::move(resource_rules)},
            {"nonResourceRules", std::move(path_rules)},
            {"incomplete", false}};
}

std::optional<kubeclient::Response> Reviews::serve(const User& user,
                                                   const kubeclient::Request& request) {
    const std::string_view path = request.path;
    const bool who = path == kWhoAmI;
    const bool access_asked = path.starts_with(kAuthorization) &&
                              path.substr(kAuthorization.size()) == "selfsubjectaccessreviews";
    const bool rules_asked = path.starts_with(kAuthorization) &&
                             path.substr(kAuthorization.size()) == "selfsubjectrulesreviews";
    if (!who && !access_asked && !rules_asked) return std::nullopt;
    if (request.method != kubeclient::Method::post) return reply(method_not_allowed());
    auto review = kubeclient::parse_json(request.body, "body");
    if (!review.ok() || !review->is_object()) {
        return reply(bad_request("the object provided is unrecognized"));
    }
    const Json* given = find(*review, "spec");
    const Json spec = given == nullptr ? Json::object() : *given;
    if (who) {
        (*review)["metadata"]["creationTimestamp"] =
            kubeclient::format_time(std::chrono::floor<std::chrono::seconds>(clock_()));
        (*review)["status"] = {{"userInfo", {{"username", user.name}, {"groups", user.groups}}}};
    } else {
        (*review)["status"] = access_asked ? access(user, spec) : rules(user, spec);
    }
    return reply(201, *review);
}

}  // namespace lab
