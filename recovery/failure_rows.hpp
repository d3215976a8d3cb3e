// What KubeVirt, libvirt and Kubernetes say of a migration that failed, and what it means: the
// tables of failure.cpp. Constants only; a cause that is empty is told by the code.
//
// Sources: kubevirt pkg/virt-controller/watch/migration/migration.go (FailedMigration),
// pkg/virt-launcher/virtwrap/live-migration-source.go (limits and aborts), v1.9; libvirt 9 to 11
// (src/qemu/qemu_migration.c, src/cpu); kubelet and kube-scheduler 1.36 (reasons of events).
#pragma once

#include <span>
#include <string_view>

namespace recovery {

// Where to look next.
enum class Look {
    again,
    events,
    handlers,
    kubevirt,
    launcher_image,
    limits,
    migrations,
    preflight,
    pod,
    quota,
    security,
    source_log,
    vm,
};

enum class Depth {
    cause,
    symptom,  // something else may tell why
    abort,    // of somebody who asked for it, or of a limit
};

// A text that contains `pattern`. Of a table, the first row that fits counts.
struct ReasonRow {
    std::string_view pattern;
    std::string_view cause;
    Look look;
    Depth depth = Depth::cause;
};

// How far the migration came: later, what was told before is over.
enum class Until { always, pod_exists, pod_ready };

struct EventRow {
    std::string_view kind;    // of the object
    std::string_view reason;  // of the Event
    std::string_view pattern;
    std::string_view cause;
    Look look;
    Until until = Until::always;
};

// failureReason of the VMI.
std::span<const ReasonRow> reason_rows();
// The target pod's own trouble, which begins with `pattern`.
std::span<const ReasonRow> trouble_rows();
// The guest is not there any more, or may not be.
std::span<const EventRow> guest_rows();
// In the order in which they explain one another.
std::span<const EventRow> event_rows();
// That the target pod ended, or was ended, and nothing of why.
std::span<const EventRow> end_rows();

}  // namespace recovery
