// A client for tests: an environment of the test's own, credentials that are given.
#pragma once

#include <atomic>
#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "kubeclient/credentials.hpp"
#include "kubeclient/http_transport.hpp"

namespace support {

using namespace kubeclient;
using namespace std::chrono_literals;

inline System system_with(std::map<std::string, std::string> environment = {}) {
    System system;
    system.env = [environment](const std::string& name) -> std::optional<std::string> {
        const auto found = environment.find(name);
        if (found == environment.end()) return std::nullopt;
        return found->second;
    };
    system.read_file = [](const std::string& path) -> Result<std::string> {
        const std::ifstream file(path);
        if (!file) return Error{ErrorKind::not_found, path};
        std::ostringstream text;
        text << file.rdbuf();
        return text.str();
    };
    system.now = [] { return std::chrono::system_clock::now(); };
    return system;
}

// Hands out the given credentials in turn; each rejection moves on to the next.
class FakeCredentials final : public CredentialSource {
public:
    explicit FakeCredentials(std::vector<Credential> list) : list_(std::move(list)) {
        for (std::size_t i = 0; i < list_.size(); ++i) list_[i].serial = i;
    }
    Result<Credential> current() override {
        const std::lock_guard lock(mutex_);
        return list_[at_];
    }
    void rejected(std::uint64_t serial) override {
        const std::lock_guard lock(mutex_);
        if (serial == at_ && at_ + 1 < list_.size()) ++at_;
    }

private:
    std::mutex mutex_{};
    std::vector<Credential> list_;
    std::size_t at_ = 0;
};

struct Client {
    Target target{};
    HttpOptions options{};
    std::vector<Credential> credentials{{}};
    std::map<std::string, std::string> environment{};

    Client(int port, bool tls, std::string host = "127.0.0.1") {
        target.server = {tls, std::move(host), port, ""};
        options.user_agent = "kubectl-virt-handoff/test (linux/amd64)";
    }
    std::unique_ptr<Transport> transport() const {
        auto made = make_http_transport(target, std::make_unique<FakeCredentials>(credentials),
                                        options, system_with(environment));
        if (!made.ok()) throw std::runtime_error(made.error().message);
        return std::move(made).value();
    }
    Result<Response> get(const std::string& path = "/version") const {
        Request request;
        request.path = path;
        return transport()->send(request);
    }
};

}  // namespace support
