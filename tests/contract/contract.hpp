// What the cases of the contract suite share. They run against whichever server is named by
//   CONTRACT_KUBECONFIG_DIR   a folder with admin.kubeconfig, viewer.kubeconfig, nobody.kubeconfig
//   CONTRACT_SERVER_CONTROL   a command that takes `restart`, or `compact`
// and assert what a real kube-apiserver answers, in its own words: the server decides. No
// controllers run there, so namespaces stay Terminating and nothing cascades. Cases run side by
// side, each in a namespace of its own; those that restart the server are named "alone: …".
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "kubeclient/api.hpp"
#include "kubeclient/credentials.hpp"
#include "kubeclient/http_transport.hpp"
#include "kubeclient/kubeconfig.hpp"
#include "kubeclient/retry.hpp"

namespace contract {

using namespace kubeclient;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

inline std::string environment(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr) throw std::runtime_error(std::string("set ") + name);
    return value;
}

// `restart`: the API server alone, on its port. `compact`: afterwards it knows no older version.
inline void control(const std::string& word) {
    const auto command = environment("CONTRACT_SERVER_CONTROL") + " " + word;
    if (std::system(command.c_str()) != 0) throw std::runtime_error(command + " failed");
}

template <class T>
T must(Result<T> result) {
    if (!result.ok()) throw std::runtime_error(result.error().message);
    return std::move(result).value();
}

// "404 NotFound: Error from server (NotFound): …", or "ok".
template <class T>
std::string told(const Result<T>& result) {
    if (result.ok()) return "ok";
    const Error& error = result.error();
    return std::to_string(error.http_status) + " " + error.reason + ": " + error.message;
}

inline std::string replaced(std::string text, const std::string& what, const std::string& with) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
        text.replace(at, what.size(), with);
        at += with.size();
    }
    return text;
}

inline System machine() {
    System system;
    system.env = [](const std::string&) { return std::nullopt; };
    system.read_file = [](const std::string& path) -> Result<std::string> {
        const std::ifstream file(path);
        if (!file) return Error{ErrorKind::not_found, path};
        std::ostringstream text;
        text << file.rdbuf();
        return text.str();
    };
    system.now = [] { return std::chrono::system_clock::now(); };
    return system;
}

// The server, as one of its users sees it: "admin", "viewer" or "nobody".
class User {
public:
    explicit User(const std::string& name, KubeconfigFlags flags = {})
        : transport_(connect(name, std::move(flags))),
          api(*transport_, [this](const std::string& text) { warnings.push_back(text); }) {}

    Transport& transport() { return *transport_; }

private:
    static std::unique_ptr<Transport> connect(const std::string& name, KubeconfigFlags flags) {
        flags.kubeconfig = environment("CONTRACT_KUBECONFIG_DIR") + "/" + name + ".kubeconfig";
        const auto target = must(load_target(flags, machine()));
        HttpOptions options;
        options.user_agent = "kubectl-virt-handoff/contract";
        return with_retries(
            must(make_http_transport(target, must(make_credentials(target, machine())), options,
                                     machine())),
            retry_options(0s, {}));
    }

    std::unique_ptr<Transport> transport_;

public:
    Texts warnings{};
    Api api;
};

inline ResourcePath core(const std::string& ns, const std::string& resource,
                         const std::string& name = "", const std::string& subresource = "") {
    return {"", "v1", resource, ns, name, subresource};
}
inline ResourcePath kubevirt(const std::string& ns, const std::string& resource,
                             const std::string& name = "", const std::string& subresource = "") {
    return {"kubevirt.io", "v1", resource, ns, name, subresource};
}
inline std::string path(const ResourcePath& where) {
    return must(path_of(where));
}

inline std::string name_of(const Json& object) {
    return text_at(object, {"metadata", "name"}).value_or("");
}
inline std::string version_of(const Json& object) {
    return text_at(object, {"metadata", "resourceVersion"}).value_or("");
}
inline std::string uid_of(const Json& object) {
    return text_at(object, {"metadata", "uid"}).value_or("");
}
inline Texts names_of(const ObjectList& list) {
    Texts names;
    for (const auto& item : list.items) names.push_back(name_of(item));
    return names;
}

// A namespace of the case's own, and the admin in it.
class Bench {
public:
    Bench() : ns(make_namespace(admin)) {}
    ~Bench() { static_cast<void>(admin.api.remove(path(core("", "namespaces", ns)))); }
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    std::string maps(const std::string& name = "") const {
        return path(core(ns, "configmaps", name));
    }
    std::string pods(const std::string& name = "", const std::string& subresource = "") const {
        return path(core(ns, "pods", name, subresource));
    }
    std::string migrations(const std::string& name = "",
                           const std::string& subresource = "") const {
        return path(kubevirt(ns, "virtualmachineinstancemigrations", name, subresource));
    }
    std::string machines(const std::string& name = "", const std::string& subresource = "") const {
        return path(kubevirt(ns, "virtualmachineinstances", name, subresource));
    }
    Json create(const std::string& where, const Json& object) {
        return must(admin.api.create(where, object, DryRun::none));
    }
    // A text with this namespace's name replaced by <ns>.
    std::string anonymous(const std::string& text) const { return replaced(text, ns, "<ns>"); }

    User admin{"admin"};
    const std::string ns;

private:
    static std::string make_namespace(User& admin) {
        const Json object{{"metadata", {{"generateName", "contract-"}}}};
        return name_of(must(admin.api.create(path(core("", "namespaces")), object, DryRun::none)));
    }
};

inline Json config_map(const std::string& name, const Json& labels = Json::object()) {
    return {{"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata", {{"name", name}, {"labels", labels}}},
            {"data", {{"key", "value"}}}};
}
// On no node when `node` is empty.
inline Json pod(const std::string& name, const std::string& node = "") {
    Json object{{"apiVersion", "v1"},
                {"kind", "Pod"},
                {"metadata", {{"name", name}}},
                {"spec", {{"containers", {{{"name", "compute"}, {"image", "none"}}}}}}};
    if (!node.empty()) object["spec"]["nodeName"] = node;
    return object;
}
inline Json migration(const std::string& name) {
    return {{"apiVersion", "kubevirt.io/v1"},
            {"kind", "VirtualMachineInstanceMigration"},
            {"metadata", {{"name", name}}},
            {"spec", {{"vmiName", "web"}}}};
}
inline Json machine_instance(const std::string& name) {
    return {{"apiVersion", "kubevirt.io/v1"},
            {"kind", "VirtualMachineInstance"},
            {"metadata", {{"name", name}}},
            {"spec", {{"domain", {{"devices", Json::object()}}}}}};
}

// What a watch brought until it ended or had `count` events: "+name", "*name", "-name", "." for a
// bookmark.
struct Watched {
    Texts events{};
    std::vector<Json> objects{};
    Status end = Done{};
};

inline Watched watch(Api& api, const std::string& where, WatchOptions options, std::size_t count) {
    if (options.timeout.count() == 0) options.timeout = 60s;
    Watched watched;
    const auto sink = [&](EventType type, const Json& object) {
        constexpr std::string_view marks = "+*-.";
        watched.events.push_back(marks[static_cast<std::size_t>(type)] + name_of(object));
        watched.objects.push_back(object);
        return watched.events.size() < count ? Flow::go_on : Flow::stop;
    };
    watched.end = api.watch(where, options, sink, {});
    return watched;
}

}  // namespace contract
