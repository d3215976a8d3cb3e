// Text for people: safe to print, measured in the columns it takes on a terminal, wrapped, aligned.
// Pure; safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace commands {

// What happens to line breaks and tabs. blank: prose, they part words. shown: a command to paste,
// where a hidden line break would run something.
enum class Breaks : std::uint8_t { blank, shown };

// Words from objects and servers, made harmless for a terminal: control characters are shown as
// kubectl shows them (ESC is ^[), invisible ones that reorder text as <U+202E>, and bytes that are
// no UTF-8 as U+FFFD. The result is valid UTF-8 on one line.
std::string printable(std::string_view text, Breaks breaks = Breaks::blank);

// Columns on a terminal: 0 for combining characters, 2 for wide ones and most emoji. Sequences
// made by Brush count as nothing. Widths: Unicode 15 EastAsianWidth.txt, rounded to whole blocks.
int display_width(std::string_view text);

// Lines of at most `width` columns, cut at blanks, which collapse. A longer word stays whole: it
// is a name, path or address that somebody will copy. Never empty: no words make one empty line.
std::vector<std::string> wrap(std::string_view text, int width);

// `text` wrapped to `width` behind `prefix`; later lines are indented to the same column. Every
// line ends with a line break and has no blanks before it.
std::string hang(std::string_view prefix, std::string_view text, int width);

// Cut to `width` columns, ending in "..." where something was cut.
std::string shortened(std::string_view text, int width);

// Rows under each other as kubectl prints them: three blanks between columns, none at line ends.
// The last column is shortened so that a line fits `width`, though never below 20 columns; 0 is
// no limit. All rows have the same number of cells.
std::string columns(const std::vector<std::vector<std::string>>& rows, int width);

// "1 warning", "2 warnings".
std::string counted(int number, std::string_view noun);

enum class Tone : std::uint8_t { plain, good, caution, bad, faint, strong };

// Puts colour around text, or leaves it alone.
class Brush {
public:
    explicit Brush(bool colour) : colour_(colour) {}

    std::string operator()(Tone tone, std::string_view text) const;

private:
    bool colour_;
};

}  // namespace commands
