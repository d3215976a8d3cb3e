#include "cli/environment.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <istream>
#include <ostream>
#include <random>
#include <stop_token>
#include <streambuf>
#include <system_error>
#include <thread>
#include <vector>

#include "cli/files.hpp"

namespace cli {

namespace {

using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Result;

std::string reason(int error) {
    return std::strerror(error);
}

// A descriptor that closed standard streams would otherwise hand to the first file or socket, so
// that results end up there. Reading it gives nothing, writing it fails.
void keep_standard_descriptors() {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF) {
            // The lowest free descriptor is this one, as those below are open.
            [[maybe_unused]] const int opened = open("/dev/null", O_RDONLY);
        }
    }
}

// Waits until there is something to read, and gives up when asked to stop. A tenth of a second is
// how late a signal may be noticed.
bool wait_readable(int fd, const std::stop_token& stop) {
    constexpr int slice = 100;
    while (!stop.stop_requested()) {
        pollfd entry{fd, POLLIN, 0};
        const int ready = poll(&entry, 1, slice);
        if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
    }
    return false;
}

// As read(2), but gives up, with ECANCELED, when asked to stop.
ssize_t read_some(int fd, char* buffer, std::size_t size, const std::stop_token& stop) {
    while (wait_readable(fd, stop)) {
        const ssize_t count = read(fd, buffer, size);
        if (count >= 0 || (errno != EINTR && errno != EAGAIN)) return count;
    }
    errno = ECANCELED;
    return -1;
}

Error unreadable(const std::string& path, int error) {
    const bool absent = error == ENOENT || error == ENOTDIR;
    return Error{absent ? ErrorKind::not_found : ErrorKind::config,
                 "reading " + path + ": " + reason(error)};
}

Result<std::string> read_all(int fd, const std::string& path, const std::stop_token& stop) {
    constexpr std::size_t most = std::size_t{1} << 28;
    std::string text;
    std::array<char, 1 << 16> buffer{};
    while (true) {
        const ssize_t count = read_some(fd, buffer.data(), buffer.size(), stop);
        if (count == 0) return text;
        if (count < 0 && errno == ECANCELED) return Error{ErrorKind::canceled, "interrupted"};
        if (count < 0) return unreadable(path, errno);
        text.append(buffer.data(), static_cast<std::size_t>(count));
        if (text.size() > most) {
            return Error{ErrorKind::config, "reading " + path + ": larger than 256 MiB"};
        }
    }
}

Result<std::string> read_file(const std::string& path, const std::stop_token& stop) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return unreadable(path, errno);
    auto text = read_all(fd, path, stop);
    close(fd);
    return text;
}

// A folder that cannot be read is an error: what it holds must not be missed in silence.
Result<std::vector<std::string>> list_files(const std::string& path) {
    namespace fs = std::filesystem;
    std::error_code error;
    const auto status = fs::status(path, error);
    if (status.type() == fs::file_type::not_found) return unreadable(path, ENOENT);
    if (error) return unreadable(path, error.value());
    if (status.type() != fs::file_type::directory) return std::vector<std::string>{path};
    std::vector<std::string> files;
    fs::recursive_directory_iterator entry(path, error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
        std::error_code dangling;
        const auto type = entry->status(dangling).type();  // a link to a file counts as the file
        if (type == fs::file_type::regular) files.push_back(entry->path().string());
    }
    if (error) return unreadable(path, error.value());
    std::sort(files.begin(), files.end());
    return files;
}

class InputBuffer : public std::streambuf {
public:
    InputBuffer(int fd, std::stop_token stop) : fd_(fd), stop_(std::move(stop)) {}

protected:
    int_type underflow() override {
        const ssize_t count = read_some(fd_, buffer_.data(), buffer_.size(), stop_);
        if (count <= 0) return traits_type::eof();
        setg(buffer_.data(), buffer_.data(), buffer_.data() + count);
        return traits_type::to_int_type(*gptr());
    }

private:
    int fd_;
    std::stop_token stop_;
    std::array<char, 1 << 16> buffer_{};
};

// Remembers why writing failed, which std::filebuf does not.
class OutputBuffer : public std::streambuf {
public:
    explicit OutputBuffer(int fd) : fd_(fd) {
        setp(buffer_.data(), buffer_.data() + buffer_.size());
    }

    int error() const { return error_; }

protected:
    int sync() override {
        const char* next = pbase();
        while (error_ == 0 && next < pptr()) {
            const ssize_t count = write(fd_, next, static_cast<std::size_t>(pptr() - next));
            if (count >= 0) {
                next += count;
            } else if (errno == EAGAIN) {
                pollfd entry{fd_, POLLOUT, 0};
                poll(&entry, 1, -1);
            } else if (errno != EINTR) {
                error_ = errno;
            }
        }
        setp(buffer_.data(), buffer_.data() + buffer_.size());
        return error_ == 0 ? 0 : -1;
    }

    int_type overflow(int_type c) override {
        if (sync() != 0) return traits_type::eof();
        if (!traits_type::eq_int_type(c, traits_type::eof())) sputc(traits_type::to_char_type(c));
        return traits_type::not_eof(c);
    }

private:
    int fd_;
    int error_ = 0;
    std::array<char, 1 << 16> buffer_{};
};

// One thread that waits for SIGINT and SIGTERM, blocked everywhere else.
class Signals {
public:
    Signals() {
        std::signal(SIGPIPE, SIG_IGN);
        sigemptyset(&set_);
        sigaddset(&set_, SIGINT);
        sigaddset(&set_, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &set_, nullptr);
        thread_ = std::jthread([this] { wait(); });
    }

    ~Signals() {
        closing_ = true;
        pthread_kill(thread_.native_handle(), SIGTERM);
    }

    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    std::stop_token stop() const { return stop_.get_token(); }
    int received() const { return received_; }

private:
    void wait() {
        while (true) {
            int signal = 0;
            sigwait(&set_, &signal);
            if (closing_) return;
            if (received_ != 0) _exit(128 + signal);
            received_ = signal;
            stop_.request_stop();
        }
    }

    sigset_t set_{};
    std::stop_source stop_;
    std::atomic<int> received_ = 0;
    std::atomic<bool> closing_ = false;
    std::jthread thread_;  // last: joined before the rest goes away
};

std::optional<std::string> variable(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

winsize terminal_size() {
    winsize size{};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size : winsize{};
}

std::string draw_unique() {
    constexpr std::string_view digits = "abcdefghijklmnopqrstuvwxyz0123456789";
    std::random_device random;
    std::string text;
    for (int i = 0; i < 8; ++i) text += digits[random() % digits.size()];
    return text;
}

}  // namespace

Terminal describe_terminal(
    bool is_terminal, int columns,
    const std::function<std::optional<std::string>(const std::string&)>& variable) {
    Terminal result;
    if (!is_terminal) return result;
    const std::string wanted = variable("COLUMNS").value_or("");
    int width = 0;
    std::from_chars(wanted.data(), wanted.data() + wanted.size(), width);
    if (width <= 0) width = columns;
    if (width > 0) result.width = width;
    // https://no-color.org: present and not empty.
    result.colour = variable("NO_COLOR").value_or("").empty() && variable("TERM") != "dumb";
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const std::string locale = variable(name).value_or("");
        if (locale.empty()) continue;
        result.unicode = locale.ends_with("UTF-8") || locale.ends_with("utf8") ||
                         locale.ends_with("utf-8") || locale.ends_with("UTF8");
        break;
    }
    return result;
}

struct Process::State {
    Signals signals{};
    InputBuffer in_buffer{STDIN_FILENO, signals.stop()};
    OutputBuffer out_buffer{STDOUT_FILENO};
    OutputBuffer err_buffer{STDERR_FILENO};
    std::istream in{&in_buffer};
    std::ostream out{&out_buffer};
    std::ostream err{&err_buffer};
    commands::Environment environment{.io = {in, out, err}};
};

Process::Process() {
    keep_standard_descriptors();
    state_ = std::make_unique<State>();
    state_->err.tie(&state_->out);
    state_->err << std::unitbuf;
    auto& environment = state_->environment;
    const std::stop_token stop = state_->signals.stop();
    environment.stop = stop;
    environment.interruption = [this] {
        return state_->signals.received() == SIGTERM ? commands::ExitCode::terminated
                                                     : commands::ExitCode::interrupted;
    };
    environment.system.env = variable;
    // Of the moment: a command that cleans up after an interruption reads on.
    environment.system.read_file = [&environment](const std::string& path) {
        return read_file(path, environment.stop);
    };
    environment.system.list_files = list_files;
    environment.files = make_files(environment.system);
    environment.system.now = [] { return std::chrono::system_clock::now(); };
    environment.system.stdin_is_terminal = isatty(STDIN_FILENO) == 1;

    auto& io = environment.io;
    io.out_is_terminal = isatty(STDOUT_FILENO) == 1;
    const auto size = terminal_size();
    const auto terminal = describe_terminal(io.out_is_terminal, size.ws_col, variable);
    if (size.ws_row > 0) io.height = size.ws_row;
    io.redraws = io.out_is_terminal && variable("TERM").value_or("dumb") != "dumb";
    environment.unique = draw_unique;
    io.width = terminal.width;
    io.colour = terminal.colour;
    io.unicode = terminal.unicode;
}

Process::~Process() = default;

commands::Environment& Process::environment() {
    return state_->environment;
}

int Process::finish(commands::ExitCode code) {
    using commands::ExitCode;
    state_->out.flush();
    state_->err.flush();
    const int error = state_->out_buffer.error();
    if (error != 0 && error != EPIPE) {
        state_->err << "error: writing standard output: " << reason(error) << '\n';
        code = ExitCode::error;
    }
    if (code == ExitCode::interrupted && state_->signals.received() == SIGTERM) {
        code = ExitCode::terminated;
    }
    return static_cast<int>(code);
}

}  // namespace cli
