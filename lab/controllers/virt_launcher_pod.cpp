#include "lab/controllers/virt_launcher_pod.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "kubeclient/json.hpp"
#include "kubeclient/quantity.hpp"
#include "lab/controllers/virt_configuration.hpp"
#include "lab/controllers/virt_objects.hpp"

namespace lab::virt {

using kubeclient::bool_at;
using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::find;
using kubeclient::integer_at;
using kubeclient::items_at;
using kubeclient::Result;

namespace {

constexpr std::int64_t kMi = 1024 * 1024;
constexpr std::int64_t kNonRoot = 107;
// util/types.go and services/template.go: the time between the guest's grace and the pod's.
constexpr std::int64_t kGraceOnTop = 30;

std::int64_t virtual_cpus(const Json& vmi) {
    std::int64_t count = 1;
    for (const char* part : {"cores", "sockets", "threads"}) {
        count *=
            std::max<std::int64_t>(integer_at(vmi, {"spec", "domain", "cpu", part}).value_or(1), 1);
    }
    return count;
}

bool has_dedicated_cpus(const Json& vmi) {
    return bool_at(vmi, {"spec", "domain", "cpu", "dedicatedCpuPlacement"}).value_or(false);
}

std::optional<std::int64_t> bytes_at(const Json& object,
                                     std::initializer_list<std::string_view> path) {
    const auto amount = kubeclient::text_at(object, path);
    if (!amount) return std::nullopt;
    const auto bytes = kubeclient::parse_bytes(*amount);
    if (!bytes.ok()) return std::nullopt;
    return *bytes;
}

std::int64_t guest_memory(const Json& vmi) {
    return bytes_at(vmi, {"spec", "domain", "memory", "guest"}).value_or(0);
}

std::string in_binary_units(std::int64_t bytes) {
    static const char* const kUnits[] = {"", "Ki", "Mi", "Gi", "Ti"};
    std::size_t unit = 0;
    while (bytes != 0 && bytes % 1024 == 0 && unit + 1 < std::size(kUnits)) {
        bytes /= 1024;
        ++unit;
    }
    return std::to_string(bytes) + kUnits[unit];
}

bool uses_vfio(const Json& vmi) {
    if (!items_at(vmi, {"spec", "domain", "devices", "hostDevices"}).empty()) return true;
    if (!items_at(vmi, {"spec", "domain", "devices", "gpus"}).empty()) return true;
    const auto& interfaces = items_at(vmi, {"spec", "domain", "devices", "interfaces"});
    return std::any_of(interfaces.begin(), interfaces.end(),
                       [](const Json& one) { return find(one, "sriov") != nullptr; });
}

void add_devices(const Json& vmi, const Json& config, Json& limits) {
    const auto add = [&](const std::string& name) {
        const auto before = limits.contains(name) ? std::stoll(limits[name].get<std::string>()) : 0;
        limits[name] = std::to_string(before + 1);
    };
    if (!bool_at(config, {"developerConfiguration", "useEmulation"}).value_or(false)) {
        add("devices.kubevirt.io/kvm");
    }
    if (bool_at(vmi, {"spec", "domain", "devices", "autoattachPodInterface"}).value_or(true)) {
        add("devices.kubevirt.io/tun");
        add("devices.kubevirt.io/vhost-net");
    }
    if (bool_at(vmi, {"spec", "domain", "devices", "autoattachVSOCK"}).value_or(false)) {
        add("devices.kubevirt.io/vhost-vsock");
    }
    if (find(vmi, {"spec", "domain", "launchSecurity", "sev"}) != nullptr ||
        find(vmi, {"spec", "domain", "launchSecurity", "snp"}) != nullptr) {
        add("devices.kubevirt.io/sev");
    }
    if (find(vmi, {"spec", "domain", "launchSecurity", "tdx"}) != nullptr) {
        add("devices.kubevirt.io/tdx");
    }
    for (const char* list : {"gpus", "hostDevices"}) {
        for (const Json& device : items_at(vmi, {"spec", "domain", "devices", list})) {
            if (auto name = text(device, {"deviceName"}); !name.empty()) add(name);
        }
    }
}

void add_cpu(const Json& vmi, const Json& config, Json& requests, Json& limits) {
    const auto cpus = virtual_cpus(vmi);
    if (has_dedicated_cpus(vmi)) {
        const bool isolated =
            bool_at(vmi, {"spec", "domain", "cpu", "isolateEmulatorThread"}).value_or(false);
        requests["cpu"] = limits["cpu"] = std::to_string(cpus + (isolated ? 1 : 0));
        return;
    }
    if (requests.contains("cpu")) return;
    if (limits.contains("cpu")) {
        requests["cpu"] = limits["cpu"];
        return;
    }
    const auto ratio = std::max<std::int64_t>(
        integer_at(config, {"developerConfiguration", "cpuAllocationRatio"}).value_or(10), 1);
    requests["cpu"] = std::to_string(cpus * 1000 / ratio) + "m";
}

void add_memory(const Json& vmi, const Json& config, Json& requests, Json& limits) {
    const auto overhead = memory_overhead(vmi);
    const auto page = text(vmi, {"spec", "domain", "memory", "hugepages", "pageSize"});
    if (!page.empty()) {
        const auto wanted = bytes_at(vmi, {"spec", "domain", "resources", "requests", "memory"});
        const auto guest = guest_memory(vmi) != 0 ? guest_memory(vmi) : wanted.value_or(0);
        requests["hugepages-" + page] = limits["hugepages-" + page] = in_binary_units(guest);
        requests["memory"] =
            in_binary_units(overhead + std::max<std::int64_t>(wanted.value_or(0) - guest, 0));
        if (has_dedicated_cpus(vmi)) limits["memory"] = requests["memory"];
        return;
    }
    const auto limit = bytes_at(vmi, {"spec", "domain", "resources", "limits", "memory"});
    auto request = bytes_at(vmi, {"spec", "domain", "resources", "requests", "memory"});
    if (!request) request = limit;
    if (!request) {
        const auto overcommit = std::max<std::int64_t>(
            integer_at(config, {"developerConfiguration", "memoryOvercommit"}).value_or(100), 1);
        request = guest_memory(vmi) * 100 / overcommit;
    }
    const bool without =
        bool_at(vmi, {"spec", "domain", "resources", "overcommitGuestOverhead"}).value_or(false);
    requests["memory"] = in_binary_units(*request + (without ? 0 : overhead));
    if (limit) limits["memory"] = in_binary_units(*limit + overhead);
    if (has_dedicated_cpus(vmi)) limits["memory"] = requests["memory"];
}

Json resources(const Json& vmi, const Json& config) {
    const auto given = [&](std::string_view kind) {
        const Json* set = find(vmi, {"spec", "domain", "resources", kind});
        return set != nullptr && set->is_object() ? *set : Json::object();
    };
    Json requests = given("requests");
    Json limits = given("limits");
    add_cpu(vmi, config, requests, limits);
    add_memory(vmi, config, requests, limits);
    if (!requests.contains("ephemeral-storage")) requests["ephemeral-storage"] = "50M";
    add_devices(vmi, config, limits);
    return {{"requests", std::move(requests)}, {"limits", std::move(limits)}};
}

void add_cpu_selector(const Json& vmi, Json& selector) {
    const auto model = text(vmi, {"spec", "domain", "cpu", "model"});
    if (has_dedicated_cpus(vmi)) selector["kubevirt.io/cpumanager"] = "true";
    if (model.empty()) return;
    if (model != "host-model" && model != "host-passthrough") {
        selector["cpu-model.node.kubevirt.io/" + model] = "true";
    }
    for (const Json& feature : items_at(vmi, {"spec", "domain", "cpu", "features"})) {
        const auto policy = text(feature, {"policy"});
        if (policy.empty() || policy == "require") {
            selector["cpu-feature.node.kubevirt.io/" + text(feature, {"name"})] = "true";
        }
    }
}

Json node_selector(const Json& vmi, const Json& config) {
    Json selector = Json::object();
    for (const Json* given : {find(config, {"developerConfiguration", "nodeSelectors"}),
                              find(vmi, {"spec", "nodeSelector"})}) {
        if (given != nullptr) selector.update(*given);
    }
    selector["kubevirt.io/schedulable"] = "true";
    if (auto arch = text(vmi, {"spec", "architecture"}); !arch.empty()) {
        selector["kubernetes.io/arch"] = arch;
    }
    add_cpu_selector(vmi, selector);
    auto machine = text(vmi, {"status", "machine", "type"});
    if (machine.empty()) machine = text(vmi, {"spec", "domain", "machine", "type"});
    if (!machine.empty()) selector["machine-type.node.kubevirt.io/" + machine] = "true";
    if (const auto tsc = integer_at(vmi, {"status", "topologyHints", "tscFrequency"})) {
        selector["scheduling.node.kubevirt.io/tsc-frequency-" + std::to_string(*tsc)] = "true";
    }
    if (find(vmi, {"spec", "domain", "cpu", "realtime"}) != nullptr) {
        selector["kubevirt.io/realtime"] = "true";
    }
    for (const auto& [field, name] :
         {std::pair{"sev", "sev"}, {"snp", "sev-snp"}, {"tdx", "tdx"}}) {
        if (find(vmi, {"spec", "domain", "launchSecurity", field}) != nullptr) {
            selector[std::string("kubevirt.io/") + name] = "true";
        }
    }
    return selector;
}

// Into every required term, as a pod that has none gets one.
void require_absent(Json& affinity, const std::string& node_label) {
    Json& required = affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    Json& terms = required["nodeSelectorTerms"];
    if (!terms.is_array() || terms.empty()) terms = Json::array({Json::object()});
    for (Json& term : terms) {
        if (!term["matchExpressions"].is_array()) term["matchExpressions"] = Json::array();
        term["matchExpressions"].push_back({{"key", node_label}, {"operator", "DoesNotExist"}});
    }
}

Json affinity(const Json& vmi) {
    const Json* given = find(vmi, {"spec", "affinity"});
    Json made = given != nullptr ? *given : Json::object();
    const auto model = text(vmi, {"spec", "domain", "cpu", "model"});
    if (model.empty() || model == "host-model") {
        require_absent(made, "node-labeller.kubevirt.io/obsolete-host-model");
    }
    for (const Json& feature : items_at(vmi, {"spec", "domain", "cpu", "features"})) {
        if (text(feature, {"policy"}) != "forbid") continue;
        require_absent(made, "cpu-feature.node.kubevirt.io/" + text(feature, {"name"}));
    }
    return made;
}

// The claim behind a volume; empty where there is none.
std::string claim_of(const Json& volume) {
    for (auto path : {std::initializer_list<std::string_view>{"persistentVolumeClaim", "claimName"},
                      {"dataVolume", "name"},
                      {"ephemeral", "persistentVolumeClaim", "claimName"},
                      {"memoryDump", "claimName"}}) {
        if (auto claim = text(volume, path); !claim.empty()) return claim;
    }
    return "";
}

kubeclient::Status add_volumes(const Json& vmi, const Store& objects, Json& spec, Json& compute) {
    for (const char* scratch : {"private", "public", "sockets", "libvirt-runtime",
                                "ephemeral-disks", "container-disks"}) {
        spec["volumes"].push_back({{"name", scratch}, {"emptyDir", Json::object()}});
    }
    const auto ns = key_of(vmi).ns;
    for (const Json& volume : items_at(vmi, {"spec", "volumes"})) {
        const auto name = text(volume, {"name"});
        for (const char* plain : {"configMap", "secret"}) {
            if (const Json* source = find(volume, plain)) {
                Json copy{{"name", name}};
                copy[plain] = *source;
                spec["volumes"].push_back(std::move(copy));
            }
        }
        const auto claim = claim_of(volume);
        if (claim.empty()) continue;
        const Object found = objects.get(kClaims, {ns, claim});
        if (!found) return Error{ErrorKind::not_found, "didn't find PVC " + claim, ""};
        spec["volumes"].push_back(
            {{"name", name}, {"persistentVolumeClaim", {{"claimName", claim}}}});
        if (text(*found, {"spec", "volumeMode"}) == "Block") {
            compute["volumeDevices"].push_back({{"name", name}, {"devicePath", "/dev/" + name}});
        } else {
            compute["volumeMounts"].push_back(
                {{"name", name}, {"mountPath", "/var/run/kubevirt-private/vmi-disks/" + name}});
        }
    }
    return kubeclient::Done{};
}

// template.go: a start that finds no QEMU gives up after 240 to 360 s; the part by chance comes
// from the uid here.
std::string qemu_timeout(const Json& vmi) {
    unsigned sum = 0;
    for (const char c : uid_of(vmi)) sum += static_cast<unsigned char>(c);
    return std::to_string(240 + sum % 120) + "s";
}

Json compute_container(const Json& vmi, const Store& objects) {
    const auto [ns, name] = key_of(vmi);
    return {{"name", "compute"},
            {"image", launcher_image(objects)},
            {"imagePullPolicy", "IfNotPresent"},
            {"command",
             {"/usr/bin/virt-launcher-monitor", "--qemu-timeout", qemu_timeout(vmi), "--name", name,
              "--uid", uid_of(vmi), "--namespace", ns, "--run-as-nonroot"}},
            {"resources", resources(vmi, configuration(objects))},
            {"securityContext",
             {{"runAsUser", kNonRoot},
              {"runAsGroup", kNonRoot},
              {"runAsNonRoot", true},
              {"allowPrivilegeEscalation", false},
              {"capabilities", {{"add", {"NET_BIND_SERVICE"}}, {"drop", {"ALL"}}}}}}};
}

Json metadata(const Json& vmi) {
    const auto [ns, name] = key_of(vmi);
    Json labels = Json::object();
    if (const Json* own = find(vmi, {"metadata", "labels"})) labels = *own;
    labels["kubevirt.io"] = "virt-launcher";
    labels["kubevirt.io/created-by"] = uid_of(vmi);
    labels["vm.kubevirt.io/name"] = name;
    labels["vmi.kubevirt.io/id"] = name;
    Json annotations = Json::object();
    if (const Json* own = find(vmi, {"metadata", "annotations"})) annotations = *own;
    for (const char* kept_back :
         {"kubectl.kubernetes.io/last-applied-configuration",
          "kubevirt.io/storage-observed-api-version", "kubevirt.io/latest-observed-api-version"}) {
        annotations.erase(kept_back);
    }
    annotations["kubevirt.io/domain"] = name;
    annotations["kubevirt.io/migrationTransportUnix"] = "true";
    annotations["kubectl.kubernetes.io/default-container"] = "compute";
    annotations["descheduler.alpha.kubernetes.io/request-evict-only"] = "";
    return {{"generateName", "virt-launcher-" + name + "-"},
            {"namespace", ns},
            {"labels", std::move(labels)},
            {"annotations", std::move(annotations)},
            {"ownerReferences",
             {{{"apiVersion", "kubevirt.io/v1"},
               {"kind", "VirtualMachineInstance"},
               {"name", name},
               {"uid", uid_of(vmi)},
               {"controller", true},
               {"blockOwnerDeletion", true}}}}};
}

std::int64_t base_overhead(const Json& vmi) {
    const auto arch = text(vmi, {"spec", "architecture"});
    auto sum =
        bytes_at(vmi, {"spec", "domain", "resources", "requests", "memory"}).value_or(0) / 512;
    sum += 240 * kMi + 8 * kMi * virtual_cpus(vmi) + 8 * kMi;
    if (bool_at(vmi, {"spec", "domain", "devices", "autoattachGraphicsDevice"}).value_or(true)) {
        sum += 32 * kMi;
    }
    if (arch == "arm64") sum += 128 * kMi;
    if (uses_vfio(vmi)) sum += 1024 * kMi;
    return sum;
}

}  // namespace

std::int64_t memory_overhead(const Json& vmi) {
    auto sum = base_overhead(vmi);
    if (find(vmi, {"spec", "domain", "launchSecurity", "sev"}) != nullptr ||
        find(vmi, {"spec", "domain", "launchSecurity", "snp"}) != nullptr) {
        sum += 256 * kMi;
    }
    if (find(vmi, {"spec", "domain", "devices", "tpm"}) != nullptr) sum += 53 * kMi;
    if (has_dedicated_cpus(vmi)) sum += 100 * kMi;
    return sum;
}

std::string memory_overhead_text(const Json& vmi) {
    return in_binary_units(memory_overhead(vmi));
}

Result<Json> launcher_pod(const Json& vmi, const Store& objects) {
    const Json config = configuration(objects);
    const auto grace = integer_at(vmi, {"spec", "terminationGracePeriodSeconds"}).value_or(30);
    Json spec{{"restartPolicy", "Never"},
              {"hostname", name_of(vmi)},
              {"enableServiceLinks", false},
              {"automountServiceAccountToken", false},
              {"terminationGracePeriodSeconds", grace + kGraceOnTop},
              {"nodeSelector", node_selector(vmi, config)},
              {"readinessGates", {{{"conditionType", "kubevirt.io/virtual-machine-unpaused"}}}},
              {"securityContext",
               {{"fsGroup", kNonRoot},
                {"runAsUser", kNonRoot},
                {"runAsGroup", kNonRoot},
                {"runAsNonRoot", true}}}};
    if (Json wanted = affinity(vmi); !wanted.empty()) spec["affinity"] = std::move(wanted);
    for (const char* same : {"tolerations", "topologySpreadConstraints", "schedulerName",
                             "priorityClassName", "resourceClaims"}) {
        if (const Json* given = find(vmi, {"spec", same})) spec[same] = *given;
    }
    Json compute = compute_container(vmi, objects);
    TRY(add_volumes(vmi, objects, spec, compute));
    spec["containers"] = Json::array({std::move(compute)});
    return Json{{"apiVersion", "v1"},
                {"kind", "Pod"},
                {"metadata", metadata(vmi)},
                {"spec", std::move(spec)}};
}

}  // namespace lab::virt
