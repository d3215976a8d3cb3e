// Turns single words of the command line into values. Every error is of kind usage. Pure.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "commands/options.hpp"
#include "kubeclient/result.hpp"

namespace cli {

// A command line that cannot be understood: what is wrong with it, and what to write instead.
kubeclient::Error usage(std::string message, std::string hint = "");

// Go's strconv.ParseBool: "true", "T", "1" and so on; nullopt for another word.
std::optional<bool> truth(std::string_view word);

// "json" and so on. `allowed` is the flag's own list, "table|json|yaml".
kubeclient::Result<commands::OutputFormat> output_format(std::string_view word,
                                                         std::string_view allowed);

// NAME, vm/NAME, vmi/NAME, and what `kubectl get -o name` prints (virtualmachine.kubevirt.io/NAME),
// brought to one of the first three.
kubeclient::Result<std::string> vm_target(std::string_view word);

// One value of --ignore: "ID", "ID=VM", "ID=NS/VM", or several with commas between.
kubeclient::Result<std::vector<commands::Waiver>> waivers(std::string_view word,
                                                          std::string_view program);

// --request-timeout. Parts of a millisecond round up, so that a given limit never becomes none.
kubeclient::Result<std::chrono::milliseconds> request_timeout(std::string_view word);

// --timeout, as kubectl's: a Go duration, or 0 for none. Parts of a millisecond round up. Negative
// ones are refused, where kubectl delete takes 0 and kubectl wait a week.
kubeclient::Result<std::chrono::milliseconds> timeout(std::string_view word);

// --dry-run: none, client or server, or a boolean for client and none. kubectl (1.36) takes those,
// too, and calls them deprecated (pkg/cmd/util/helpers.go GetDryRunStrategy).
kubeclient::Result<commands::DryRunMode> dry_run_mode(std::string_view word);

// One value of --node-selector, "KEY=VALUE" or several with commas between, put into `labels`. The
// same key may be given again only with the same value.
kubeclient::Status add_labels(std::string_view word, std::map<std::string, std::string>& labels);

// -v: a whole number, 0 to 10.
kubeclient::Result<int> verbosity(std::string_view word);

// A whole number from `least` to `most`, given to `flag`.
kubeclient::Result<int> whole_number(std::string_view word, std::string_view flag, int least,
                                     int most);

// --speed: "10x", "10" or "0.5x"; from a hundredth to a thousand; or 0.
kubeclient::Result<double> speed(std::string_view word);

// A namespace; kubectl strips "ns/", "namespace/" and "namespaces/" from its front
// (client-go tools/clientcmd/overrides.go RemoveNamespacesPrefix).
kubeclient::Result<std::string> namespace_name(std::string_view word);

// NAME, node/NAME or nodes/NAME.
kubeclient::Result<std::string> node_name(std::string_view word);

}  // namespace cli
