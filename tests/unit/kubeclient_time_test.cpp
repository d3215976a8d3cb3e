#include "kubeclient/time.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using kubeclient::human_duration;
using kubeclient::parse_duration;
using kubeclient::parse_request_timeout;
using kubeclient::parse_time;

TEST_CASE("RFC 3339 times are read in any offset") {
    const std::pair<const char*, std::int64_t> rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59Z", -1000000},
        {"2026-11-21T04:45:50Z", 1795236350000000},
        {"2026-11-21T05:45:50+01:00", 1795236350000000},
        {"2026-11-20T23:15:50-05:30", 1795236350000000},
        {"2026-11-21t04:45:50.123456z", 1795236350123456},
        {"2026-11-21T04:45:50.5Z", 1795236350500000},
        {"2026-11-21T04:45:50.123456789Z", 1795236350123456},
        {"2024-02-29T00:00:00Z", 1709164800000000},
        {"2016-12-31T23:59:60Z", 1483228800000000},
    };
    for (const auto& [text, expected] : rows) {
        CAPTURE(std::string(text));
        REQUIRE(parse_time(text).ok());
        CHECK(parse_time(text)->time_since_epoch().count() == expected);
    }
}

TEST_CASE("what is no RFC 3339 time is refused") {
    for (const char* text :
         {"", "2026-11-21", "2026-11-21 04:45:50Z", "2026-11-21T04:45:50", "2026-02-29T00:00:00Z",
          "2026-13-01T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T04:60:00Z",
          "2026-11-21T04:45:50.Z", "2026-11-21T04:45:50+24:00", "2026-11-21T04:45:50+0100",
          "2026-11-21T04:45:50ZZ", "+026-11-21T04:45:50Z", "2026-1-21T04:45:50Z", "null"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_time(text).ok());
    }
}

TEST_CASE("times are written as Kubernetes writes them and read back the same") {
    const auto time = *parse_time("2026-11-21T04:45:50.000120Z");
    CHECK(kubeclient::format_micro_time(time) == "2026-11-21T04:45:50.000120Z");
    CHECK(kubeclient::format_time(std::chrono::floor<std::chrono::seconds>(time)) ==
          "2026-11-21T04:45:50Z");
    const auto before_epoch = *parse_time("1969-12-31T23:59:59.25Z");
    CHECK(kubeclient::format_micro_time(before_epoch) == "1969-12-31T23:59:59.250000Z");
    for (std::int64_t micro = -5'000'000'000'000'000; micro < 5'000'000'000'000'000;
         micro += 123'456'789'012'345) {
        const kubeclient::Instant instant{std::chrono::microseconds(micro)};
        CHECK(*parse_time(kubeclient::format_micro_time(instant)) == instant);
    }
}

TEST_CASE("durations are Go's") {
    const std::pair<const char*, std::chrono::nanoseconds> rows[] = {
        {"0", 0ns},
        {"-0", 0ns},
        {"2m30s", 150s},
        {"1.5h", 90min},
        {"-1.5h", -90min},
        {"300ms", 300ms},
        {"1us", 1us},
        {"1\xc2\xb5s", 1us},
        {"1\xce\xbcs", 1us},
        {"1h1m1s1ms1us1ns", 3661001001001ns},
        {".5s", 500ms},
        {"1.s", 1s},
        {"0.3s", 300ms},
        {"+5s", 5s},
        {"0.000000001s", 1ns},
        {"2562047h", 2562047h},
    };
    for (const auto& [text, expected] : rows) {
        CAPTURE(std::string(text));
        REQUIRE(parse_duration(text).ok());
        CHECK(parse_duration(text)->count() == expected.count());
    }
    for (const char* text : {"", "-", "5", "s", ".s", "1x", "1s ", "1 s", "1h30", "9999999h",
                             "9999999999999999999999s", "--1s", "1d"}) {
        CAPTURE(text);
        REQUIRE_FALSE(parse_duration(text).ok());
        CHECK(parse_duration(text).error().kind == kubeclient::ErrorKind::usage);
    }
}

TEST_CASE("a request timeout is seconds or a duration, never negative") {
    CHECK(*parse_request_timeout("0") == 0s);
    CHECK(*parse_request_timeout("30") == 30s);
    CHECK(*parse_request_timeout("2m30s") == 150s);
    CHECK(*parse_request_timeout("0s") == 0s);
    for (const char* text : {"", "-1", "-1s", "x", "1 ", "99999999999999", "1.5"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_request_timeout(text).ok());
    }
}

TEST_CASE("ages read as in kubectl's tables") {
    const std::pair<std::chrono::nanoseconds, const char*> rows[] = {
        {-2s, "<invalid>"},  {-1500ms, "0s"},       {0s, "0s"},
        {119s, "119s"},      {120s, "2m"},          {200s, "3m20s"},
        {599s, "9m59s"},     {10min + 5s, "10m"},   {179min, "179m"},
        {180min, "3h"},      {185min, "3h5m"},      {8h + 30min, "8h"},
        {47h, "47h"},        {48h, "2d"},           {51h, "2d3h"},
        {24h * 8, "8d"},     {24h * 729, "729d"},   {24h * 730, "2y"},
        {24h * 731, "2y1d"}, {24h * 365 * 8, "8y"}, {24h * 365 * 9 + 48h, "9y"},
    };
    for (const auto& [duration, expected] : rows) {
        CAPTURE(expected);
        CHECK(human_duration(duration) == expected);
    }
}
