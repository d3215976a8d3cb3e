#include "lab/controls.hpp"

#include <charconv>
#include <chrono>
#include <string>

#include "lab/api/route.hpp"
#include "lab/api/status.hpp"

namespace lab {

namespace {

std::optional<std::chrono::seconds> seconds_of(const kubeclient::Request& request) {
    const std::string word = parameter(request, "seconds");
    int number = 0;
    const auto* last = word.data() + word.size();
    const auto [end, problem] = std::from_chars(word.data(), last, number);
    const bool whole = problem == std::errc{} && end == last;
    if (!whole || number < 0 || number > 86'400) return std::nullopt;
    return std::chrono::seconds(number);
}

}  // namespace

std::optional<kubeclient::Response> Controls::serve(const User& /*user*/,
                                                    const kubeclient::Request& request) {
    if (request.method != kubeclient::Method::post) return std::nullopt;
    if (request.path == "/lab/advance") {
        const auto seconds = seconds_of(request);
        if (!seconds) return reply(bad_request("seconds must be a number from 0 to 86400"));
        world_.advance(*seconds);
    } else if (request.path == "/lab/compact") {
        world_.objects().compact(world_.objects().revision());
    } else if (request.path == "/lab/restart") {
        restart_();
    } else {
        return std::nullopt;
    }
    return kubeclient::Response{200, {{"content-type", "text/plain; charset=utf-8"}}, "ok"};
}

}  // namespace lab
