#include "kubeclient/server_url.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace kubeclient {
namespace {

Error refused(const std::string& what) {
    return {ErrorKind::config, what};
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

Result<std::string> bracketed_host(std::string_view text) {
    std::string host(text);
    const auto zone = host.find("%25");  // a zone's percent sign is itself encoded in a URL
    if (zone != std::string::npos) host.erase(zone + 1, 2);
    const bool address =
        host.find(':') != std::string::npos && std::all_of(host.begin(), host.end(), [](char c) {
            return is_host_character(c) || c == ':' || c == '%';
        });
    if (!address) return refused("\"" + host + "\" in brackets is no IPv6 address");
    return host;
}

Status take_port(std::string_view text, ServerUrl& url) {
    if (text.empty()) return Done{};
    int port = 0;
    const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (problem != std::errc() || stop != text.data() + text.size() || port < 1 || port > 65535) {
        return refused("invalid port \"" + std::string(text) + "\"");
    }
    url.port = port;
    return Done{};
}

Status take_authority(std::string_view text, ServerUrl& url) {
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return refused("missing ']' in host");
        TRY_ASSIGN(host, bracketed_host(text.substr(1, close - 1)));
        url.host = host;
        text.remove_prefix(close + 1);
        if (!text.empty() && text[0] != ':') return refused("text follows the ']' of the host");
        return take_port(text.empty() ? text : text.substr(1), url);
    }
    if (std::count(text.begin(), text.end(), ':') > 1) {
        return refused("an IPv6 address needs brackets, as in https://[::1]:6443");
    }
    const auto colon = std::min(text.find(':'), text.size());
    url.host = text.substr(0, colon);
    if (!std::all_of(url.host.begin(), url.host.end(), is_host_character)) {
        return refused("invalid character in host name \"" + url.host + "\"");
    }
    return take_port(colon == text.size() ? "" : text.substr(colon + 1), url);
}

Status take_path(std::string_view text, ServerUrl& url) {
    const bool printable =
        std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
    if (!printable) return refused("the path has a character that must be percent-encoded");
    while (text.ends_with('/')) text.remove_suffix(1);
    url.base_path = text;
    return Done{};
}

}  // namespace

Result<ServerUrl> parse_server_url(std::string_view text) {
    const auto mark = text.find("://");
    const bool has_scheme = mark != std::string_view::npos;
    const auto scheme = has_scheme ? lower(text.substr(0, mark)) : "http";
    const auto rest = has_scheme ? text.substr(mark + 3) : text;
    const auto path_at = std::min(rest.find_first_of("/?#"), rest.size());
    const auto authority = rest.substr(0, path_at);
    const auto path = rest.substr(path_at);
    // First, so that no later message shows what may be a password.
    if (authority.find('@') != std::string_view::npos) {
        return Error{ErrorKind::config, "a user name in the server URL is not supported",
                     "put the credentials into the kubeconfig's user entry"};
    }
    if (path.find_first_of("?#") != std::string_view::npos) {
        return refused("a server URL cannot have a query or a fragment");
    }
    if (authority.empty() || (!has_scheme && path.size() > 1)) {
        return refused("host must be a URL or a host:port pair: \"" + std::string(text) + "\"");
    }
    if (scheme != "http" && scheme != "https") {
        return refused("unsupported protocol scheme \"" + scheme + "\"");
    }
    ServerUrl url{.tls = scheme == "https", .port = scheme == "https" ? 443 : 80};
    TRY(take_authority(authority, url));
    if (url.host.empty()) {
        return refused("host must be a URL or a host:port pair: \"" + std::string(text) + "\"");
    }
    TRY(take_path(path, url));
    return url;
}

std::string to_text(const ServerUrl& url) {
    const bool ipv6 = url.host.find(':') != std::string::npos;
    std::string text =
        (url.tls ? "https://" : "http://") + (ipv6 ? "[" + url.host + "]" : url.host);
    if (url.port != (url.tls ? 443 : 80)) text += ":" + std::to_string(url.port);
    return text + url.base_path;
}

Status check_proxy_url(std::string_view text) {
    const auto mark = text.find("://");
    if (mark == std::string_view::npos) {
        return refused("could not parse: a proxy URL begins with http://");
    }
    const auto scheme = lower(text.substr(0, mark));
    if (scheme.starts_with("socks5")) {
        return Error{ErrorKind::config, "SOCKS5 proxies are not supported",
                     "use an http:// proxy URL, or a tunnel such as ssh -L and --server"};
    }
    if (scheme == "https") {
        return Error{ErrorKind::config, "proxies reached over TLS are not supported",
                     "use an http:// proxy URL; what passes through it is encrypted end to end"};
    }
    if (scheme != "http") {
        return refused("unsupported scheme \"" + scheme + "\", must be http");
    }
    auto rest = text.substr(mark + 3);
    const auto user = rest.substr(0, rest.find('/')).rfind('@');
    if (user != std::string_view::npos) rest.remove_prefix(user + 1);
    auto parsed = parse_server_url("http://" + std::string(rest));
    if (!parsed.ok()) return parsed.error();
    return Done{};
}

}  // namespace kubeclient
