#include "lab/api/status.hpp"

#include <algorithm>
#include <charconv>
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

// Causes that say the same are told once.
std::string sentence(const std::vector<Cause>& causes) {
    std::vector<std::string> parts;
    for (const Cause& cause : causes) {
        const std::string part =
            cause.field.empty() ? cause.message : cause.field + ": " + cause.message;
        if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(part);
    }
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
    return parts.size() > 1 ? "[" + text + "]" : text;
}

Refusal invalid(const std::string& group, const std::string& kind, const std::string& name,
                std::vector<Cause> causes) {
    const std::string type = group.empty() ? kind : kind + "." + group;
    Refusal refusal{422, "Invalid", type + " \"" + name + "\" is invalid: " + sentence(causes)};
    refusal.name = name;
    refusal.group = group;
    refusal.kind = kind;
    refusal.causes = std::move(causes);
    return refusal;
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
    return invalid(kind.resource.group, kind.kind, name, std::move(causes));
}

Refusal invalid_options(const std::string& options, std::vector<Cause> causes) {
    return invalid("meta.k8s.io", options, "", std::move(causes));
}

Refusal no_such_resource() {
    Refusal refusal{404, "NotFound", "the server could not find the requested resource"};
    refusal.empty_details = true;
    return refusal;
}

Refusal internal(const std::string& message) {
    return {500, "", message};
}

Refusal too_large_version(std::uint64_t asked, std::uint64_t newest) {
    Refusal refusal{504, "Timeout",
                    "Timeout: Too large resource version: " + std::to_string(asked) +
                        ", current: " + std::to_string(newest)};
    refusal.causes = {{"ResourceVersionTooLarge", "Too large resource version"}};
    refusal.retry_after_seconds = 1;
    return refusal;
}

Outcome<std::uint64_t> revision_of(const std::string& text, const std::string& prefix) {
    std::uint64_t revision = 0;
    if (text.empty()) return revision;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, revision);
    if (error == std::errc{} && rest == end) return revision;
    return bad_request(prefix + "resourceVersion: Invalid value: \"" + text +
                       "\": strconv.ParseUint: parsing \"" + text + "\": invalid syntax");
}

Refusal method_not_allowed() {
    Refusal refusal{405, "MethodNotAllowed",
                    "the server does not allow this method on the requested resource"};
    refusal.empty_details = true;
    return refusal;
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
    if (!details.empty() || refusal.empty_details) status["details"] = std::move(details);
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
