// Command lines as text, and what the parser makes of them.
#pragma once

#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include "cli/parse.hpp"

namespace cli_lines {

// Words are split at blanks; '' is an empty word.
inline cli::ParseOutcome parse(const std::string& line) {
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(word == "''" ? "" : word);
    std::vector<const char*> argv;
    for (const auto& word : words) argv.push_back(word.c_str());
    return cli::parse(argv);
}

template <class Options>
Options options(const std::string& line) {
    const auto outcome = parse(line);
    if (const auto* refusal = std::get_if<cli::Refusal>(&outcome)) {
        FAIL(line << ": " << refusal->error.message);
    }
    const auto* result = std::get_if<Options>(&std::get<commands::Invocation>(outcome));
    REQUIRE_MESSAGE(result != nullptr, line);
    return *result;
}

inline cli::Refusal refusal(const std::string& line) {
    const auto outcome = parse(line);
    const auto* result = std::get_if<cli::Refusal>(&outcome);
    REQUIRE_MESSAGE(result != nullptr, line);
    return *result;
}

}  // namespace cli_lines
