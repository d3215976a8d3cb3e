#include "commands/render_preflight_json.hpp"

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "kubeclient/yaml.hpp"

namespace commands {
namespace {

using preflight::CheckResult;
using preflight::Item;
using preflight::PreflightReport;
// Keeps the order in which people read the document.
using Json = nlohmann::ordered_json;

Json text_or_null(std::string_view text) {
    return text.empty() ? Json() : Json(text);
}

std::string rfc3339(std::chrono::sys_seconds time) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

Json to_json(const std::optional<preflight::ReportedCondition>& condition) {
    if (!condition) return {};
    return {{"status", text_or_null(condition->status)},
            {"reason", text_or_null(condition->reason)},
            {"message", text_or_null(condition->message)},
            {"lastTransitionTime", text_or_null(condition->last_transition_time)}};
}

Json to_json(const preflight::RecomputedCondition& condition) {
    return {{"status", condition.status},
            {"reason", text_or_null(condition.reason)},
            {"message", text_or_null(condition.message)}};
}

Json kubevirt_to_json(const Item& item) {
    return {{"reported",
             {{"LiveMigratable", to_json(item.reported.live_migratable)},
              {"StorageLiveMigratable", to_json(item.reported.storage_live_migratable)},
              {"migrationMethod", text_or_null(item.reported.migration_method)}}},
            {"recomputed",
             {{"LiveMigratable", to_json(item.recomputed.live_migratable)},
              {"StorageLiveMigratable", to_json(item.recomputed.storage_live_migratable)},
              {"migrationMethod", text_or_null(item.recomputed.migration_method)},
              {"reasons", item.recomputed.reasons}}},
            {"agrees", item.agrees ? Json(*item.agrees) : Json()},
            {"differs", item.differs}};
}

Json to_json(const CheckResult& result) {
    const auto& finding = result.finding;
    return {{"id", result.check->id},
            {"verdict", preflight::to_string(finding.verdict)},
            {"severity", preflight::to_string(result.check->severity)},
            {"title", result.check->title},
            {"subject",
             {{"kind", text_or_null(finding.subject.kind)},
              {"namespace", text_or_null(finding.subject.ns)},
              {"name", text_or_null(finding.subject.name)}}},
            {"seen", text_or_null(finding.seen)},
            {"needed", text_or_null(finding.needed)},
            {"why", text_or_null(finding.why)},
            {"fix", {{"text", text_or_null(finding.fix.text)}, {"commands", finding.fix.commands}}},
            {"gaps", finding.gaps}};
}

Json to_json(const Item& item) {
    Json checks = Json::array();
    for (const auto& result : item.checks) checks.push_back(to_json(result));
    return {{"namespace", item.ns},
            {"name", item.name},
            {"kind", item.kind},
            {"uid", text_or_null(item.uid)},
            {"node", text_or_null(item.node)},
            {"verdict", preflight::to_string(item.verdict)},
            {"kubevirt", kubevirt_to_json(item)},
            {"checks", std::move(checks)}};
}

Json head_of(const PreflightReport& report, std::string_view tool_version) {
    return {{"apiVersion", "virt-handoff/v1"},
            {"kind", "PreflightReport"},
            {"takenAt", rfc3339(report.taken_at)},
            {"source", text_or_null(report.source)},
            {"toolVersion", tool_version},
            {"kubevirtVersion", text_or_null(report.kubevirt_version)},
            {"rules", text_or_null(report.rules)},
            {"exitCode", report.exit_code}};
}

Json tail_of(const PreflightReport& report) {
    Json gaps = Json::array();
    for (const auto& gap : report.gaps) {
        gaps.push_back({{"id", gap.id},
                        {"verb", text_or_null(gap.verb)},
                        {"resource", text_or_null(gap.resource)},
                        {"reason", text_or_null(gap.reason)}});
    }
    const auto& summary = report.summary;
    Json error;
    if (report.error) {
        error = {{"kind", report.error->kind},
                 {"message", report.error->message},
                 {"hint", text_or_null(report.error->hint)}};
    }
    return {{"gaps", std::move(gaps)},
            {"summary",
             {{"total", summary.total},
              {"pass", summary.pass},
              {"warn", summary.warn},
              {"fail", summary.fail},
              {"unknown", summary.unknown}}},
            {"error", std::move(error)}};
}

std::string indented(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

// Line breaks inside strings are escaped, so each one here ends a line of the document.
void append_deeper(std::string& out, std::string_view text, std::string_view indent) {
    while (true) {
        const auto end = text.find('\n');
        out += indent;
        out += text.substr(0, end);
        if (end == std::string_view::npos) return;
        out += '\n';
        text.remove_prefix(end + 1);
    }
}

void append_items(std::string& out, const std::vector<Item>& items) {
    out += '[';
    for (const auto& item : items) {
        out += &item == items.data() ? "\n" : ",\n";
        append_deeper(out, indented(to_json(item)), "    ");
    }
    out += items.empty() ? "]" : "\n  ]";
}

std::string yaml_of(const Json& json) {
    return kubeclient::to_yaml(kubeclient::Json(json));
}

}  // namespace

std::string render_preflight_json(const PreflightReport& report, std::string_view tool_version) {
    // A tree costs several times its text, so only one item at a time is ever a tree.
    std::string out = indented(head_of(report, tool_version));
    out.resize(out.size() - std::string_view("\n}").size());
    out += ",\n  \"items\": ";
    append_items(out, report.items);
    out += ',';
    out += std::string_view(indented(tail_of(report))).substr(std::string_view("{").size());
    out += '\n';
    return out;
}

std::string render_preflight_yaml(const PreflightReport& report, std::string_view tool_version) {
    std::string out = yaml_of(head_of(report, tool_version));
    out += report.items.empty() ? "items: []\n" : "items:\n";
    for (const auto& item : report.items) out += yaml_of(Json::array({to_json(item)}));
    out += yaml_of(tail_of(report));
    return out;
}

PreflightReport error_report(preflight::ReportError error, int exit_code,
                             std::chrono::sys_seconds taken_at) {
    PreflightReport report;
    report.taken_at = taken_at;
    report.exit_code = exit_code;
    report.error = std::move(error);
    return report;
}

}  // namespace commands
