// The body of a watch that may hold anything, cut anywhere: however its pieces are cut, the events
// and the end are those of the whole. The first byte chooses the cuts.
#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "kubeclient/api.hpp"
#include "kubeclient/follow_state.hpp"

namespace {

using namespace kubeclient;

void require(bool condition) {
    if (!condition) std::abort();
}

// Hands over the body in pieces of pseudo-random length up to `longest`.
class Pieces final : public Transport {
public:
    Pieces(std::string_view body, std::size_t longest) : body_(body), longest_(longest) {}

    Result<Response> send(const Request&) override { return Error{ErrorKind::transport, "none"}; }
    Result<Response> stream(const Request&, const BodySink& sink, std::stop_token) override {
        const Response head{200, {}, ""};
        std::string_view rest = body_;
        std::size_t random = longest_;
        while (!rest.empty()) {
            random = random * 1103515245 + 12345;
            const auto size = std::min(rest.size(), 1 + (random >> 16) % longest_);
            // A copy, so that reading past a piece is found out.
            const std::string piece(rest.substr(0, size));
            rest.remove_prefix(size);
            if (sink(head, piece) == Flow::stop) return head;
        }
        return head;
    }

private:
    const std::string_view body_;
    const std::size_t longest_;
};

struct Watched {
    std::vector<std::string> events{};
    std::vector<std::string> news{};
    Status end = Done{};

    bool operator==(const Watched&) const = default;
};

Watched watch(std::string_view body, std::size_t longest) {
    Watched watched;
    Picture picture;
    const auto report = [&](Change change, const Json& object) {
        watched.news.push_back(std::to_string(static_cast<int>(change)) + to_line(object));
        return Flow::go_on;
    };
    const auto take = [&](EventType type, const Json& object) {
        require(object.is_object());
        watched.events.push_back(std::to_string(static_cast<int>(type)) + to_line(object));
        return picture.take(type, object, report);
    };
    Pieces pieces(body, longest);
    watched.end = Api(pieces).watch("/api/v1/pods", {}, take, {});
    return watched;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto whole = watch(body, body.size() + 1);
    require(whole == watch(body, 1));
    require(whole == watch(body, 1 + data[0]));
    require(whole.news.size() <= 2 * whole.events.size());
    require(whole.end.ok() || !whole.end.error().message.empty());
    return 0;
}
