#include "recovery/transfer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "kubeclient/json.hpp"
#include "kubeclient/time.hpp"

namespace recovery {

namespace {

using facts::Transfer;
using std::chrono::milliseconds;
using Moment = std::chrono::sys_time<milliseconds>;

constexpr std::size_t kLongestLine = 64 << 10;
constexpr std::size_t kLongestMessage = 1000;

// Digits alone; what is too large for 64 bits is the largest there is.
std::optional<std::uint64_t> read_count(std::string_view digits) {
    std::uint64_t count = 0;
    const auto* end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, count);
    if (digits.empty() || rest != end || error == std::errc::invalid_argument) return std::nullopt;
    return error == std::errc() ? count : std::numeric_limits<std::uint64_t>::max();
}

std::int64_t capped(std::uint64_t count, std::uint64_t unit = 1) {
    constexpr auto most = static_cast<std::uint64_t>(kMostBytes);
    return static_cast<std::int64_t>(count > most / unit ? most : count * unit);
}

// The value of `figure` ("12MiB") if it is in this unit.
std::optional<std::uint64_t> in_unit(std::string_view figure, std::string_view unit) {
    if (!figure.ends_with(unit)) return std::nullopt;
    figure.remove_suffix(unit.size());
    return read_count(figure);
}

std::optional<std::int64_t> mebibytes(std::string_view figure) {
    const auto count = in_unit(figure, "MiB");
    return count ? std::optional(capped(*count, 1U << 20U)) : std::nullopt;
}
std::optional<std::int64_t> megabits(std::string_view figure) {
    const auto count = in_unit(figure, "Mbps");
    return count ? std::optional(capped(*count, 1'000'000 / 8)) : std::nullopt;
}
std::optional<milliseconds> duration(std::string_view figure) {
    const auto count = in_unit(figure, "ms");
    // A duration is turned into finer units by readers: ten years are enough.
    constexpr milliseconds longest = std::chrono::years(10);
    return count ? std::optional(std::min(longest, milliseconds(capped(*count)))) : std::nullopt;
}

// "TimeElapsed:1234ms DataProcessed:12MiB …", by name.
using Figures = std::map<std::string_view, std::string_view>;

Figures read_figures(std::string_view text) {
    Figures figures;
    while (!text.empty()) {
        const auto word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(text.size(), word.size() + 1));
        const auto colon = word.find(':');
        if (colon != std::string_view::npos) {
            figures.emplace(word.substr(0, colon), word.substr(colon + 1));
        }
    }
    return figures;
}

// Data is memory and disks; a line without it tells of memory at least.
template <class T>
std::optional<T> first_of(const Figures& figures, std::optional<T> (*read)(std::string_view),
                          std::initializer_list<std::string_view> names) {
    for (const auto name : names) {
        const auto found = figures.find(name);
        const auto value = found == figures.end() ? std::nullopt : read(found->second);
        if (value) return value;
    }
    return std::nullopt;
}

std::optional<Transfer> read_transfer(std::string_view text, Moment at) {
    const Figures figures = read_figures(text);
    Transfer transfer;
    transfer.source = Transfer::Source::launcher_log;
    transfer.at = at;
    bool any = false;
    const auto take = [&](std::int64_t& into, const std::optional<std::int64_t>& value) {
        any = any || value.has_value();
        into = value.value_or(0);
    };
    take(transfer.processed, first_of(figures, mebibytes, {"DataProcessed", "MemoryProcessed"}));
    take(transfer.remaining, first_of(figures, mebibytes, {"DataRemaining", "MemoryRemaining"}));
    take(transfer.total, first_of(figures, mebibytes, {"DataTotal", "MemoryTotal"}));
    take(transfer.rate, first_of(figures, megabits, {"MemoryBandwidth"}));
    take(transfer.dirty_rate, first_of(figures, megabits, {"DirtyRate"}));
    transfer.elapsed = first_of(figures, duration, {"TimeElapsed"});
    transfer.downtime = first_of(figures, duration, {"Downtime"});
    const auto pass = first_of(figures, read_count, {"Iteration"});
    if (pass) {
        constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<int>::max());
        transfer.pass = static_cast<int>(std::min(*pass, most));
    }
    any = any || transfer.elapsed || transfer.downtime || transfer.pass;
    return any ? std::optional(transfer) : std::nullopt;
}

char lowered(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool mentions(std::string_view text, std::string_view lower_case) {
    return std::search(text.begin(), text.end(), lower_case.begin(), lower_case.end(),
                       [](char a, char b) { return lowered(a) == b; }) != text.end();
}

// What live-migration-source.go says, at any level, when it changes how it copies or gives up.
bool changes_course(std::string_view message) {
    constexpr std::array phrases{
        "starting post copy mode",
        "starting post-copy mode",
        "pausing the guest to allow migration",
        "to trigger migration switchover",
        "forcing switchover",
        "to force switchover",
        "live migration stuck",
        "live migration is not completed",
        "live migration abort",
        "aborting migration",
        "migration was canceled",
    };
    return std::any_of(phrases.begin(), phrases.end(),
                       [&](std::string_view phrase) { return mentions(message, phrase); });
}

// An error of KubeVirt's or libvirt's that comes from migrating: libvirt names the function that
// failed in "pos", and not always the migration in its text.
bool is_migration_error(const kubeclient::Json& line, std::string_view message) {
    const auto level = kubeclient::text_at(line, {"level"}).value_or("");
    if (level != "error" && level != "fatal" && level != "panic") return false;
    const auto position = kubeclient::text_at(line, {"pos"}).value_or("");
    constexpr std::array phrases{"migrat", "guest cpu doesn't match", "client socket is closed"};
    return mentions(position, "migration") ||
           std::any_of(phrases.begin(), phrases.end(),
                       [&](std::string_view phrase) { return mentions(message, phrase); });
}

// Cut between characters.
std::string shortened(std::string text, std::size_t most) {
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
    return text.substr(0, most) + "…";
}

std::optional<LogNote> read_message(const kubeclient::Json& line, const std::string& message) {
    const auto reason = kubeclient::text_at(line, {"reason"}).value_or("");
    auto whole = message;
    if (!reason.empty()) {
        if (whole.ends_with('.')) whole.pop_back();
        whole += ": " + reason;
    }
    if (!changes_course(message) && !is_migration_error(line, whole)) return std::nullopt;
    LogNote note;
    note.message = shortened(std::move(whole), kLongestMessage);
    return note;
}

std::optional<Moment> moment(std::string_view text) {
    const auto time = kubeclient::parse_time(text);
    return time.ok() ? std::optional(std::chrono::floor<milliseconds>(*time)) : std::nullopt;
}

// "UID: TimeElapsed:…"
std::optional<LogNote> read_info(std::string_view text, std::optional<Moment> at) {
    constexpr std::size_t longest_uid = 64;
    const auto end = text.find(": ");
    if (!at || end == std::string_view::npos || end > longest_uid) return std::nullopt;
    LogNote note;
    note.migration_uid = text.substr(0, end);
    note.transfer = read_transfer(text.substr(end + 2), *at);
    return note.transfer ? std::optional(note) : std::nullopt;
}

}  // namespace

std::optional<LogNote> read_log_line(std::string_view line) {
    if (line.size() > kLongestLine) return std::nullopt;
    std::optional<Moment> at;
    if (!line.starts_with('{')) {  // the kubelet's timestamp
        const auto blank = line.find(' ');
        if (blank == std::string_view::npos) return std::nullopt;
        at = moment(line.substr(0, blank));
        if (!at) return std::nullopt;
        line.remove_prefix(blank + 1);
    }
    const auto json = kubeclient::parse_json(line, "log line");
    if (!json.ok()) return std::nullopt;
    const auto message = kubeclient::text_at(*json, {"msg"});
    if (!message) return std::nullopt;
    const auto own = kubeclient::text_at(*json, {"timestamp"});
    const auto measured = own ? moment(*own) : std::nullopt;
    constexpr std::string_view info = "Migration info for ";
    if (message->starts_with(info)) {
        return read_info(std::string_view(*message).substr(info.size()), measured ? measured : at);
    }
    return read_message(*json, *message);
}

}  // namespace recovery
