#include "commands/suggest.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

TEST_CASE("the nearest word is the one mistyped or begun, and nothing when none is near") {
    constexpr std::array<std::string_view, 4> words{"preflight", "explain", "version", "CPU-001"};
    CHECK(commands::nearest("preflite", words) == "preflight");
    CHECK(commands::nearest("preflght", words) == "preflight");
    CHECK(commands::nearest("Version", words) == "version");
    CHECK(commands::nearest("ex", words) == "explain");
    CHECK(commands::nearest("cpu-010", words) == "CPU-001");
    CHECK(commands::nearest("e", words) == std::nullopt);
    CHECK(commands::nearest("migrate", words) == std::nullopt);
    CHECK(commands::nearest("", words) == std::nullopt);
    CHECK(commands::nearest(std::string(100'000, 'p'), words) == std::nullopt);
}
