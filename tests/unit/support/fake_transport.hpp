// A transport that answers from a list, in order, and remembers what it was asked.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "kubeclient/transport.hpp"

namespace support {

class FakeTransport final : public kubeclient::Transport {
public:
    using Reply = kubeclient::Result<kubeclient::Response>;

    FakeTransport& then(int status, std::string body,
                        std::vector<std::pair<std::string, std::string>> headers = {}) {
        headers.emplace_back("content-type", "application/json");
        replies_.emplace_back(kubeclient::Response{status, std::move(headers), std::move(body)});
        return *this;
    }
    FakeTransport& then(kubeclient::Error error) {
        replies_.emplace_back(std::move(error));
        return *this;
    }

    kubeclient::Result<kubeclient::Response> send(const kubeclient::Request& request) override {
        const std::lock_guard lock(mutex_);
        asked.push_back(request);
        if (replies_.empty()) {
            return kubeclient::Error{kubeclient::ErrorKind::usage, "the test has no more replies"};
        }
        auto reply = std::move(replies_.front());
        replies_.pop_front();
        return reply;
    }

    std::vector<kubeclient::Request> asked{};
    bool used_up() const { return replies_.empty(); }

private:
    std::mutex mutex_{};
    std::deque<Reply> replies_{};
};

}  // namespace support
