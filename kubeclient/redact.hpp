// What may be shown of a request or reply: everything but secrets. Pure.
#pragma once

#include <string>
#include <string_view>

namespace kubeclient {

inline constexpr std::string_view kMasked = "<masked>";

// Whether a header, member or parameter of this name may hold a secret: tokens, passwords, keys,
// cookies, a guest's user data (cloud-init), and the annotation that repeats a whole object.
bool is_sensitive(std::string_view name);

// Whether a text looks like a secret under whatever name: a private key, a JSON web token, a URL
// with a password, "password=…".
bool looks_secret(std::string_view text);

// A body with its secrets masked, as one line of JSON. The data of Secrets and ConfigMaps goes
// wherever it stands. Text that is no JSON is not shown at all, only
// its length: what it holds cannot be told.
std::string redacted_body(const std::string& body);

}  // namespace kubeclient
