#include "lab/remote/lock_free_client.hpp"

#include <array>
#include <utility>

namespace lab {

namespace {

using kubeclient::Request;
using kubeclient::Response;
using kubeclient::Result;

// The opposite of std::lock_guard.
class Unlocked {
public:
    explicit Unlocked(std::mutex& lock) : lock_(lock) { lock_.unlock(); }
    ~Unlocked() { lock_.lock(); }
    Unlocked(const Unlocked&) = delete;
    Unlocked& operator=(const Unlocked&) = delete;

private:
    std::mutex& lock_;
};

bool is_refusal(int status) {
    return status >= 400 && status != 404 && status != 409;
}

std::string line(const Request& request, const Response& response) {
    constexpr std::array names{"GET", "POST", "PUT", "PATCH", "DELETE"};  // as in Method
    return std::string(names[static_cast<std::size_t>(request.method)]) + " " + request.path +
           ": " + std::to_string(response.status) + ": " + response.body;
}

class LockFree final : public kubeclient::Transport {
public:
    LockFree(std::unique_ptr<Transport> inner, std::mutex& lock, Mirror* mirror, Refused refused)
        : inner_(std::move(inner)), lock_(lock), mirror_(mirror), refused_(std::move(refused)) {}

    Result<Response> send(const Request& request) override {
        auto response = [&] {
            const Unlocked unlocked(lock_);
            return inner_->send(request);
        }();
        if (mirror_ != nullptr && response.ok() && response->status / 100 == 2) {
            mirror_->take(request, *response);
        }
        if (response.ok() && is_refusal(response->status)) refused_(line(request, *response));
        return response;
    }

    Result<Response> stream(const Request&, const kubeclient::BodySink&, std::stop_token) override {
        return kubeclient::Error{kubeclient::ErrorKind::protocol,
                                 "a controller reads its mirror and streams nothing"};
    }

private:
    std::unique_ptr<Transport> inner_;
    std::mutex& lock_;
    Mirror* mirror_;
    Refused refused_;
};

}  // namespace

std::unique_ptr<kubeclient::Transport> lock_free_client(
    std::unique_ptr<kubeclient::Transport> inner, std::mutex& lock, Mirror* mirror,
    Refused refused) {
    return std::make_unique<LockFree>(std::move(inner), lock, mirror, std::move(refused));
}

}  // namespace lab
