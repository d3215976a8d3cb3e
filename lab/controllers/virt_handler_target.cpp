// The target's side of a migration.
#include <nlohmann/json.hpp>

#include "lab/controllers/node_knobs.hpp"
#include "lab/controllers/virt_handler_steps.hpp"

namespace lab {

using kubeclient::bool_at;
using kubeclient::find;
using kubeclient::items_at;
using kubeclient::text_at;

namespace {

// Keys of the launcher's sockets. Source: kubevirt pkg/virt-handler/migration-proxy.
constexpr int kDirectPort = 49152;
constexpr int kBlockPort = 49153;

std::string address_of(const std::string& node, const Store& objects) {
    const Object object = objects.get(kNodes, {"", node});
    if (!object) return "";
    for (const Json& address : items_at(*object, {"status", "addresses"})) {
        if (text_at(address, {"type"}) == "InternalIP") {
            return text_at(address, {"address"}).value_or("");
        }
    }
    return "";
}

HandlerStep write(const Json& vmi, const Json& changes) {
    HandlerStep step;
    step.vmi = std::make_shared<Json>(vmi);
    (*step.vmi)["status"]["migrationState"].update(changes);
    return step;
}

HandlerStep prepare(const Json& vmi, const std::string& node, const std::string& pod,
                    const Surroundings& around) {
    HandlerStep later;
    if (knobs_of(vmi).hold == "PreparingTarget") return later;
    if (around.hardware.launcher(pod) == nullptr) {
        later.again = kHandlerPoll;
        return later;
    }
    around.hardware.expect_guest(pod, disks_of(vmi, around.objects));
    const bool block = text_at(vmi, {"status", "migrationMethod"}) == "BlockMigration";
    Json ports{{"40001", 0}, {"40002", kDirectPort}};
    std::string list = "40001,40002";
    if (block) {
        ports["40003"] = kBlockPort;
        list += ",40003";
    }
    std::string address = address_of(node, around.objects);
    if (address.empty()) address = "10.0.0.2";  // as recorded
    HandlerStep step =
        write(vmi, {{"targetNodeAddress", address}, {"targetDirectMigrationNodePorts", ports}});
    step.before.push_back({"Normal", "PreparingTarget",
                           "Migration Target is listening at " + address + ", on ports: " + list});
    step.after.push_back(
        {"Normal", "PreparingTarget", "VirtualMachineInstance Migration Target Prepared."});
    return step;
}

// The VMI belongs to the target's node from now on.
HandlerStep acknowledge(const Json& vmi, const std::string& node, const Surroundings& around) {
    HandlerStep step = write(vmi, {{"endTimestamp", around.time()}});
    Json& metadata = (*step.vmi)["metadata"];
    Json& status = (*step.vmi)["status"];
    metadata["labels"]["kubevirt.io/nodeName"] = node;
    status["nodeName"] = node;
    status.erase("evacuationNodeName");
    if (metadata.contains("annotations")) {
        metadata["annotations"].erase("kubevirt.io/eviction-source");
    }
    step.after.push_back(
        {"Normal", "Migrated", "The VirtualMachineInstance migrated to node " + node + "."});
    return step;
}

HandlerStep take_over(const Json& vmi, const Json& state, const std::string& node,
                      const Launcher& launcher, const Surroundings& around) {
    const bool runs = launcher.qemu == QemuState::running || launcher.qemu == QemuState::post_copy;
    if (!runs) return {};
    if (!bool_at(state, {"targetNodeDomainDetected"}).value_or(false)) {
        return write(vmi, {{"targetNodeDomainDetected", true}});
    }
    if (!text_at(state, {"targetNodeDomainReadyTimestamp"})) {
        return write(vmi, {{"targetNodeDomainReadyTimestamp", around.time()}});
    }
    const MigrationJob* job = around.hardware.job(text_at(state, {"migrationUid"}).value_or(""));
    if (job != nullptr && job->state == JobState::running) return {};
    if (!text_at(state, {"endTimestamp"})) return acknowledge(vmi, node, around);
    return write(vmi, {{"completed", true}});
}

}  // namespace

HandlerStep receive_guest(const Json& vmi, const Surroundings& around) {
    const Json* state = find(vmi, {"status", "migrationState"});
    HandlerStep step;
    if (state == nullptr || !text_at(*state, {"migrationUid"})) return step;
    const std::string node = text_at(*state, {"targetNode"}).value_or("");
    const std::string pod = around.pod_uid(vmi, text_at(*state, {"targetPod"}).value_or(""));
    const Launcher* launcher = around.hardware.launcher(pod);
    const bool gone = launcher == nullptr || launcher->exit_code.has_value();
    if (bool_at(*state, {"completed"}).value_or(false)) {
        const bool useless = bool_at(*state, {"failed"}).value_or(false) && !gone &&
                             text_at(vmi, {"status", "nodeName"}) != node;
        if (useless && around.handler_works(node)) around.hardware.end_launcher(pod, 1);
        if (useless && !around.handler_works(node)) step.again = kHandlerPoll;
        return step;
    }
    if (!around.handler_works(node)) {
        step.again = kHandlerPoll;
        return step;
    }
    if (!text_at(*state, {"targetNodeAddress"})) return prepare(vmi, node, pod, around);
    if (gone) return step;
    return take_over(vmi, *state, node, *launcher, around);
}

}  // namespace lab
