// Which VMs are meant: names, label selectors as kubectl reads them, a node. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "facts/selectors.hpp"
#include "kubeclient/result.hpp"

namespace preflight {

enum class TargetKind { any, vm, vmi };

// NAME, vm/NAME, vmi/NAME
struct Target {
    TargetKind kind = TargetKind::any;
    std::string name{};

    bool operator==(const Target&) const = default;
};

kubeclient::Result<Target> parse_target(std::string_view text);

// k=v, k==v, k!=v, k in (a,b), k notin (a,b), k, !k, k>1, k<9; joined by commas. Errors are usage
// errors. Source: apimachinery pkg/labels/selector.go.
struct LabelSelector {
    std::vector<facts::Requirement> requirements{};

    bool matches(const facts::Labels& labels) const;
    bool operator==(const LabelSelector&) const = default;
};

kubeclient::Result<LabelSelector> parse_selector(std::string_view text);

struct Selection {
    std::vector<Target> targets{};  // empty: all
    LabelSelector selector{};       // of the labels of the VM or of its VMI
    std::string ns{};               // empty: every namespace
    std::string node{};             // only VMs that run there; empty: anywhere

    bool operator==(const Selection&) const = default;
};

}  // namespace preflight
