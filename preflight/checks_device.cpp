// Devices and memory encryption that tie a guest to its host.
#include <array>

#include "preflight/checks.hpp"
#include "preflight/question.hpp"

namespace preflight {
namespace {

std::vector<Finding> check_host_devices(const Question& question) {
    return from_rule(
        question, Rule::host_devices,
        {"no host device or GPU that stays behind",
         "no hostDevices; at most one mediated GPU, with the gate VGPULiveMigration",
         "a device of the source host cannot follow the guest",
         {"remove the device for the migration, or stop and start the VM to move it", {}}});
}

std::vector<Finding> check_encryption(const Question& question, Rule rule) {
    return from_rule(question, rule,
                     {"not used",
                      "no memory encryption bound to the host",
                      "the guest's memory is encrypted for the source host",
                      {"move the VM by stop and start", {}}});
}

std::vector<Finding> check_sev(const Question& question) {
    return check_encryption(question, Rule::sev);
}

std::vector<Finding> check_tdx(const Question& question) {
    return check_encryption(question, Rule::tdx);
}

std::vector<Finding> check_secure_execution(const Question& question) {
    return check_encryption(question, Rule::secure_execution);
}

constexpr auto source = "kubevirt pkg/virt-handler/vm.go calculateLiveMigrationCondition";

constexpr std::array<Check, 4> rows{{
    {"DEV-001", "no-host-devices", "No device of the host is passed through", Severity::blocking,
     "Looks at devices.hostDevices and devices.gpus.",
     "KubeVirt refuses with HostDeviceNotLiveMigratable. Since 1.9 one mediated GPU may migrate, "
     "where the gate VGPULiveMigration is on and the KubeVirt CR permits its resource.",
     "Remove the device, or move the VM by stop and start.", source, check_host_devices},
    {"SEC-001", "no-sev", "No AMD SEV", Severity::blocking,
     "Looks for launchSecurity.sev, and since KubeVirt 1.7 for launchSecurity.snp.",
     "KubeVirt refuses with SEVNotLiveMigratable.", "Move the VM by stop and start.", source,
     check_sev},
    {"SEC-002", "no-tdx", "No Intel TDX", Severity::blocking,
     "Looks for launchSecurity.tdx, where the cluster runs KubeVirt 1.7 or newer.",
     "KubeVirt refuses with TDXNotLiveMigratable.", "Move the VM by stop and start.", source,
     check_tdx},
    {"SEC-003", "no-secure-execution", "No IBM Secure Execution", Severity::blocking,
     "Looks for launchSecurity on s390x, where the cluster runs KubeVirt 1.6 or newer.",
     "KubeVirt refuses with SecureExecutionNotLiveMigratable.", "Move the VM by stop and start.",
     source, check_secure_execution},
}};

}  // namespace

std::span<const Check> device_checks() {
    return rows;
}

}  // namespace preflight
