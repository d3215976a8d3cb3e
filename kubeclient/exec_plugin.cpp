#include "kubeclient/exec_plugin.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>

namespace kubeclient {
namespace {

using Clock = std::chrono::steady_clock;
using Deadline = std::optional<Clock::time_point>;

Error failed(const std::string& what) {
    return {ErrorKind::config, "exec: " + what};
}

std::string reason(int error_number) {
    return std::generic_category().message(error_number);
}

class FileDescriptor {
public:
    explicit FileDescriptor(int number) : number_(number) {}
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    ~FileDescriptor() { close(); }
    int number() const { return number_; }
    void close() {
        if (number_ >= 0) ::close(number_);
        number_ = -1;
    }

private:
    int number_;
};

// What happens in the child between fork and exec.
class SpawnSetup {
public:
    SpawnSetup(PluginInput input, int output) {
        posix_spawn_file_actions_init(&actions_);
        posix_spawnattr_init(&attributes_);
        if (input == PluginInput::none) {
            posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        }
        posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
        posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
        // We ignore SIGPIPE and threads may block signals; a plugin expects neither.
        sigset_t defaults;
        sigset_t blocked;
        sigemptyset(&defaults);
        sigaddset(&defaults, SIGPIPE);
        sigemptyset(&blocked);
        posix_spawnattr_setsigdefault(&attributes_, &defaults);
        posix_spawnattr_setsigmask(&attributes_, &blocked);
        // A group of its own, so that all of it can be ended; but whoever asks a person stays in
        // ours, or the terminal would stop it.
        int flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
        if (input == PluginInput::none) flags |= POSIX_SPAWN_SETPGROUP;
        posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
    }
    SpawnSetup(const SpawnSetup&) = delete;
    SpawnSetup& operator=(const SpawnSetup&) = delete;
    ~SpawnSetup() {
        posix_spawn_file_actions_destroy(&actions_);
        posix_spawnattr_destroy(&attributes_);
    }
    const posix_spawn_file_actions_t* actions() const { return &actions_; }
    const posix_spawnattr_t* attributes() const { return &attributes_; }

private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

std::vector<std::string> environment_of(const PluginRun& run) {
    std::map<std::string, std::string> variables;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string text = *entry;
        const auto equals = text.find('=', 1);
        if (equals != std::string::npos) {
            variables[text.substr(0, equals)] = text.substr(equals + 1);
        }
    }
    for (const auto& [name, value] : run.environment) variables[name] = value;
    std::vector<std::string> entries;
    entries.reserve(variables.size());
    for (const auto& [name, value] : variables) entries.push_back(name + "=" + value);
    return entries;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    out.reserve(texts.size() + 1);
    for (auto& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

// The milliseconds that poll may wait; -1 for ever.
int remaining(const Deadline& deadline) {
    if (!deadline) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

bool has_passed(const Deadline& deadline) {
    return deadline && Clock::now() >= *deadline;
}

Error timed_out(const PluginRun& run) {
    const auto limit = run.time_limit.value_or(std::chrono::milliseconds(0));
    const auto seconds = static_cast<double>(limit.count()) / 1000;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%g", seconds);
    return {ErrorKind::timeout,
            "exec: executable " + run.name + " did not finish within " + text.data() + "s"};
}

Result<std::string> read_output(int pipe, const PluginRun& run, const Deadline& deadline) {
    std::string output;
    std::array<char, 4096> buffer{};
    while (true) {
        pollfd waiting{pipe, POLLIN, 0};
        const int ready = poll(&waiting, 1, remaining(deadline));
        if (ready == 0 && has_passed(deadline)) return timed_out(run);
        if (ready <= 0) continue;  // a signal; if it was meant for the plugin, its end follows
        const auto count = read(pipe, buffer.data(), buffer.size());
        if (count == 0) return output;
        if (count < 0) {
            if (errno == EINTR) continue;
            return failed("reading from " + run.name + ": " + reason(errno));
        }
        output.append(buffer.data(), static_cast<std::size_t>(count));
        if (output.size() > run.most_output) {
            return failed("executable " + run.name + " printed more than " +
                          std::to_string(run.most_output) + " bytes");
        }
    }
}

Result<int> wait_for_exit(pid_t child, const PluginRun& run, const Deadline& deadline) {
    int status = 0;
    while (true) {
        // Its output has ended, so it is on its way out; only one with a deadline is watched.
        const pid_t seen = waitpid(child, &status, deadline ? WNOHANG : 0);
        if (seen == child) return status;
        if (seen < 0 && errno != EINTR) {
            return failed("waiting for " + run.name + ": " + reason(errno));
        }
        if (has_passed(deadline)) return timed_out(run);
        if (seen == 0) poll(nullptr, 0, std::min(remaining(deadline), 5));
    }
}

Status judge(int status, const PluginRun& run) {
    // A script ends with 128 + SIGINT when what it ran was interrupted.
    if ((WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) ||
        (WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGINT)) {
        return Error{ErrorKind::canceled, "exec: executable " + run.name + " was interrupted"};
    }
    if (WIFSIGNALED(status)) {
        const int signal = WTERMSIG(status);
        return failed("executable " + run.name + " was ended by signal " + std::to_string(signal) +
                      " (" + strsignal(signal) + ")");
    }
    if (WEXITSTATUS(status) != 0) {
        return failed("executable " + run.name + " failed with exit code " +
                      std::to_string(WEXITSTATUS(status)));
    }
    return Done{};
}

bool is_executable(const std::string& path) {
    struct stat facts {};
    return stat(path.c_str(), &facts) == 0 && !S_ISDIR(facts.st_mode) &&
           access(path.c_str(), X_OK) == 0;
}

}  // namespace

Result<std::string> find_program(const std::string& name, const std::string& path_variable) {
    const Error absent{ErrorKind::not_found, "exec: executable " + name + " not found"};
    if (name.find('/') != std::string::npos) {
        if (!is_executable(name)) return absent;
        std::error_code ignored;
        return std::filesystem::absolute(name, ignored).lexically_normal().string();
    }
    for (std::size_t start = 0; !name.empty() && start <= path_variable.size();) {
        const auto end = std::min(path_variable.find(':', start), path_variable.size());
        const auto folder = path_variable.substr(start, end - start);
        start = end + 1;
        const auto path = (folder.empty() ? "." : folder) + "/" + name;
        if (!is_executable(path)) continue;
        if (!folder.starts_with('/')) {
            return failed("\"" + name +
                          "\": cannot run executable found relative to current "
                          "directory");
        }
        return std::filesystem::path(path).lexically_normal().string();
    }
    return absent;
}

Result<std::string> run_plugin(const PluginRun& run) {
    Deadline deadline;
    if (run.time_limit) deadline = Clock::now() + *run.time_limit;
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return failed("pipe: " + reason(errno));
    FileDescriptor output(ends[0]);
    FileDescriptor input(ends[1]);
    std::vector<std::string> arguments{run.name};
    arguments.insert(arguments.end(), run.arguments.begin(), run.arguments.end());
    auto environment = environment_of(run);
    const SpawnSetup setup(run.input, input.number());
    pid_t child = 0;
    const int problem =
        posix_spawn(&child, run.program.c_str(), setup.actions(), setup.attributes(),
                    pointers(arguments).data(), pointers(environment).data());
    if (problem != 0) return failed("fork/exec " + run.program + ": " + reason(problem));
    input.close();
    auto text = read_output(output.number(), run, deadline);
    auto exit = text.ok() ? wait_for_exit(child, run, deadline) : Result<int>(text.error());
    if (!exit.ok()) {
        kill(run.input == PluginInput::none ? -child : child, SIGKILL);
        while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
        }
        return exit.error();
    }
    TRY(judge(*exit, run));
    return text;
}

}  // namespace kubeclient
