// SHA-256, as Kubernetes uses it in the names of objects. Pure.
#pragma once

#include <string>
#include <string_view>

namespace kubeclient {

// 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view text);

}  // namespace kubeclient
