// Where a pod may run, as Kubernetes writes it (core/v1 types.go): node selectors, required node
// affinity, tolerations. Values only; matching is in preflight/placement.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace facts {

using Labels = std::map<std::string, std::string>;

struct Requirement {
    std::string key{};
    std::string op{};  // In, NotIn, Exists, DoesNotExist, Gt, Lt
    std::vector<std::string> values{};

    bool operator==(const Requirement&) const = default;
};

// All requirements of a term must hold; one of several terms is enough. A term without any
// requirement matches nothing.
struct NodeTerm {
    std::vector<Requirement> labels{};
    std::vector<Requirement> fields{};  // metadata.name only

    bool operator==(const NodeTerm&) const = default;
};

struct Toleration {
    std::string key{};
    std::string op{};  // Exists, Equal; empty means Equal
    std::string value{};
    std::string effect{};  // empty: every effect

    bool operator==(const Toleration&) const = default;
};

struct Placement {
    Labels node_selector{};
    std::optional<std::vector<NodeTerm>> required_terms{};  // nullopt: no required node affinity
    std::vector<Toleration> tolerations{};

    bool operator==(const Placement&) const = default;
};

}  // namespace facts
