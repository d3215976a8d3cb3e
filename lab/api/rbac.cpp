#include "lab/api/rbac.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace lab {

namespace {

using kubeclient::find;
using kubeclient::items_at;
using kubeclient::text_at;

const char* const kRbacGroup = "rbac.authorization.k8s.io";

ResourceId rbac(const char* plural) {
    return {kRbacGroup, plural};
}

std::string in_quotes(const std::string& text) {
    return '"' + text + '"';
}

bool any_of(const Json& rule, const char* member, const std::function<bool(std::string_view)>& is) {
    const auto& values = items_at(rule, {member});
    return std::any_of(values.begin(), values.end(), [&](const Json& value) {
        return value.is_string() && is(value.get_ref<const std::string&>());
    });
}

bool names(const Json& rule, const char* member, std::string_view wanted) {
    return any_of(rule, member,
                  [&](std::string_view value) { return value == "*" || value == wanted; });
}

bool covers_path(const Json& rule, std::string_view path) {
    return any_of(rule, "nonResourceURLs", [&](std::string_view url) {
        const bool prefix =
            url.ends_with('*') && path.starts_with(url.substr(0, url.find_last_not_of('*') + 1));
        return url == path || prefix;
    });
}

bool covers_resource(const Json& rule, const Attributes& wanted) {
    const std::string whole =
        wanted.subresource.empty() ? wanted.resource : wanted.resource + "/" + wanted.subresource;
    const bool resource = any_of(rule, "resources", [&](std::string_view value) {
        return value == "*" || value == whole ||
               (!wanted.subresource.empty() && value == "*/" + wanted.subresource);
    });
    const bool name =
        items_at(rule, {"resourceNames"}).empty() ||
        any_of(rule, "resourceNames", [&](std::string_view value) { return value == wanted.name; });
    return resource && name && names(rule, "apiGroups", wanted.group);
}

bool covers(const Json& rule, const Attributes& wanted) {
    if (!names(rule, "verbs", wanted.verb)) return false;
    return wanted.path.empty() ? covers_resource(rule, wanted) : covers_path(rule, wanted.path);
}

bool has_group(const User& user, std::string_view group) {
    return std::find(user.groups.begin(), user.groups.end(), group) != user.groups.end();
}

// The subject of the binding that is this user, in the words of the reason; empty: none is.
std::string subject_in(const Json& binding, const User& user, const std::string& binding_ns) {
    for (const Json& subject : items_at(binding, {"subjects"})) {
        const auto kind = text_at(subject, {"kind"}).value_or("");
        const auto name = text_at(subject, {"name"}).value_or("");
        const auto ns = text_at(subject, {"namespace"}).value_or(binding_ns);
        const bool account = kind == "ServiceAccount";
        if ((kind == "User" && name == user.name) || (kind == "Group" && has_group(user, name)) ||
            (account && user.name == "system:serviceaccount:" + ns + ":" + name)) {
            return kind + " " + in_quotes(account ? name + "/" + ns : name);
        }
    }
    return "";
}

bool has_labels(const Json& object, const Json& wanted) {
    const Json* labels = find(object, {"metadata", "labels"});
    return labels != nullptr &&
           std::all_of(wanted.items().begin(), wanted.items().end(), [&](const auto& label) {
               const auto found = labels->find(label.key());
               return found != labels->end() && *found == label.value();
           });
}

void append(std::vector<Json>& to, const std::vector<Json>& rules) {
    to.insert(to.end(), rules.begin(), rules.end());
}

}  // namespace

std::vector<Json> Rbac::rules_of(const Json& role_ref, const std::string& ns) const {
    const auto name = text_at(role_ref, {"name"}).value_or("");
    if (text_at(role_ref, {"kind"}) == "Role") {
        const Object role = store_.get(rbac("roles"), {ns, name});
        return role ? items_at(*role, {"rules"}) : std::vector<Json>{};
    }
    const Object role = store_.get(rbac("clusterroles"), {"", name});
    if (!role) return {};
    const auto& selectors = items_at(*role, {"aggregationRule", "clusterRoleSelectors"});
    if (selectors.empty()) return items_at(*role, {"rules"});
    std::vector<Json> rules;
    for (const auto& [key, other] : store_.all(rbac("clusterroles"))) {
        const bool chosen =
            std::any_of(selectors.begin(), selectors.end(), [&](const Json& selector) {
                const Json* labels = find(selector, "matchLabels");
                return labels != nullptr && has_labels(*other, *labels);
            });
        if (!chosen || other == role) continue;
        // Aggregation goes as deep as `view` in `edit` in `admin`.
        append(rules, rules_of(Json{{"kind", "ClusterRole"}, {"name", key.name}}, ns));
    }
    return rules;
}

bool Rbac::visit_role(const Json& binding, const std::string& ns, const std::string& subject,
                      const Visit& visit) const {
    const Json* role = find(binding, "roleRef");
    if (role == nullptr) return true;
    const auto name = text_at(binding, {"metadata", "name"}).value_or("");
    const std::string why = (ns.empty() ? "ClusterRoleBinding " + in_quotes(name)
                                        : "RoleBinding " + in_quotes(name + "/" + ns)) +
                            " of " + text_at(*role, {"kind"}).value_or("") + " " +
                            in_quotes(text_at(*role, {"name"}).value_or("")) + " to " + subject;
    const auto rules = rules_of(*role, ns);
    return std::all_of(rules.begin(), rules.end(),
                       [&](const Json& rule) { return visit(rule, why); });
}

void Rbac::visit_rules(const User& user, const std::string& ns, const Visit& visit) const {
    for (const auto& [key, binding] : store_.all(rbac("clusterrolebindings"))) {
        const auto subject = subject_in(*binding, user, "");
        if (!subject.empty() && !visit_role(*binding, "", subject, visit)) return;
    }
    if (ns.empty()) return;
    for (const auto& [key, binding] : store_.all(rbac("rolebindings"))) {
        if (key.ns != ns) continue;
        const auto subject = subject_in(*binding, user, ns);
        if (!subject.empty() && !visit_role(*binding, ns, subject, visit)) return;
    }
}

Rbac::Decision Rbac::decide(const User& user, const Attributes& attributes) const {
    if (has_group(user, "system:masters")) return {true, ""};
    Decision decision;
    visit_rules(user, attributes.ns, [&](const Json& rule, const std::string& why) {
        decision.allowed = covers(rule, attributes);
        if (decision.allowed) decision.reason = "RBAC: allowed by " + why;
        return !decision.allowed;
    });
    return decision;
}

std::optional<Refusal> Rbac::authorize(const User& user, const Attributes& attributes) const {
    if (decide(user, attributes).allowed) return std::nullopt;
    return forbidden_text(user, attributes);
}

std::vector<Json> Rbac::rules_for(const User& user, const std::string& ns) const {
    std::vector<Json> rules;
    visit_rules(user, ns, [&](const Json& rule, const std::string&) {
        rules.push_back(rule);
        return true;
    });
    return rules;
}

Refusal forbidden_text(const User& user, const Attributes& attributes) {
    std::string what = "User " + in_quotes(user.name) + " cannot " + attributes.verb;
    if (!attributes.path.empty()) {
        return {403, "Forbidden", "forbidden: " + what + " path " + in_quotes(attributes.path)};
    }
    std::string resource = attributes.resource;
    if (!attributes.subresource.empty()) resource += "/" + attributes.subresource;
    what += " resource " + in_quotes(resource) + " in API group " + in_quotes(attributes.group);
    what += attributes.ns.empty() ? " at the cluster scope"
                                  : " in the namespace " + in_quotes(attributes.ns);
    std::string about = attributes.resource;
    if (!attributes.group.empty()) about += "." + attributes.group;
    if (!attributes.name.empty()) about += " " + in_quotes(attributes.name);
    Refusal refusal{403, "Forbidden", about + " is forbidden: " + what};
    refusal.name = attributes.name;
    refusal.group = attributes.group;
    refusal.kind = attributes.resource;
    return refusal;
}

}  // namespace lab
