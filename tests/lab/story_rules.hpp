// Where two sessions may differ by their nature, being recordings of a running cluster, and not by
// what the lab does. Everything else must be equal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lab_replay {

using Chapter = std::vector<std::string>;

struct Rule {
    std::string_view name;
    std::string_view reason;
    // Brings a chapter into the form in which both sessions are compared.
    void (*apply)(const std::string& title, Chapter& chapter);
};

// Applied in this order. ARCHITECTURE.md lists them.
const std::vector<Rule>& rules();

}  // namespace lab_replay
