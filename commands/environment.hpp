// Everything a command takes from the world, handed in by reference. cli/environment.cpp makes the
// real one; tests make theirs. Not thread-safe: only the command's own thread writes to the
// streams.
#pragma once

#include <chrono>
#include <functional>
#include <iosfwd>
#include <memory>
#include <stop_token>
#include <string>

#include "commands/options.hpp"
#include "kubeclient/system.hpp"
#include "kubeclient/target.hpp"
#include "kubeclient/transport.hpp"
#include "recovery/follower.hpp"

namespace commands {

struct Streams {
    std::istream& in;
    std::ostream& out;  // data
    std::ostream& err;  // talk
    bool out_is_terminal = false;
    int width = 80;        // of the terminal; 80 elsewhere
    int height = 24;       // likewise
    bool redraws = false;  // a terminal that can move its cursor
    bool colour = false;   // a terminal, no NO_COLOR, TERM is not dumb
    bool unicode = false;  // a terminal with a UTF-8 locale; else ASCII marks
};

// A way to a cluster: where it leads, and the transport (retries and traces included).
struct Connection {
    kubeclient::Target target{};
    std::unique_ptr<kubeclient::Transport> transport{};
};

// The exit codes, the same for every output format (ARCHITECTURE.md, `options`, the manual page).
enum class ExitCode {
    done = 0,
    error = 1,
    usage = 2,
    blocked = 3,
    warnings = 4,
    timed_out = 5,
    failed_at_server = 6,
    partly_done = 7,
    outcome_unknown = 8,
    interrupted = 130,
    terminated = 143,
};

// What becomes of a file that is there already.
enum class Existing { refuse, replace };

// Files that a command makes; nobody but their owner may read them. Errors are of kind config and
// name the path.
struct Files {
    // A new folder among the temporary files, its name beginning with `prefix`.
    std::function<kubeclient::Result<std::string>(const std::string& prefix)> make_folder{};
    std::function<kubeclient::Status(const std::string& path, const std::string& text,
                                     Existing existing)>
        write{};
    // Removes the file if it still holds `text`, and the folder if it is empty. Does so even when
    // the command was asked to stop.
    std::function<void(const std::string& path, const std::string& text)> take_back{};
    std::function<void(const std::string& path)> remove_folder{};
};

struct Environment {
    Streams io;
    kubeclient::System system{};
    Files files{};
    std::stop_token stop{};
    // Pauses before a write is tried again; false: `stop` was asked for. Empty: by the real clock.
    std::function<bool(std::chrono::milliseconds, const std::stop_token& stop)> pause{};
    // How the program will end once it was asked to stop: interrupted or terminated.
    std::function<ExitCode()> interruption = [] { return ExitCode::interrupted; };
    // Eight characters out of [a-z0-9], drawn at random: for names that nobody else takes.
    std::function<std::string()> unique{};
    std::function<std::unique_ptr<recovery::Follower>(kubeclient::Api&, recovery::FollowScope)>
        follow = recovery::follow_cluster;
    std::string program = "virt-handoff";  // how the user called it: "kubectl virt-handoff"
    // Lazy: verbs that need no cluster never call it.
    std::function<kubeclient::Result<Connection>(const ConnectionOptions&)> connect{};
};

}  // namespace commands
