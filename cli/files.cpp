#include "cli/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

namespace cli {

namespace {

using commands::Existing;
using kubeclient::Done;
using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Result;
using kubeclient::Status;

constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;

Error failed(const std::string& path, int error) {
    return Error{ErrorKind::config, "writing " + path + ": " + std::strerror(error),
                 "give a path in a folder that exists and that you may write to"};
}

// Writes all of it and closes; the path is for the message.
Status fill(int fd, const std::string& path, const std::string& text) {
    std::size_t done = 0;
    int error = 0;
    while (error == 0 && done < text.size()) {
        const ssize_t count = write(fd, text.data() + done, text.size() - done);
        if (count >= 0) done += static_cast<std::size_t>(count);
        if (count < 0 && errno != EINTR) error = errno;
    }
    if (close(fd) != 0 && error == 0) error = errno;
    if (error != 0) return failed(path, error);
    return Done{};
}

Status write_new(const std::string& path, const std::string& text) {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerOnly);
    if (fd < 0) return failed(path, errno);
    auto written = fill(fd, path, text);
    if (!written.ok()) unlink(path.c_str());
    return written;
}

// In one step: who reads it meanwhile sees the old text or the new one.
Status replace(const std::string& path, const std::string& text) {
    std::string fresh = path + ".XXXXXX";
    const int fd = mkostemp(fresh.data(), O_CLOEXEC);  // readable by the owner alone
    if (fd < 0) return failed(path, errno);
    auto written = fill(fd, path, text);
    if (written.ok() && rename(fresh.c_str(), path.c_str()) != 0) written = failed(path, errno);
    if (!written.ok()) unlink(fresh.c_str());
    return written;
}

Result<std::string> make_folder(const std::string& parent, const std::string& prefix) {
    std::string path = parent + "/" + prefix + ".XXXXXX";
    if (mkdtemp(path.data()) == nullptr) {
        return Error{ErrorKind::config,
                     "making a folder in " + parent + ": " + std::strerror(errno)};
    }
    return path;
}

}  // namespace

commands::Files make_files(const kubeclient::System& system) {
    commands::Files files;
    files.make_folder = [env = system.env](const std::string& prefix) {
        const auto parent = env("TMPDIR").value_or("");
        return make_folder(parent.empty() ? "/tmp" : parent, prefix);
    };
    files.write = [](const std::string& path, const std::string& text, Existing existing) {
        return existing == Existing::replace ? replace(path, text) : write_new(path, text);
    };
    files.take_back = [](const std::string& path, const std::string& text) {
        std::ifstream file(path, std::ios::binary);
        const std::string there(std::istreambuf_iterator<char>(file), {});
        if (file && there == text) unlink(path.c_str());
    };
    files.remove_folder = [](const std::string& path) { rmdir(path.c_str()); };
    return files;
}

}  // namespace cli
