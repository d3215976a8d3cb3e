// What of a container's log a reader gets. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "kubeclient/transport.hpp"
#include "lab/controllers/migration_log.hpp"

namespace lab {

// One reader of one log, with the options of its request: sinceSeconds, sinceTime, tailLines,
// timestamps, limitBytes. As in kubelet tailLines counts what is there at first, and limitBytes
// everything.
class LogReader {
public:
    LogReader(const kubeclient::Request& request, Instant now);

    // Of all lines there are, in the order of their times, those that have not been given yet. What
    // was there stays: lines are added at the end alone.
    std::string next(const std::vector<LogLine>& lines);
    // limitBytes have been given.
    bool full() const { return room_ == std::size_t{0}; }

private:
    std::optional<Instant> since_{};
    std::optional<std::size_t> tail_{};
    bool stamped_ = false;
    std::optional<std::size_t> room_{};  // bytes; nullopt: no limit
    std::size_t given_ = 0;              // lines, those that were passed over too
};

}  // namespace lab
