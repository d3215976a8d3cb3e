#include "cli/help.hpp"

#include <algorithm>
#include <vector>

#include "commands/text.hpp"

namespace cli {

namespace {

constexpr int width = 80;

// Paragraphs, one per line of the text.
std::string paragraphs(std::string_view text, std::size_t indent) {
    const std::string margin(indent, ' ');
    std::string result;
    while (!text.empty()) {
        const auto paragraph = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), paragraph.size() + 1));
        result += commands::hang(margin, paragraph, width);
    }
    return result;
}

std::string with_program(std::string_view text, std::string_view program) {
    std::string result;
    for (const char c : text) {
        if (c == '@') {
            result += program;
        } else {
            result += c;
        }
    }
    return result;
}

std::string indented(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (!line.empty()) result += "  ";
        result.append(line) += '\n';
    }
    return result;
}

// "  -n, --namespace NAME" on one line, what it does below.
std::string render_flag(const Flag& flag) {
    std::string head = "  ";
    head += flag.letter == '\0' ? std::string("    ") : std::string{'-', flag.letter, ',', ' '};
    head += "--" + flag.name;
    if (!flag.alone.empty()) {
        head += "[=" + flag.value + "]";
    } else if (!flag.is_switch()) {
        head += " " + flag.value;
    }
    return head + "\n" + paragraphs(flag.text, 10);
}

std::string render_exit_codes(std::span<const int> codes) {
    constexpr std::size_t indent = 2;
    std::string result = "Exit codes:\n";
    for (const auto& row : exit_code_texts()) {
        if (std::find(codes.begin(), codes.end(), row.code) == codes.end()) continue;
        const auto number = std::to_string(row.code);
        result += std::string(indent, ' ') + number + std::string(5 - number.size(), ' ');
        result.append(row.text) += '\n';
    }
    return result;
}

}  // namespace

std::string render_help(const CommandLine& line, std::string_view program) {
    std::string result = paragraphs(
        "virt-handoff answers whether KubeVirt virtual machines can migrate live and what is in "
        "the way of those that cannot, starts live migrations and follows them to their end, and "
        "cancels them.",
        0);
    result += "\nUsage:\n  " + std::string(program) + " COMMAND [flags]\n\nCommands:\n";
    constexpr std::size_t column = 13;
    for (const auto& verb : line.verbs) {
        const auto name = verb.words->name;
        result += "  " + std::string(name) + std::string(column - name.size(), ' ');
        result.append(verb.words->summary) += '\n';
    }
    std::vector<int> all;
    for (const auto& row : exit_code_texts()) all.push_back(row.code);
    result += "\n" + render_exit_codes(all);
    result += "\nUse \"" + std::string(program) +
              " COMMAND --help\" for more about a command, and\n\"" + std::string(program) +
              " options\" for the flags that every command takes.\n";
    return result;
}

std::string render_verb_help(const Verb& verb, std::string_view program) {
    const auto& words = *verb.words;
    std::string result = paragraphs(with_program(words.text, program), 0);
    result += "\nUsage:\n  " + std::string(program) + " " + std::string(words.name);
    if (!words.arguments.empty()) result += " " + std::string(words.arguments);
    result += verb.flags.empty() ? "\n" : "\n      [flags]\n";
    if (!words.examples.empty()) {
        result += "\nExamples:\n" + indented(with_program(words.examples, program));
    }
    if (!verb.flags.empty()) result += "\nFlags:\n";
    for (const auto& flag : verb.flags) result += render_flag(flag);
    result += "\n" + render_exit_codes(words.exit_codes);
    result +=
        "\nUse \"" + std::string(program) + " options\" for the flags that every command takes.\n";
    return result;
}

std::string render_options(const CommandLine& line) {
    std::string result = "The following options can be passed to any command:\n\n";
    for (const auto& flag : line.global) result += render_flag(flag);
    return result;
}

}  // namespace cli
