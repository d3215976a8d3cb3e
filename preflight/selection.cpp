#include "preflight/selection.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

namespace preflight {
namespace {

using kubeclient::Error;
using kubeclient::ErrorKind;

std::string_view trim(std::string_view text) {
    constexpr std::string_view blanks = " \t";
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// Splits at commas that stand outside parentheses.
std::vector<std::string_view> split_terms(std::string_view text) {
    std::vector<std::string_view> terms;
    int depth = 0;
    std::size_t start = 0;
    for (std::size_t at = 0; at <= text.size(); ++at) {
        if (at == text.size() || (text[at] == ',' && depth == 0)) {
            terms.push_back(trim(text.substr(start, at - start)));
            start = at + 1;
        } else if (text[at] == '(') {
            ++depth;
        } else if (text[at] == ')') {
            --depth;
        }
    }
    return terms;
}

bool is_alphanumeric(char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) != 0;
}

// The name part of a label's key, and its value unless that is empty: apimachinery
// pkg/util/validation, qualifiedNameFmt and labelValueFmt.
bool is_label_word(std::string_view word) {
    constexpr std::size_t longest = 63;
    return !word.empty() && word.size() <= longest && is_alphanumeric(word.front()) &&
           is_alphanumeric(word.back()) && std::all_of(word.begin(), word.end(), [](char letter) {
               return is_alphanumeric(letter) || letter == '-' || letter == '_' || letter == '.';
           });
}

bool is_key(std::string_view key) {
    constexpr std::size_t longest_prefix = 253;
    const auto slash = key.find('/');
    if (slash == std::string_view::npos) return is_label_word(key);
    const auto prefix = key.substr(0, slash);
    const bool domain = !prefix.empty() && prefix.size() <= longest_prefix &&
                        prefix.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") ==
                            std::string_view::npos;
    return domain && is_label_word(key.substr(slash + 1));
}

bool is_value(std::string_view value) {
    return value.empty() || is_label_word(value);
}

std::optional<std::int64_t> number(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = problem == std::errc{} && end == text.data() + text.size();
    return whole ? std::optional(value) : std::nullopt;
}

Error broken(std::string_view term) {
    return {ErrorKind::usage, "unable to parse requirement \"" + std::string(term) + "\"",
            "write label selectors as kubectl does: -l app=web,tier!=test,'zone in (a,b)'"};
}

kubeclient::Result<facts::Requirement> parse_set(std::string_view term, std::string_view key,
                                                 std::string_view rest) {
    const bool negated = rest.starts_with("notin");
    rest = trim(rest.substr(negated ? 5 : 2));
    if (!rest.starts_with('(') || !rest.ends_with(')')) return broken(term);
    facts::Requirement requirement{std::string(key), negated ? "NotIn" : "In", {}};
    for (const auto value : split_terms(rest.substr(1, rest.size() - 2))) {
        if (!is_value(value)) return broken(term);
        requirement.values.emplace_back(value);
    }
    return requirement;
}

kubeclient::Result<facts::Requirement> parse_equality(std::string_view term, std::size_t at) {
    const bool negated = term[at] == '!';
    const auto key = trim(term.substr(0, at));
    auto value = term.substr(at + 1);
    if (value.starts_with('=')) {
        value.remove_prefix(1);
    } else if (negated) {
        return broken(term);
    }
    value = trim(value);
    if (!is_key(key) || !is_value(value)) return broken(term);
    return facts::Requirement{std::string(key), negated ? "NotIn" : "In", {std::string(value)}};
}

kubeclient::Result<facts::Requirement> parse_comparison(std::string_view term, std::size_t at) {
    const auto key = trim(term.substr(0, at));
    const auto value = trim(term.substr(at + 1));
    if (!is_key(key) || !number(value)) return broken(term);
    return facts::Requirement{
        std::string(key), term[at] == '>' ? "Gt" : "Lt", {std::string(value)}};
}

kubeclient::Result<facts::Requirement> parse_term(std::string_view term) {
    if (term.starts_with('!')) {
        const auto key = trim(term.substr(1));
        if (!is_key(key)) return broken(term);
        return facts::Requirement{std::string(key), "DoesNotExist", {}};
    }
    const auto blank = term.find_first_of(" \t");
    if (blank != std::string_view::npos) {
        const auto rest = trim(term.substr(blank));
        const bool is_set = rest.starts_with("in ") || rest.starts_with("in(") ||
                            rest.starts_with("notin ") || rest.starts_with("notin(");
        if (is_set && is_key(term.substr(0, blank))) {
            return parse_set(term, term.substr(0, blank), rest);
        }
    }
    const auto sign = term.find_first_of("=!<>");
    if (sign != std::string_view::npos) {
        const bool ordered = term[sign] == '<' || term[sign] == '>';
        return ordered ? parse_comparison(term, sign) : parse_equality(term, sign);
    }
    if (!is_key(term)) return broken(term);
    return facts::Requirement{std::string(term), "Exists", {}};
}

bool holds(const facts::Requirement& requirement, const facts::Labels& labels) {
    const auto label = labels.find(requirement.key);
    const bool present = label != labels.end();
    if (requirement.op == "Exists") return present;
    if (requirement.op == "DoesNotExist") return !present;
    const auto& values = requirement.values;
    if (requirement.op == "Gt" || requirement.op == "Lt") {
        const auto left = present ? number(label->second) : std::nullopt;
        const auto right = number(values.front());
        return left && right && (requirement.op == "Gt" ? *left > *right : *left < *right);
    }
    const bool listed =
        present && std::find(values.begin(), values.end(), label->second) != values.end();
    return requirement.op == "In" ? listed : !listed;
}

}  // namespace

kubeclient::Result<Target> parse_target(std::string_view text) {
    const auto slash = text.find('/');
    const bool bare = slash == std::string_view::npos;
    const auto kind = bare ? "" : text.substr(0, slash);
    const std::string name(bare ? text : text.substr(slash + 1));
    const Error no_vm{ErrorKind::usage, "\"" + std::string(text) + "\" is no VM",
                      "name a VM as NAME, vm/NAME or vmi/NAME"};
    // An empty name would ask the server for all of them.
    if (name.empty() || name.find('/') != std::string::npos) return no_vm;
    if (bare) return Target{TargetKind::any, name};
    const auto is_one_of = [&](std::initializer_list<std::string_view> words) {
        return std::find(words.begin(), words.end(), kind) != words.end();
    };
    if (is_one_of({"vm", "vms", "virtualmachine", "virtualmachines"})) {
        return Target{TargetKind::vm, name};
    }
    if (is_one_of({"vmi", "vmis", "virtualmachineinstance", "virtualmachineinstances"})) {
        return Target{TargetKind::vmi, name};
    }
    return no_vm;
}

bool LabelSelector::matches(const facts::Labels& labels) const {
    return std::all_of(requirements.begin(), requirements.end(),
                       [&](const auto& requirement) { return holds(requirement, labels); });
}

kubeclient::Result<LabelSelector> parse_selector(std::string_view text) {
    LabelSelector selector;
    if (trim(text).empty()) return selector;
    for (const auto term : split_terms(text)) {
        TRY_ASSIGN(requirement, parse_term(term));
        selector.requirements.push_back(std::move(requirement));
    }
    return selector;
}

}  // namespace preflight
