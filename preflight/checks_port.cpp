// Ports 49152 and 49153: what the documentation says, and when it is true.
#include <algorithm>
#include <array>

#include "preflight/checks.hpp"
#include "preflight/question.hpp"

namespace preflight {
namespace {

constexpr std::array<std::int64_t, 3> migration_ports{22222, 49152, 49153};

std::vector<std::string> colliding_ports(const facts::Guest& guest) {
    std::vector<std::string> ports;
    for (const auto& interface : guest.interfaces) {
        if (interface.binding != facts::Binding::masquerade) continue;
        for (const auto port : interface.ports) {
            const bool collides = std::find(migration_ports.begin(), migration_ports.end(), port) !=
                                  migration_ports.end();
            if (collides) ports.push_back(std::to_string(port));
        }
    }
    return ports;
}

std::vector<Finding> check_ports(const Question& question) {
    const auto ports = colliding_ports(question.judged.guest);
    if (question.judged.life == Life::unread) {
        return {
            unknown(question.machine(), "status.migrationTransport", {question.judged.life_gap})};
    }
    const bool sockets =
        !question.judged.running() || question.judged.vmi->migration_transport == "Unix";
    if (sockets) {
        const std::string listed =
            ports.empty() ? "" : "; the listed ports " + join(ports) + " do no harm";
        return {passed(question.machine(), "migration runs over unix sockets" + listed)};
    }
    if (ports.empty()) {
        return {passed(question.machine(),
                       "an old launcher, but no masquerade port collides with the migration")};
    }
    return {warned(question.machine(),
                   "status.migrationTransport is not Unix, and masquerade forwards " + join(ports),
                   "ports 22222, 49152 and 49153 not forwarded to the guest",
                   "a launcher without the unix sockets receives the migration on these ports, and "
                   "masquerade may hand the traffic to the guest",
                   {"stop and start the VM once, so that it gets a current launcher, or take the "
                    "ports off the list",
                    {}})};
}

constexpr std::array<Check, 1> rows{{
    {"PORT-001", "migration-ports-free", "Migration ports do not collide with the guest's",
     Severity::warning,
     "Looks at status.migrationTransport and at the ports that masquerade interfaces list.",
     "The user guide asks to keep 49152 and 49153 free in the launcher pod. That is true only for "
     "launchers whose transport is not Unix, as those of early releases. Else the two numbers are "
     "names of unix sockets, and on the wire the virt-handlers talk to each other on random TCP "
     "ports.",
     "Nothing, where the transport is Unix. Else stop and start the VM to get a current launcher.",
     "kubevirt pkg/virt-handler/migration-proxy; pkg/network/netbinding masquerade.go",
     check_ports},
}};

}  // namespace

std::span<const Check> port_checks() {
    return rows;
}

}  // namespace preflight
