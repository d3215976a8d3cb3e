// A transport that answers from a list, in order, and remembers what it was asked. A stream takes
// its replies from the same list.
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kubeclient/transport.hpp"

namespace support {

// For code that never watches.
class NoStreams : public kubeclient::Transport {
public:
    kubeclient::Result<kubeclient::Response> stream(const kubeclient::Request& request,
                                                    const kubeclient::BodySink&,
                                                    std::stop_token) override {
        return kubeclient::Error{kubeclient::ErrorKind::transport,
                                 "unexpected stream of " + request.path};
    }
};

class FakeTransport final : public kubeclient::Transport {
public:
    using Reply = kubeclient::Result<kubeclient::Response>;

    FakeTransport& then(int status, std::string body,
                        std::vector<std::pair<std::string, std::string>> headers = {}) {
        headers.emplace_back("content-type", "application/json");
        replies_.push_back({kubeclient::Response{status, std::move(headers), std::move(body)}, {}});
        return *this;
    }
    FakeTransport& then(kubeclient::Error error) {
        replies_.push_back({std::move(error), {}});
        return *this;
    }
    // A stream that ends in order after these pieces, or else with the error.
    FakeTransport& then_pieces(std::vector<std::string> pieces,
                               std::optional<kubeclient::Error> error = std::nullopt) {
        Reply end = kubeclient::Response{200, {{"content-type", "application/json"}}, ""};
        if (error) end = *error;
        replies_.push_back({std::move(end), std::move(pieces)});
        return *this;
    }

    Reply send(const kubeclient::Request& request) override { return next(request).end; }

    Reply stream(const kubeclient::Request& request, const kubeclient::BodySink& sink,
                 std::stop_token stop) override {
        auto reply = next(request);
        const bool refused = reply.end.ok() && (reply.end->status < 200 || reply.end->status > 299);
        if (refused) return reply.end;
        kubeclient::Response head{200, {}, ""};
        if (reply.end.ok()) {
            head = *reply.end;
            if (!head.body.empty()) reply.pieces.push_back(std::exchange(head.body, ""));
        }
        for (const auto& piece : reply.pieces) {
            if (stop.stop_requested()) break;
            if (sink(head, piece) == kubeclient::Flow::stop) return head;
        }
        if (stop.stop_requested()) {
            return kubeclient::Error{kubeclient::ErrorKind::canceled, "interrupted"};
        }
        return reply.end.ok() ? Reply(head) : reply.end;
    }

    std::vector<kubeclient::Request> asked{};
    bool used_up() const { return replies_.empty(); }

private:
    struct Scripted {
        Reply end;
        std::vector<std::string> pieces;
    };
    Scripted next(const kubeclient::Request& request) {
        const std::lock_guard lock(mutex_);
        asked.push_back(request);
        if (replies_.empty()) {
            return {kubeclient::Error{kubeclient::ErrorKind::usage, "the test has no more replies"},
                    {}};
        }
        auto reply = std::move(replies_.front());
        replies_.pop_front();
        return reply;
    }

    std::mutex mutex_{};
    std::deque<Scripted> replies_{};
};

}  // namespace support
