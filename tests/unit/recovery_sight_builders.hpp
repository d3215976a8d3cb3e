// What is in sight of one migration, as the cases of recovery start from it: prod/web moves from n1
// to n2. A case changes what it is about and nothing else.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "recovery/sight.hpp"

namespace recovery::builders {

constexpr std::chrono::sys_seconds noon{std::chrono::seconds{1'770'000'000}};

constexpr std::chrono::sys_seconds ago(int seconds) {
    return noon - std::chrono::seconds(seconds);
}

inline facts::Meta meta(std::string ns, std::string name, std::string uid) {
    facts::Meta result;
    result.ns = std::move(ns);
    result.name = std::move(name);
    result.uid = std::move(uid);
    return result;
}

inline facts::Migration migration(const std::string& phase = "Pending") {
    facts::Migration result;
    result.meta = meta("prod", "web-m", "m-uid");
    result.meta.created = ago(60);
    result.vmi = "web";
    result.phase = phase;
    if (!phase.empty()) result.phase_times[phase] = ago(40);
    return result;
}

inline facts::Vmi vmi() {
    facts::Vmi result;
    result.meta = meta("prod", "web", "vmi-uid");
    result.phase = "Running";
    result.node = "n1";
    result.guest.cpu.emplace();
    result.guest.cpu->model = "host-model";
    result.selinux_context = "none";
    return result;
}

// After the hand-over to virt-handler.
inline facts::Vmi handed_over(const std::string& mode = {}) {
    auto result = vmi();
    result.migration.emplace();
    result.migration->migration_uid = "m-uid";
    result.migration->source_node = "n1";
    result.migration->target_node = "n2";
    result.migration->mode = mode;
    if (!mode.empty()) result.migration->started = ago(20);
    return result;
}

inline facts::Node node(const std::string& name = "n1") {
    facts::Node result;
    result.meta = meta("", name, name + "-uid");
    result.meta.labels = {{"host-model-cpu.node.kubevirt.io/Skylake", "true"}};
    result.ready = true;
    return result;
}

inline facts::Pod launcher(const std::string& suffix = "src", const std::string& on = "n1") {
    facts::Pod result;
    result.meta = meta("prod", "virt-launcher-web-" + suffix, suffix + "-uid");
    result.meta.controller_uid = "vmi-uid";
    result.meta.created = ago(3600);
    result.node = on;
    result.phase = "Running";
    result.ready = true;
    return result;
}

inline facts::Pod target(const std::string& phase = "Running") {
    auto result = launcher("tgt", "n2");
    result.meta.labels["kubevirt.io/migrationJobUID"] = "m-uid";
    result.meta.created = ago(50);
    result.phase = phase;
    result.ready = phase == "Running";
    return result;
}

inline facts::Warning warning(const std::string& object_uid, const std::string& reason,
                              const std::string& message, int seconds_ago = 10) {
    facts::Warning result;
    result.uid = object_uid + reason + message;
    result.object_uid = object_uid;
    result.reason = reason;
    result.message = message;
    result.last = ago(seconds_ago);
    return result;
}

inline void add(Sight& sight, facts::Migration one) {
    sight.migrations.items[{one.meta.ns, one.meta.name}] = std::move(one);
}
inline void add(Sight& sight, facts::Vmi one) {
    sight.vmis.items[{one.meta.ns, one.meta.name}] = std::move(one);
}
inline void add(Sight& sight, facts::Pod one) {
    sight.launchers.items[{one.meta.ns, one.meta.name}] = std::move(one);
}
inline void add(Sight& sight, facts::Warning one) {
    sight.warnings.items[one.uid] = std::move(one);
}

// Everything is read; the source launcher is there, and nothing else.
inline Sight sight() {
    Sight result;
    result.migrations.complete = true;
    result.vmis.complete = true;
    result.launchers.complete = true;
    result.warnings.complete = true;
    add(result, launcher());
    return result;
}

template <class... Objects>
Sight sight_with(Objects... objects) {
    auto result = sight();
    (add(result, std::move(objects)), ...);
    return result;
}

}  // namespace recovery::builders
