// The user's say in which credential plugins may run: kubectl's kuberc file. A kubeconfig from
// elsewhere names any program it likes, so this is a security setting.
// Sources: kubectl pkg/kuberc (which file), client-go's exec plugin policy (what it means).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kubeclient/result.hpp"
#include "kubeclient/system.hpp"

namespace kubeclient {

struct PluginPolicy {
    enum class Rule { allow_all, deny_all, allow_listed };
    Rule rule = Rule::allow_all;
    std::vector<std::string> allowed{};  // names or paths, as written
    std::string file{};                  // where it comes from; empty: nowhere

    bool operator==(const PluginPolicy&) const = default;
};

// From $KUBERC, or else ~/.kube/kuberc; KUBERC=off switches it off. A file that is there and
// cannot be understood is an error, where kubectl warns and lets every plugin run.
Result<PluginPolicy> load_plugin_policy(const System& system);

// `command` is as configured, `program` what it was found to be; an entry of the list matches
// either, by itself or by what `look_up` finds for it.
Status check_plugin(const PluginPolicy& policy, const std::string& command,
                    const std::string& program,
                    const std::function<Result<std::string>(const std::string&)>& look_up);

}  // namespace kubeclient
