// kubectl's typed clients send protobuf since 1.35. This reads the few kinds that kubectl makes
// that way: reviews of rights, evictions, options of deletions, and small objects of `kubectl
// create`. Replies are JSON, which such clients take as well. Pure. Sources: apimachinery
// pkg/runtime/serializer/protobuf (the envelope), k8s.io/api generated.proto.
#pragma once

#include <optional>
#include <string_view>

#include "kubeclient/json.hpp"

namespace lab {

bool is_protobuf(std::string_view content_type);

// nullopt: malformed, or a kind that is not known here. Unknown fields are skipped.
std::optional<kubeclient::Json> decode_protobuf(std::string_view body);

}  // namespace lab
