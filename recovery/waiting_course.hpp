// What the causes of waiting are judged from, and the words they share. For waiting*.cpp only.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "recovery/waiting.hpp"

namespace recovery::waiting {

// What goes on by itself has gone on by then.
constexpr std::chrono::seconds kPatience{15};

struct Course {
    const Sight& sight;
    const WaitingFor& asked;
    const facts::Migration& migration;
    const facts::MigrationState* state;  // null before virt-controller has handed it over
    const facts::Pod* target;            // null: none is seen

    const std::string& ns() const { return migration.meta.ns; }
    const std::string& phase() const { return migration.phase; }
    bool deleting() const { return migration.meta.deleting; }
    std::string vmi_target() const { return "vmi/" + migration.vmi; }
};

using Causes = std::vector<Cause>;

// Never negative: clocks of two machines differ.
std::chrono::seconds age(const Course& course, std::chrono::sys_seconds since);
// There is no target pod any more, for certain.
bool target_is_gone(const Course& course);
// Since the phase began, or the migration was made; nullopt: not known.
std::optional<std::chrono::seconds> time_in_phase(const Course& course);
// Whether it may be said that the phase does not go on.
bool is_late(const Course& course);
// " for 40s"; empty where that is not known.
std::string for_how_long(const Course& course);
// "given up 5m after X, in 3m20s" of what began at `since` and may take `limit`.
std::string given_up(const Course& course, std::chrono::seconds limit, const std::string& after,
                     std::optional<std::chrono::sys_seconds> since);
// A number of seconds in an annotation of the migration, as Go's strconv.Atoi reads it.
std::optional<std::chrono::seconds> own_limit(const Course& course, const std::string& annotation);
std::string without_stop(std::string words);
// "virt-launcher-web-a on node n1"; the name alone before it has a node
std::string pod_words(const facts::Pod& pod);
std::string list_pods_command(const Course& course);
std::string list_controllers_command();

// What keeps KubeVirt from making the target pod; only what was seen.
Causes before_target(const Course& course);
// Causes that are not seen, only thought of, for want of others.
Causes possible_before_target(const Course& course);
// KubeVirt's limits; empty while the queue is not counted.
Causes limits_reached(const Course& course);
// What was not read and may hold the reason.
Causes unread_before_target(const Course& course);

// What a target pod that exists waits for.
Causes about_target_pod(const Course& course);
// After the target pod was ready: who has to do the next step.
Causes about_hand_over(const Course& course);
// What the deletion of the migration waits for.
Causes about_deletion(const Course& course);

}  // namespace recovery::waiting
