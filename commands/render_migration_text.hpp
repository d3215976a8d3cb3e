// What is said of migrations to people: a line for everything that happens, a block that is
// drawn anew on a terminal, a summary. Pure.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "commands/text.hpp"
#include "recovery/course.hpp"
#include "recovery/report.hpp"

namespace commands {

struct MigrationStyle {
    int width = 0;  // of a terminal, for lines that are drawn anew; 0: never cut
    bool colour = false;
};

// "04:45:50Z prod/web  Running  node-1 -> node-2, copying memory" with its line break, and a second
// line with the next command where there is one.
std::string render_event_line(const recovery::MigrationEvent& event, const MigrationStyle& style);

// How one migration stands now, in one line: for the heartbeat.
std::string render_standing(const recovery::Course& course, recovery::Instant now,
                            const MigrationStyle& style);

// Two lines for each migration, cut to the width; at most `rows` lines in all, then how many more
// there are.
std::vector<std::string> render_block(const std::vector<const recovery::Course*>& courses,
                                      recovery::Instant now, const MigrationStyle& style, int rows);

// "2 succeeded, 1 failed", and a table of all items where there are several. Empty for one item.
std::string render_migration_summary(const recovery::MigrationReport& report,
                                     const MigrationStyle& style);

}  // namespace commands
