#include "preflight/rules.hpp"

#include <charconv>
#include <optional>

namespace preflight {
namespace {

constexpr int oldest_minor = 4;
constexpr int newest_minor = 9;

struct Version {
    int major = 0;
    int minor = 0;
};

std::optional<int> take_number(std::string_view& text) {
    int number = 0;
    const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc{} || number < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    return number;
}

std::optional<Version> parse_version(std::string_view text) {
    if (text.starts_with('v')) text.remove_prefix(1);
    const auto major = take_number(text);
    if (!major || !text.starts_with('.')) return std::nullopt;
    text.remove_prefix(1);
    const auto minor = take_number(text);
    if (!minor || !(text.empty() || text.starts_with('.') || text.starts_with('-'))) {
        return std::nullopt;
    }
    return Version{*major, *minor};
}

}  // namespace

Rules rules_for(std::string_view observed_version) {
    const std::string seen(observed_version);
    const auto version = parse_version(observed_version);
    if (!version) {
        return {RuleSet::v1_9, true,
                seen.empty() ? "the KubeVirt version is unknown; the rules of 1.9 are assumed"
                             : "the KubeVirt version \"" + seen +
                                   "\" is not understood; the rules of 1.9 are assumed"};
    }
    if (version->major < 1 || (version->major == 1 && version->minor < oldest_minor)) {
        return {RuleSet::v1_4, true,
                "KubeVirt " + seen +
                    " is older than every known rule set; the rules of 1.4 are "
                    "assumed"};
    }
    if (version->major > 1 || version->minor > newest_minor) {
        return {RuleSet::v1_9, true,
                "KubeVirt " + seen +
                    " is newer than every known rule set; the rules of 1.9 are "
                    "assumed"};
    }
    return {static_cast<RuleSet>(version->minor - oldest_minor), false, {}};
}

std::string_view to_string(RuleSet set) {
    switch (set) {
        case RuleSet::v1_4:
            return "1.4";
        case RuleSet::v1_5:
            return "1.5";
        case RuleSet::v1_6:
            return "1.6";
        case RuleSet::v1_7:
            return "1.7";
        case RuleSet::v1_8:
            return "1.8";
        case RuleSet::v1_9:
            return "1.9";
    }
    return "1.9";
}

}  // namespace preflight
