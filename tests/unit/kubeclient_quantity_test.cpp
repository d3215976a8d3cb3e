#include "kubeclient/quantity.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <limits>

using kubeclient::describe_bytes;
using kubeclient::parse_bytes;
using kubeclient::parse_milli;

TEST_CASE("quantities come out exactly, rounded away from zero") {
    struct Row {
        std::string text;
        std::int64_t bytes;
        std::int64_t milli;
    };
    const Row rows[] = {
        {"0", 0, 0},
        {"-0", 0, 0},
        {"1", 1, 1000},
        {"+1", 1, 1000},
        {"10Gi", 10737418240, 10737418240000},
        {"1.5Gi", 1610612736, 1610612736000},
        {"0.5", 1, 500},
        {".5", 1, 500},
        {"5.", 5, 5000},
        {"500m", 1, 500},
        {"1500m", 2, 1500},
        {"-1500m", -2, -1500},
        {"100u", 1, 1},
        {"1n", 1, 1},
        {"0n", 0, 0},
        {"1k", 1000, 1000000},
        {"1M", 1000000, 1000000000},
        {"1Ki", 1024, 1024000},
        {"2T", 2000000000000, 2000000000000000},
        {"1e3", 1000, 1000000},
        {"1E3", 1000, 1000000},
        {"1e+3", 1000, 1000000},
        {"1e-3", 1, 1},
        {"12e-1", 2, 1200},
        {"0e99999", 0, 0},
        {"1e-99999", 1, 1},
        {"0.1Ki", 103, 102400},
        {"1.1Gi", 1181116007, 1181116006400},
        {"9007199254740993", 9007199254740993, 9007199254740993000},
        {"0.000000000000000000000000000000000000001", 1, 1},
        {"000000000000000000000000000000000000000001", 1, 1000},
    };
    for (const auto& row : rows) {
        CAPTURE(row.text);
        REQUIRE(parse_bytes(row.text).ok());
        CHECK(*parse_bytes(row.text) == row.bytes);
        REQUIRE(parse_milli(row.text).ok());
        CHECK(*parse_milli(row.text) == row.milli);
    }
    CHECK(*parse_bytes("1E") == 1000000000000000000);
    CHECK(*parse_bytes("1Ei") == 1152921504606846976);
    CHECK(*parse_bytes("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
    CHECK(*parse_bytes("0.0000000000000000008673617379884035472059622406959533691406250Ei") == 1);
    CHECK(*parse_bytes("0.00000000000000000086736173798840354720596224069595336914062501Ei") == 2);
}

TEST_CASE("what does not fit is an error, not a cap") {
    for (const char* text : {"9223372036854775808", "8Ei", "10E", "1e19", "1e99999", "-8Ei",
                             "9223372036854775807.1", "99999999999999999999999999"}) {
        CAPTURE(text);
        REQUIRE_FALSE(parse_bytes(text).ok());
        CHECK(parse_bytes(text).error().message.ends_with("is larger than 2^63-1"));
    }
    CHECK_FALSE(parse_milli("9223372036854775807").ok());
}

TEST_CASE("what is no quantity is refused") {
    for (const char* text :
         {"",     "-",   "+",   ".",  "Gi",    "1 Gi",          "1gi",  "1K",
          "1GiB", "1e",  "1e+", "e3", "1e+-3", "--1",           "0x10", "1_000",
          "1,5",  "NaN", "inf", " 1", "1 ",    "1e99999999999", "1mi",  "1.2.3"}) {
        CAPTURE(text);
        REQUIRE_FALSE(parse_bytes(text).ok());
        CHECK(parse_bytes(text).error().message.find("is not a quantity") != std::string::npos);
    }
    CHECK_FALSE(parse_bytes(std::string(100000, '1')).ok());
}

TEST_CASE("whole numbers with a binary suffix agree with plain arithmetic") {
    const char* const suffixes[] = {"", "Ki", "Mi", "Gi", "Ti"};
    for (int power = 0; power < 5; ++power) {
        for (std::int64_t number = -2000; number <= 2000; number += 37) {
            const auto text = std::to_string(number) + suffixes[power];
            CAPTURE(text);
            CHECK(*parse_bytes(text) == number * (std::int64_t{1} << (10 * power)));
        }
    }
}

TEST_CASE("sizes read well") {
    CHECK(describe_bytes(0) == "0 B");
    CHECK(describe_bytes(1023) == "1023 B");
    CHECK(describe_bytes(1024) == "1.0 KiB");
    CHECK(describe_bytes(1536) == "1.5 KiB");
    CHECK(describe_bytes(8LL << 30) == "8.0 GiB");
    CHECK(describe_bytes((1LL << 20) - 1) == "1.0 MiB");
    CHECK(describe_bytes((1LL << 30) - (1LL << 20)) == "1023.0 MiB");
    CHECK(describe_bytes(-1536) == "-1.5 KiB");
    CHECK(describe_bytes(std::numeric_limits<std::int64_t>::max()) == "8.0 EiB");
    CHECK(describe_bytes(std::numeric_limits<std::int64_t>::min()) == "-8.0 EiB");
}
