#include "commands/suggest.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <vector>

#include "commands/text.hpp"
#include "preflight/check.hpp"

namespace commands {

namespace {

std::string lower(std::string_view word) {
    std::string result(word);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

// Levenshtein distance, one row at a time.
std::size_t distance(std::string_view from, std::string_view to) {
    std::vector<std::size_t> row(to.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= from.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= to.size(); ++j) {
            const std::size_t replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row.back();
}

}  // namespace

std::string quoted(std::string_view word) {
    return '"' + printable(word, Breaks::shown) + '"';
}

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates) {
    constexpr std::size_t longest_word = 64;  // longer is no mistyping, and the effort is square
    if (word.empty() || word.size() > longest_word) return std::nullopt;
    const std::string typed = lower(word);
    std::optional<std::string_view> best;
    // Half of a short word, three letters of a long one.
    std::size_t best_distance = std::clamp<std::size_t>(typed.size() / 2, 1, 3) + 1;
    for (const auto candidate : candidates) {
        const std::string name = lower(candidate);
        const bool begins = typed.size() >= 2 && name.starts_with(typed);
        const std::size_t far = begins ? 1 : distance(typed, name);
        if (far < best_distance) {
            best = candidate;
            best_distance = far;
        }
    }
    return best;
}

kubeclient::Error unknown_check(std::string_view word, std::string_view program) {
    std::vector<std::string_view> names;
    for (const auto& check : preflight::all_checks()) {
        names.push_back(check.id);
        names.push_back(check.slug);
    }
    kubeclient::Error error{kubeclient::ErrorKind::usage, "unknown check " + quoted(word)};
    if (const auto name = nearest(word, names)) {
        error.hint = "did you mean " + quoted(*name) + "?";
    } else {
        error.hint = "'" + std::string(program) + " explain' lists every check";
    }
    return error;
}

}  // namespace commands
