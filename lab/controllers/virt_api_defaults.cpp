// What virt-api fills in on create, as far as the lab's controllers and its clients see it, and
// what nobody but KubeVirt may change in an instance. Sources: pkg/defaults/defaults.go,
// mutating-webhook/mutators/{vms,vmi}-mutator.go,
// validating-webhook/admitters/vmi-update-admitter.go.
#include <array>
#include <nlohmann/json.hpp>

#include "lab/controllers/virt_api_parts.hpp"

namespace lab::virt_api {

using kubeclient::find;
using kubeclient::text_at;

namespace {

constexpr std::string_view update_validator =
    "virtualmachineinstances-update-validator.kubevirt.io";

void set_absent(Json& object, const char* key, Json value) {
    if (find(object, key) == nullptr) object[key] = std::move(value);
}

void default_architecture(const Backend& backend, Json& spec) {
    const Json* of_cluster =
        backend.configuration({"architectureConfiguration", "defaultArchitecture"});
    set_absent(spec, "architecture", of_cluster != nullptr ? *of_cluster : Json("amd64"));
}

// virt-config/configuration.go: q35, virt on arm64, s390-ccw-virtio.
std::string machine_type(const Backend& backend, const std::string& architecture) {
    const Json* of_cluster = backend.configuration({"architectureConfiguration"});
    const auto configured =
        of_cluster == nullptr ? std::nullopt : text_at(*of_cluster, {architecture, "machineType"});
    if (configured) return *configured;
    if (architecture == "arm64") return "virt";
    return architecture == "s390x" ? "s390-ccw-virtio" : "q35";
}

void default_machine_type(const Backend& backend, Json& spec) {
    const std::string architecture = text_at(spec, {"architecture"}).value_or("amd64");
    Json& machine = spec["domain"]["machine"];
    if (!machine.is_object()) machine = Json::object();
    if (text_at(machine, {"type"}).value_or("").empty()) {
        machine["type"] = machine_type(backend, architecture);
    }
}

void default_memory(Json& domain) {
    Json& resources = domain["resources"];
    if (!resources.is_object()) resources = Json::object();
    const auto limit = text_at(resources, {"limits", "memory"});
    auto request = text_at(resources, {"requests", "memory"});
    const auto guest = text_at(domain, {"memory", "guest"});
    if (!request) request = limit;
    if (!request) return;
    resources["requests"]["memory"] = *request;
    if (!guest) domain["memory"]["guest"] = *request;
}

void default_cpu(const Backend& backend, Json& domain) {
    Json& cpu = domain["cpu"];
    if (!cpu.is_object()) cpu = Json::object();
    const bool counted = find(cpu, "cores") != nullptr || find(cpu, "sockets") != nullptr ||
                         find(cpu, "threads") != nullptr;
    if (!counted) cpu.update({{"cores", 1}, {"sockets", 1}, {"threads", 1}});
    const Json* of_cluster = backend.configuration({"cpuModel"});
    set_absent(cpu, "model", of_cluster != nullptr ? *of_cluster : Json("host-model"));
}

void default_network(Json& spec) {
    Json& devices = spec["domain"]["devices"];
    if (!devices.is_object()) devices = Json::object();
    if (kubeclient::bool_at(devices, {"autoattachPodInterface"}) == false) return;
    if (!kubeclient::items_at(spec, {"networks"}).empty() ||
        !kubeclient::items_at(devices, {"interfaces"}).empty()) {
        return;
    }
    devices["interfaces"] = Json::array({{{"name", "default"}, {"masquerade", Json::object()}}});
    spec["networks"] = Json::array({{{"name", "default"}, {"pod", Json::object()}}});
}

void default_eviction_strategy(const Backend& backend, Json& spec) {
    const Json* of_cluster = backend.configuration({"evictionStrategy"});
    if (of_cluster != nullptr) set_absent(spec, "evictionStrategy", *of_cluster);
}

// The mutator writes a first status, so that no instance is ever seen without a phase.
void first_status(Json& instance, const std::string& now) {
    Json& status = instance["status"];
    if (!status.is_object()) status = Json::object();
    status["phase"] = "Pending";
    status["phaseTransitionTimestamps"] =
        Json::array({{{"phase", "Pending"}, {"phaseTransitionTimestamp", now}}});
    status["guestOSInfo"] = Json::object();
    status["runtimeUser"] = 107;
    const Json& domain = instance["spec"]["domain"];
    if (const auto guest = text_at(domain, {"memory", "guest"})) {
        status["memory"] = {
            {"guestAtBoot", *guest}, {"guestCurrent", *guest}, {"guestRequested", *guest}};
    }
    for (const char* key : {"cores", "sockets", "threads"}) {
        const Json* count = find(domain, {"cpu", key});
        if (count != nullptr) status["currentCPUTopology"][key] = *count;
    }
}

Json kubevirt_labels(const Json& object) {
    // webhooks/validating-webhook/admitters/vmi-update-admitter.go restrictedVmiLabels
    static const std::array names{"kubevirt.io/created-by",
                                  "kubevirt.io/migrationJobUID",
                                  "kubevirt.io/nodeName",
                                  "kubevirt.io/schedulable",
                                  "kubevirt.io/migrationTargetNodeName",
                                  "kubevirt.io/install-strategy"};
    Json kept = Json::object();
    for (const char* name : names) {
        const Json* value = find(object, {"metadata", "labels", name});
        if (value != nullptr) kept[name] = *value;
    }
    return kept;
}

}  // namespace

void default_machine(const Backend& backend, Json& machine) {
    if (find(machine, {"spec", "template", "spec"}) == nullptr) return;
    Json& spec = machine["spec"]["template"]["spec"];
    default_architecture(backend, spec);
    default_machine_type(backend, spec);
}

void default_instance(const Backend& backend, Json& instance) {
    Json& spec = instance["spec"];
    if (!spec.is_object()) return;
    default_architecture(backend, spec);
    default_machine_type(backend, spec);
    default_memory(spec["domain"]);
    default_cpu(backend, spec["domain"]);
    default_network(spec);
    default_eviction_strategy(backend, spec);
    first_status(instance, backend.now());
    instance["metadata"]["finalizers"].push_back("kubevirt.io/foregroundDeleteVirtualMachine");
}

std::optional<Refusal> admit_instance_update(const Backend& backend, const Admission& asked) {
    if (backend.is_component(asked.user)) return std::nullopt;
    const Json& before = *asked.before;
    const Json& after = *asked.object;
    if (before.value("spec", Json::object()) != after.value("spec", Json::object())) {
        return denied(update_validator,
                      {"FieldValueNotSupported", "update of VMI object is restricted", ""});
    }
    if (kubevirt_labels(before) != kubevirt_labels(after)) {
        return denied(update_validator,
                      {"FieldValueNotSupported",
                       "modification of the following reserved kubevirt.io/ labels on a VMI object "
                       "is prohibited",
                       ""});
    }
    return std::nullopt;
}

}  // namespace lab::virt_api
