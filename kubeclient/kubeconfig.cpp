#include "kubeclient/kubeconfig.hpp"

#include <algorithm>

namespace kubeclient {

Kubeconfig merge_kubeconfigs(const std::vector<Kubeconfig>& files) {
    Kubeconfig merged;
    for (const auto& file : files) {
        if (merged.current_context.empty()) merged.current_context = file.current_context;
        merged.clusters.insert(file.clusters.begin(), file.clusters.end());
        merged.users.insert(file.users.begin(), file.users.end());
        merged.contexts.insert(file.contexts.begin(), file.contexts.end());
        merged.missing.insert(merged.missing.end(), file.missing.begin(), file.missing.end());
    }
    return merged;
}

std::vector<std::string> kubeconfig_paths(const KubeconfigFlags& flags, const System& system) {
    if (!flags.kubeconfig.empty()) return {flags.kubeconfig};
    const auto list = system.env("KUBECONFIG").value_or("");
    if (list.empty()) {
        const auto home = system.env("HOME").value_or("");
        if (home.empty()) return {};
        return {home + "/.kube/config"};
    }
    std::vector<std::string> paths;
    for (std::size_t start = 0; start <= list.size();) {
        const auto end = std::min(list.find(':', start), list.size());
        const auto path = list.substr(start, end - start);
        if (!path.empty() && std::find(paths.begin(), paths.end(), path) == paths.end()) {
            paths.push_back(path);
        }
        start = end + 1;
    }
    return paths;
}

Result<Kubeconfig> load_kubeconfig(const KubeconfigFlags& flags, const System& system) {
    std::vector<Kubeconfig> files;
    for (const auto& path : kubeconfig_paths(flags, system)) {
        const auto text = system.read_file(path);
        if (!text.ok() && text.error().kind == ErrorKind::not_found) {
            if (!flags.kubeconfig.empty()) {
                return Error{ErrorKind::config, "stat " + path + ": no such file or directory",
                             "check the path given with --kubeconfig"};
            }
            files.push_back({.missing = {path}});
            continue;
        }
        if (!text.ok()) {
            return Error{ErrorKind::config,
                         "error loading config file \"" + path + "\": " + text.error().message};
        }
        TRY_ASSIGN(file, parse_kubeconfig(*text, path));
        files.push_back(std::move(file));
    }
    return merge_kubeconfigs(files);
}

Result<Target> load_target(const KubeconfigFlags& flags, const System& system) {
    TRY_ASSIGN(config, load_kubeconfig(flags, system));
    return make_target(config, flags, system);
}

}  // namespace kubeclient
