// The text of a request: what the server is asked for, and the headers that say by whom. Pure.
// Nothing that could end a line early gets through: every part with a control character is refused.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kubeclient/result.hpp"
#include "kubeclient/target.hpp"
#include "kubeclient/transport.hpp"

namespace kubeclient {

using Headers = std::vector<std::pair<std::string, std::string>>;

std::string_view name_of(Method method);

// Everything but RFC 3986's unreserved characters becomes %XX.
std::string percent_encoded(std::string_view text);

// "/prefix/api/v1/pods?limit=500". `path` must be percent-encoded and free of "." and ".."
// segments; the query is encoded here.
Result<std::string> request_target(const std::string& base_path, const Request& request);

// ok when the host is a name or an address and nothing else.
Status check_host(const std::string& host);

// The Host header: the port is left out where the scheme implies it.
std::string host_header(const ServerUrl& server);

// What Impersonate-* headers there are to send. Keys of extra are escaped as in client-go
// transport/round_trippers.go, headerKeyEscape.
Headers impersonation_headers(const Impersonation& impersonate);

// ok when no name and no value can break out of its line.
Status check_headers(const Headers& headers);

}  // namespace kubeclient
