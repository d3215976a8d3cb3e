// A client in the same process: no threads, no waiting.
#include <utility>

#include "lab/api/api_server.hpp"

namespace lab {

using kubeclient::BodySink;
using kubeclient::Flow;
using kubeclient::Request;
using kubeclient::Response;

namespace {

bool asks_to_watch(const Request& request) {
    for (const auto& [name, value] : request.query) {
        if (name == "watch") return value == "true" || value == "1";
    }
    return false;
}

class InProcess final : public kubeclient::Transport {
public:
    InProcess(ApiServer& server, User user) : server_(server), user_(std::move(user)) {}

    kubeclient::Result<Response> send(const Request& request) override {
        return server_.handle(user_, request);
    }

    kubeclient::Result<Response> stream(const Request& request, const BodySink& sink,
                                        std::stop_token /*stop*/) override {
        if (request.method == kubeclient::Method::get && asks_to_watch(request)) {
            return watch(request, sink);
        }
        Response response = server_.handle(user_, request);
        if (response.status / 100 != 2) return response;
        const std::string body = std::exchange(response.body, "");
        static_cast<void>(sink(response, body));  // there is no more to stop
        return response;
    }

private:
    kubeclient::Result<Response> watch(const Request& request, const BodySink& sink) {
        Response head{200, {{"content-type", "application/json"}}, ""};
        const auto cursor = server_.watch(user_, request, head);
        if (!cursor) return head;
        for (std::string lines = cursor->next(); !lines.empty(); lines = cursor->next()) {
            if (sink(head, lines) == Flow::stop) break;
        }
        return head;
    }

    ApiServer& server_;
    User user_;
};

}  // namespace

std::unique_ptr<kubeclient::Transport> transport_as(ApiServer& server, User user) {
    return std::make_unique<InProcess>(server, std::move(user));
}

}  // namespace lab
