// The parts of one look at one VMI; see virt_controller_vmi.cpp.
#pragma once

#include <optional>
#include <string>

#include "kubeclient/result.hpp"
#include "lab/controllers/controller.hpp"

namespace lab::virt {

// Why the VMI is not where it should be; becomes its condition Synchronized.
struct Trouble {
    std::string reason{};
    std::string message{};

    bool operator==(const Trouble&) const = default;
};

struct VmiStep {
    Cluster& cluster;
    Object vmi{};  // as it was when the look began
    Object pod{};  // its launcher; null: none
    std::optional<Trouble> trouble{};

    void tell(std::string_view type, std::string_view reason, const std::string& message) const {
        cluster.events.record(*vmi, type, reason, message);
    }
};

kubeclient::Status update_vmi_status(VmiStep& step);

}  // namespace lab::virt
