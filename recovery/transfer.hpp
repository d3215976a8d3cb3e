// How far a running migration is, as virt-launcher's log and virt-handler's metrics tell it. Pure.
//
// Sources: kubevirt pkg/virt-launcher/virtwrap/live-migration-source.go (LogMigrationInfo) and
// pkg/monitoring/metrics/virt-handler/migrationdomainstats/migrationstats_collector.go, v1.9; the
// Prometheus text exposition format 0.0.4.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "facts/migration.hpp"

namespace recovery {

// No size or rate below is larger: readers may add them and take per cents.
constexpr std::int64_t kMostBytes = std::int64_t{1} << 53;

// What one line of the source launcher's log (container compute) tells.
struct LogNote {
    std::string migration_uid{};  // of "Migration info for UID"; else empty
    std::optional<facts::Transfer> transfer{};
    std::string message{};  // of lines that are no figures: changes of mode, errors of libvirt

    bool operator==(const LogNote&) const = default;
};

// nullopt: the line does not concern a migration, or cannot be understood. The time is the
// launcher's own, else the one that the kubelet put in front of the line. Units: the log's "MiB"
// are 2^20 bytes, its "Mbps" are 10^6 bits a second.
std::optional<LogNote> read_log_line(std::string_view line);

struct HandlerSample {
    std::string ns{};
    std::string vmi{};
    facts::Transfer transfer{};

    bool operator==(const HandlerSample&) const = default;
};

// Every VMI that the handler measures. One scrape holds several samples of a series: the newest
// timestamp counts. Lines that cannot be understood are passed over. `now` is the time of samples
// that carry none.
std::vector<HandlerSample> read_handler_metrics(
    std::string_view text, std::chrono::sys_time<std::chrono::milliseconds> now);

}  // namespace recovery
