#include "commands/text.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <span>

namespace commands {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kEllipsis = "...";
constexpr std::string_view kGap = "   ";
constexpr int kLeastLastColumn = 20;

struct Glyph {
    char32_t point = 0;
    std::size_t length = 1;  // bytes
    bool valid = false;
};

bool is_continuation(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

// The first character of a text that is not empty. Overlong forms, surrogates and what lies beyond
// U+10FFFF are invalid, one byte at a time.
Glyph first_glyph(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    if (lead < 0x80) return {lead, 1, true};
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
    constexpr std::array<unsigned char, 5> payload{0, 0, 0x1F, 0x0F, 0x07};
    char32_t point = lead & payload.at(length);
    for (std::size_t i = 1; i < length; ++i) {
        if (!is_continuation(text[i])) return {};
        point = (point << 6U) | (static_cast<unsigned char>(text[i]) & 0x3FU);
    }
    constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    if (point < least.at(length) || surrogate || point > 0x10FFFF) return {};
    return {point, length, true};
}

struct Block {
    char32_t first;
    char32_t last;
};

constexpr auto kCombining = std::to_array<Block>({
    {0x0300, 0x036F},   {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A}, {0x064B, 0x065F},
    {0x06D6, 0x06DC},   {0x0900, 0x0902}, {0x093C, 0x093C}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A},
    {0x0E47, 0x0E4E},   {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200D}, {0x20D0, 0x20FF},
    {0x302A, 0x302D},   {0x3099, 0x309A}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0x1F3FB, 0x1F3FF},
    {0xE0100, 0xE01EF},
});

constexpr auto kWide = std::to_array<Block>({
    {0x1100, 0x115F},
    {0x2E80, 0x303E},
    {0x3041, 0x4DBF},
    {0x4E00, 0xA4CF},
    {0xA960, 0xA97F},
    {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},
    {0xFE30, 0xFE6F},
    {0xFF01, 0xFF60},
    {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F},
    {0x1F680, 0x1F6FF},
    {0x1F900, 0x1FAFF},
    {0x20000, 0x3FFFD},
});

// Marks and overrides of writing direction, line and paragraph separators, byte order mark, tags:
// they change how the text around them is shown.
constexpr auto kDeceptive = std::to_array<Block>({
    {0x061C, 0x061C},
    {0x200E, 0x200F},
    {0x2028, 0x202E},
    {0x2066, 0x2069},
    {0xFEFF, 0xFEFF},
    {0xE0000, 0xE007F},
});

bool is_in(std::span<const Block> blocks, char32_t point) {
    const auto after = std::upper_bound(blocks.begin(), blocks.end(), point,
                                        [](char32_t p, const Block& b) { return p < b.first; });
    return after != blocks.begin() && point <= std::prev(after)->last;
}

int width_of(char32_t point) {
    if (is_in(kCombining, point)) return 0;
    return is_in(kWide, point) ? 2 : 1;
}

std::string code_point_name(char32_t point) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string hex;
    for (auto rest = point; rest != 0 || hex.size() < 4; rest >>= 4U) {
        hex.insert(hex.begin(), digits[rest & 0xFU]);
    }
    return "<U+" + hex + ">";
}

void append_printable(std::string& out, char32_t point, std::string_view bytes, Breaks breaks) {
    const bool is_break = point == '\n' || point == '\r' || point == '\t';
    if (is_break && breaks == Breaks::blank) {
        out += ' ';
    } else if (point < 0x20 || point == 0x7F) {
        out += '^';
        out += static_cast<char>(point ^ 0x40U);  // ESC is ^[, DEL is ^?
    } else if ((point >= 0x80 && point < 0xA0) || is_in(kDeceptive, point)) {
        out += code_point_name(point);
    } else {
        out += bytes;
    }
}

// The length of one of Brush's sequences at the start of the text; 0 when there is none.
std::size_t paint_length(std::string_view text) {
    if (!text.starts_with("\x1b[")) return 0;
    const auto end = text.find('m');
    return end == std::string_view::npos ? 0 : end + 1;
}

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    for (std::size_t at = 0; (at = text.find_first_not_of(' ', at)) != std::string_view::npos;) {
        const auto end = std::min(text.find(' ', at), text.size());
        words.push_back(text.substr(at, end - at));
        at = end;
    }
    return words;
}

void end_line(std::string& out) {
    while (!out.empty() && out.back() == ' ') out.pop_back();
    out += '\n';
}

}  // namespace

std::string printable(std::string_view text, Breaks breaks) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto glyph = first_glyph(text);
        if (glyph.valid) {
            append_printable(out, glyph.point, text.substr(0, glyph.length), breaks);
        } else {
            out += kReplacement;
        }
        text.remove_prefix(glyph.length);
    }
    return out;
}

int display_width(std::string_view text) {
    int width = 0;
    while (!text.empty()) {
        if (const auto paint = paint_length(text); paint != 0) {
            text.remove_prefix(paint);
            continue;
        }
        const auto glyph = first_glyph(text);
        width += glyph.valid ? width_of(glyph.point) : 1;
        text.remove_prefix(glyph.length);
    }
    return width;
}

std::vector<std::string> wrap(std::string_view text, int width) {
    std::vector<std::string> lines(1);
    int used = 0;
    for (const auto word : words_of(text)) {
        const int needed = display_width(word);
        if (used == 0) {
            used = needed;
        } else if (used + 1 + needed <= width) {
            lines.back() += ' ';
            used += 1 + needed;
        } else {
            lines.emplace_back();
            used = needed;
        }
        lines.back() += word;
    }
    return lines;
}

std::string hang(std::string_view prefix, std::string_view text, int width) {
    const int indent = display_width(prefix);
    std::string out;
    for (const auto& line : wrap(text, width - indent)) {
        out +=
            out.empty() ? std::string(prefix) : std::string(static_cast<std::size_t>(indent), ' ');
        out += line;
        end_line(out);
    }
    return out;
}

std::string shortened(std::string_view text, int width) {
    if (display_width(text) <= width) return std::string(text);
    int used = static_cast<int>(kEllipsis.size());
    std::size_t kept = 0;
    while (true) {
        const auto glyph = first_glyph(text.substr(kept));
        used += width_of(glyph.point);
        if (used > width) break;
        kept += glyph.length;
    }
    return std::string(text.substr(0, kept)) + std::string(kEllipsis);
}

std::string columns(const std::vector<std::vector<std::string>>& rows, int width) {
    if (rows.empty()) return {};
    const std::size_t last = rows.front().size() - 1;
    std::vector<int> widths(last, 0);
    for (const auto& row : rows) {
        assert(row.size() == last + 1);
        for (std::size_t i = 0; i < last; ++i) {
            widths[i] = std::max(widths[i], display_width(row[i]));
        }
    }
    int room = width;
    for (const int one : widths) room -= one + static_cast<int>(kGap.size());
    room = std::max(room, kLeastLastColumn);

    std::string out;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < last; ++i) {
            out += row[i];
            out.append(static_cast<std::size_t>(widths[i] - display_width(row[i])), ' ');
            out += kGap;
        }
        out += width == 0 ? row[last] : shortened(row[last], room);
        end_line(out);
    }
    return out;
}

std::string counted(int number, std::string_view noun) {
    return std::to_string(number) + ' ' + std::string(noun) + (number == 1 ? "" : "s");
}

std::string Brush::operator()(Tone tone, std::string_view text) const {
    // Select Graphic Rendition parameters, ECMA-48 8.3.117, in the order of Tone.
    constexpr std::array<std::string_view, 6> parameters{"", "32", "33", "31", "2", "1"};
    if (!colour_ || tone == Tone::plain) return std::string(text);
    const auto parameter = parameters.at(static_cast<std::size_t>(tone));
    return "\x1b[" + std::string(parameter) + "m" + std::string(text) + "\x1b[0m";
}

}  // namespace commands
