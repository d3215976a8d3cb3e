// The process as it really is: streams, files, variables, clock, terminal, signals. With files.cpp
// the only place that touches them; everything else gets a commands::Environment.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "commands/environment.hpp"

namespace cli {

// How to print for people.
struct Terminal {
    int width = 80;
    bool colour = false;
    bool unicode = false;

    bool operator==(const Terminal&) const = default;
};

// `columns` is what the terminal says of itself, 0 when it does not. Off a terminal everything is
// plain. $COLUMNS wins over the terminal, NO_COLOR and TERM=dumb take colour away, LC_ALL, LC_CTYPE
// and LANG say whether it is UTF-8.
Terminal describe_terminal(
    bool is_terminal, int columns,
    const std::function<std::optional<std::string>(const std::string&)>& variable);

// One per program, made first thing in main() and before any thread, because it blocks SIGINT and
// SIGTERM for all of them. The first such signal asks the command to stop, the second ends the
// program at once. Writing to a closed pipe is an error like others, not a signal.
class Process {
public:
    Process();
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    commands::Environment& environment();

    // Writes what is still held back and says how the program ends: with `code`, except that
    // "interrupted" becomes "terminated" after SIGTERM, and that output which could not be written
    // is an error, unless the reader simply went away (`| head`).
    int finish(commands::ExitCode code);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace cli
