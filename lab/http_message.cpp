#include "lab/http_message.hpp"

#include <algorithm>
#include <optional>

#include "lab/api/route.hpp"
#include "lab/api/status.hpp"

namespace lab {

namespace {

using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Method;
using kubeclient::Request;
using kubeclient::Response;
using kubeclient::Result;

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
    return result;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

enum class Plus { plus, blank };

// nullopt: a percent sign without two hex digits (Go: "invalid URL escape").
std::optional<std::string> decoded(std::string_view text, Plus plus) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus == Plus::blank) {
            result += ' ';
        } else if (text[i] != '%') {
            result += text[i];
        } else {
            if (i + 2 >= text.size() || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0) {
                return std::nullopt;
            }
            result += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        }
    }
    return result;
}

Result<std::vector<std::pair<std::string, std::string>>> read_query(std::string_view text) {
    std::vector<std::pair<std::string, std::string>> query;
    while (!text.empty()) {
        const auto part = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(text.size(), part.size() + 1));
        if (part.empty()) continue;
        const auto equals = std::min(part.find('='), part.size());
        const auto name = decoded(part.substr(0, equals), Plus::blank);
        const auto value = decoded(part.substr(std::min(part.size(), equals + 1)), Plus::blank);
        if (!name || !value) return Error{ErrorKind::invalid, "invalid URL escape in the query"};
        query.emplace_back(*name, *value);
    }
    return query;
}

std::optional<Method> method_of(std::string_view name) {
    if (name == "GET" || name == "HEAD") return Method::get;
    if (name == "POST") return Method::post;
    if (name == "PUT") return Method::put;
    if (name == "PATCH") return Method::patch;
    if (name == "DELETE") return Method::del;
    return std::nullopt;
}

// Header names: k8s.io/client-go transport/round_trippers.go.
void read_header(const std::string& name, const std::string& value, HttpCall& call) {
    constexpr std::string_view bearer = "bearer ";
    constexpr std::string_view extra = "impersonate-extra-";
    auto& as = call.caller.impersonate;
    if (name == "accept") call.request.accept = value;
    if (name == "content-type") call.request.content_type = value;
    if (name == "authorization" && lower(value).starts_with(bearer)) {
        call.caller.token = value.substr(bearer.size());
    }
    if (name == "impersonate-user") as.user = value;
    if (name == "impersonate-uid") as.uid = value;
    if (name == "impersonate-group") as.groups.push_back(value);
    if (name.starts_with(extra)) {
        const std::string key = name.substr(extra.size());
        as.extra[decoded(key, Plus::plus).value_or(key)].push_back(value);
    }
}

std::string_view reason_of(int status) {
    switch (status) {
        case 400:
        case 414:
            return "BadRequest";
        case 404:
            return "NotFound";
        case 405:
            return "MethodNotAllowed";
        case 413:
            return "RequestEntityTooLarge";
        default:
            return "InternalError";
    }
}

}  // namespace

Result<HttpCall> read_call(std::string_view method, std::string_view target, const Headers& headers,
                           std::string body) {
    HttpCall call;
    const auto known = method_of(method);
    const auto path = target.substr(0, target.find('?'));
    const auto plain = decoded(path, Plus::plus);
    if (!known || !plain || !path.starts_with('/')) {
        return Error{ErrorKind::invalid, "the request line cannot be understood"};
    }
    call.request.method = *known;
    call.request.path = path;
    TRY_ASSIGN(query, read_query(target.substr(std::min(target.size(), path.size() + 1))));
    call.request.query = std::move(query);
    call.request.body = std::move(body);
    for (const auto& [name, value] : headers) read_header(lower(name), value, call);
    return call;
}

bool is_watch(const Request& request) {
    return request.method == Method::get && flag(request, "watch").value_or(false);
}

bool is_follow(const Request& request) {
    return request.method == Method::get && flag(request, "follow").value_or(false);
}

Response refused_by_http(int status) {
    const std::string message = status == 413 ? "Request entity too large: limit is 3145728"
                                              : "the HTTP request cannot be served";
    return reply(Refusal{status, std::string(reason_of(status)), message});
}

}  // namespace lab
