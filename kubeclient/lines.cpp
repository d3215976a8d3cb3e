#include "kubeclient/lines.hpp"

namespace kubeclient {

Result<Flow> Lines::feed(std::string_view piece,
                         const std::function<Flow(std::string_view line)>& sink) {
    while (!piece.empty()) {
        const auto end = piece.find('\n');
        const auto part = piece.substr(0, end);
        if (part.size() > longest_ - begun_.size()) {
            return Error{ErrorKind::protocol, "a line of the stream is longer than " +
                                                  std::to_string(longest_) + " bytes"};
        }
        if (end == std::string_view::npos) {
            begun_ += part;
            return Flow::go_on;
        }
        piece.remove_prefix(end + 1);
        Flow flow = Flow::go_on;
        if (begun_.empty()) {
            flow = sink(part);
        } else {
            begun_ += part;
            flow = sink(begun_);
            begun_.clear();
        }
        if (flow == Flow::stop) return flow;
    }
    return Flow::go_on;
}

}  // namespace kubeclient
