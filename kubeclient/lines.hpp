// Lines out of a stream whose pieces are cut anywhere. One thread at a time.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "kubeclient/result.hpp"
#include "kubeclient/transport.hpp"

namespace kubeclient {

class Lines {
public:
    explicit Lines(std::size_t longest) : longest_(longest) {}

    // Hands over, without its line feed, each line that is whole now. protocol: a line is longer
    // than allowed; nothing more can be read from this stream then.
    Result<Flow> feed(std::string_view piece,
                      const std::function<Flow(std::string_view line)>& sink);

    // Whether the beginning of a line waits for its end.
    bool pending() const { return !begun_.empty(); }

private:
    const std::size_t longest_;
    std::string begun_{};
};

}  // namespace kubeclient
