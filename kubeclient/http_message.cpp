#include "kubeclient/http_message.hpp"

#include <algorithm>

namespace kubeclient {
namespace {

bool is_alphanumeric(unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_control(unsigned char c) {
    return c < 0x20 || c == 0x7f;
}

bool is_hex(unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// RFC 7230, token.
bool is_token_character(unsigned char c) {
    return is_alphanumeric(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
}

void append_percent(std::string& text, unsigned char c) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    text += '%';
    text += digits[c >> 4];
    text += digits[c & 15];
}

// RFC 3986, pchar and '/'.
bool is_path(std::string_view path) {
    for (std::size_t i = 0; i < path.size(); ++i) {
        const auto c = static_cast<unsigned char>(path[i]);
        if (c == '%') {
            if (i + 2 >= path.size() || !is_hex(static_cast<unsigned char>(path[i + 1])) ||
                !is_hex(static_cast<unsigned char>(path[i + 2]))) {
                return false;
            }
        } else if (!is_alphanumeric(c) &&
                   std::string_view("-._~!$&'()*+,;=:@/").find(path[i]) == std::string_view::npos) {
            return false;
        }
    }
    return true;
}

bool has_dot_segment(std::string_view path) {
    for (std::size_t start = 0; start <= path.size();) {
        const auto end = std::min(path.find('/', start), path.size());
        const auto segment = path.substr(start, end - start);
        if (segment == "." || segment == "..") return true;
        start = end + 1;
    }
    return false;
}

std::string escaped_key(std::string_view key) {
    std::string result;
    for (const char c : key) {
        const auto byte = static_cast<unsigned char>(c);
        if (c != '%' && is_token_character(byte)) {
            result += c;
        } else {
            append_percent(result, byte);
        }
    }
    return result;
}

}  // namespace

std::string_view name_of(Method method) {
    switch (method) {
        case Method::get:
            return "GET";
        case Method::post:
            return "POST";
        case Method::put:
            return "PUT";
        case Method::patch:
            return "PATCH";
        case Method::del:
            return "DELETE";
    }
    return "GET";
}

std::string percent_encoded(std::string_view text) {
    std::string result;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (is_alphanumeric(byte) || c == '-' || c == '.' || c == '_' || c == '~') {
            result += c;
        } else {
            append_percent(result, byte);
        }
    }
    return result;
}

Result<std::string> request_target(const std::string& base_path, const Request& request) {
    std::string target = base_path;
    while (target.ends_with('/')) target.pop_back();
    target += request.path;
    if (!request.path.starts_with('/') || !target.starts_with('/') || !is_path(target) ||
        has_dot_segment(target)) {
        return Error{ErrorKind::usage, "request path is not one a URL can hold",
                     "a name in it has characters that Kubernetes names do not have"};
    }
    char separator = '?';
    for (const auto& [name, value] : request.query) {
        target += separator + percent_encoded(name) + "=" + percent_encoded(value);
        separator = '&';
    }
    return target;
}

Status check_host(const std::string& host) {
    const bool good = !host.empty() && std::all_of(host.begin(), host.end(), [](unsigned char c) {
        return is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == ':';
    });
    if (good) return Done{};
    return Error{ErrorKind::config, "the server's host is neither a name nor an address",
                 "check server of the cluster"};
}

std::string host_header(const ServerUrl& server) {
    const bool v6 = server.host.find(':') != std::string::npos;
    const std::string host = v6 ? "[" + server.host + "]" : server.host;
    const int implied = server.tls ? 443 : 80;
    return server.port == implied ? host : host + ":" + std::to_string(server.port);
}

Headers impersonation_headers(const Impersonation& impersonate) {
    Headers headers;
    if (!impersonate.user.empty()) headers.emplace_back("Impersonate-User", impersonate.user);
    if (!impersonate.uid.empty()) headers.emplace_back("Impersonate-Uid", impersonate.uid);
    for (const auto& group : impersonate.groups) headers.emplace_back("Impersonate-Group", group);
    for (const auto& [key, values] : impersonate.extra) {
        for (const auto& value : values) {
            headers.emplace_back("Impersonate-Extra-" + escaped_key(key), value);
        }
    }
    return headers;
}

Status check_headers(const Headers& headers) {
    for (const auto& [name, value] : headers) {
        const bool good_name =
            !name.empty() && std::all_of(name.begin(), name.end(),
                                         [](unsigned char c) { return is_token_character(c); });
        const bool good_value =
            std::none_of(value.begin(), value.end(), [](unsigned char c) { return is_control(c); });
        // The value is not shown: it may be a token.
        if (!good_name || !good_value) {
            return Error{ErrorKind::config,
                         "header " + (good_name ? name : std::string("name")) +
                             " would hold a control character or is no header name",
                         "check the token, the user name and --as… for line breaks"};
        }
    }
    return Done{};
}

}  // namespace kubeclient
