// A server with a clock that stands still, and requests in one line.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "kubeclient/json.hpp"
#include "kubeclient/time.hpp"
#include "lab/api/api_server.hpp"

namespace lab_test {

using kubeclient::Json;
using kubeclient::Method;

struct Answer {
    int status = 0;
    Json body{};
    std::vector<std::pair<std::string, std::string>> headers{};
};

struct Server {
    lab::Store store{};
    kubeclient::Instant now = kubeclient::parse_time("2026-11-21T04:45:50Z").value();
    lab::ApiServer api{store, [this] { return now; }};
    lab::User user{"alice", {"system:authenticated"}};

    using Query = std::vector<std::pair<std::string, std::string>>;

    Answer send(Method method, const std::string& path, const std::string& body = "",
                const std::string& content_type = "application/json", const Query& query = {}) {
        kubeclient::Request request;
        request.method = method;
        request.path = path;
        request.query = query;
        request.content_type = content_type;
        request.body = body;
        const auto response = api.handle(user, request);
        return {response.status, Json::parse(response.body, nullptr, false), response.headers};
    }
    Answer get(const std::string& path, const Query& query = {}) {
        return send(Method::get, path, "", "", query);
    }
    Answer create(const std::string& path, const Json& object, const Query& query = {}) {
        return send(Method::post, path, object.dump(), "application/json", query);
    }
    Answer replace(const std::string& path, const Json& object, const Query& query = {}) {
        return send(Method::put, path, object.dump(), "application/json", query);
    }
    Answer merge(const std::string& path, const Json& patch, const Query& query = {}) {
        return send(Method::patch, path, patch.dump(), "application/merge-patch+json", query);
    }
    Answer json_patch(const std::string& path, const Json& patch, const Query& query = {}) {
        return send(Method::patch, path, patch.dump(), "application/json-patch+json", query);
    }
    Answer strategic(const std::string& path, const Json& patch, const Query& query = {}) {
        return send(Method::patch, path, patch.dump(), "application/strategic-merge-patch+json",
                    query);
    }
    Answer remove(const std::string& path, const Json& options = nullptr, const Query& query = {}) {
        return send(Method::del, path, options.is_null() ? "" : options.dump(), "application/json",
                    query);
    }
};

inline std::vector<std::string> names(const Json& list) {
    std::vector<std::string> names;
    for (const Json& item : list.at("items")) {
        names.push_back(item.at("metadata").at("name").get<std::string>());
    }
    return names;
}

inline std::string version_of(const Json& object) {
    return object.at("metadata").at("resourceVersion").get<std::string>();
}

inline std::string warning(const Answer& answer) {
    std::string text;
    for (const auto& [name, value] : answer.headers) {
        if (name == "warning") text += value;
    }
    return text;
}

inline Json vmi(const std::string& name) {
    return {{"apiVersion", "kubevirt.io/v1"},
            {"kind", "VirtualMachineInstance"},
            {"metadata", {{"name", name}}},
            {"spec", {{"domain", {{"devices", Json::object()}}}}}};
}

inline Json vm(const std::string& name) {
    return {{"apiVersion", "kubevirt.io/v1"},
            {"kind", "VirtualMachine"},
            {"metadata", {{"name", name}}},
            {"spec", {{"template", {{"spec", vmi(name)["spec"]}}}}}};
}

inline Json config_map(const std::string& name) {
    return {{"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata", {{"name", name}}},
            {"data", {{"color", "red"}}}};
}

inline Json pod(const std::string& name) {
    return {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata", {{"name", name}}},
            {"spec", {{"containers", {{{"name", "c"}, {"image", "i"}}}}}}};
}

inline const std::string kVmis = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances";
inline const std::string kVms = "/apis/kubevirt.io/v1/namespaces/default/virtualmachines";
inline const std::string kConfigMaps = "/api/v1/namespaces/default/configmaps";
inline const std::string kPods = "/api/v1/namespaces/default/pods";

}  // namespace lab_test
