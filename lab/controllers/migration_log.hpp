// What virt-launcher writes into its log about migrations, and what virt-handler measures of them.
// Pure. Sources: kubevirt pkg/virt-launcher/virtwrap/live-migration-source.go (logMigrationInfo,
// startMonitor), kubevirt.io/client-go/log, pkg/monitoring/metrics/virt-handler.
#pragma once

#include <string>
#include <vector>

#include "lab/hardware/launcher.hpp"

namespace lab {

struct LogLine {
    Instant at{};
    std::string text{};

    bool operator==(const LogLine&) const = default;
};

// Whom a line is about.
struct LogSubject {
    std::string ns{};
    std::string name{};
    std::string uid{};
};

// "Migration info for UID: TimeElapsed:…" as of `at`; at the end of a migration its downtime.
std::string migration_info(const MigrationJob& job, Instant at);

// The lines of one migration up to now, each a JSON document: every four seconds its figures,
// changes of mode, the end.
std::vector<LogLine> migration_log(const MigrationJob& job, const LogSubject& about, Instant now);

struct Sample {
    Instant at{};
    Progress progress{};
};

// Every 5 s while it runs, and of those the newest ten.
std::vector<Sample> migration_samples(const MigrationJob& job, Instant now);

}  // namespace lab
