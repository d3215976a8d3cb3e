#include "lab/cluster_builder.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "kubeclient/time.hpp"
#include "kubeclient/yaml.hpp"
#include "lab/furniture.hpp"

namespace lab {

namespace {

using Words = std::map<std::string, std::string>;

std::vector<Json> templates_in(const char* yaml, const char* name) {
    std::vector<Json> templates;
    // Our own text, and every test of a scenario reads it.
    const auto documents = kubeclient::parse_yaml(yaml, name).value();
    for (const auto& document : documents) templates.push_back(*document.value);
    return templates;
}

// A VMI's spec is its VM's template.
std::vector<Json> machine_templates() {
    auto templates = templates_in(kMachineYaml, "machine");
    const auto of_kind = [&](const char* kind) {
        return std::find_if(templates.begin(), templates.end(),
                            [&](const Json& each) { return each.at("kind") == kind; });
    };
    (*of_kind("VirtualMachineInstance"))["spec"] =
        of_kind("VirtualMachine")->at("spec").at("template").at("spec");
    return templates;
}

// "$word" becomes what it stands for.
std::string filled(const std::string& text, const Words& words) {
    std::string result;
    for (std::size_t at = 0; at < text.size();) {
        const auto dollar = std::min(text.find('$', at), text.size());
        result.append(text, at, dollar - at);
        if (dollar == text.size()) break;
        const auto end = std::min(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", dollar + 1),
                                  text.size());
        result += words.at(text.substr(dollar + 1, end - dollar - 1));
        at = end;
    }
    return result;
}

// "$$word" alone becomes a number.
Json filled(const Json& value, const Words& words) {
    if (value.is_object()) {
        Json result = Json::object();
        for (const auto& member : value.items()) {
            result[filled(member.key(), words)] = filled(member.value(), words);
        }
        return result;
    }
    if (value.is_array()) {
        Json result = Json::array();
        for (const Json& item : value) result.push_back(filled(item, words));
        return result;
    }
    if (!value.is_string()) return value;
    const auto& text = value.get_ref<const std::string&>();
    if (text.find('$') == std::string::npos) return value;
    if (text.starts_with("$$")) return std::stoi(words.at(text.substr(2)));
    return filled(text, words);
}

std::string mib(int count) {
    return std::to_string(count) + "Mi";
}

// 10.X.Y.Z with a number of 16 bits in the last two places.
std::string address(int network, int number) {
    return "10." + std::to_string(network + number / 65536) + "." +
           std::to_string(number / 256 % 256) + "." + std::to_string(number % 256);
}

std::string mac(int number) {
    char text[18];
    std::snprintf(
        text, sizeof(text), "02:00:00:%02x:%02x:%02x", static_cast<unsigned>(number >> 16) & 0xffU,
        static_cast<unsigned>(number >> 8) & 0xffU, static_cast<unsigned>(number) & 0xffU);
    return text;
}

// What virt-handler reports of a VMI with a claim that only one node may attach, and
// virt-controller copies to the VM. Source: KubeVirt pkg/virt-handler/migration-source.go.
void report_single_node_disk(Json& object, const std::string& claim) {
    if (!object.at("apiVersion").get<std::string>().starts_with("kubevirt.io/")) return;
    Json& status = object.at("status");
    if (status.contains("migrationMethod")) status["migrationMethod"] = "BlockMigration";
    for (Json& condition : status.at("conditions")) {
        if (condition.at("type") != "LiveMigratable") continue;
        condition["status"] = "False";
        condition["reason"] = "DisksNotLiveMigratable";
        condition["message"] = "cannot migrate VMI: PVC " + claim +
                               " is not shared, live migration requires that all PVCs must be "
                               "shared (using ReadWriteMany access mode)";
    }
}

std::string time_text(kubeclient::Instant instant) {
    return kubeclient::format_time(std::chrono::floor<std::chrono::seconds>(instant));
}

}  // namespace

// KubeVirt pkg/hypervisor/kvm: page tables (a 512th of the guest), 8 MiB a CPU, and what the
// processes of a launcher take. Recorded: 288Mi for 3Gi and one CPU.
int memory_overhead_mib(int cores, int memory_gib) {
    return memory_gib * 1024 / 512 + 8 * cores + 274;
}

ClusterBuilder::ClusterBuilder(World& world, std::uint64_t seed)
    : world_(world), random_(seed), handler_uid_(uid()) {}

std::string ClusterBuilder::uid() {
    const std::uint64_t high = random_();
    const std::uint64_t low = random_();
    char text[37];
    std::snprintf(text, sizeof(text), "%08x-%04x-4%03x-%04x-%012llx",
                  static_cast<unsigned>(high >> 32), static_cast<unsigned>(high >> 16) & 0xffffU,
                  static_cast<unsigned>(high) & 0xfffU,
                  (static_cast<unsigned>(low >> 48) & 0x3fffU) | 0x8000U,
                  static_cast<unsigned long long>(low & 0xffffffffffffULL));
    return text;
}

std::string ClusterBuilder::ago(std::chrono::seconds age) const {
    return time_text(world_.now() - age);
}

void ClusterBuilder::seed_all(const std::vector<Json>& templates, const Words& words) {
    for (const Json& each : templates) world_.server().seed(filled(each, words));
}

void ClusterBuilder::add_system() {
    const Words words{{"created", ago(std::chrono::days(30))}};
    seed_all(templates_in(kSystemYaml, "system"), words);
    seed_all(templates_in(kRolesYaml, "roles"), words);
}

void ClusterBuilder::add_node(const NodeShape& shape) {
    static const std::vector<Json> templates = templates_in(kNodeYaml, "node");
    ++nodes_;
    const int third = nodes_ % 256;
    seed_all(templates, {{"node", shape.name},
                         {"created", ago(std::chrono::days(30))},
                         {"now", time_text(world_.now())},
                         {"now_micro", kubeclient::format_micro_time(world_.now())},
                         {"node_uid", uid()},
                         {"boot_uid", uid()},
                         {"machine_uid", uid()},
                         {"handler_uid", handler_uid_},
                         {"address", address(10, nodes_)},
                         {"handler_address", "10.244." + std::to_string(third) + ".2"},
                         {"pod_network", "10.244." + std::to_string(third) + ".0/24"},
                         {"cpu", shape.cpu},
                         {"memory", shape.memory},
                         {"pods", shape.pods},
                         {"model", shape.cpu_model}});
}

void ClusterBuilder::finish() {
    auto templates = templates_in(kHandlerYaml, "virt-handler");
    templates.front()["status"] = {{"currentNumberScheduled", nodes_},
                                   {"desiredNumberScheduled", nodes_},
                                   {"numberAvailable", nodes_},
                                   {"numberMisscheduled", 0},
                                   {"numberReady", nodes_},
                                   {"updatedNumberScheduled", nodes_},
                                   {"observedGeneration", 1}};
    seed_all(templates, {{"created", ago(std::chrono::days(30))}, {"handler_uid", handler_uid_}});
}

void ClusterBuilder::add_machine(const MachineShape& shape) {
    static const std::vector<Json> templates = machine_templates();
    ++machines_;
    const int overhead = memory_overhead_mib(shape.cores, shape.memory_gib);
    const std::string token = uid();
    Words words{{"name", shape.name},
                {"ns", kMachineNamespace},
                {"node", shape.node},
                {"created", ago(std::chrono::hours(26))},
                {"access", shape.disk == DiskAccess::shared ? "ReadWriteMany" : "ReadWriteOnce"},
                {"cores", std::to_string(shape.cores)},
                {"guest", std::to_string(shape.memory_gib) + "Gi"},
                {"overhead", mib(overhead)},
                {"request_cpu", std::to_string(shape.cores * 100) + "m"},
                {"request_memory", mib(shape.memory_gib * 1024 + overhead)},
                {"pod_address", address(244, 256 * 16 + machines_)},
                {"mac", mac(machines_)},
                {"attachment", token.substr(0, 8) + token.substr(9, 4) + token.substr(14, 4)},
                {"suffix", suffix()}};
    for (const char* name :
         {"vm_uid", "vmi_uid", "pod_uid", "claim_uid", "serial_uid", "firmware_uid"}) {
        words[name] = uid();
    }
    for (const Json& each : templates) {
        Json object = filled(each, words);
        if (shape.disk == DiskAccess::single_node) {
            report_single_node_disk(object, shape.name + "-disk");
        }
        world_.server().seed(std::move(object));
    }
}

std::string ClusterBuilder::suffix() {
    constexpr std::string_view letters = "bcdfghjklmnpqrstvwxz2456789";  // apimachinery util/rand
    std::string text;
    for (int i = 0; i < 5; ++i) text += letters[random_() % letters.size()];
    return text;
}

}  // namespace lab
