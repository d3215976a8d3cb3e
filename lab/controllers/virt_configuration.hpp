// The KubeVirt CR as virt-controller reads it, with KubeVirt's defaults. Pure.
// Sources: kubevirt pkg/virt-config/{virt-config,configuration}.go and
// pkg/virt-controller/watch/migration/migrationpolicy.go; v1.9.
#pragma once

#include <string>

#include "lab/controllers/controller.hpp"

namespace lab::virt {

// spec.configuration of the KubeVirt CR; an empty object where there is none.
Json configuration(const Store& objects);

// All settings of spec.configuration.migrations, as they are written into a VMI's
// status.migrationState.migrationConfiguration.
Json migration_configuration(const Store& objects);

struct MatchedConfiguration {
    std::string policy{};                  // of the best matching MigrationPolicy; empty: none
    std::shared_ptr<const Json> values{};  // migration_configuration() with the policy's on top

    bool operator==(const MatchedConfiguration&) const = default;
};

MatchedConfiguration migration_configuration_of(const Store& objects, const Json& vmi);

// "quay.io/kubevirt/virt-launcher:v1.9.0", by the CR's observed registry and version.
std::string launcher_image(const Store& objects);

}  // namespace lab::virt
