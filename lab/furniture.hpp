// The objects of a cluster as YAML, words like $node left open. Filled in by ClusterBuilder.
#pragma once

namespace lab {

extern const char* const kSystemYaml;  // once per cluster: $created, $now
extern const char* const kRolesYaml;   // once per cluster: $created
extern const char* const kNodeYaml;  // per node: $node, $address, $cpu, $memory, $pods, $model, …
extern const char* const kHandlerYaml;  // the DaemonSet: $count, a number
extern const char* const kMachineYaml;  // per virtual machine: $name, $ns, $node, uids, sizes

}  // namespace lab
