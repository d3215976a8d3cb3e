// What every Kubernetes object has. Values only.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "facts/selectors.hpp"

namespace facts {

struct Meta {
    std::string ns{};  // empty for cluster-scoped kinds
    std::string name{};
    std::string uid{};
    std::string resource_version{};
    Labels labels{};
    Labels annotations{};
    bool deleting = false;
    std::string controller_uid{};  // owner reference with controller: true
    std::optional<std::chrono::sys_seconds> created{};

    bool operator==(const Meta&) const = default;
};

struct Condition {
    std::string type{};
    std::string status{};  // True, False, Unknown
    std::string reason{};
    std::string message{};
    std::string last_transition_time{};  // as written; empty when null

    bool operator==(const Condition&) const = default;
};

}  // namespace facts
