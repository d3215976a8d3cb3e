// URLs of API servers and proxies, checked before anything connects to them. Pure.
#pragma once

#include <string_view>

#include "kubeclient/result.hpp"
#include "kubeclient/target.hpp"

namespace kubeclient {

// As client-go's rest.DefaultServerURL: "host:port" without a scheme is plain HTTP, and then has
// no path. Ports default to 443 and 80; a trailing slash of the path goes. Refused, and never
// shown in the message, where the text has a user name, a query or a fragment.
Result<ServerUrl> parse_server_url(std::string_view text);

// "https://host:port" as it is told to people and to exec plugins; IPv6 in brackets, the port
// left out where it is the scheme's own.
std::string to_text(const ServerUrl& url);

// Whether the URL can be used as a proxy: http only.
Status check_proxy_url(std::string_view text);

}  // namespace kubeclient
