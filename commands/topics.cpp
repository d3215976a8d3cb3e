#include "commands/topics.hpp"

#include <algorithm>
#include <array>

namespace commands {

namespace {

// Sources: kubevirt pkg/virt-api/rest/lifecycle.go (what stop and start write for each run
// strategy), pkg/virt-controller/watch/vm/vm.go (what each run strategy does with an instance that
// ended), staging/src/kubevirt.io/api/core/v1/types.go (the fields), v1.9; Kubernetes
// pkg/controller/volume/attachdetach (attach follows detach).
constexpr std::array cold_migration{
    TopicSection{"What it is",
                 "The virtual machine is shut down and started again, and the start may happen on "
                 "another node. Nothing is copied from node to node: the disks are let go by the "
                 "old node and taken by the new one. The VirtualMachine stays; its "
                 "VirtualMachineInstance and its pod are new.",
                 ""},
    TopicSection{"When it is the only way",
                 "When preflight names a blocker that no setting takes away: a disk that one node "
                 "at a time may have (ReadWriteOnce, a local volume), a device of the host that is "
                 "passed through, a bridge on the pod network, no other node with a fitting CPU. "
                 "Also when the instance still has an old launcher or old settings that only a new "
                 "start renews (condition RestartRequired).",
                 ""},
    TopicSection{"How: virtctl",
                 "virtctl stop shuts the guest down, and cuts it off when "
                 "spec.template.spec.terminationGracePeriodSeconds are over. Under runStrategy "
                 "Always it writes Halted (or spec.running: false, where that is used), so nothing "
                 "starts it by itself; under Manual it asks for this one stop and leaves the spec "
                 "alone. virtctl start reverses it. Wait for the end of the instance in between. "
                 "To keep the virtual machine off its old node, cordon that node first.",
                 "kubectl cordon OLD-NODE\n"
                 "virtctl stop web\n"
                 "kubectl wait --for=delete vmi/web --timeout=10m\n"
                 "virtctl start web\n"
                 "kubectl get vmi web -o wide\n"
                 "kubectl uncordon OLD-NODE\n"},
    TopicSection{"How: kubectl alone",
                 "See first which of the two fields is used; the server refuses both at once. "
                 "spec.runStrategy: Halted stops the guest and keeps it stopped; Always starts it "
                 "and starts it again whenever it ends; RerunOnFailure starts it, and again only "
                 "after a failure. Write back what was there. spec.running is the older field: "
                 "false is Halted, true is Always. Under Manual neither starts nor stops "
                 "anything by itself: use virtctl. Where a tool such as a GitOps controller owns "
                 "the object, change it there, or it is written back.",
                 "kubectl get vm web -o jsonpath='{.spec.runStrategy}{.spec.running}'\n"
                 "kubectl patch vm web --type=merge -p '{\"spec\":{\"runStrategy\":\"Halted\"}}'\n"
                 "kubectl wait --for=delete vmi/web --timeout=10m\n"
                 "kubectl patch vm web --type=merge -p '{\"spec\":{\"runStrategy\":\"Always\"}}'\n"
                 "# where spec.running is used:\n"
                 "kubectl patch vm web --type=merge -p '{\"spec\":{\"running\":false}}'\n"
                 "kubectl patch vm web --type=merge -p '{\"spec\":{\"running\":true}}'\n"},
    TopicSection{"What it costs",
                 "All that is only in memory is lost, and so is the guest's uptime and every "
                 "connection. It is down from the shutdown until it has booted, which takes "
                 "minutes rather than the moment of a live migration. What was written to "
                 "containerDisk, ephemeral and emptyDisk volumes is lost.",
                 ""},
    TopicSection{"The disks",
                 "A ReadWriteOnce claim moves by detach and attach: the new pod waits until the "
                 "old node has let go. If the old node does not answer, that does not happen by "
                 "itself, and the pod stays in ContainerCreating with a Multi-Attach error. A "
                 "local volume does not move at all: the virtual machine starts on its node or not "
                 "at all.",
                 "kubectl get volumeattachments\n"},
    TopicSection{"Where it comes up",
                 "On any node that fits, as the scheduler chooses: also on the old one, unless it "
                 "is cordoned. Where no node fits, the virtual machine stays down. The pod's "
                 "address may change: Services follow by themselves, what has noted the address "
                 "down does not.",
                 ""},
    TopicSection{"Not for an instance alone",
                 "A VirtualMachineInstance without a VirtualMachine cannot be started again: once "
                 "deleted, it is gone, and must be made anew from its definition.",
                 "kubectl get vmi web -o jsonpath='{.metadata.ownerReferences}'\n"},
};

constexpr std::array topics{
    Topic{"cold-migration", "Move a virtual machine by stop and start", cold_migration},
};

bool same_letters(std::string_view a, std::string_view b) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::span<const Topic> all_topics() {
    return topics;
}

const Topic* find_topic(std::string_view name) {
    const auto found = std::find_if(topics.begin(), topics.end(), [&](const Topic& topic) {
        return same_letters(topic.name, name);
    });
    return found == topics.end() ? nullptr : &*found;
}

}  // namespace commands
