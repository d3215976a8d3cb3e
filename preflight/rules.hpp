// Which release's rules decide LiveMigratable. KubeVirt changed them between minor releases, and
// clusters run 1.4 to 1.9 (kubevirt pkg/virt-handler/vm.go at v1.4.1 … v1.9.0).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace preflight {

enum class RuleSet : std::uint8_t { v1_4, v1_5, v1_6, v1_7, v1_8, v1_9 };

struct Rules {
    RuleSet set = RuleSet::v1_9;
    // The observed version is unknown, or has no set of its own: the nearest one was taken, and
    // `note` says so in a sentence.
    bool assumed = false;
    std::string note{};

    bool operator==(const Rules&) const = default;
};

// From KubeVirt.status.observedKubeVirtVersion ("v1.8.4", "1.9.0-rc.2"); empty when it is unknown.
Rules rules_for(std::string_view observed_version);

std::string_view to_string(RuleSet set);  // "1.8"

}  // namespace preflight
