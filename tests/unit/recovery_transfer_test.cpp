#include <doctest/doctest.h>

#include <string>

#include "recovery/sight.hpp"
#include "recovery/transfer.hpp"

using namespace std::chrono_literals;
using recovery::kMostBytes;
using recovery::read_handler_metrics;
using recovery::read_log_line;

namespace {

constexpr std::int64_t kMiB = 1 << 20;

recovery::Instant at(std::int64_t milliseconds) {
    return recovery::Instant(std::chrono::milliseconds(milliseconds));
}

// As virt-launcher v1.9 writes it.
const std::string kFigures =
    "TimeElapsed:8123ms DataProcessed:1500MiB DataRemaining:600MiB DataTotal:2056MiB "
    "MemoryProcessed:1400MiB MemoryRemaining:500MiB MemoryTotal:1956MiB MemoryBandwidth:800Mbps "
    "DirtyRate:160Mbps Iteration:3 PostcopyRequests:0 ConstantPages:12 NormalPages:345 "
    "NormalData:1400MiB ExpectedDowntime:300ms DiskMbps:5";

std::string log_line(const std::string& msg, const std::string& rest = "") {
    return R"({"component":"virt-launcher","kind":"","level":"info","msg":")" + msg +
           R"(","name":"web","namespace":"prod","pos":"live-migration-source.go:979",)" + rest +
           R"("timestamp":"2026-11-21T03:19:50.250999Z","uid":"vmi-1"})";
}
std::string error_line(const std::string& msg, const std::string& pos, const std::string& rest) {
    return R"({"level":"error","msg":")" + msg + R"(","pos":")" + pos + R"(",)" + rest +
           R"("timestamp":"2026-11-21T03:19:50.000000Z"})";
}
std::string message_of(const std::string& line) {
    const auto note = read_log_line(line);
    return note ? note->message : "(none)";
}

// Of one VMI and nothing else.
facts::Transfer only(const std::string& text, recovery::Instant now = at(0)) {
    const auto samples = read_handler_metrics(text, now);
    REQUIRE(samples.size() == 1);
    CHECK(samples[0].ns == "prod");
    CHECK(samples[0].vmi == "web");
    return samples[0].transfer;
}
std::string sample(const std::string& name, const std::string& value) {
    return "kubevirt_vmi_migration_" + name + R"({namespace="prod",name="web",node="n1"} )" +
           value + "\n";
}

}  // namespace

TEST_CASE("a line of figures tells the migration, its time and every figure in bytes") {
    const auto note = read_log_line(log_line("Migration info for uid-1: " + kFigures));
    REQUIRE(note);
    CHECK(note->migration_uid == "uid-1");
    CHECK(note->message.empty());
    facts::Transfer expected;
    expected.source = facts::Transfer::Source::launcher_log;
    expected.at = std::chrono::sys_days{2026y / 11 / 21} + 3h + 19min + 50s + 250ms;
    expected.processed = 1500 * kMiB;
    expected.remaining = 600 * kMiB;
    expected.total = 2056 * kMiB;
    expected.rate = 100'000'000;
    expected.dirty_rate = 20'000'000;
    expected.pass = 3;
    expected.elapsed = 8123ms;
    CHECK(note->transfer == expected);
}

TEST_CASE("the downtime is known from the last line only, and is not the expected one") {
    const auto running = read_log_line(log_line("Migration info for u: " + kFigures));
    REQUIRE(running);
    CHECK_FALSE(running->transfer->downtime);
    const auto last = read_log_line(
        log_line("Migration info for u: DataTotal:5MiB Downtime:87ms DowntimeNet:12ms DiskMbps:0"));
    REQUIRE(last);
    CHECK(last->transfer->downtime == 87ms);
}

TEST_CASE("the kubelet's timestamp in front of a line does not hide it") {
    const auto line = log_line("Migration info for u: " + kFigures);
    CHECK(read_log_line("2026-11-21T03:20:00.123456789Z " + line) == read_log_line(line));
    CHECK(read_log_line("2026-11-21T04:20:00+01:00 " + line) == read_log_line(line));
    CHECK_FALSE(read_log_line("stderr " + line));
    CHECK_FALSE(read_log_line("2026-11-21T03:20:00Z"));
}

TEST_CASE("without a time of its own, a line has the kubelet's; without any it is no measurement") {
    const std::string line = R"({"msg":"Migration info for u: DataTotal:5MiB"})";
    const auto note = read_log_line("2026-11-21T03:20:00.5Z " + line);
    REQUIRE(note);
    CHECK(note->transfer->at == std::chrono::sys_days{2026y / 11 / 21} + 3h + 20min + 500ms);
    CHECK_FALSE(read_log_line(line));
}

TEST_CASE("of an older or newer release's line, what is known is taken") {
    const auto note = read_log_line(log_line(
        "Migration info for u: MemoryProcessed:7MiB MemoryTotal:9MiB CompressionRatio:1.23x Odd:4 "
        "DirtyRate:manyMbps TimeElapsed:3s DataRemaining:2GiB"));
    REQUIRE(note);
    CHECK(note->transfer->processed == 7 * kMiB);
    CHECK(note->transfer->total == 9 * kMiB);
    CHECK(note->transfer->remaining == 0);
    CHECK(note->transfer->dirty_rate == 0);
    CHECK_FALSE(note->transfer->elapsed);
    CHECK_FALSE(note->transfer->pass);
    CHECK_FALSE(read_log_line(log_line("Migration info for u: nothing known")));
    CHECK_FALSE(read_log_line(log_line("Migration info for u")));
}

TEST_CASE("figures that are too large are capped, and negative ones are none") {
    const auto note = read_log_line(log_line(
        "Migration info for u: TimeElapsed:18446744073709551615ms DataTotal:9999999999999999MiB "
        "DataProcessed:99999999999999999999999MiB DataRemaining:-5MiB Iteration:99999999999 "
        "MemoryBandwidth:18446744073709Mbps"));
    REQUIRE(note);
    CHECK(note->transfer->total == kMostBytes);
    CHECK(note->transfer->processed == kMostBytes);
    CHECK(note->transfer->remaining == 0);
    CHECK(note->transfer->rate == kMostBytes);
    CHECK(note->transfer->pass == 2147483647);
    CHECK(note->transfer->elapsed > std::chrono::years(9));
    CHECK(note->transfer->elapsed < std::chrono::years(11));
}

TEST_CASE("a change of mode is kept in its words") {
    for (const std::string message :
         {"Starting post copy mode for migration",
          "Pausing the guest to allow migration to complete",
          "completion timeout reached: starting post-copy mode to force convergence",
          "Setting large max downtime to trigger migration switchover",
          "Live migration abort detected with reason: Live migration stuck for 150 seconds"}) {
        const auto note = read_log_line(log_line(message));
        REQUIRE(note);
        CHECK(note->message == message);
        CHECK_FALSE(note->transfer);
        CHECK(note->migration_uid.empty());
    }
}

TEST_CASE("an error is about a migration by its words or by the function it comes from") {
    CHECK(message_of(error_line("Live migration failed.", "live-migration-source.go:900",
                                R"~("reason":"virError(Code=9, Message='it broke')",)~")) ==
          "Live migration failed: virError(Code=9, Message='it broke')");
    CHECK(message_of(error_line("operation failed: job", "qemuMigrationSrcRun:4711",
                                R"("subcomponent":"libvirt",)")) == "operation failed: job");
    CHECK(message_of(error_line("guest CPU doesn't match specification: missing features: avx512f",
                                "virCPUx86Compare:1", "")) ==
          "guest CPU doesn't match specification: missing features: avx512f");
    CHECK_FALSE(read_log_line(error_line("End of file while reading data: Input/output error",
                                         "virNetSocketReadWire:1", "")));
    CHECK_FALSE(read_log_line(log_line("migration is something else's matter")));
}

TEST_CASE("a very long error is cut between two characters") {
    std::string words = "migration ";
    while (words.size() < 3000) words += "ü";
    const auto message = message_of(error_line(words, "", ""));
    CHECK(message.size() <= 1003);
    CHECK(message.ends_with("ü…"));
}

TEST_CASE("what is no line of virt-launcher's is passed over") {
    for (const std::string line :
         {"", " ", "{", "{}", "[]", "null", R"({"msg":7})", R"({"msg":null})", R"({"msg":"ready"})",
          "qemu-kvm: terminating on signal 15", "\xff\xfe", R"({"msg":"\ud800 migration"})"}) {
        CHECK_FALSE(read_log_line(line));
    }
    const std::string long_line(70'000, ' ');
    CHECK_FALSE(read_log_line(
        log_line("Migration info for u: DataTotal:5MiB", "\"x\":\"" + long_line + "\",")));
    CHECK_FALSE(read_log_line(std::string(60'000, '[')));
}

TEST_CASE("the newest sample of each series counts, in whatever order they stand") {
    const auto transfer = only(
        "# HELP kubevirt_vmi_migration_data_processed_bytes The total\n"
        "# TYPE kubevirt_vmi_migration_data_processed_bytes gauge\n" +
        sample("data_processed_bytes", "100 1763695190000") +
        sample("data_processed_bytes", "300 1763695200000") +
        sample("data_processed_bytes", "200 1763695195000") +
        sample("data_remaining_bytes", "1.5e+09 1763695199000") +
        sample("data_bytes_total", "2.5e+09 1763695199000") +
        sample("memory_transfer_rate_bytes", "1e8 1763695199000") +
        sample("dirty_memory_rate_bytes", "12345678.9 1763695199000"));
    facts::Transfer expected;
    expected.source = facts::Transfer::Source::handler_metrics;
    expected.at = at(1763695200000);
    expected.processed = 300;
    expected.remaining = 1'500'000'000;
    expected.total = 2'500'000'000;
    expected.rate = 100'000'000;
    expected.dirty_rate = 12'345'678;
    CHECK(transfer == expected);
}

TEST_CASE("the total has an older name, and a disk's rate is not the memory's") {
    CHECK(only(sample("data_total_bytes", "77 5000")).total == 77);
    CHECK(only(sample("data_total_bytes", "77 5000") + sample("data_bytes_total", "78 6000") +
               sample("data_total_bytes", "76 5500"))
              .total == 78);
    CHECK(read_handler_metrics(sample("disk_transfer_rate_bytes", "5 5000"), at(0)).empty());
}

TEST_CASE("a sample without a time is of now") {
    CHECK(only(sample("data_processed_bytes", "5"), at(9000)).at == at(9000));
    const auto both = only(
        sample("data_processed_bytes", "5 1000") + sample("data_processed_bytes", "6"), at(9000));
    CHECK(both.processed == 6);
}

TEST_CASE("labels may be escaped, spaced and in any order") {
    const auto samples = read_handler_metrics(
        "  kubevirt_vmi_migration_data_processed_bytes { name = \"a\\\"b\\\\c\\nd\" , other=\"}\" "
        ",\t"
        "namespace=\"prod\" , } 4\t5000 \r\n",
        at(0));
    REQUIRE(samples.size() == 1);
    CHECK(samples[0].vmi == "a\"b\\c\nd");
    CHECK(samples[0].transfer.processed == 4);
    CHECK(samples[0].transfer.at == at(5000));
}

TEST_CASE("every VMI of the node comes once, by namespace and name") {
    const auto line = [](const std::string& ns, const std::string& name) {
        return "kubevirt_vmi_migration_data_bytes_total{namespace=\"" + ns + "\",name=\"" + name +
               "\"} 1 5\n";
    };
    const auto samples = read_handler_metrics(
        line("b", "x") + line("a", "y") + line("a", "x") + line("b", "x"), at(0));
    REQUIRE(samples.size() == 3);
    CHECK(samples[0].ns + samples[0].vmi == "ax");
    CHECK(samples[1].ns + samples[1].vmi == "ay");
    CHECK(samples[2].ns + samples[2].vmi == "bx");
}

TEST_CASE("samples that are no numbers, or of no VMI, are passed over") {
    for (const std::string value :
         {"NaN", "+Inf", "-Inf", "Inf", "-1", "", "five", "0x10", "1e999", "5 later", "5 1.5",
          "5 -1", "5 999999999999999999", "5 99999999999999999999999", "5 6 7", "5 # {} 1"}) {
        CAPTURE(value);
        CHECK(read_handler_metrics(sample("data_processed_bytes", value), at(0)).empty());
    }
    const std::string name = "kubevirt_vmi_migration_data_processed_bytes";
    for (const std::string labels :
         {"", "{}", "{namespace=\"prod\"}", "{name=\"web\"}", "{namespace=\"\",name=\"web\"}",
          "{namespace=\"prod\",name=\"web\"", "{namespace=\"prod\" name=\"web\"}",
          "{namespace=\"prod\",name=\"web}", "{namespace=\"prod\",name=\"w\\x\"}",
          "{namespace=\"prod\",name=\"w\\", "{namespace=prod,name=\"web\"}", "{=\"x\"}", "{,}"}) {
        CAPTURE(labels);
        CHECK(read_handler_metrics(name + labels + " 5\n", at(0)).empty());
    }
    CHECK(
        only(sample("data_processed_bytes", "NaN 9000") + sample("data_processed_bytes", "5 8000"))
            .processed == 5);
}

TEST_CASE("values beyond every machine are capped, and the text's last line needs no end") {
    CHECK(only(sample("data_processed_bytes", "1e300")).processed == kMostBytes);
    CHECK(only(sample("data_processed_bytes", "+7")).processed == 7);
    CHECK(only("kubevirt_vmi_migration_data_bytes_total{namespace=\"prod\",name=\"web\"}3").total ==
          3);
}
