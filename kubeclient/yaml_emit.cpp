#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "kubeclient/yaml.hpp"
#include "kubeclient/yaml_scalar.hpp"

namespace kubeclient {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Text that reads as itself under YAML 1.1 and 1.2 without quotes. Narrower than it need be:
// dates and sexagesimals (12:30) are numbers to some readers.
bool reads_as_itself(const std::string& text) {
    if (text.empty() || text.size() > 200 || text.back() == ' ' || text.back() == ':') return false;
    const char first = text.front();
    if (!is_letter(first) && !is_digit(first) && first != '/' && first != '_') return false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        const bool colon = c == ':' && text[at + 1] != ' ' && !is_digit(first);
        if (!is_letter(c) && !is_digit(c) && !colon &&
            std::string_view(" _./-+=,;()@%").find(c) == std::string_view::npos) {
            return false;
        }
    }
    const bool date = text.size() >= 8 && is_digit(first) && text[4] == '-';
    return !date && resolve_plain_scalar(text).is_string();
}

// Double quotes as in JSON, and YAML's own non-printing characters escaped on top.
std::string quoted(const std::string& text) {
    const auto json = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
    std::string out;
    for (std::size_t at = 0; at < json.size(); ++at) {
        const auto byte = static_cast<unsigned char>(json[at]);
        const auto rest = std::string_view(json).substr(at);
        const bool c1_control = byte == 0xc2 && static_cast<unsigned char>(rest[1]) < 0xa0;
        if (byte == 0x7f) {
            out += "\\x7f";
        } else if (c1_control) {
            constexpr std::string_view hex = "0123456789abcdef";
            const auto code = static_cast<unsigned char>(rest[1]);
            out += std::string("\\x") + hex[code >> 4U] + hex[code & 0xfU];
            ++at;
        } else if (rest.starts_with("\xe2\x80\xa8") || rest.starts_with("\xe2\x80\xa9")) {
            out += rest[2] == '\xa8' ? "\\u2028" : "\\u2029";
            at += 2;
        } else if (rest.starts_with("\xef\xbb\xbf") || rest.starts_with("\xef\xbf\xbe") ||
                   rest.starts_with("\xef\xbf\xbf")) {
            out += rest[1] == '\xbb' ? "\\ufeff" : rest[2] == '\xbe' ? "\\ufffe" : "\\uffff";
            at += 2;
        } else {
            out += json[at];
        }
    }
    return out;
}

std::string scalar(const Json& json) {
    if (json.is_object()) return "{}";
    if (json.is_array()) return "[]";
    if (!json.is_string()) return json.dump();
    const auto& text = json.get_ref<const std::string&>();
    return reads_as_itself(text) ? text : quoted(text);
}

bool is_block(const Json& json) {
    return json.is_structured() && !json.empty();
}

std::string key(const std::string& text) {
    // Longer keys are no "simple keys": readers want a question mark in front of them.
    const auto plain = scalar(Json(text));
    return plain.size() > 1000 ? "? " + plain + "\n" : plain;
}

// Writes a block; `indented` when its first line has already begun, after "- ".
void write(const Json& json, std::size_t indent, bool indented, std::string& out) {
    const std::string margin(indent, ' ');
    const auto begin_line = [&] {
        if (!indented) out += margin;
        indented = false;
    };
    if (json.is_array()) {
        for (const auto& element : json) {
            begin_line();
            out += "- ";
            if (is_block(element)) {
                write(element, indent + 2, true, out);
            } else {
                out += scalar(element) + "\n";
            }
        }
        return;
    }
    for (const auto& [name, value] : json.items()) {
        begin_line();
        const auto label = key(name);
        out += label.ends_with('\n') ? label + margin + ":" : label + ":";
        if (!is_block(value)) {
            out += " " + scalar(value) + "\n";
            continue;
        }
        out += "\n";
        // A list stands at its key's own column, as kubectl prints it.
        write(value, value.is_array() ? indent : indent + 2, false, out);
    }
}

}  // namespace

std::string to_yaml(const Json& json) {
    if (!is_block(json)) return scalar(json) + "\n";
    std::string out;
    write(json, 0, false, out);
    return out;
}

}  // namespace kubeclient
