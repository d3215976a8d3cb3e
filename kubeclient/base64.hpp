// RFC 4648 base64 with padding, as Go's encoding/base64.StdEncoding. Pure.
#pragma once

#include <string>
#include <string_view>

#include "kubeclient/result.hpp"

namespace kubeclient {

// Line breaks are skipped; anything else outside the alphabet, missing padding and stray bits are
// errors. The message tells the position and never shows the text, which may be a key.
Result<std::string> decode_base64(std::string_view text);
std::string encode_base64(std::string_view bytes);

}  // namespace kubeclient
