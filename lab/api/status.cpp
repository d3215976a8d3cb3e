#include "lab/api/status.hpp"

#include <nlohmann/json.hpp>

namespace lab {

namespace {

// Most refusals name the resource in `kind`; only the invalid ones name the kind.
Refusal about(int code, const char* reason, const Kind& kind, const std::string& name,
              std::string message) {
    Refusal refusal{code, reason, std::move(message)};
    refusal.name = name;
    refusal.group = kind.resource.group;
    refusal.kind = kind.resource.plural;
    return refusal;
}

std::string object(const Kind& kind, const std::string& name) {
    return kind.qualified() + " \"" + name + "\"";
}

Json to_json(const std::vector<Cause>& causes) {
    Json list = Json::array();
    for (const Cause& cause : causes) {
        Json item = Json::object();
        if (!cause.reason.empty()) item["reason"] = cause.reason;
        if (!cause.message.empty()) item["message"] = cause.message;
        if (!cause.field.empty()) item["field"] = cause.field;
        list.push_back(std::move(item));
    }
    return list;
}

Json details_of(const Refusal& refusal) {
    Json details = Json::object();
    if (!refusal.name.empty()) details["name"] = refusal.name;
    if (!refusal.group.empty()) details["group"] = refusal.group;
    if (!refusal.kind.empty()) details["kind"] = refusal.kind;
    if (!refusal.uid.empty()) details["uid"] = refusal.uid;
    if (!refusal.causes.empty()) details["causes"] = to_json(refusal.causes);
    if (refusal.retry_after_seconds != 0) {
        details["retryAfterSeconds"] = refusal.retry_after_seconds;
    }
    return details;
}

}  // namespace

Refusal not_found(const Kind& kind, const std::string& name) {
    return about(404, "NotFound", kind, name, object(kind, name) + " not found");
}

Refusal already_exists(const Kind& kind, const std::string& name) {
    return about(409, "AlreadyExists", kind, name, object(kind, name) + " already exists");
}

Refusal conflict(const Kind& kind, const std::string& name, const std::string& why) {
    return about(409, "Conflict", kind, name,
                 "Operation cannot be fulfilled on " + object(kind, name) + ": " + why);
}

Refusal modified_meanwhile(const Kind& kind, const std::string& name) {
    return conflict(kind, name,
                    "the object has been modified; please apply your changes to the latest "
                    "version and try again");
}

Refusal forbidden(const Kind& kind, const std::string& name, const std::string& why) {
    return about(403, "Forbidden", kind, name, object(kind, name) + " is forbidden: " + why);
}

Refusal bad_request(const std::string& message) {
    return {400, "BadRequest", message};
}

Refusal invalid(const Kind& kind, const std::string& name, std::vector<Cause> causes) {
    const std::string& group = kind.resource.group;
    std::string what;
    for (const Cause& cause : causes) {
        if (!what.empty()) what += ", ";
        what += cause.field + ": " + cause.message;
    }
    if (causes.size() > 1) what = "[" + what + "]";
    const std::string type = group.empty() ? kind.kind : kind.kind + "." + group;
    Refusal refusal{422, "Invalid", type + " \"" + name + "\" is invalid: " + what};
    refusal.name = name;
    refusal.group = group;
    refusal.kind = kind.kind;
    refusal.causes = std::move(causes);
    return refusal;
}

Refusal method_not_allowed() {
    return {405, "MethodNotAllowed",
            "the server does not allow this method on the requested "
            "resource"};
}

Refusal expired(const std::string& message) {
    return {410, "Expired", message};
}

Refusal unsupported_media_type(const std::vector<std::string>& supported) {
    std::string list;
    for (const std::string& type : supported) list += (list.empty() ? "" : ", ") + type;
    return {
        415, "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: " + list};
}

kubeclient::Response page_not_found() {
    return {404, {{"content-type", "text/plain; charset=utf-8"}}, "404 page not found\n"};
}

Json to_status(const Refusal& refusal) {
    Json status{{"kind", "Status"},    {"apiVersion", "v1"},         {"metadata", Json::object()},
                {"status", "Failure"}, {"message", refusal.message}, {"code", refusal.code}};
    if (!refusal.reason.empty()) status["reason"] = refusal.reason;
    if (!refusal.continue_token.empty()) status["metadata"]["continue"] = refusal.continue_token;
    Json details = details_of(refusal);
    if (!details.empty()) status["details"] = std::move(details);
    return status;
}

kubeclient::Response reply(const Refusal& refusal) {
    auto response = reply(refusal.code, to_status(refusal));
    if (refusal.retry_after_seconds != 0) {
        response.headers.emplace_back("retry-after", std::to_string(refusal.retry_after_seconds));
    }
    return response;
}

kubeclient::Response reply(int status, const Json& body) {
    return reply_text(status, body.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

kubeclient::Response reply_text(int status, std::string body) {
    return {status, {{"content-type", "application/json"}}, std::move(body)};
}

}  // namespace lab
