// The command line as a value: what help, completion and the manual pages are made of. The parser
// fills it from its own definitions, so none of them can say anything that is not so.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

struct Flag {
    std::string name{};   // "namespace", without dashes
    char letter = '\0';   // 'n', or none
    std::string value{};  // what follows, "NAME" or "json|yaml"; empty for a switch
    std::string text{};
    // What the flag means alone. Such a flag takes a value behind "=" only, as pflag's NoOptDefVal
    // has it; empty: it must have a value.
    std::string alone{};

    bool is_switch() const { return value.empty(); }
};

// The words about a verb; its flags come from the parser.
struct VerbText {
    std::string_view name;
    std::string_view arguments;  // as in the usage line; empty when it takes none
    std::string_view summary;    // one line
    std::string_view text;       // paragraphs, wrapped where printed
    std::string_view examples;   // "# what\n@ verb ...\n"; @ stands for the program's name
    std::span<const int> exit_codes;
    // What only the manual page says: "= HEADING" lines, paragraphs, and indented lines that are
    // shown as they are.
    std::string_view manual{};
};

struct Verb {
    const VerbText* words = nullptr;  // never null; static storage
    std::vector<Flag> flags{};
};

struct CommandLine {
    std::vector<Verb> verbs{};
    std::vector<Flag> global{};  // flags that every verb takes

    const Verb* find(std::string_view verb) const;
};

struct ExitCodeText {
    int code;
    std::string_view text;
};

// In the order in which `help` lists them.
std::span<const VerbText> verb_texts();
std::span<const ExitCodeText> exit_code_texts();

}  // namespace cli
