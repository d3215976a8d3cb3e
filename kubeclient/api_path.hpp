// Where things are in the Kubernetes API. Pure.
#pragma once

#include <string>
#include <string_view>

#include "kubeclient/result.hpp"

namespace kubeclient {

// One object, or with an empty name the collection; an empty namespace means the whole cluster.
struct ResourcePath {
    std::string group{};  // empty: the core group
    std::string version{};
    std::string resource{};  // plural, lower case: "virtualmachines"
    std::string ns{};
    std::string name{};
    std::string subresource{};  // may have several segments: "evacuate/cancel"

    bool operator==(const ResourcePath&) const = default;
};

// "/apis/kubevirt.io/v1/namespaces/web/virtualmachines/db". Names that could lead elsewhere are a
// usage error: client-go's rule (apimachinery pkg/api/validation/path, IsValidPathSegmentName),
// and no control characters.
Result<std::string> path_of(const ResourcePath& path);

// KubeVirt's own subresource server answers 406 to application/json alone.
std::string accept_for(std::string_view path);

}  // namespace kubeclient
