// Source: kubevirt pkg/virt-controller/watch/vm/vm.go (execute, sync, syncRunStrategy, startVMI,
// stopVMI, conditionallyBumpGenerationAnnotationOnVmi); v1.9. KubeVirt keeps the template that a
// VMI was started with in a ControllerRevision, the lab in the controller's memory.
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "kubeclient/json.hpp"
#include "lab/controllers/virt_controllers.hpp"
#include "lab/controllers/virt_objects.hpp"
#include "lab/controllers/virt_vm_status.hpp"

namespace lab {

using kubeclient::Done;
using kubeclient::find;
using kubeclient::Result;
using kubeclient::Status;

namespace {

using namespace virt;

constexpr const char* kFinalizer = "kubevirt.io/virtualMachineControllerFinalize";
constexpr const char* kGeneration = "kubevirt.io/vm-generation";
constexpr const char* kObserved = "kubevirt.io/latest-observed-api-version";

std::string generation_of(const Json& vm) {
    return std::to_string(kubeclient::integer_at(vm, {"metadata", "generation"}).value_or(1));
}

Json instance_of(const Json& vm) {
    const Json* meta = find(vm, {"spec", "template", "metadata"});
    Json metadata = meta != nullptr ? *meta : Json::object();
    metadata.erase("generateName");
    metadata.erase("creationTimestamp");
    metadata["name"] = name_of(vm);
    metadata["namespace"] = key_of(vm).ns;
    metadata["finalizers"].push_back(kFinalizer);
    metadata["annotations"][kGeneration] = generation_of(vm);
    if (!metadata["annotations"].contains("kubevirt.io/pci-topology-version")) {
        metadata["annotations"]["kubevirt.io/pci-topology-version"] = "v3";
    }
    metadata["ownerReferences"] = {{{"apiVersion", "kubevirt.io/v1"},
                                    {"kind", "VirtualMachine"},
                                    {"name", name_of(vm)},
                                    {"uid", uid_of(vm)},
                                    {"controller", true},
                                    {"blockOwnerDeletion", true}}};
    const auto revision = "revision-start-vm-" + uid_of(vm) + "-" + generation_of(vm);
    return {{"apiVersion", "kubevirt.io/v1"},
            {"kind", "VirtualMachineInstance"},
            {"metadata", std::move(metadata)},
            {"spec", vm.at("spec").at("template").at("spec")},
            {"status", {{"virtualMachineRevisionName", revision}}}};
}

struct VmStep {
    Cluster& cluster;
    Object vm{};
    Object vmi{};
    VmMove move = VmMove::none;
    VmTrouble trouble{};
    std::optional<Duration> again{};

    void tell(std::string_view type, std::string_view reason, const std::string& message) const {
        cluster.events.record(*vm, type, reason, message);
    }
};

class VmController final : public Controller {
public:
    std::string_view name() const override { return "virtualmachine-controller"; }

    std::vector<WorkItem> concerned(const Change& change, const Store&) const override {
        if (change.resource == kMachines) return {{kMachines, change.key}};
        if (change.resource != kInstances) return {};
        const Json* owner = controller_reference(*change.object);
        if (owner == nullptr || text(*owner, {"kind"}) != "VirtualMachine") return {};
        return {{kMachines, {change.key.ns, text(*owner, {"name"})}}};
    }

    Result<std::optional<Duration>> sync(const WorkItem& item, Cluster& cluster) override {
        VmStep step{cluster, cluster.objects.get(kMachines, item.key)};
        if (!step.vm) return std::optional<Duration>{};
        if (!has_annotation(*step.vm, kObserved)) {
            TRY(note_api_version(step));
            return std::optional<Duration>{};
        }
        const Object vmi = cluster.objects.get(kInstances, item.key);
        if (vmi && is_controlled_by(*vmi, *step.vm)) step.vmi = vmi;
        const Status acted = act(step);
        TRY(update_status(step));
        TRY(acted);
        return step.again;
    }

private:
    static Status note_api_version(VmStep& step) {
        Json copy = *step.vm;
        copy["metadata"]["annotations"][kObserved] = "v1";
        copy["metadata"]["annotations"]["kubevirt.io/storage-observed-api-version"] = "v1";
        TRY(replace(step.cluster, kMachines, copy));
        return Done{};
    }

    Status act(VmStep& step) {
        const bool held = has_finalizer(*step.vm, kFinalizer);
        if (is_deleting(*step.vm)) {
            if (step.vmi) return stop(step);
            return held ? set_finalizer(step, kMachines, step.vm, Hold::released) : Status{Done{}};
        }
        if (!held) TRY(set_finalizer(step, kMachines, step.vm, Hold::kept));
        TRY(bump_generation(step));
        return follow_strategy(step);
    }

    enum class Hold { kept, released };

    static Status set_finalizer(VmStep& step, const ResourceId& resource, Object& object,
                                Hold hold) {
        Json copy = *object;
        if (hold == Hold::kept) {
            copy["metadata"]["finalizers"].push_back(kFinalizer);
        } else {
            remove_finalizer(copy, kFinalizer);
        }
        const Json* before = find(*object, {"metadata", "finalizers"});
        const Json* after = find(copy, {"metadata", "finalizers"});
        Json operations = Json::array();
        if (before != nullptr)
            operations.push_back(operation("test", "/metadata/finalizers", *before));
        operations.push_back(operation(before != nullptr ? "replace" : "add",
                                       "/metadata/finalizers",
                                       after != nullptr ? *after : Json::array()));
        TRY_ASSIGN(patched, json_patch(step.cluster, resource, key_of(*object), operations));
        object = std::make_shared<const Json>(std::move(patched));
        return Done{};
    }

    // The running VMI is as this generation of the VM wants it, as long as the template is the one
    // it was started with.
    Status bump_generation(VmStep& step) {
        if (!step.vmi || annotation(*step.vmi, kGeneration) == generation_of(*step.vm)) {
            return Done{};
        }
        const auto started = started_with_.find(uid_of(*step.vmi));
        if (started == started_with_.end() ||
            *started->second != step.vm->at("spec").at("template")) {
            return Done{};
        }
        const Json* before = find(*step.vmi, {"metadata", "annotations"});
        if (before == nullptr) return Done{};
        Json after = *before;
        after[kGeneration] = generation_of(*step.vm);
        const Json operations{operation("test", "/metadata/annotations", *before),
                              operation("replace", "/metadata/annotations", after)};
        TRY_ASSIGN(patched, json_patch(step.cluster, kInstances, key_of(*step.vmi), operations));
        step.vmi = std::make_shared<const Json>(std::move(patched));
        return Done{};
    }

    Status follow_strategy(VmStep& step) {
        const auto strategy = run_strategy(*step.vm);
        if (strategy == "Always") return keep_running(step);
        if (strategy == "RerunOnFailure") return rerun_on_failure(step);
        if (strategy == "Manual") {
            if (!step.vmi) return has_start_request(*step.vm) ? start(step) : Status{Done{}};
            return has_stop_request_for(*step.vm, *step.vmi) ? stop(step) : Status{Done{}};
        }
        if (strategy == "Once") return step.vmi ? Status{Done{}} : start(step);
        return step.vmi ? stop(step) : Status{Done{}};
    }

    Status keep_running(VmStep& step) {
        if (!step.vmi) return start_unless_failing(step);
        if (has_stop_request_for(*step.vm, *step.vmi) || is_final(*step.vmi)) return stop(step);
        return Done{};
    }

    Status rerun_on_failure(VmStep& step) {
        if (step.vmi) {
            if (is_deleting(*step.vmi)) return Done{};
            if (!is_final(*step.vmi) && !has_stop_request_for(*step.vm, *step.vmi)) return Done{};
            const bool failed = phase_of(*step.vmi) == "Failed";
            TRY(stop(step));
            return failed ? request_start(step) : Status{Done{}};
        }
        const bool known = text(*step.vm, {"status", "runStrategy"}) == "RerunOnFailure";
        if (known && !has_start_request(*step.vm)) return Done{};
        return start_unless_failing(step);
    }

    static Status request_start(VmStep& step) {
        const Json request = Json::array({{{"action", "Start"}}});
        TRY_ASSIGN(
            patched,
            json_patch(step.cluster, kMachines, key_of(*step.vm),
                       Json{operation("add", "/status/stateChangeRequests", request)}, "status"));
        step.vm = std::make_shared<const Json>(std::move(patched));
        return Done{};
    }

    Status start_unless_failing(VmStep& step) {
        const auto left = start_backoff_left(*step.vm, step.cluster.now);
        if (left == Duration(0)) return start(step);
        step.again = left;
        return Done{};
    }

    Status start(VmStep& step) {
        const auto made = create(step.cluster, kInstances, instance_of(*step.vm));
        if (!made.ok()) {
            const auto why = server_words(made.error());
            step.tell("Warning", "FailedCreate", "Error creating virtual machine instance: " + why);
            step.trouble = {"FailedCreate", "failure while starting VMI: " + why};
            return made.error();
        }
        started_with_[uid_of(*made)] =
            std::make_shared<const Json>(step.vm->at("spec").at("template"));
        step.move = VmMove::starting;
        step.tell("Normal", "SuccessfulCreate",
                  "Started the virtual machine by creating the new virtual machine instance " +
                      name_of(*made));
        return Done{};
    }

    Status stop(VmStep& step) {
        if (is_deleting(*step.vmi)) return Done{};
        const auto done = remove(step.cluster, kInstances, *step.vmi);
        if (!done.ok()) {
            const auto why = server_words(done.error());
            step.tell("Warning", "FailedDelete",
                      "Error deleting virtual machine instance " + name_of(*step.vmi) + ": " + why);
            step.trouble = {"FailedDelete", "failure while deleting VMI: " + why};
            return done;
        }
        started_with_.erase(uid_of(*step.vmi));
        step.move = VmMove::stopping;
        step.tell("Normal", "SuccessfulDelete",
                  "Stopped the virtual machine by deleting the virtual machine instance " +
                      uid_of(*step.vmi));
        return Done{};
    }

    static Status update_status(VmStep& step) {
        // Removing the last finalizer has removed the VM.
        if (!step.cluster.objects.get(kMachines, key_of(*step.vm))) return Done{};
        const Json status =
            vm_status(*step.vm, step.vmi, step.move, step.trouble, step.cluster.now);
        const Json* before = find(*step.vm, "status");
        if (before == nullptr || *before != status) {
            Json copy = *step.vm;
            copy["status"] = status;
            TRY(replace(step.cluster, kMachines, copy, "status"));
        }
        if (step.vmi && is_final(*step.vmi) && has_finalizer(*step.vmi, kFinalizer)) {
            TRY(set_finalizer(step, kInstances, step.vmi, Hold::released));
        }
        return Done{};
    }

    std::map<std::string, Object> started_with_{};  // the template, by the VMI's uid
};

}  // namespace

std::unique_ptr<Controller> make_vm_controller() {
    return std::make_unique<VmController>();
}

}  // namespace lab
