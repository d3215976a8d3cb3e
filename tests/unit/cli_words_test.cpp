#include "cli/words.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

using std::chrono::milliseconds;

TEST_CASE("--request-timeout follows kubectl's rule: seconds or a Go duration") {
    struct Row {
        std::string word;
        std::optional<milliseconds> expected;
    };
    const std::vector<Row> rows{
        {"0", milliseconds(0)},
        {"0s", milliseconds(0)},
        {"30", milliseconds(30'000)},
        {"1m30s", milliseconds(90'000)},
        {"1.5h", milliseconds(5'400'000)},
        {"250ms", milliseconds(250)},
        {"1us", milliseconds(1)},  // rounding down would mean "no limit"
        {".5s", milliseconds(500)},
        {"", std::nullopt},
        {"-1", std::nullopt},
        {"-1s", std::nullopt},
        {"1x", std::nullopt},
        {"s", std::nullopt},
        {"1.2.3s", std::nullopt},
        {"1h 2m", std::nullopt},
        {"5 ", std::nullopt},
        {"99999999999999999999", std::nullopt},
    };
    for (const auto& row : rows) {
        CAPTURE(row.word);
        const auto seen = cli::request_timeout(row.word);
        CHECK(seen.ok() == row.expected.has_value());
        if (seen.ok() && row.expected.has_value()) CHECK(*seen == *row.expected);
    }
}

TEST_CASE("names keep to what Kubernetes allows") {
    CHECK(cli::vm_target("a.b-c1").ok());
    CHECK_FALSE(cli::vm_target("").ok());
    CHECK_FALSE(cli::vm_target("-a").ok());
    CHECK_FALSE(cli::vm_target("a-").ok());
    CHECK_FALSE(cli::vm_target("a..b").ok());
    CHECK_FALSE(cli::vm_target("vm/").ok());
    CHECK_FALSE(cli::vm_target("../a").ok());
    CHECK(cli::vm_target(std::string(253, 'a')).ok());
    CHECK_FALSE(cli::vm_target(std::string(254, 'a')).ok());
    CHECK(cli::namespace_name(std::string(63, 'a')).ok());
    CHECK_FALSE(cli::namespace_name(std::string(64, 'a')).ok());
    CHECK_FALSE(cli::namespace_name("a.b").ok());
}
