#include "lab/controls.hpp"

namespace lab {

std::optional<kubeclient::Response> Controls::serve(const User& /*user*/,
                                                    const kubeclient::Request& request) {
    if (request.method != kubeclient::Method::post) return std::nullopt;
    if (request.path == "/lab/compact") {
        store_.compact(store_.revision());
    } else if (request.path == "/lab/restart") {
        restart_();
    } else {
        return std::nullopt;
    }
    return kubeclient::Response{200, {{"content-type", "text/plain; charset=utf-8"}}, "ok"};
}

}  // namespace lab
