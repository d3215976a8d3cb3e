// Label and field selectors, parsed and matched as the API server does. Pure.
// Sources: apimachinery pkg/labels/selector.go, pkg/fields/selector.go.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubeclient/json.hpp"
#include "lab/api/kinds.hpp"
#include "lab/api/status.hpp"

namespace lab {

struct LabelRequirement {
    enum class Operator { in, not_in, exists, not_exists, greater, less };

    std::string key{};
    Operator op = Operator::exists;
    std::vector<std::string> values{};

    bool operator==(const LabelRequirement&) const = default;
};

struct FieldRequirement {
    std::string field{};  // "spec.nodeName"
    std::string value{};
    bool equal = true;

    bool operator==(const FieldRequirement&) const = default;
};

// All requirements must hold.
struct Selector {
    std::vector<LabelRequirement> labels{};
    std::vector<FieldRequirement> fields{};

    bool empty() const { return labels.empty() && fields.empty(); }
};

// The error is a 400 in the API server's words.
Outcome<std::vector<LabelRequirement>> parse_label_selector(std::string_view text);
// Only some fields of each kind can be asked for.
Outcome<std::vector<FieldRequirement>> parse_field_selector(std::string_view text,
                                                            const Kind& kind);

bool matches(const Selector& selector, const Json& object);
bool matches(const std::vector<LabelRequirement>& labels, const Json& object);

// A metav1.LabelSelector ({matchLabels, matchExpressions}) as requirements. An empty one matches
// everything; expressions that are not understood match nothing.
std::vector<LabelRequirement> requirements_of(const Json& label_selector);

}  // namespace lab
