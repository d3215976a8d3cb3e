#include "commands/explain.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <vector>

#include "commands/errors.hpp"
#include "commands/suggest.hpp"
#include "commands/text.hpp"
#include "commands/topics.hpp"
#include "preflight/check.hpp"

namespace commands {

namespace {

using kubeclient::Error;
using kubeclient::Json;

Json to_json(const preflight::Check& check) {
    return {{"id", check.id},           {"slug", check.slug},
            {"title", check.title},     {"severity", preflight::to_string(check.severity)},
            {"meaning", check.meaning}, {"why", check.why},
            {"fix", check.fix},         {"source", check.source}};
}

Json list_json() {
    Json items = Json::array();
    for (const auto& check : preflight::all_checks()) items.push_back(to_json(check));
    Json topics = Json::array();
    for (const auto& topic : all_topics()) {
        topics.push_back({{"name", topic.name}, {"title", topic.title}});
    }
    return {{"apiVersion", "virt-handoff/v1"},
            {"kind", "CheckList"},
            {"items", std::move(items)},
            {"topics", std::move(topics)}};
}

Json check_json(const preflight::Check& check) {
    Json document = to_json(check);
    document["apiVersion"] = "virt-handoff/v1";
    document["kind"] = "Check";
    return document;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        lines.push_back(text.substr(0, text.find('\n')));
        text.remove_prefix(std::min(text.size(), lines.back().size() + 1));
    }
    return lines;
}

Json topic_json(const Topic& topic) {
    Json sections = Json::array();
    for (const auto& section : topic.sections) {
        sections.push_back({{"heading", section.heading},
                            {"text", section.text},
                            {"commands", lines_of(section.commands)}});
    }
    return {{"apiVersion", "virt-handoff/v1"},
            {"kind", "Topic"},
            {"name", topic.name},
            {"title", topic.title},
            {"sections", std::move(sections)}};
}

std::string list_table(int width) {
    std::vector<std::vector<std::string>> rows{{"ID", "SEVERITY", "TITLE"}};
    for (const auto& check : preflight::all_checks()) {
        rows.push_back({std::string(check.id), std::string(preflight::to_string(check.severity)),
                        std::string(check.title)});
    }
    return columns(rows, width);
}

std::string page(const preflight::Check& check, const Streams& io) {
    const Brush brush(io.colour);
    std::string text = brush(Tone::strong, check.id) + " (" + std::string(check.slug) + "), " +
                       std::string(preflight::to_string(check.severity)) + "\n" +
                       hang("", check.title, io.width);
    const auto section = [&](std::string_view name, std::string_view body) {
        text += "\n" + brush(Tone::strong, name) + "\n" + hang("  ", body, io.width);
    };
    section("What is looked at", check.meaning);
    section("Why it decides", check.why);
    section("What to do", check.fix);
    section("Source", check.source);
    return text;
}

std::string page(const Topic& topic, const Streams& io) {
    const Brush brush(io.colour);
    std::string text = brush(Tone::strong, topic.name) + "\n" + hang("", topic.title, io.width);
    for (const auto& section : topic.sections) {
        text +=
            "\n" + brush(Tone::strong, section.heading) + "\n" + hang("  ", section.text, io.width);
        // Commands stay whole: they are to be pasted.
        for (const auto line : lines_of(section.commands)) {
            text += "    " + std::string(line) + "\n";
        }
    }
    return text;
}

Error unknown_page(std::string_view word, std::string_view program) {
    std::vector<std::string_view> names;
    for (const auto& topic : all_topics()) names.push_back(topic.name);
    auto error = unknown_check(word, program);
    if (const auto name = nearest(word, names)) {
        error.hint = "did you mean " + quoted(*name) + "?";
    }
    return error;
}

ExitCode show_list(const ExplainOptions& options, Streams& io, std::string_view program) {
    if (is_document(options.output)) {
        io.out << render_document(list_json(), options.output);
        return ExitCode::done;
    }
    io.out << list_table(io.out_is_terminal ? io.width : 0);
    // The list is for scripts, too, and stays one of checks.
    if (!io.out_is_terminal) return ExitCode::done;
    for (const auto& topic : all_topics()) {
        io.err << "\nSee also: " << program << " explain " << topic.name << '\n';
    }
    return ExitCode::done;
}

}  // namespace

ExitCode run_explain(const ExplainOptions& options, Environment& environment) {
    auto& io = environment.io;
    if (options.check.empty()) return show_list(options, io, environment.program);
    if (const Topic* topic = find_topic(options.check)) {
        io.out << (is_document(options.output) ? render_document(topic_json(*topic), options.output)
                                               : page(*topic, io));
        return ExitCode::done;
    }
    const preflight::Check* check = preflight::find_check(options.check);
    if (check == nullptr) {
        const auto error = unknown_page(options.check, environment.program);
        print_error(io.err, error);
        io.out << render_error(error, options.output);
        return exit_code(error.kind);
    }
    io.out << (is_document(options.output) ? render_document(check_json(*check), options.output)
                                           : page(*check, io));
    return ExitCode::done;
}

}  // namespace commands
