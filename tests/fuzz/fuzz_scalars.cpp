// Bytes as a quantity, a duration and a time. Whatever is accepted must keep its own arithmetic.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "kubeclient/quantity.hpp"
#include "kubeclient/time.hpp"

namespace {

using namespace kubeclient;

void require(bool holds, const char* what, const std::string& text) {
    if (holds) return;
    std::fprintf(stderr, "%s: %s\n", what, text.c_str());
    std::abort();
}

void check_quantity(const std::string& text) {
    const auto whole = parse_bytes(text);
    const auto milli = parse_milli(text);
    if (!milli.ok()) return;
    require(whole.ok(), "thousandths fit but the whole does not", text);
    const auto away = *milli / 1000 + (*milli % 1000 > 0 ? 1 : *milli % 1000 < 0 ? -1 : 0);
    require(*whole == away, "thousandths and whole disagree", text);
    require(parse_bytes(std::to_string(*whole)) == whole, "a plain number reads differently", text);
    require(!describe_bytes(*whole).empty(), "nothing to show", text);
}

void check_time(const std::string& text) {
    const auto time = parse_time(text);
    // An offset can reach the years -1 and 10000, which RFC 3339 cannot write.
    const auto written = time.ok() ? format_micro_time(*time) : "";
    if (written.size() == 27 && written[0] != '-') {
        require(parse_time(written) == time, "a time reads differently", text);
    }
    const auto duration = parse_duration(text);
    if (duration.ok()) require(!human_duration(*duration).empty(), "nothing to show", text);
    const auto timeout = parse_request_timeout(text);
    if (timeout.ok()) require(timeout->count() >= 0, "a negative timeout", text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 2048) return 0;
    const std::string text(reinterpret_cast<const char*>(data), size);
    check_quantity(text);
    check_time(text);
    return 0;
}
