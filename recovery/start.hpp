// Which VMs of a selection are migrated, and how: decided from a preflight's snapshot and verdict
// before anything is written. Pure but for the names that are drawn.
//
// Source of what overrides an added node selector: kubevirt pkg/virt-controller/services/
// nodeselectorrenderer.go and watch/migration/migration.go, v1.9.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "facts/snapshot.hpp"
#include "preflight/report.hpp"
#include "recovery/course.hpp"
#include "recovery/execute.hpp"

namespace recovery {

struct StartTerms {
    std::string to{};               // --to NODE; empty: anywhere
    facts::Labels node_selector{};  // --node-selector
    bool join = false;              // follow the migration that is there instead of a new one
    std::string program = "virt-handoff";
    std::function<std::string()> unique{};  // eight characters, drawn at random
};

// One VM of the batch. Exactly one of three: `order` is created and then followed, `joined` is
// followed, or `settled` is all there is to say.
struct Member {
    CourseOf of{};
    std::optional<Order> order{};
    bool joined = false;
    std::optional<Outcome> settled{};
};

// Of a VM whose turn does not come.
Outcome not_started(const CourseOf& of, std::string cause, std::string next);

// In the order of the report's items.
std::vector<Member> plan_start(const facts::Snapshot& snapshot,
                               const preflight::PreflightReport& report, const StartTerms& terms);

// What is known of a VMI before it is followed.
CourseOf course_of(const facts::Snapshot& snapshot, const facts::Vmi& vmi,
                   const std::string& program);

// The unfinished migration of the VMI, or else the newest that is over; nullptr without any.
const facts::Migration* latest_migration(const facts::Snapshot& snapshot, const facts::Vmi& vmi);

}  // namespace recovery
