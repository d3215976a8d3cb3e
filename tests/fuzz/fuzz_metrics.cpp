// Bytes as lines of virt-launcher's log and as virt-handler's metrics. Whatever is read stays
// within its bounds, and the kubelet's timestamp in front of a log line changes nothing.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>

#include "recovery/sight.hpp"
#include "recovery/transfer.hpp"

namespace {

using namespace recovery;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

void check_transfer(const facts::Transfer& transfer) {
    for (const auto figure : {transfer.processed, transfer.remaining, transfer.total, transfer.rate,
                              transfer.dirty_rate}) {
        require(figure >= 0 && figure <= kMostBytes, "a figure out of bounds");
    }
    require(!transfer.pass || *transfer.pass >= 0, "a negative pass");
    for (const auto& time : {transfer.elapsed, transfer.downtime}) {
        require(!time || (time->count() >= 0 && std::chrono::nanoseconds(*time).count() >= 0),
                "a time out of bounds");
    }
}

void check_line(const std::string& line) {
    const auto note = read_log_line(line);
    if (!note) return;
    require(note->transfer.has_value() != !note->message.empty(), "neither figures nor words");
    require(note->message.size() < 1100 && note->migration_uid.size() <= 64, "a long note");
    if (note->transfer) check_transfer(*note->transfer);
    if (line.starts_with('{')) {
        const auto stamped = read_log_line("2026-11-21T03:19:50Z " + line);
        require(stamped == note, "a timestamp in front changes the line");
    }
}

void check_metrics(const std::string& text) {
    const Instant now{std::chrono::milliseconds(1'763'695'190'000)};
    std::set<NamedIn> seen;
    for (const auto& sample : read_handler_metrics(text, now)) {
        require(!sample.ns.empty() && !sample.vmi.empty(), "a sample of nobody");
        require(seen.emplace(sample.ns, sample.vmi).second, "a VMI twice");
        check_transfer(sample.transfer);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 1 << 17) return 0;
    const std::string text(reinterpret_cast<const char*>(data), size);
    check_metrics(text);
    for (std::size_t from = 0; from < text.size();) {
        const auto end = std::min(text.find('\n', from), text.size());
        check_line(text.substr(from, end - from));
        from = end + 1;
    }
    return 0;
}
