#include "commands/explain.hpp"

#include <nlohmann/json.hpp>
#include <ostream>

#include "commands/errors.hpp"
#include "commands/suggest.hpp"
#include "commands/text.hpp"
#include "preflight/check.hpp"

namespace commands {

namespace {

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
    return {{"apiVersion", "virt-handoff/v1"}, {"kind", "CheckList"}, {"items", std::move(items)}};
}

Json check_json(const preflight::Check& check) {
    Json document = to_json(check);
    document["apiVersion"] = "virt-handoff/v1";
    document["kind"] = "Check";
    return document;
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

}  // namespace

ExitCode run_explain(const ExplainOptions& options, Environment& environment) {
    auto& io = environment.io;
    if (options.check.empty()) {
        io.out << (is_document(options.output) ? render_document(list_json(), options.output)
                                               : list_table(io.out_is_terminal ? io.width : 0));
        return ExitCode::done;
    }
    const preflight::Check* check = preflight::find_check(options.check);
    if (check == nullptr) {
        const auto error = unknown_check(options.check, environment.program);
        print_error(io.err, error);
        io.out << render_error(error, options.output);
        return exit_code(error.kind);
    }
    io.out << (is_document(options.output) ? render_document(check_json(*check), options.output)
                                           : page(*check, io));
    return ExitCode::done;
}

}  // namespace commands
