#include "preflight/check.hpp"

#include <algorithm>
#include <cctype>

#include "preflight/checks.hpp"

namespace preflight {
namespace {

// The five questions that operators ask first lead; then the rest, from the guest outwards.
std::vector<Check> collect_checks() {
    std::vector<Check> checks;
    for (const auto area :
         {disk_checks(), volume_checks(), port_checks(), cpu_checks(), numa_checks(),
          bandwidth_checks(), network_checks(), device_checks(), machine_checks(),
          launcher_checks(), node_checks(), admission_checks()}) {
        checks.insert(checks.end(), area.begin(), area.end());
    }
    return checks;
}

bool same_letters(std::string_view left, std::string_view right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) ==
               std::tolower(static_cast<unsigned char>(b));
    });
}

}  // namespace

std::span<const Check> all_checks() {
    static const std::vector<Check> checks = collect_checks();
    return checks;
}

const Check* find_check(std::string_view id) {
    const auto checks = all_checks();
    const auto found = std::find_if(checks.begin(), checks.end(), [&](const Check& check) {
        return same_letters(check.id, id) || same_letters(check.slug, id);
    });
    return found == checks.end() ? nullptr : &*found;
}

std::string_view to_string(Severity severity) {
    switch (severity) {
        case Severity::blocking:
            return "blocking";
        case Severity::warning:
            return "warning";
        case Severity::info:
            return "info";
    }
    return "info";
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
    return "unknown";
}

}  // namespace preflight
