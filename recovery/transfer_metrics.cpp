// virt-handler's metrics, in the Prometheus text format.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>

#include "recovery/sight.hpp"
#include "recovery/transfer.hpp"

namespace recovery {

namespace {

using facts::Transfer;
using std::chrono::milliseconds;

constexpr std::size_t kLongestLine = 64 << 10;
constexpr std::size_t kMostMachines = 10'000;                   // far more than run on one node
constexpr std::int64_t kLastMillisecond = 253'402'300'799'999;  // of the year 9999

struct Measure {
    std::string_view name;
    std::int64_t Transfer::*field;
    std::size_t series;  // of two names for one thing the newest counts, too
};

// The total had two names: pkg/monitoring/rules/recordingrules keeps the old one.
constexpr std::array kMeasures{
    Measure{"kubevirt_vmi_migration_data_processed_bytes", &Transfer::processed, 0},
    Measure{"kubevirt_vmi_migration_data_remaining_bytes", &Transfer::remaining, 1},
    Measure{"kubevirt_vmi_migration_data_bytes_total", &Transfer::total, 2},
    Measure{"kubevirt_vmi_migration_data_total_bytes", &Transfer::total, 2},
    Measure{"kubevirt_vmi_migration_memory_transfer_rate_bytes", &Transfer::rate, 3},
    Measure{"kubevirt_vmi_migration_dirty_memory_rate_bytes", &Transfer::dirty_rate, 4},
};

struct Labels {
    std::string ns{};
    std::string name{};
};

struct Reading {
    std::int64_t value = 0;
    std::optional<Instant> at{};
};

void skip_blanks(std::string_view& text) {
    text.remove_prefix(std::min(text.size(), text.find_first_not_of(" \t")));
}

bool skip(std::string_view& text, char expected) {
    if (text.empty() || text[0] != expected) return false;
    text.remove_prefix(1);
    return true;
}

std::string_view take_name(std::string_view& text) {
    const auto ends = [](char c) {
        return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '_' || c == ':');
    };
    const auto length = std::find_if(text.begin(), text.end(), ends) - text.begin();
    const auto name = text.substr(0, static_cast<std::size_t>(length));
    text.remove_prefix(name.size());
    return name;
}

// A value in double quotes, with \\, \" and \n in it.
std::optional<std::string> take_quoted(std::string_view& text) {
    if (!skip(text, '"')) return std::nullopt;
    std::string value;
    while (!text.empty()) {
        char c = text[0];
        text.remove_prefix(1);
        if (c == '"') return value;
        if (c == '\\') {
            if (text.empty()) return std::nullopt;
            c = text[0] == 'n' ? '\n' : text[0];
            if (c != '\n' && c != '\\' && c != '"') return std::nullopt;
            text.remove_prefix(1);
        }
        value += c;
    }
    return std::nullopt;
}

// {namespace="prod",name="web",…}: both names are needed, others may come along.
std::optional<Labels> take_labels(std::string_view& text) {
    Labels labels;
    if (!skip(text, '{')) return std::nullopt;
    for (skip_blanks(text); !skip(text, '}'); skip_blanks(text)) {
        const auto name = take_name(text);
        skip_blanks(text);
        if (name.empty() || !skip(text, '=')) return std::nullopt;
        skip_blanks(text);
        auto value = take_quoted(text);
        if (!value) return std::nullopt;
        if (name == "namespace") labels.ns = std::move(*value);
        if (name == "name") labels.name = std::move(*value);
        skip_blanks(text);
        if (!skip(text, ',') && !text.starts_with('}')) return std::nullopt;
    }
    return labels.ns.empty() || labels.name.empty() ? std::nullopt : std::optional(labels);
}

std::string_view take_word(std::string_view& text) {
    skip_blanks(text);
    const auto word = text.substr(0, text.find_first_of(" \t"));
    text.remove_prefix(word.size());
    return word;
}

template <class T>
std::optional<T> number(std::string_view word) {
    if (word.starts_with('+')) word.remove_prefix(1);
    T value{};
    const auto* end = word.data() + word.size();
    const auto [rest, error] = std::from_chars(word.data(), end, value);
    const bool whole = !word.empty() && rest == end && error == std::errc();
    return whole ? std::optional(value) : std::nullopt;
}

// "1.5e+09", or "1.5e+09 1763700000000" with a time in milliseconds.
std::optional<Reading> read_value(std::string_view text) {
    const auto value = number<double>(take_word(text));
    if (!value || !std::isfinite(*value) || *value < 0) return std::nullopt;
    Reading reading;
    reading.value =
        *value >= static_cast<double>(kMostBytes) ? kMostBytes : static_cast<std::int64_t>(*value);
    const auto time = take_word(text);
    if (time.empty()) return reading;
    const auto at = number<std::int64_t>(time);
    if (!at || *at < 0 || *at > kLastMillisecond || !take_word(text).empty()) return std::nullopt;
    reading.at = Instant(milliseconds(*at));
    return reading;
}

struct Machine {
    Transfer transfer{};
    std::array<std::optional<Instant>, 5> newest{};  // by series
};

void take_reading(Machine& machine, const Measure& measure, std::int64_t value, Instant at) {
    auto& newest = machine.newest[measure.series];
    if (newest && at < *newest) return;
    newest = at;
    machine.transfer.*measure.field = value;
    machine.transfer.at = std::max(machine.transfer.at, at);
}

void read_sample(std::map<NamedIn, Machine>& machines, std::string_view line, Instant now) {
    skip_blanks(line);
    if (line.size() > kLongestLine || line.starts_with('#')) return;
    const auto name = take_name(line);
    const auto* const measure = std::find_if(kMeasures.begin(), kMeasures.end(),
                                             [&](const Measure& one) { return one.name == name; });
    if (measure == kMeasures.end()) return;
    skip_blanks(line);
    const auto labels = take_labels(line);
    if (!labels) return;
    const auto reading = read_value(line);
    if (!reading) return;
    const NamedIn key{labels->ns, labels->name};
    if (machines.size() >= kMostMachines && !machines.contains(key)) return;
    take_reading(machines[key], *measure, reading->value, reading->at.value_or(now));
}

}  // namespace

std::vector<HandlerSample> read_handler_metrics(std::string_view text, Instant now) {
    std::map<NamedIn, Machine> machines;
    while (!text.empty()) {
        auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line.ends_with('\r')) line.remove_suffix(1);
        read_sample(machines, line, now);
    }
    std::vector<HandlerSample> samples;
    for (auto& [key, machine] : machines) {
        machine.transfer.source = Transfer::Source::handler_metrics;
        samples.push_back({key.first, key.second, machine.transfer});
    }
    return samples;
}

}  // namespace recovery
