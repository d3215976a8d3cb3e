#include "kubeclient/retry.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "kubeclient/api_status.hpp"

namespace kubeclient {
namespace {

using std::chrono::milliseconds;
using TimePoint = std::chrono::steady_clock::time_point;

constexpr int kMostRetries = 10;
constexpr int kMostReconnects = 2;
constexpr milliseconds kFirstPause{100};
constexpr milliseconds kMostWaiting{60000};  // where no request timeout bounds it

class RetryingTransport final : public Transport {
public:
    RetryingTransport(std::unique_ptr<Transport> inner, RetryOptions options)
        : inner_(std::move(inner)), options_(std::move(options)) {}

    Result<Response> send(const Request& request) override {
        const auto timeout = shorter(request.timeout, options_.request_timeout);
        const auto start = options_.now();
        Attempts attempts;
        milliseconds waited{0};
        for (;;) {
            Request next = request;
            if (timeout.count() > 0) {
                const auto used = std::chrono::duration_cast<milliseconds>(options_.now() - start);
                next.timeout = std::max(timeout - used, milliseconds(1));
            }
            auto result = inner_->send(next);
            const auto pause = pause_after(request, result, attempts);
            if (!pause) return result;
            const auto used = std::chrono::duration_cast<milliseconds>(options_.now() - start);
            const bool fits =
                timeout.count() > 0 ? used + *pause < timeout : waited + *pause <= kMostWaiting;
            if (!fits) return result;
            if (!options_.wait(*pause)) return Error{ErrorKind::canceled, "interrupted"};
            waited += *pause;
        }
    }

    Result<Response> stream(const Request& request, const BodySink& sink,
                            std::stop_token stop) override {
        return inner_->stream(request, sink, std::move(stop));
    }

private:
    struct Attempts {
        int retries = 0;
        int reconnects = 0;
    };

    static milliseconds shorter(milliseconds a, milliseconds b) {
        if (a.count() <= 0) return b;
        return b.count() <= 0 ? a : std::min(a, b);
    }

    // How long to wait before the next attempt; nullopt: there is none.
    static std::optional<milliseconds> pause_after(const Request& request,
                                                   const Result<Response>& result,
                                                   Attempts& attempts) {
        const bool repeatable = request.repeatable == Repeatable::yes;
        if (!result.ok()) {
            if (!repeatable || result.error().kind != ErrorKind::transport) return std::nullopt;
            if (attempts.reconnects == kMostReconnects) return std::nullopt;
            return kFirstPause * (1 << (2 * attempts.reconnects++));
        }
        const int status = result->status;
        const bool unprocessed = status == 429;
        if (!unprocessed && (status < 500 || !repeatable)) return std::nullopt;
        if (request.path.ends_with("/eviction") || attempts.retries++ == kMostRetries) {
            return std::nullopt;
        }
        return retry_after(*result);
    }

    const std::unique_ptr<Transport> inner_;
    const RetryOptions options_;
};

}  // namespace

RetryOptions retry_options(milliseconds request_timeout, std::stop_token stop) {
    RetryOptions options;
    options.request_timeout = request_timeout;
    options.now = [] { return std::chrono::steady_clock::now(); };
    options.wait = [stop](milliseconds pause) {
        std::mutex mutex;
        std::condition_variable_any stopped;
        std::unique_lock lock(mutex);
        stopped.wait_for(lock, stop, pause, [] { return false; });
        return !stop.stop_requested();
    };
    return options;
}

std::unique_ptr<Transport> with_retries(std::unique_ptr<Transport> inner, RetryOptions options) {
    return std::make_unique<RetryingTransport>(std::move(inner), std::move(options));
}

}  // namespace kubeclient
