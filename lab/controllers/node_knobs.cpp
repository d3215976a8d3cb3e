#include "lab/controllers/node_knobs.hpp"

#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

namespace lab {

using kubeclient::find;
using kubeclient::items_at;
using kubeclient::text_at;

const ResourceId kNodes{"", "nodes"};
const ResourceId kPods{"", "pods"};
const ResourceId kVmis{"kubevirt.io", "virtualmachineinstances"};

namespace {

std::optional<Duration> seconds(const std::optional<std::string>& text) {
    if (!text) return std::nullopt;
    double value = 0;
    const auto read = std::from_chars(text->data(), text->data() + text->size(), value);
    if (read.ec != std::errc() || value < 0 || value > 1e9) return std::nullopt;
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value));
}

std::string claim_of(const Json& volume) {
    if (auto claim = text_at(volume, {"persistentVolumeClaim", "claimName"})) return *claim;
    return text_at(volume, {"dataVolume", "name"}).value_or("");
}

std::string disk_behind(const std::string& ns, const std::string& claim, const Store& objects) {
    const Object bound = objects.get({"", "persistentvolumeclaims"}, {ns, claim});
    const std::string name =
        bound ? text_at(*bound, {"spec", "volumeName"}).value_or("") : std::string();
    if (name.empty()) return ns + "/" + claim;
    const Object volume = objects.get({"", "persistentvolumes"}, {"", name});
    if (!volume) return name;
    return text_at(*volume, {"spec", "csi", "volumeHandle"}).value_or(name);
}

}  // namespace

NodeKnobs knobs_of(const Json& vmi) {
    const auto annotation = [&](std::string_view name) {
        return text_at(vmi, {"metadata", "annotations", name});
    };
    NodeKnobs knobs;
    knobs.hold = annotation("sim/hold").value_or("");
    knobs.fail = annotation("sim/fail").value_or("");
    knobs.copying = seconds(annotation("sim/seconds"));
    knobs.pod_held = annotation("sim/podhold") == "true";
    knobs.source_kept = annotation("sim/keepsource") == "true";
    knobs.unmigratable = annotation("sim/unmigratable").value_or("");
    return knobs;
}

Object vmi_of(const Json& pod, const Store& objects) {
    for (const Json& owner : items_at(pod, {"metadata", "ownerReferences"})) {
        if (text_at(owner, {"kind"}) != "VirtualMachineInstance") continue;
        const Object vmi = objects.get(kVmis, {text_at(pod, {"metadata", "namespace"}).value_or(""),
                                               text_at(owner, {"name"}).value_or("")});
        if (vmi && text_at(*vmi, {"metadata", "uid"}) == text_at(owner, {"uid"})) return vmi;
    }
    return nullptr;
}

bool is_launcher(const Json& pod) {
    return text_at(pod, {"metadata", "labels", "kubevirt.io"}) == "virt-launcher";
}

std::string vmi_name(const Json& object) {
    return text_at(object, {"metadata", "namespace"}).value_or("") + "/" +
           text_at(object, {"metadata", "name"}).value_or("");
}

std::vector<std::string> disks_of(const Json& vmi, const Store& objects) {
    const std::string ns = text_at(vmi, {"metadata", "namespace"}).value_or("");
    std::vector<std::string> disks;
    for (const Json& volume : items_at(vmi, {"spec", "volumes"})) {
        const std::string claim = claim_of(volume);
        if (!claim.empty()) disks.push_back(disk_behind(ns, claim, objects));
    }
    return disks;
}

bool lost_its_guest(const Json& vmi, const Json& pod) {
    const Json* state = find(vmi, {"status", "migrationState"});
    if (state == nullptr || !kubeclient::bool_at(*state, {"completed"}).value_or(false)) {
        return false;
    }
    const auto name = text_at(pod, {"metadata", "name"});
    const bool failed = kubeclient::bool_at(*state, {"failed"}).value_or(false);
    const auto loser = text_at(*state, {failed ? "targetPod" : "sourcePod"});
    // A pod that a later migration left behind may be the very one that an earlier one ended on.
    return loser == name &&
           text_at(pod, {"spec", "nodeName"}) != text_at(vmi, {"status", "nodeName"});
}

}  // namespace lab
