#include "recovery/sight.hpp"

#include <algorithm>

namespace recovery {

const facts::Migration* migration_of(const Sight& sight, const NamedIn& name,
                                     const std::string& uid) {
    const auto* found = sight.migrations.find(name);
    return found == nullptr || (!uid.empty() && found->meta.uid != uid) ? nullptr : found;
}

std::vector<const facts::Pod*> live_launchers(const Sight& sight, const facts::Vmi& vmi) {
    std::vector<const facts::Pod*> live;
    for (const auto& [key, pod] : sight.launchers.items) {
        const bool its = pod.meta.ns == vmi.meta.ns && pod.meta.controller_uid == vmi.meta.uid;
        if (its && !pod.finished()) live.push_back(&pod);
    }
    return live;
}

const facts::Pod* target_pod(const Sight& sight, const std::string& migration_uid) {
    for (const auto& [key, pod] : sight.launchers.items) {
        const auto label = pod.meta.labels.find("kubevirt.io/migrationJobUID");
        if (label != pod.meta.labels.end() && label->second == migration_uid) return &pod;
    }
    return nullptr;
}

std::vector<const facts::Warning*> warnings_about(const Sight& sight, const std::string& uid) {
    std::vector<const facts::Warning*> found;
    for (const auto& [key, warning] : sight.warnings.items) {
        if (warning.object_uid == uid) found.push_back(&warning);
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto* left, const auto* right) { return left->last < right->last; });
    return found;
}

const facts::MigrationState* state_of(const facts::Vmi* vmi, const std::string& migration_uid) {
    const bool its = vmi != nullptr && vmi->migration && !migration_uid.empty() &&
                     vmi->migration->migration_uid == migration_uid;
    return its ? &*vmi->migration : nullptr;
}

}  // namespace recovery
