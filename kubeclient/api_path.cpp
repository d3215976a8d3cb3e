#include "kubeclient/api_path.hpp"

#include <algorithm>

#include "kubeclient/http_message.hpp"

namespace kubeclient {
namespace {

Status append(std::string& path, const std::string& segment, const char* what) {
    const bool bad = segment.empty() || segment == "." || segment == ".." ||
                     std::any_of(segment.begin(), segment.end(), [](unsigned char c) {
                         return c == '/' || c == '%' || c < 0x20 || c == 0x7f;
                     });
    if (bad) {
        std::string shown = segment;
        std::replace_if(
            shown.begin(), shown.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
        return Error{ErrorKind::usage, "invalid " + std::string(what) + " \"" + shown + "\"",
                     "it may not be empty, \".\" or \"..\", nor hold \"/\" or \"%\""};
    }
    path += "/" + percent_encoded(segment);
    return Done{};
}

}  // namespace

Result<std::string> path_of(const ResourcePath& where) {
    std::string path = where.group.empty() ? "/api" : "/apis";
    if (!where.group.empty()) TRY(append(path, where.group, "API group"));
    TRY(append(path, where.version, "API version"));
    if (!where.ns.empty()) {
        path += "/namespaces";
        TRY(append(path, where.ns, "namespace"));
    }
    TRY(append(path, where.resource, "resource"));
    if (!where.name.empty()) TRY(append(path, where.name, "name"));
    if (where.subresource.empty()) return path;
    if (where.name.empty()) {
        return Error{ErrorKind::usage, "subresource \"" + where.subresource + "\" without a name"};
    }
    for (std::size_t start = 0; start <= where.subresource.size();) {
        const auto end = std::min(where.subresource.find('/', start), where.subresource.size());
        TRY(append(path, where.subresource.substr(start, end - start), "subresource"));
        start = end + 1;
    }
    return path;
}

std::string accept_for(std::string_view path) {
    const bool kubevirt = path.starts_with("/apis/subresources.kubevirt.io/");
    return kubevirt ? "application/json, */*" : "application/json";
}

}  // namespace kubeclient
