// What a path means. Source: apiserver pkg/endpoints/request/requestinfo.go.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kubeclient/transport.hpp"
#include "lab/api/api_server.hpp"
#include "lab/api/kinds.hpp"

namespace lab {

// /apis/GROUP/VERSION[/namespaces/NS]/RESOURCE[/NAME[/SUBRESOURCE…]], decoded.
struct Route {
    ResourceId resource{};
    std::string version{};
    ObjectKey key{};  // an empty name: the collection
    std::string subresource{};

    bool operator==(const Route&) const = default;
};

// nullopt: not the path of a resource.
std::optional<Route> route_of(const std::string& path);

// "": absent. Of a repeated parameter the first counts, as in Go's url.Values.
std::string parameter(const kubeclient::Request& request, std::string_view name);
// Go's strconv.ParseBool of it; nullopt where it is absent.
std::optional<bool> flag(const kubeclient::Request& request, std::string_view name);

// The verb of RBAC: "get", "list", "watch", "create", "update", "patch", "delete" or
// "deletecollection".
std::string verb_of(const kubeclient::Request& request, const std::optional<Route>& route);
Attributes attributes_of(const kubeclient::Request& request, const std::optional<Route>& route);

}  // namespace lab
