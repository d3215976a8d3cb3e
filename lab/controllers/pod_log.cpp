#include "lab/controllers/pod_log.hpp"

#include <algorithm>
#include <charconv>

#include "kubeclient/time.hpp"
#include "lab/api/route.hpp"

namespace lab {

namespace {

std::optional<std::int64_t> number(const kubeclient::Request& request, std::string_view name) {
    const std::string text = parameter(request, name);
    std::int64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || read.ec != std::errc() || value < 0) return std::nullopt;
    return value;
}

}  // namespace

LogReader::LogReader(const kubeclient::Request& request, Instant now)
    : stamped_(flag(request, "timestamps").value_or(false)) {
    if (const auto seconds = number(request, "sinceSeconds")) {
        since_ = now - std::chrono::seconds(*seconds);
    }
    const auto time = kubeclient::parse_time(parameter(request, "sinceTime"));
    if (time.ok()) since_ = *time;
    if (const auto most = number(request, "tailLines")) tail_ = static_cast<std::size_t>(*most);
    if (const auto most = number(request, "limitBytes")) room_ = static_cast<std::size_t>(*most);
}

std::string LogReader::next(const std::vector<LogLine>& lines) {
    if (tail_ && lines.size() > *tail_) given_ = lines.size() - *tail_;
    tail_.reset();
    std::string text;
    for (; given_ < lines.size(); ++given_) {
        const LogLine& line = lines[given_];
        if (since_ && line.at < *since_) continue;
        if (stamped_) text += kubeclient::format_micro_time(line.at) + " ";
        text += line.text + "\n";
    }
    if (room_) {
        text.resize(std::min(text.size(), *room_));
        *room_ -= text.size();
    }
    return text;
}

}  // namespace lab
