// Replies that are no objects: logs, metrics.
#include <nlohmann/json.hpp>

#include "kubeclient/api.hpp"
#include "kubeclient/api_status.hpp"
#include "kubeclient/lines.hpp"

namespace kubeclient {
namespace {

constexpr std::size_t kLongestLine = std::size_t{1} << 20;
// A log may be silent for as long as its program is. Then the stream is asked for anew.
constexpr std::chrono::milliseconds kSilence{60000};

}  // namespace

Result<std::string> Api::text(const std::string& path) {
    Request request;
    request.path = path;
    request.accept = "text/plain, */*";
    TRY_ASSIGN(response, answer(request));
    return std::move(response.body);
}

Status Api::lines(const std::string& path, const Query& query, const LineSink& sink,
                  std::stop_token stop) {
    Request request;
    request.path = path;
    request.accept = "*/*";
    request.query = query;
    request.silence = kSilence;
    const std::string what = "GET " + path;
    Lines lines(kLongestLine);
    Status problem = Done{};
    const auto feed = [&](const Response&, std::string_view piece) {
        const auto flow = lines.feed(piece, sink);
        if (!flow.ok()) problem = flow.error();
        return flow.ok() ? *flow : Flow::stop;
    };
    TRY_ASSIGN(reply, transport_.stream(request, feed, std::move(stop)));
    warn(reply);
    if (reply.status < 200 || reply.status > 299) return error_of(reply, what);
    return std::move(problem).within(what);
}

}  // namespace kubeclient
