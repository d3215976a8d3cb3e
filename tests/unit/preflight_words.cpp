// Stands in for the folder preflight until that is built; then this file goes.
#include "preflight/check.hpp"

namespace preflight {

std::string_view to_string(Severity severity) {
    switch (severity) {
        case Severity::blocking:
            return "blocking";
        case Severity::warning:
            return "warning";
        case Severity::info:
            return "info";
    }
    return {};
}

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::pass:
            return "pass";
        case Verdict::warn:
            return "warn";
        case Verdict::fail:
            return "fail";
        case Verdict::skipped:
            return "skipped";
        case Verdict::unknown:
            return "unknown";
        case Verdict::waived:
            return "waived";
    }
    return {};
}

}  // namespace preflight
