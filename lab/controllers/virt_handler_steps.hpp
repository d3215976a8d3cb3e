// What a virt-handler does about one VMI, as steps: each looks at the VMI and the hardware, acts on
// the hardware, and says what is to be written. At most one write at a time, as in the recordings.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/api/store.hpp"
#include "lab/hardware/hardware.hpp"

namespace lab {

struct Surroundings {
    const Store& objects;
    Hardware& hardware;
    Instant now;

    bool handler_works(const std::string& node) const;
    // The uid of a pod of the VMI's namespace; empty: there is none.
    std::string pod_uid(const Json& vmi, const std::string& pod) const;
    std::string time() const;  // as Kubernetes writes it
};

struct ToldEvent {
    std::string type{};
    std::string reason{};
    std::string message{};
};

struct HandlerStep {
    std::shared_ptr<Json> vmi{};      // to be stored; null: nothing to write
    std::vector<ToldEvent> before{};  // events told before the write, and after it
    std::vector<ToldEvent> after{};
    std::optional<Duration> again{};  // look again although nothing changes
};

constexpr Duration kHandlerPoll = std::chrono::seconds(1);

// On the node that runs it: a scheduled guest is started, the end of one is reported.
HandlerStep run_guest(const Json& vmi, const Surroundings& around);
// Whether it can be migrated, by the rules that preflight has.
HandlerStep judge_guest(const Json& vmi, const Surroundings& around);
// A migration's source and target.
HandlerStep send_guest(const Json& vmi, const Surroundings& around);
HandlerStep receive_guest(const Json& vmi, const Surroundings& around);

// Brings conditions and migrationMethod up to date; false where they were.
bool write_migratability(Json& vmi, const Surroundings& around);

}  // namespace lab
