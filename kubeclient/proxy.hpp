// Which proxy a request goes through, if any. Pure.
//
// Source: golang.org/x/net/http/httpproxy, which kubectl uses.
#pragma once

#include <optional>
#include <string>

#include "kubeclient/result.hpp"
#include "kubeclient/system.hpp"
#include "kubeclient/target.hpp"

namespace kubeclient {

// An HTTP proxy: CONNECT for https servers, the whole URL in the request line for http ones.
struct Proxy {
    std::string host{};
    int port = 80;
    std::string username{};
    std::string password{};

    bool operator==(const Proxy&) const = default;
};

// "http://user:password@proxy:3128" or "proxy:3128". socks5 and https proxies are refused with a
// sentence. The message never holds the password.
Result<Proxy> parse_proxy(const std::string& url);

// `configured` (proxy-url of the kubeconfig, --proxy-url) wins; then HTTPS_PROXY or HTTP_PROXY, by
// the server's scheme, unless NO_PROXY excludes the server. Upper case wins over lower case.
// Loopback servers are never reached through the environment's proxy.
Result<std::optional<Proxy>> proxy_for(const ServerUrl& server, const std::string& configured,
                                       const System& system);

// Whether NO_PROXY's value excludes the server: names (with their subdomains), ".suffix",
// "*.suffix", addresses, CIDRs, each with an optional port, or "*".
bool excluded_from_proxy(const std::string& no_proxy, const std::string& host, int port);

}  // namespace kubeclient
