#include "kubeclient/system_authorities.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <vector>

namespace kubeclient {
namespace {

constexpr std::array kFiles{"/etc/ssl/certs/ca-certificates.crt",
                            "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
                            "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
                            "/etc/ssl/cert.pem"};
constexpr std::array kFolders{"/etc/ssl/certs", "/etc/pki/tls/certs"};

std::vector<std::string> files_in(const std::string& folder) {
    std::vector<std::string> files;
    std::error_code failure;
    for (std::filesystem::directory_iterator entry(folder, failure), end; !failure && entry != end;
         entry.increment(failure)) {
        if (entry->is_regular_file(failure)) files.push_back(entry->path().string());
    }
    std::sort(files.begin(), files.end());
    return files;
}

std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> folders;
    for (std::size_t start = 0; start <= list.size();) {
        const auto end = std::min(list.find(':', start), list.size());
        if (end > start) folders.push_back(list.substr(start, end - start));
        start = end + 1;
    }
    return folders;
}

}  // namespace

std::string system_authorities(const System& system) {
    std::vector<std::string> files(kFiles.begin(), kFiles.end());
    std::vector<std::string> folders;
    if (const auto file = system.env("SSL_CERT_FILE"); file && !file->empty()) files = {*file};
    const auto list = system.env("SSL_CERT_DIR");
    if (list && !list->empty()) folders = split(*list);
    std::string text;
    for (const auto& file : files) {
        if (const auto bundle = system.read_file(file); bundle.ok()) {
            text = *bundle + "\n";
            break;
        }
    }
    // A distribution's folder repeats its file, so it is read only where there is no file.
    if (text.empty() && folders.empty()) folders.assign(kFolders.begin(), kFolders.end());
    for (const auto& folder : folders) {
        for (const auto& file : files_in(folder)) {
            if (const auto one = system.read_file(file); one.ok()) text += *one + "\n";
        }
    }
    return text;
}

}  // namespace kubeclient
