#include "kubeclient/api_status.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace kubeclient {
namespace {

constexpr std::int64_t kLongestWait = 366LL * 24 * 3600;  // seconds

ErrorKind kind_of(int code) {
    switch (code) {
        case 401:
            return ErrorKind::auth;
        case 403:
            return ErrorKind::forbidden;
        case 404:
            return ErrorKind::not_found;
        case 409:
        case 410:
            return ErrorKind::conflict;  // 410: the version asked for is gone
        case 429:
            return ErrorKind::throttled;
        default:
            return code >= 500 || code == 408 ? ErrorKind::server : ErrorKind::invalid;
    }
}

std::string hint_for(ErrorKind kind, int retry_after) {
    switch (kind) {
        case ErrorKind::auth:
            return "log in again, or check the user of this kubeconfig context";
        case ErrorKind::forbidden:
            return "ask an administrator for this right, or use --as";
        case ErrorKind::throttled:
            if (retry_after == 0) return "the server is overloaded: try again later";
            return "the server asked to wait " + std::to_string(retry_after) + " s";
        default:
            return "";
    }
}

// What a reply without a Status means, by its code alone.
std::string generic_message(int code, const std::string& what) {
    const auto say = [&](const std::string& words) { return words + " (" + what + ")"; };
    switch (code) {
        case 400:
            return say("the server rejected our request for an unknown reason");
        case 401:
            return say("the server has asked for the client to provide credentials");
        case 404:
            return say("the server could not find the requested resource");
        case 405:
            return say("the server does not allow this method on the requested resource");
        case 409:
            return say("the server reported a conflict");
        case 422:
            return say("the server rejected our request due to an error in our request");
        case 429:
            return say(
                "the server has received too many requests and has asked us to try again "
                "later");
        case 503:
            return say("the server is currently unable to handle the request");
        case 504:
            return say(
                "the server was unable to return a response in the time allotted, but may "
                "still be processing the request");
        default:
            return say("the server responded with the status code " + std::to_string(code));
    }
}

const char* generic_reason(int code) {
    switch (code) {
        case 400:
            return "BadRequest";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "NotFound";
        case 405:
            return "MethodNotAllowed";
        case 406:
            return "NotAcceptable";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 415:
            return "UnsupportedMediaType";
        case 422:
            return "Invalid";
        case 429:
            return "TooManyRequests";
        case 500:
            return "InternalError";
        case 503:
            return "ServiceUnavailable";
        case 504:
            return "Timeout";
        default:
            return "";
    }
}

// The beginning of a text, on one line and without what would steer a terminal.
std::string excerpt(std::string_view text) {
    constexpr std::size_t longest = 200;
    std::string shown(text.substr(0, longest));
    std::replace_if(
        shown.begin(), shown.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
    while (shown.ends_with(' ')) shown.pop_back();
    return text.size() > longest ? shown + "…" : shown;
}

std::string sentence(const std::string& reason, const std::string& message) {
    if (reason == "Unauthorized") return "You must be logged in to the server (" + message + ")";
    if (reason.empty()) return "Error from server: " + message;
    return "Error from server (" + reason + "): " + message;
}

std::string cause_text(const Json& cause) {
    const auto field = text_at(cause, {"field"}).value_or("");
    const auto message = text_at(cause, {"message"}).value_or("");
    return field.empty() ? message : field + ": " + message;
}

// kubectl shows an Invalid by its object and its causes instead of the message.
std::string invalid_sentence(const Json& status, const std::string& message) {
    const auto kind = text_at(status, {"details", "kind"}).value_or("");
    const auto name = text_at(status, {"details", "name"}).value_or("");
    std::vector<std::string> causes;  // each once, as in kubectl
    for (const auto& cause : items_at(status, {"details", "causes"})) {
        auto told = cause_text(cause);
        if (std::find(causes.begin(), causes.end(), told) == causes.end()) {
            causes.push_back(std::move(told));
        }
    }
    std::string text = "The request is invalid";
    if (!kind.empty() || !name.empty()) text = "The " + kind + " \"" + name + "\" is invalid";
    if (causes.empty()) return message.empty() ? text : text + ": " + message;
    if (causes.size() == 1) return text + ": " + causes.front();
    text += ":";
    for (const auto& cause : causes) text += "\n* " + cause;
    return text;
}

// Server text may hold anything; line breaks are the only control characters that stay.
std::string cleaned(std::string text) {
    std::replace_if(
        text.begin(), text.end(),
        [](unsigned char c) { return (c < 0x20 && c != '\n') || c == 0x7f; }, ' ');
    return text;
}

int wait_of(const Response& response) {
    return static_cast<int>(retry_after(response).value_or(std::chrono::seconds(0)).count());
}

Error from_status(const Json& status, const Response& response, const std::string& what) {
    const auto told = integer_at(status, {"code"}).value_or(response.status);
    const int code = told >= 400 && told < 600 ? static_cast<int>(told) : response.status;
    const auto reason = text_at(status, {"reason"}).value_or("");
    auto message = text_at(status, {"message"}).value_or("");
    if (message.empty()) message = generic_message(code, what);
    Error error;
    error.kind = code >= 400 ? kind_of(code) : ErrorKind::protocol;
    // Only a reply that names the object speaks of the object; any other 404 is about the path.
    const bool names_object = !text_at(status, {"details", "name"}).value_or("").empty();
    if (error.kind == ErrorKind::not_found && !names_object) error.kind = ErrorKind::not_served;
    const bool invalid = reason == "Invalid" && find(status, "details") != nullptr;
    error.message =
        cleaned(invalid ? invalid_sentence(status, message) : sentence(reason, message));
    error.http_status = code;
    error.reason = cleaned(reason);
    error.retry_after = wait_of(response);
    if (const auto asked = integer_at(status, {"details", "retryAfterSeconds"}); asked > 0) {
        error.retry_after = static_cast<int>(std::min(*asked, kLongestWait));
    }
    error.hint = hint_for(error.kind, error.retry_after);
    return error;
}

bool is_status(const Json& json) {
    return text_at(json, {"kind"}) == "Status";
}

}  // namespace

std::string_view header_of(const Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
        if (key == name) return value;
    }
    return {};
}

std::optional<std::chrono::seconds> retry_after(const Response& response) {
    const auto text = header_of(response, "retry-after");
    std::int64_t seconds = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (failure != std::errc{} || end != text.data() + text.size() || seconds < 0) {
        return std::nullopt;
    }
    return std::chrono::seconds(std::min(seconds, kLongestWait));
}

Error error_of_status(const Json& status, const std::string& what) {
    Response response;
    response.status = 500;  // apimachinery's code for what says nothing
    return from_status(status, response, what);
}

Error error_of(const Response& response, const std::string& what) {
    if (const auto json = parse_json(response.body, what); json.ok() && is_status(*json)) {
        return from_status(*json, response, what);
    }
    const int code = response.status;
    if (code < 400) {
        const auto target = header_of(response, "location");
        return Error{ErrorKind::protocol,
                     what + ": unexpected HTTP status " + std::to_string(code) +
                         (target.empty() ? "" : ", redirected to " + excerpt(target)),
                     "is a login page or a proxy between here and the API server?", code};
    }
    const auto said = excerpt(response.body);
    const bool plain_text =
        !said.empty() && header_of(response, "content-type").find("html") == std::string_view::npos;
    std::string message = generic_message(code, what);
    if (code == 500) {
        message = "an error on the server (\"" + said +
                  "\") has prevented the request from succeeding (" + what + ")";
    } else if (plain_text && (code == 403 || code == 406 || code == 415)) {
        message = said + " (" + what + ")";
    } else if (plain_text && code != 401) {
        message += ": " + said;
    }
    const auto by_code = kind_of(code);
    const auto kind = by_code == ErrorKind::not_found ? ErrorKind::not_served : by_code;
    const int wait = wait_of(response);
    const auto* reason = generic_reason(code);
    return Error{kind, sentence(reason, message), hint_for(kind, wait), code, reason, wait};
}

Result<Json> result_of(const Response& response, const std::string& what) {
    const auto type = std::string(header_of(response, "content-type"));
    if (response.body.empty()) {
        return Error{ErrorKind::protocol, what + ": empty reply where an object was expected", "",
                     response.status};
    }
    auto json = parse_json(response.body, what);
    if (!json.ok() && type.find("json") == std::string::npos) {
        return Error{ErrorKind::protocol,
                     what + ": the reply is " + (type.empty() ? "no JSON" : excerpt(type)) +
                         ", not JSON: \"" + excerpt(response.body) + "\"",
                     "is a login page or a proxy between here and the API server?",
                     response.status};
    }
    if (!json.ok()) return json;
    if (!json->is_object()) {
        return Error{ErrorKind::protocol, what + ": the reply is JSON but no object", "",
                     response.status};
    }
    const bool failure = is_status(*json) && text_at(*json, {"status"}) == "Failure";
    if (failure) return from_status(*json, response, what);
    return json;
}

Result<Json> object_of(const Response& response, const std::string& what) {
    TRY_ASSIGN(json, result_of(response, what));
    if (!is_status(json)) return json;
    return Error{ErrorKind::protocol, what + ": the reply is a Status where an object was expected",
                 "", response.status};
}

}  // namespace kubeclient
