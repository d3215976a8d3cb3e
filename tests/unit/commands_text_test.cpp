#include "commands/text.hpp"

#include <doctest/doctest.h>

using namespace std::string_literals;
using commands::Breaks;
using commands::Brush;
using commands::columns;
using commands::display_width;
using commands::hang;
using commands::printable;
using commands::shortened;
using commands::Tone;
using commands::wrap;

TEST_CASE("control characters from objects cannot steer the terminal") {
    CHECK(printable("a\x1b[2Jb") == "a^[[2Jb");
    CHECK(printable("a\x07\x08\x7f"s) == "a^G^H^?");
    CHECK(printable("nul\0end"s) == "nul^@end");
    CHECK(printable("csi \xC2\x9B"
                    "31m") == "csi <U+009B>31m");
}

TEST_CASE("text that would be shown in another order is spelled out") {
    CHECK(printable("web\xE2\x80\xAEgpj") == "web<U+202E>gpj");
    CHECK(printable("a\xE2\x81\xA6z") == "a<U+2066>z");
    CHECK(printable("a\xE2\x80\xA8z") == "a<U+2028>z");
    CHECK(printable("tag\xF3\xA0\x81\x81") == "tag<U+E0041>");
}

TEST_CASE("line breaks part words in prose and are shown in commands") {
    CHECK(printable("one\ntwo\tthree\r\n") == "one two three  ");
    CHECK(printable("kubectl get x\nrm -r y\t", Breaks::shown) == "kubectl get x^Jrm -r y^I");
}

TEST_CASE("bytes that are no UTF-8 become the replacement character") {
    CHECK(printable("a\xFFz") == "a\xEF\xBF\xBDz");
    CHECK(printable("cut \xE2\x82") == "cut \xEF\xBF\xBD\xEF\xBF\xBD");
    CHECK(printable("overlong \xC0\xAF") == "overlong \xEF\xBF\xBD\xEF\xBF\xBD");
    CHECK(printable("overlong \xE0\x80\xAF") == "overlong \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    CHECK(printable("surrogate \xED\xA0\x80") == "surrogate \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    CHECK(printable("beyond \xF4\x90\x80\x80") ==
          "beyond \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_CASE("ordinary text of any language stays as it is") {
    const std::string text = "Größe 日本語 é 👍";
    CHECK(printable(text) == text);
}

TEST_CASE("width counts columns, not bytes") {
    CHECK(display_width("") == 0);
    CHECK(display_width("web") == 3);
    CHECK(display_width("Größe") == 5);
    CHECK(display_width("日本") == 4);
    CHECK(display_width("e\xCC\x81") == 1);  // e and a combining accent
    CHECK(display_width("👍") == 2);
    CHECK(display_width("✗") == 1);
    CHECK(display_width(Brush(true)(Tone::bad, "FAIL")) == 4);
}

TEST_CASE("lines are cut at blanks within the width") {
    CHECK(wrap("the claim is not shared", 9) ==
          std::vector<std::string>{"the claim", "is not", "shared"});
    CHECK(wrap("  two   blanks  ", 80) == std::vector<std::string>{"two blanks"});
    CHECK(wrap("日本 日本 日本", 9) == std::vector<std::string>{"日本 日本", "日本"});
    CHECK(wrap("", 80) == std::vector<std::string>{""});
}

TEST_CASE("a word longer than the line stays whole so that it can be copied") {
    CHECK(wrap("see /var/lib/kubelet/pods now", 10) ==
          std::vector<std::string>{"see", "/var/lib/kubelet/pods", "now"});
}

TEST_CASE("later lines hang under the first word") {
    CHECK(hang("    seen    ", "the claim data is not shared", 24) ==
          "    seen    the claim\n"
          "            data is not\n"
          "            shared\n");
    CHECK(hang("  ", "", 24) == "\n");
}

TEST_CASE("a colour in the prefix does not move the text") {
    const Brush brush(true);
    CHECK(hang(brush(Tone::bad, "x") + " ", "aa bb", 4) == "\x1b[31mx\x1b[0m aa\n  bb\n");
}

TEST_CASE("shortened text ends in dots and never cuts a character") {
    CHECK(shortened("claims-shared", 13) == "claims-shared");
    CHECK(shortened("claims-shared", 12) == "claims-sh...");
    CHECK(shortened("日本日本", 6) == "日...");
    CHECK(shortened("日本日本", 7) == "日本...");
}

TEST_CASE("columns are as wide as their widest cell and leave no blanks at line ends") {
    CHECK(columns({{"NAME", "NODE", "ID"}, {"größe", "", ""}, {"b", "node-a", "DISK-001"}}, 0) ==
          "NAME    NODE     ID\n"
          "größe\n"
          "b       node-a   DISK-001\n");
    CHECK(columns({}, 80).empty());
}

TEST_CASE("the last column is shortened to the width but stays legible") {
    CHECK(columns({{"web", "DISK-001 claims-shared and more"}}, 30) ==
          "web   DISK-001 claims-share...\n");
    CHECK(columns({{"a-very-long-name-indeed", "DISK-001 claims-shared and more"}}, 30) ==
          "a-very-long-name-indeed   DISK-001 claims-s...\n");
}

TEST_CASE("one is singular") {
    CHECK(commands::counted(0, "blocker") == "0 blockers");
    CHECK(commands::counted(1, "blocker") == "1 blocker");
    CHECK(commands::counted(2, "blocker") == "2 blockers");
}

TEST_CASE("without colour nothing is added") {
    CHECK(Brush(false)(Tone::bad, "FAIL") == "FAIL");
    CHECK(Brush(true)(Tone::plain, "FAIL") == "FAIL");
    CHECK(Brush(true)(Tone::good, "PASS") == "\x1b[32mPASS\x1b[0m");
}
