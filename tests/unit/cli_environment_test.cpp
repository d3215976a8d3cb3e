#include "cli/environment.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>

namespace {

using Variables = std::map<std::string, std::string>;

cli::Terminal describe(bool is_terminal, int columns, const Variables& variables) {
    return cli::describe_terminal(is_terminal, columns, [&](const std::string& name) {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    });
}

}  // namespace

TEST_CASE("off a terminal everything is plain, whatever the variables say") {
    CHECK(describe(false, 132, {{"COLUMNS", "200"}, {"LANG", "C.UTF-8"}}) == cli::Terminal{});
}

TEST_CASE("a terminal gives its width, unless COLUMNS or nothing does") {
    CHECK(describe(true, 132, {}).width == 132);
    CHECK(describe(true, 132, {{"COLUMNS", "60"}}).width == 60);
    CHECK(describe(true, 132, {{"COLUMNS", "wide"}}).width == 132);
    CHECK(describe(true, 132, {{"COLUMNS", "-5"}}).width == 132);
    CHECK(describe(true, 0, {}).width == 80);
}

TEST_CASE("NO_COLOR and a dumb terminal take colour away") {
    CHECK(describe(true, 80, {{"TERM", "xterm"}}).colour);
    CHECK(describe(true, 80, {{"NO_COLOR", ""}}).colour);
    CHECK_FALSE(describe(true, 80, {{"NO_COLOR", "1"}}).colour);
    CHECK_FALSE(describe(true, 80, {{"TERM", "dumb"}}).colour);
}

TEST_CASE("marks need a UTF-8 locale, and LC_ALL decides over LANG") {
    CHECK(describe(true, 80, {{"LANG", "en_US.UTF-8"}}).unicode);
    CHECK(describe(true, 80, {{"LC_CTYPE", "C.utf8"}, {"LANG", "C"}}).unicode);
    CHECK_FALSE(describe(true, 80, {{"LC_ALL", "C"}, {"LANG", "en_US.UTF-8"}}).unicode);
    CHECK(describe(true, 80, {{"LC_ALL", ""}, {"LANG", "en_US.UTF-8"}}).unicode);
    CHECK_FALSE(describe(true, 80, {}).unicode);
}
