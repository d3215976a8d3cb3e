// Answers the shells and kubectl: what may stand at the end of an unfinished command line. Pure.
#pragma once

#include <span>
#include <string>

#include "cli/command_line.hpp"

namespace cli {

// `words` without the program; the last is the one being typed, possibly empty. One candidate per
// line, with its description after a tab, and a last line ":N" that says how to go on: kubectl and
// cobra's ShellCompDirective (cobra completions.go), 4 = no file names, 0 = file names too.
std::string complete(std::span<const std::string> words, const CommandLine& line);

// The script for bash, zsh or fish; empty for another shell.
std::string completion_script(std::string_view shell);

}  // namespace cli
