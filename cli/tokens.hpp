// Reads the words of a command line as kubectl does (spf13/pflag flag.go: parseLongArg,
// parseSingleShortArg; flags may stand before the verb), and brings them into one canonical form.
// CLI11 alone differs where it hurts: "--namespace= web" takes web for the namespace, "-n=prod" has
// the value "=prod", and a VM called "version" is taken for the verb. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "kubeclient/result.hpp"

namespace cli {

struct FlagUse {
    const Flag* flag = nullptr;  // never null; belongs to the CommandLine
    std::string as_typed{};      // "-n", "--namespace"
    std::string value{};         // of a switch: "true" or "false"
};

struct Tokens {
    std::string verb{};  // the first word that is no flag, known or not; empty when there is none
    std::vector<FlagUse> flags{};
    std::vector<std::string> arguments{};        // what is left, in order
    bool help = false;                           // -h or --help somewhere before "--"
    const Flag* open = nullptr;                  // the last word: a flag that still lacks its value
    std::optional<kubeclient::Error> problem{};  // the first; reading went on behind it

    // The last value given for a flag; nullopt when it was not given.
    std::optional<std::string> value_of(std::string_view flag) const;
};

Tokens read_tokens(std::span<const std::string> words, const CommandLine& line);

}  // namespace cli
