#include "lab/api/route.hpp"

#include <algorithm>

namespace lab {

using kubeclient::Method;
using kubeclient::Request;

namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string decoded(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '%' && i + 2 < text.size();
        const int high = escape ? hex_digit(text[i + 1]) : -1;
        const int low = escape ? hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0) {
            result += text[i];
        } else {
            result += static_cast<char>(high * 16 + low);
            i += 2;
        }
    }
    return result;
}

std::vector<std::string> segments_of(std::string_view path) {
    std::vector<std::string> segments;
    while (!path.empty()) {
        const auto end = std::min(path.find('/'), path.size());
        if (end > 0) segments.push_back(decoded(path.substr(0, end)));
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    return segments;
}

std::string joined(std::vector<std::string>::const_iterator from,
                   std::vector<std::string>::const_iterator to) {
    std::string text;
    for (auto part = from; part != to; ++part) text += (part == from ? "" : "/") + *part;
    return text;
}

}  // namespace

std::optional<Route> route_of(const std::string& path) {
    const auto parts = segments_of(path);
    Route route;
    auto part = parts.begin();
    if (parts.size() >= 3 && parts[0] == "api") {
        route.version = parts[1];
        part += 2;
    } else if (parts.size() >= 4 && parts[0] == "apis") {
        route.resource.group = parts[1];
        route.version = parts[2];
        part += 3;
    } else {
        return std::nullopt;
    }
    // A namespace itself, and its own sub-resources, are not in a namespace.
    const auto left = parts.end() - part;
    const bool own = left > 2 && (part[2] == "status" || part[2] == "finalize");
    if (*part == "namespaces" && left > 2 && !own) {
        route.key.ns = part[1];
        part += 2;
    }
    route.resource.plural = *part++;
    if (part != parts.end()) route.key.name = *part++;
    if (part != parts.end()) route.subresource = joined(part, parts.end());
    return route;
}

std::string parameter(const Request& request, std::string_view name) {
    const auto found = std::find_if(request.query.begin(), request.query.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    return found == request.query.end() ? "" : found->second;
}

std::optional<bool> flag(const Request& request, std::string_view name) {
    const std::string value = parameter(request, name);
    if (value == "true" || value == "1" || value == "t" || value == "T" || value == "True" ||
        value == "TRUE") {
        return true;
    }
    if (value.empty()) return std::nullopt;
    return false;
}

std::string verb_of(const Request& request, const std::optional<Route>& route) {
    const bool one = route && !route->key.name.empty();
    switch (request.method) {
        case Method::get:
            if (!route || (one && !flag(request, "watch").value_or(false))) return "get";
            return flag(request, "watch").value_or(false) ? "watch" : "list";
        case Method::post:
            return route ? "create" : "post";
        case Method::put:
            return route ? "update" : "put";
        case Method::patch:
            return "patch";
        case Method::del:
            break;
    }
    return one || !route ? "delete" : "deletecollection";
}

Attributes attributes_of(const Request& request, const std::optional<Route>& route) {
    Attributes attributes;
    attributes.verb = verb_of(request, route);
    if (!route) {
        attributes.path = request.path;
        return attributes;
    }
    attributes.group = route->resource.group;
    attributes.version = route->version;
    attributes.resource = route->resource.plural;
    attributes.subresource = route->subresource;
    attributes.ns = route->key.ns;
    attributes.name = route->key.name;
    if (attributes.resource == "namespaces" && attributes.group.empty()) {
        attributes.ns = attributes.name;  // as kube-apiserver has it
    }
    return attributes;
}

}  // namespace lab
