// Help texts, at most 80 columns wide. Pure.
#pragma once

#include <string>
#include <string_view>

#include "cli/command_line.hpp"

namespace cli {

std::string render_help(const CommandLine& line, std::string_view program);
std::string render_verb_help(const Verb& verb, std::string_view program);
std::string render_options(const CommandLine& line);

}  // namespace cli
