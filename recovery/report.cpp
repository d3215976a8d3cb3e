#include "recovery/report.hpp"

#include <algorithm>

namespace recovery {

std::string_view to_string(Ending ending) {
    switch (ending) {
        case Ending::succeeded:
            return "succeeded";
        case Ending::nothing_to_do:
            return "nothingToDo";
        case Ending::started:
            return "started";
        case Ending::detached:
            return "detached";
        case Ending::blocked:
            return "blocked";
        case Ending::not_started:
            return "notStarted";
        case Ending::timed_out:
            return "timedOut";
        case Ending::failed:
            return "failed";
        case Ending::cancelled:
            return "cancelled";
        case Ending::unknown:
            return "unknown";
    }
    return "unknown";
}

std::string_view to_string(MigrationEvent::Type type) {
    using Type = MigrationEvent::Type;
    switch (type) {
        case Type::created:
            return "created";
        case Type::joined:
            return "joined";
        case Type::phase:
            return "phase";
        case Type::progress:
            return "progress";
        case Type::waiting:
            return "waiting";
        case Type::note:
            return "note";
        case Type::end:
            return "end";
    }
    return "note";
}

int exit_code_of(const std::vector<Outcome>& items) {
    const auto any = [&](auto... endings) {
        return std::any_of(items.begin(), items.end(),
                           [&](const Outcome& item) { return ((item.ending == endings) || ...); });
    };
    if (any(Ending::unknown)) return 8;
    if (any(Ending::failed, Ending::cancelled)) return 6;
    if (any(Ending::timed_out)) return 5;
    const bool left_out = any(Ending::blocked, Ending::not_started);
    if (!left_out) return 0;
    return any(Ending::succeeded, Ending::started, Ending::nothing_to_do) ? 7 : 3;
}

}  // namespace recovery
