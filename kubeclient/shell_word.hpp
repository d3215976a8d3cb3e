// Text from files and clusters, made safe for a terminal and for commands that people will paste.
// Pure.
#pragma once

#include <string>

namespace kubeclient {

// Control characters other than white space become "U+001B".
std::string harmless(const std::string& text);

// One word of a shell command: as it is where every character is plain, else in single quotes.
std::string shell_word(const std::string& text);

}  // namespace kubeclient
