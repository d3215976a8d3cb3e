// Source: kubevirt pkg/virt-controller/watch/vmi/{vmi,lifecycle}.go (execute, sync,
// deleteAllMatchingPods) and pkg/virt-controller/watch/descheduler/descheduler.go; v1.9.
#include <nlohmann/json.hpp>
#include <utility>

#include "kubeclient/json.hpp"
#include "lab/controllers/virt_controllers.hpp"
#include "lab/controllers/virt_launcher_pod.hpp"
#include "lab/controllers/virt_objects.hpp"
#include "lab/controllers/virt_vmi_step.hpp"

namespace lab {

using kubeclient::Done;
using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Result;
using kubeclient::Status;

namespace {

using namespace virt;

constexpr std::string_view kObserved = "kubevirt.io/storage-observed-api-version";
constexpr std::string_view kEvicting = "descheduler.alpha.kubernetes.io/eviction-in-progress";

// A pod that ended is deleted again whenever the VMI is looked at, and each time is told.
Status delete_launchers(VmiStep& step) {
    for (const Object& pod : launchers(step.cluster.objects, *step.vmi)) {
        if (is_deleting(*pod) && !is_pod_down(*pod)) continue;
        const auto name = name_of(*pod);
        const auto done = remove(step.cluster, kPods, *pod);
        if (!done.ok() && done.error().kind != ErrorKind::not_found) {
            step.tell("Warning", "FailedDelete", "Failed to delete virtual machine pod " + name);
            step.trouble = {"FailedDelete", "failed to delete pod: " + server_words(done.error())};
            return done;
        }
        step.tell("Normal", "SuccessfulDelete", "Deleted virtual machine pod " + name);
    }
    return Done{};
}

bool has_unfinished_migration(const VmiStep& step) {
    const auto all = migrations_of(step.cluster.objects, key_of(*step.vmi));
    return std::any_of(all.begin(), all.end(), [](const Object& one) { return !is_final(*one); });
}

void fail_creation(VmiStep& step, const std::string& words) {
    const auto [ns, name] = key_of(*step.vmi);
    if (words.find("violates PodSecurity") != std::string::npos) {
        const auto why = "failed to create pod for vmi " + ns + "/" + name +
                         ", it needs a privileged namespace to run: " + words;
        step.tell("Warning", "FailedCreate", "failed to render launch manifest: " + why);
        step.trouble = {"FailedCreate", why};
        return;
    }
    step.tell("Warning", "FailedCreate", "Error creating pod: " + words);
    step.trouble = {"FailedCreate", "failed to create virtual machine pod: " + words};
}

void create_launcher(VmiStep& step) {
    if (!is_unprocessed(*step.vmi)) return;
    if (has_unfinished_migration(step)) {
        step.trouble = {"FailedCreate", "active migration exists"};
        return;
    }
    const auto rendered = launcher_pod(*step.vmi, step.cluster.objects);
    if (!rendered.ok()) {
        const auto why = "failed to render launch manifest: " + rendered.error().message;
        step.tell("Warning", "FailedPvcNotFound", why);
        step.trouble = {"FailedPvcNotFound", why};
        return;
    }
    auto made = create(step.cluster, kPods, *rendered);
    if (!made.ok()) return fail_creation(step, server_words(made.error()));
    step.tell("Normal", "SuccessfulCreate", "Created virtual machine pod " + name_of(*made));
    step.pod = std::make_shared<const Json>(std::move(*made));
}

// The descheduler reads on the pod that its eviction is under way.
Status sync_eviction_mark(VmiStep& step) {
    const bool marked = has_annotation(*step.pod, kEvicting);
    if (marked == is_marked_for_eviction(*step.vmi)) return Done{};
    const auto path = "/metadata/annotations/" + pointer_escaped(kEvicting);
    const Json operations{marked ? operation("remove", path, nullptr)
                                 : operation("add", path, "kubevirt")};
    auto patched = json_patch(step.cluster, kPods, key_of(*step.pod), operations);
    if (!patched.ok()) {
        step.trouble = {"FailedPodPatch", server_words(patched.error())};
        return patched.error();
    }
    step.pod = std::make_shared<const Json>(std::move(*patched));
    return Done{};
}

Status act(VmiStep& step) {
    if (is_deleting(*step.vmi)) return delete_launchers(step);
    if (is_final(*step.vmi)) return Done{};
    if (!step.pod) {
        create_launcher(step);
        if (!step.trouble) return Done{};
        return Error{ErrorKind::invalid, step.trouble->message, ""};
    }
    if (is_pod_ready(*step.pod)) return sync_eviction_mark(step);
    return Done{};
}

Status note_api_version(Cluster& cluster, const Json& vmi) {
    Json copy = vmi;
    copy["metadata"]["annotations"][std::string(kObserved)] = "v1";
    TRY(replace(cluster, kInstances, copy));
    return Done{};
}

class VmiController final : public Controller {
public:
    std::string_view name() const override { return "virtualmachine-controller"; }

    std::vector<WorkItem> concerned(const Change& change, const Store&) const override {
        if (change.resource == kInstances) return {{kInstances, change.key}};
        if (change.resource != kPods) return {};
        const Json* owner = controller_reference(*change.object);
        if (owner == nullptr || text(*owner, {"kind"}) != "VirtualMachineInstance") return {};
        return {{kInstances, {change.key.ns, text(*owner, {"name"})}}};
    }

    Result<std::optional<Duration>> sync(const WorkItem& item, Cluster& cluster) override {
        VmiStep step{cluster, cluster.objects.get(kInstances, item.key)};
        if (!step.vmi) return std::optional<Duration>{};
        if (!has_annotation(*step.vmi, kObserved)) {
            TRY(note_api_version(cluster, *step.vmi));
            return std::optional<Duration>{};
        }
        step.pod = current_launcher(cluster.objects, *step.vmi);
        const Status acted = act(step);
        TRY(update_vmi_status(step));
        TRY(acted);
        return std::optional<Duration>{};
    }
};

}  // namespace

std::unique_ptr<Controller> make_vmi_controller() {
    return std::make_unique<VmiController>();
}

}  // namespace lab
