// Machines, wires, launchers and running migrations, and the scripts of failure that act on them.
// Whatever follows from a failure follows by itself: a machine without power stops writing, one
// without network does not; a migration whose other side is gone breaks.
//
// Time comes from a clock; what has become due since the last call happens first, at the moment at
// which it was due. Not thread-safe: whoever holds the World's lock.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lab/hardware/launcher.hpp"
#include "lab/hardware/ledger.hpp"
#include "lab/hardware/machine.hpp"

namespace lab {

class Hardware {
public:
    using Clock = std::function<Instant()>;

    explicit Hardware(Clock clock) : clock_(std::move(clock)) {}

    // --- machines; unknown names are ignored or answered with nullptr
    void add_machine(const std::string& name);
    const Machine* machine(const std::string& name) const;
    void power_off(const std::string& node);
    void power_on(const std::string& node);  // with a new boot id, and nothing left of what ran
    void cut_from_api(const std::string& node);
    void reconnect_to_api(const std::string& node);
    void stop_kubelet(const std::string& node);
    void start_kubelet(const std::string& node);
    void stop_handler(const std::string& node);  // virt-handler; its launchers go on
    void start_handler(const std::string& node);

    // --- wires between machines
    void set_link(const std::string& one, const std::string& other, Link link);
    Link link(const std::string& one, const std::string& other) const;
    void cut(const std::string& one, const std::string& other);
    void mend(const std::string& one, const std::string& other);
    // The node from everything: the API server and all other machines.
    void isolate(const std::string& node);
    void rejoin(const std::string& node);
    bool reachable(const std::string& one, const std::string& other) const;

    // --- guests: what they do to their memory, by namespace/name
    void set_load(const std::string& vmi, Load load) { loads_[vmi] = load; }
    Load load(const std::string& vmi) const;

    // --- launchers, by the pod's uid
    void start_launcher(const std::string& pod_uid, const std::string& vmi, const std::string& node,
                        Duration patience = std::chrono::minutes(5));
    void start_guest(const std::string& pod_uid, std::vector<std::string> disks);
    void expect_guest(const std::string& pod_uid, std::vector<std::string> disks);
    void pause_guest(const std::string& pod_uid);
    void resume_guest(const std::string& pod_uid);
    // The process ends and with it QEMU: 0 in order, else the guest is lost.
    void end_launcher(const std::string& pod_uid, int exit_code);
    const Launcher* launcher(const std::string& pod_uid) { return find(pod_uid); }

    // --- migrations, by the migration's uid; both launchers must be there
    void migrate(const std::string& uid, const std::string& source_pod,
                 const std::string& target_pod, const PrecopySettings& settings,
                 const JobScript& script);
    // False where there is nothing to abort, or the guest's memory is on both sides.
    bool abort_migration(const std::string& uid);
    // One that was told never to end: its memory is through after `rest` from now.
    void let_go(const std::string& uid, Duration rest);
    const MigrationJob* job(const std::string& uid);
    // Of the launcher, oldest first.
    std::vector<const MigrationJob*> jobs_from(const std::string& source_pod);

    // Those that run now, from this node.
    std::vector<const MigrationJob*> jobs_on(const std::string& node);
    // Whose guest runs on this node.
    std::vector<const Launcher*> guests_on(const std::string& node);

    const Ledger& ledger();

private:
    using Pair = std::pair<std::string, std::string>;

    void settle();
    void settle(MigrationJob& job, Instant now);
    void give_up(Instant now);
    void mark_broken(Instant now);
    void complete(MigrationJob& job, Instant at);
    void fail(MigrationJob& job, Instant at, const std::string& text);
    void split(MigrationJob& job, Instant at);
    void enter(MigrationJob& job, JobMode mode, Instant at);
    void set_qemu(Launcher& launcher, QemuState state, Instant at);
    void lose(Launcher& launcher, Instant at);
    void note(GuestEvent event, const Launcher& launcher, Instant at);
    Launcher* find(const std::string& pod_uid);
    Machine* find_machine(const std::string& name);

    Clock clock_;
    std::map<std::string, Machine> machines_{};
    std::map<Pair, Link> links_{};
    std::set<Pair> cuts_{};
    std::set<std::string> isolated_{};
    std::map<std::string, Load> loads_{};
    std::map<std::string, Launcher> launchers_{};
    std::map<std::string, MigrationJob> jobs_{};
    std::set<std::string> running_{};  // jobs that may still go on
    // Launchers that have had no guest yet, by when they give up. There may be thousands.
    std::set<std::pair<Instant, std::string>> waiting_{};
    Ledger ledger_{};
    int boots_ = 0;
};

}  // namespace lab
