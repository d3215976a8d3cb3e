// `migrate` and `cancel` played whole in a lab in this process, by the lab's clock: what they say,
// what they send, and what is so in the lab afterwards.
#pragma once

#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "commands/environment.hpp"
#include "commands/migration_options.hpp"
#include "kubeclient/json.hpp"
#include "lab/api/store.hpp"
#include "tests/unit/support/lab_cluster.hpp"

namespace support {

// For CHECK(text == Contains("part")): a failure shows both.
struct Contains {
    explicit Contains(std::string words) : part(std::move(words)) {}
    friend bool operator==(const std::string& text, const Contains& wanted) {
        return text.find(wanted.part) != std::string::npos;
    }
    friend std::ostream& operator<<(std::ostream& out, const Contains& wanted) {
        return out << "a text with: " << wanted.part;
    }

    std::string part{};
};

// What becomes of a write on its way to the server.
enum class Fate {
    answered,
    lost_before,  // it takes no effect, and nobody knows
    lost_after,   // it takes effect, and the reply is lost
    refused,      // 500, without effect
};

// Namespace prod; nodes node-1 to node-3 and machines vm-1, vm-2, … round robin on them.
class Played {
public:
    using Texts = std::vector<std::string>;

    explicit Played(std::string_view scenario = "healthy", const lab::ClusterSize& size = {});

    // --- the command under test; its exit code
    int migrate(const commands::MigrateOptions& options);
    int migrate(const Texts& vms);
    int cancel(const commands::CancelOptions& options);
    int cancel(const Texts& vms);
    // What was said since the last call; suffixes of pods and uids are "*".
    std::string out();
    std::string err();
    // Every write that was sent, in order: "POST virtualmachineinstancemigrations".
    Texts writes{};
    Texts bodies{};
    // How the next writes fare; after these all are answered.
    std::vector<Fate> fates{};
    commands::Environment environment;

    // --- what happens meanwhile
    // Once, as soon as a migration of the VM is in this phase and somebody waits.
    void on_phase(const std::string& vm, const std::string& phase, std::function<void()> what);
    // So long from now, likewise.
    void in(lab::Duration time, std::function<void()> what);
    // Lets time pass until a migration of the VM is in this phase.
    void until_phase(const std::string& vm, const std::string& phase);
    void advance(lab::Duration time) { cluster.world().advance(time); }
    // The wires between all nodes, in bytes/s; the guest writes to all its memory without end.
    void slow_wires(std::int64_t bandwidth);
    void make_busy(const std::string& vm);
    void delete_target(const std::string& vm);
    void delete_vm(const std::string& vm);
    void taint(const std::string& node, const std::string& key);
    void evict(const std::string& vm);  // asks once, as `kubectl drain` does
    void patch_vmi(const std::string& vm, const kubeclient::Json& patch);

    // --- what is so
    Texts migrations(const std::string& vm);  // as the API tells them: "name phase"
    kubeclient::Json vmi(const std::string& vm);
    Texts runs_on(const std::string& vm);    // where its QEMU really runs
    Texts launchers(const std::string& vm);  // that have not ended: their nodes
    Texts attached(const std::string& vm);   // where its disk is attached
    std::string target_pod(const std::string& vm);
    bool two_wrote();
    bool lost(const std::string& vm);
    // Everything of the VM is on the node and nothing of it elsewhere: its guest, its launcher, its
    // disk's attachment; that disk never had two writers, and the guest was never lost. "" or what
    // is wrong.
    std::string unsettled(const std::string& vm, const std::string& node);

    LabCluster cluster;

private:
    class Wire;
    struct OnPhase {
        std::string vm{};
        std::string phase{};
        std::function<void()> what{};
    };

    void connect_environment();
    void look_at_phases();
    bool is_in_phase(const std::string& vm, const std::string& phase);

    std::istringstream in_{};
    std::ostringstream out_{};
    std::ostringstream err_{};
    int drawn_ = 0;
    std::vector<OnPhase> on_phase_{};
    lab::Instant begun_{};
};

}  // namespace support
