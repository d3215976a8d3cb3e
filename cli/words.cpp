#include "cli/words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "commands/suggest.hpp"
#include "kubeclient/time.hpp"
#include "preflight/check.hpp"

namespace cli {

namespace {

using commands::OutputFormat;
using commands::quoted;
using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Result;

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (true) {
        const auto end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

bool is_lower_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// RFC 1123 as apimachinery's pkg/util/validation/validation.go reads it: labels of lower-case
// letters, digits and '-', with '.' between them.
bool is_subdomain(std::string_view name) {
    constexpr std::size_t longest = 253;
    if (name.empty() || name.size() > longest) return false;
    const auto labels = split(name, '.');
    return std::all_of(labels.begin(), labels.end(), [](std::string_view label) {
        return !label.empty() && is_lower_alphanumeric(label.front()) &&
               is_lower_alphanumeric(label.back()) &&
               std::all_of(label.begin(), label.end(),
                           [](char c) { return is_lower_alphanumeric(c) || c == '-'; });
    });
}

bool is_letter_or_digit(char c) {
    return is_lower_alphanumeric(c) || (c >= 'A' && c <= 'Z');
}

// The name in a label's key, and a label's value that is not empty (validation.go IsQualifiedName,
// IsValidLabelValue).
bool is_label_text(std::string_view text) {
    constexpr std::size_t longest = 63;
    return !text.empty() && text.size() <= longest && is_letter_or_digit(text.front()) &&
           is_letter_or_digit(text.back()) && std::all_of(text.begin(), text.end(), [](char c) {
               return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
           });
}

bool is_label_key(std::string_view key) {
    const auto parts = split(key, '/');
    return parts.size() <= 2 && is_label_text(parts.back()) &&
           (parts.size() == 1 || is_subdomain(parts.front()));
}

bool is_label(std::string_view name) {
    constexpr std::size_t longest = 63;
    return name.size() <= longest && name.find('.') == std::string_view::npos && is_subdomain(name);
}

Error bad_name(std::string_view what, std::string_view name) {
    return usage(
        std::string(what) + " " + quoted(name) + " is not a valid name",
        "names are lower-case letters, digits, '-' and '.', with a letter or digit at both "
        "ends");
}

std::optional<std::string_view> without_prefix(std::string_view word, std::string_view prefix) {
    if (!word.starts_with(prefix)) return std::nullopt;
    return word.substr(prefix.size());
}

struct KindName {
    std::string_view typed;
    std::string_view kind;
};

constexpr std::array kinds{
    KindName{"vm", "vm"},
    KindName{"vms", "vm"},
    KindName{"virtualmachine", "vm"},
    KindName{"virtualmachines", "vm"},
    KindName{"virtualmachine.kubevirt.io", "vm"},
    KindName{"virtualmachines.kubevirt.io", "vm"},
    KindName{"vmi", "vmi"},
    KindName{"vmis", "vmi"},
    KindName{"virtualmachineinstance", "vmi"},
    KindName{"virtualmachineinstances", "vmi"},
    KindName{"virtualmachineinstance.kubevirt.io", "vmi"},
    KindName{"virtualmachineinstances.kubevirt.io", "vmi"},
};

Result<commands::Waiver> waiver(std::string_view word, std::string_view program) {
    const auto equals = word.find('=');
    const std::string_view id = word.substr(0, equals);
    if (id.empty()) {
        return usage("--ignore needs the id of a check, seen " + quoted(word),
                     "write --ignore ID or --ignore ID=NAMESPACE/VM");
    }
    if (preflight::find_check(id) == nullptr) return commands::unknown_check(id, program);
    commands::Waiver result{std::string(id), ""};
    if (equals == std::string_view::npos) return result;
    result.target = word.substr(equals + 1);
    const auto parts = split(result.target, '/');
    if (parts.size() > 2 || !is_subdomain(parts.back()) ||
        (parts.size() == 2 && !is_label(parts.front()))) {
        return usage("--ignore " + std::string(id) + ": " + quoted(result.target) +
                         " names no virtual machine",
                     "write --ignore ID, --ignore ID=VM or --ignore ID=NAMESPACE/VM");
    }
    return result;
}

}  // namespace

Error usage(std::string message, std::string hint) {
    return Error{ErrorKind::usage, std::move(message), std::move(hint)};
}

std::optional<bool> truth(std::string_view word) {
    constexpr std::array<std::string_view, 6> yes{"1", "t", "T", "true", "TRUE", "True"};
    constexpr std::array<std::string_view, 6> no{"0", "f", "F", "false", "FALSE", "False"};
    if (std::find(yes.begin(), yes.end(), word) != yes.end()) return true;
    if (std::find(no.begin(), no.end(), word) != no.end()) return false;
    return std::nullopt;
}

Result<OutputFormat> output_format(std::string_view word, std::string_view allowed) {
    struct Name {
        std::string_view word;
        OutputFormat format;
    };
    constexpr std::array names{
        Name{"table", OutputFormat::table}, Name{"wide", OutputFormat::wide},
        Name{"json", OutputFormat::json},   Name{"yaml", OutputFormat::yaml},
        Name{"name", OutputFormat::name},   Name{"jsonl", OutputFormat::jsonl}};
    const auto choices = split(allowed, '|');
    const auto found = std::find_if(names.begin(), names.end(),
                                    [&](const Name& each) { return each.word == word; });
    if (found != names.end() && std::find(choices.begin(), choices.end(), word) != choices.end()) {
        return found->format;
    }
    std::string list;
    for (const auto choice : choices) {
        if (!list.empty()) list += ", ";
        list += choice;
    }
    return usage("unknown output format " + quoted(word), "allowed formats are: " + list);
}

Result<std::string> vm_target(std::string_view word) {
    const auto parts = split(word, '/');
    if (parts.size() == 1) {
        if (!is_subdomain(word)) return bad_name("virtual machine", word);
        return std::string(word);
    }
    const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const KindName& each) {
        return each.typed == parts.front();
    });
    if (parts.size() > 2 || kind == kinds.end()) {
        return usage("no virtual machine can be meant by " + quoted(word),
                     "write NAME, vm/NAME or vmi/NAME, and the namespace with -n");
    }
    if (!is_subdomain(parts.back())) return bad_name("virtual machine", parts.back());
    return std::string(kind->kind) + "/" + std::string(parts.back());
}

Result<std::vector<commands::Waiver>> waivers(std::string_view word, std::string_view program) {
    std::vector<commands::Waiver> result;
    for (const auto part : split(word, ',')) {
        TRY_ASSIGN(one, waiver(part, program));
        result.push_back(std::move(one));
    }
    return result;
}

Result<std::chrono::milliseconds> request_timeout(std::string_view word) {
    TRY_ASSIGN(limit, kubeclient::parse_request_timeout(word));
    return std::chrono::ceil<std::chrono::milliseconds>(limit);
}

Result<std::chrono::milliseconds> timeout(std::string_view word) {
    const auto limit = kubeclient::parse_duration(word);
    if (limit.ok() && limit->count() >= 0)
        return std::chrono::ceil<std::chrono::milliseconds>(*limit);
    return usage("invalid argument " + quoted(word) + " for --timeout",
                 "write a number with a unit, as in 90s, 10m or 1h30m; 0 is no limit");
}

Result<commands::DryRunMode> dry_run_mode(std::string_view word) {
    using commands::DryRunMode;
    if (word == "none") return DryRunMode::none;
    if (word == "client") return DryRunMode::client;
    if (word == "server") return DryRunMode::server;
    if (const auto on = truth(word)) return *on ? DryRunMode::client : DryRunMode::none;
    return usage("invalid dry-run value " + quoted(word),
                 "write --dry-run=none, --dry-run=client or --dry-run=server");
}

kubeclient::Status add_labels(std::string_view word, std::map<std::string, std::string>& labels) {
    for (const auto part : split(word, ',')) {
        const auto equals = part.find('=');
        const auto key = part.substr(0, equals);
        const auto value =
            equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1);
        if (equals == std::string_view::npos || !is_label_key(key) ||
            !(value.empty() || is_label_text(value))) {
            return usage("--node-selector: " + quoted(part) + " is no label",
                         "write KEY=VALUE, or several with commas between; "
                         "'kubectl get nodes --show-labels' lists what there is");
        }
        const auto [place, added] = labels.emplace(key, value);
        if (!added && place->second != value) {
            return usage("--node-selector wants two values of " + std::string(key) + ": " +
                             quoted(place->second) + " and " + quoted(value),
                         "give each key once: a node has one value of it");
        }
    }
    return kubeclient::Done{};
}

Result<int> whole_number(std::string_view word, std::string_view flag, int least, int most) {
    int number = 0;
    const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), number);
    const bool whole = problem == std::errc{} && end == word.data() + word.size();
    if (!whole || number < least || number > most) {
        return usage("invalid argument " + quoted(word) + " for " + std::string(flag) +
                     ": must be a number from " + std::to_string(least) + " to " +
                     std::to_string(most));
    }
    return number;
}

Result<int> verbosity(std::string_view word) {
    return whole_number(word, "-v", 0, 10);
}

Result<double> speed(std::string_view word) {
    const auto digits = word.ends_with('x') ? word.substr(0, word.size() - 1) : word;
    double times = 0;
    const auto* last = digits.data() + digits.size();
    const auto [end, problem] =
        std::from_chars(digits.data(), last, times, std::chars_format::fixed);
    if (problem != std::errc{} || end != last || (times != 0 && times < 0.01) || times > 1000) {
        return usage("invalid argument " + quoted(word) + " for --speed",
                     "write how many times faster than a clock, from 0.01x to 1000x: --speed=10x; "
                     "0x stands still");
    }
    return times;
}

Result<std::string> namespace_name(std::string_view word) {
    std::string_view name = word;
    for (const std::string_view prefix : {"namespaces/", "namespace/", "ns/"}) {
        if (const auto rest = without_prefix(name, prefix)) name = *rest;
    }
    if (!is_label(name)) return bad_name("namespace", name);
    return std::string(name);
}

Result<std::string> node_name(std::string_view word) {
    std::string_view name = word;
    for (const std::string_view prefix : {"nodes/", "node/"}) {
        if (const auto rest = without_prefix(name, prefix)) name = *rest;
    }
    if (!is_subdomain(name)) return bad_name("node", name);
    return std::string(name);
}

}  // namespace cli
