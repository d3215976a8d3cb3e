#include "kubeclient/proxy.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstring>
#include <string_view>

namespace kubeclient {
namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    });
    return result;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::optional<int> number(std::string_view text, int most) {
    int value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (value < 0 || value > most || text.front() == '-') return std::nullopt;
    return value;
}

// Sixteen bytes; IPv4 as ::ffff:a.b.c.d, so that both spellings are the same address.
using Ip = std::array<unsigned char, 16>;

std::optional<Ip> parse_ip(const std::string& text) {
    Ip ip{};
    if (::inet_pton(AF_INET6, text.c_str(), ip.data()) == 1) return ip;
    ip[10] = ip[11] = 0xff;
    if (::inet_pton(AF_INET, text.c_str(), ip.data() + 12) == 1) return ip;
    return std::nullopt;
}

bool is_v4(const Ip& ip) {
    constexpr std::array<unsigned char, 12> prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return std::equal(prefix.begin(), prefix.end(), ip.begin());
}

bool is_loopback(const Ip& ip) {
    Ip v6_loopback{};
    v6_loopback[15] = 1;
    return ip == v6_loopback || (is_v4(ip) && ip[12] == 127);
}

// "10.0.0.0/8"; nullopt when the entry is no CIDR.
std::optional<bool> in_cidr(std::string_view entry, const std::optional<Ip>& ip) {
    const auto slash = entry.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto base = parse_ip(std::string(entry.substr(0, slash)));
    if (!base) return std::nullopt;
    const bool v4 = entry.find(':') == std::string_view::npos;
    const auto bits = number(entry.substr(slash + 1), v4 ? 32 : 128);
    if (!bits) return std::nullopt;
    if (!ip || is_v4(*ip) != v4) return false;
    const int total = *bits + (v4 ? 96 : 0);
    for (int bit = 0; bit < total; ++bit) {
        const auto byte = static_cast<std::size_t>(bit / 8);
        const int mask = 0x80 >> (bit % 8);
        if (((*base)[byte] & mask) != ((*ip)[byte] & mask)) return false;
    }
    return true;
}

struct HostPort {
    std::string host{};
    std::string port{};  // empty: none given
};

// "host", "host:port", "[v6]:port", "[v6]", "v6".
HostPort split(std::string_view text) {
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return {std::string(text), ""};
        const auto rest = text.substr(close + 1);
        return {std::string(text.substr(1, close - 1)),
                rest.starts_with(':') ? std::string(rest.substr(1)) : ""};
    }
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) {
        return {std::string(text), ""};
    }
    return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

bool entry_matches(std::string_view entry, const std::string& host, const std::string& port,
                   const std::optional<Ip>& ip) {
    if (const auto inside = in_cidr(entry, ip)) return *inside;
    HostPort wanted = split(entry);
    if (wanted.host.empty() || (!wanted.port.empty() && wanted.port != port)) return false;
    if (const auto wanted_ip = parse_ip(wanted.host)) return ip && *ip == *wanted_ip;
    if (wanted.host.starts_with("*.")) wanted.host.erase(0, 1);
    if (wanted.host.front() == '.') return host.ends_with(wanted.host);
    return host == wanted.host || host.ends_with("." + wanted.host);
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            result += text[i];
            continue;
        }
        unsigned value = 0;
        const char* digits = text.data() + i + 1;
        if (i + 2 >= text.size()) return std::nullopt;
        if (std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2) return std::nullopt;
        result += static_cast<char>(value);
        i += 2;
    }
    return result;
}

Error bad_proxy(const std::string& why) {
    return Error{ErrorKind::config, "proxy URL: " + why,
                 "set proxy-url, HTTPS_PROXY or HTTP_PROXY to http://[USER:PASSWORD@]HOST[:PORT]"};
}

// "HOST[:PORT]" as http has it.
Result<Proxy> parse_address(std::string_view text) {
    const HostPort where = split(text);
    Proxy proxy;
    proxy.host = where.host;
    const bool sane = !proxy.host.empty() &&
                      std::all_of(proxy.host.begin(), proxy.host.end(), [](unsigned char c) {
                          return std::isalnum(c) != 0 || std::strchr("-._:", c) != nullptr;
                      });
    if (!sane) return bad_proxy("no usable host in it");
    if (!where.port.empty()) {
        const auto port = number(where.port, 65535);
        if (!port || *port == 0) return bad_proxy("port \"" + where.port + "\" is no port number");
        proxy.port = *port;
    }
    return proxy;
}

std::string either(const System& system, const std::string& upper) {
    if (const auto value = system.env(upper); value && !value->empty()) return *value;
    return system.env(lower(upper)).value_or("");
}

}  // namespace

Result<Proxy> parse_proxy(const std::string& url) {
    std::string_view rest = url;
    const auto scheme_end = rest.find("://");
    const std::string scheme =
        scheme_end == std::string_view::npos ? "http" : lower(rest.substr(0, scheme_end));
    if (scheme_end != std::string_view::npos) rest.remove_prefix(scheme_end + 3);
    if (scheme == "socks5" || scheme == "socks5h" || scheme == "https") {
        return Error{ErrorKind::config,
                     scheme + " proxies are not supported: only http proxies are",
                     "use an http proxy, or a tunnel (ssh -L) and --server with --tls-server-name"};
    }
    if (scheme != "http") return bad_proxy("unknown scheme");
    rest = rest.substr(0, rest.find_first_of("/?#"));
    std::string_view user_and_password;
    if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
        user_and_password = rest.substr(0, at);
        rest.remove_prefix(at + 1);
    }
    TRY_ASSIGN(proxy, parse_address(rest));
    const auto colon = std::min(user_and_password.find(':'), user_and_password.size());
    const auto username = percent_decoded(user_and_password.substr(0, colon));
    const auto password =
        percent_decoded(user_and_password.substr(std::min(colon + 1, user_and_password.size())));
    if (!username || !password) return bad_proxy("user or password is not percent-encoded");
    proxy.username = *username;
    proxy.password = *password;
    return proxy;
}

bool excluded_from_proxy(const std::string& no_proxy, const std::string& host, int port) {
    std::string name = lower(trimmed(host));
    if (name.ends_with('.')) name.pop_back();
    const auto ip = parse_ip(name);
    if (name == "localhost" || (ip && is_loopback(*ip))) return true;
    const std::string list = lower(no_proxy);
    const std::string port_text = std::to_string(port);
    for (std::size_t start = 0; start <= list.size();) {
        const auto end = std::min(list.find(',', start), list.size());
        const auto entry = trimmed(std::string_view(list).substr(start, end - start));
        start = end + 1;
        if (entry == "*") return true;
        if (!entry.empty() && entry_matches(entry, name, port_text, ip)) return true;
    }
    return false;
}

Result<std::optional<Proxy>> proxy_for(const ServerUrl& server, const std::string& configured,
                                       const System& system) {
    std::string url = configured;
    if (url.empty()) {
        if (excluded_from_proxy(either(system, "NO_PROXY"), server.host, server.port)) {
            return std::optional<Proxy>{};
        }
        url = either(system, server.tls ? "HTTPS_PROXY" : "HTTP_PROXY");
    }
    if (url.empty()) return std::optional<Proxy>{};
    TRY_ASSIGN(proxy, parse_proxy(url));
    return std::optional<Proxy>(std::move(proxy));
}

}  // namespace kubeclient
