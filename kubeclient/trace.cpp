#include "kubeclient/trace.hpp"

#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "kubeclient/redact.hpp"

namespace kubeclient {
namespace {

constexpr std::size_t kShortBody = 1024;
constexpr int kRequestHeaders = 7;
constexpr int kBodies = 8;
constexpr int kEverything = 9;

std::string shown_value(const std::string& name, const std::string& value) {
    return is_sensitive(name) || looks_secret(value) ? std::string(kMasked) : value;
}

std::string shown_url(const ServerUrl& server, const Request& request) {
    std::string url = server.tls ? "https://" : "http://";
    url += host_header(server) + server.base_path + request.path;
    char separator = '?';
    for (const auto& [name, value] : request.query) {
        url += separator + percent_encoded(name) + "=" + percent_encoded(shown_value(name, value));
        separator = '&';
    }
    return url;
}

// For a POSIX shell.
std::string single_quoted(const std::string& text) {
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

// One line, whatever a server or a user put into it.
std::string one_line(std::string text) {
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    return text;
}

class TracingTransport final : public Transport {
public:
    TracingTransport(std::unique_ptr<Transport> inner, TraceOptions options)
        : inner_(std::move(inner)), options_(std::move(options)) {}

    Result<Response> send(const Request& request) override {
        Lines lines = request_lines(request);
        const auto start = options_.now();
        auto result = inner_->send(request);
        append_outcome(lines, request, result, start);
        write(lines);
        return result;
    }

    // Written as soon as something comes; what a stream carries is not shown.
    Result<Response> stream(const Request& request, const BodySink& sink,
                            std::stop_token stop) override {
        Lines lines = request_lines(request);
        const auto start = options_.now();
        bool begun = false;
        const BodySink tracing = [&](const Response& head, std::string_view piece) {
            if (!std::exchange(begun, true)) {
                append_outcome(lines, request, head, start);
                write(std::exchange(lines, {}));
            }
            return sink(head, piece);
        };
        auto result = inner_->stream(request, tracing, std::move(stop));
        if (!begun || !result.ok()) {
            append_outcome(lines, request, result, start);
            write(lines);
        }
        return result;
    }

private:
    using Lines = std::vector<std::string>;
    using TimePoint = std::chrono::steady_clock::time_point;

    void write(const Lines& lines) {
        const std::lock_guard lock(mutex_);  // the lines of one request stay together
        for (const auto& line : lines) options_.sink(one_line(line));
    }

    void append_outcome(Lines& lines, const Request& request, const Result<Response>& result,
                        TimePoint start) const {
        const auto took =
            std::chrono::duration_cast<std::chrono::milliseconds>(options_.now() - start);
        lines.push_back(outcome_line(request, result, took));
        if (!result.ok() || options_.level < kBodies) return;
        lines.push_back("Response Headers:");
        append(lines, result->headers);
        lines.push_back("Response Body: " + shown_body(result->body));
    }

    static void append(Lines& lines, const Headers& headers) {
        for (const auto& [name, value] : headers) {
            lines.push_back("    " + name + ": " + shown_value(name, value));
        }
    }

    std::string shown_body(const std::string& body) const {
        if (body.empty()) return "";
        std::string shown = redacted_body(body);
        if (options_.level >= kEverything || shown.size() <= kShortBody) return shown;
        const auto cut = shown.size() - kShortBody;
        return shown.substr(0, kShortBody) + " [truncated " + std::to_string(cut) + " chars]";
    }

    Headers headers_of(const Request& request) const {
        Headers headers{{"Accept", request.accept}};
        if (!request.content_type.empty()) {
            headers.emplace_back("Content-Type", request.content_type);
        }
        headers.insert(headers.end(), options_.headers.begin(), options_.headers.end());
        return headers;
    }

    std::string curl_line(const Request& request) const {
        std::string line = "curl -v -X" + std::string(name_of(request.method));
        for (const auto& [name, value] : headers_of(request)) {
            line += " -H " + single_quoted(name + ": " + shown_value(name, value));
        }
        return line + " " + single_quoted(shown_url(options_.server, request));
    }

    Lines request_lines(const Request& request) const {
        Lines lines;
        if (options_.level >= kEverything) lines.push_back(curl_line(request));
        if (options_.level >= kRequestHeaders) {
            lines.push_back("Request Headers:");
            append(lines, headers_of(request));
        }
        if (options_.level >= kBodies && !request.body.empty()) {
            lines.push_back("Request Body: " + shown_body(request.body));
        }
        return lines;
    }

    std::string outcome_line(const Request& request, const Result<Response>& result,
                             std::chrono::milliseconds took) const {
        std::string line =
            std::string(name_of(request.method)) + " " + shown_url(options_.server, request) + " ";
        if (result.ok()) line += std::to_string(result->status) + " ";
        line += "in " + std::to_string(took.count()) + " milliseconds";
        return result.ok() ? line : line + ": " + result.error().message;
    }

    const std::unique_ptr<Transport> inner_;
    const TraceOptions options_;
    std::mutex mutex_{};
};

}  // namespace

std::unique_ptr<Transport> with_trace(std::unique_ptr<Transport> inner, TraceOptions options) {
    constexpr int lowest = 6;
    if (options.level < lowest) return inner;
    return std::make_unique<TracingTransport>(std::move(inner), std::move(options));
}

}  // namespace kubeclient
