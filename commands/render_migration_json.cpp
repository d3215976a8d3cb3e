#include "commands/render_migration_json.hpp"

#include <nlohmann/json.hpp>
#include <optional>

#include "kubeclient/time.hpp"
#include "kubeclient/yaml.hpp"

namespace commands {
namespace {

using recovery::MigrationEvent;
using recovery::MigrationReport;
using recovery::Outcome;
// Keeps the order in which people read the document.
using Json = nlohmann::ordered_json;

Json text_or_null(std::string_view text) {
    return text.empty() ? Json() : Json(text);
}

Json time_or_null(const std::optional<std::chrono::sys_seconds>& time) {
    return time ? Json(kubeclient::format_time(*time)) : Json();
}

Json in_milliseconds(const std::optional<std::chrono::milliseconds>& duration) {
    return duration ? Json(duration->count()) : Json();
}

Json duration_of(const Outcome& item) {
    if (!item.started || !item.ended) return {};
    return Json((*item.ended - *item.started).count());
}

Json to_json(const Outcome& item) {
    return {{"namespace", item.ns},
            {"vmi", item.vmi},
            {"vmim", text_or_null(item.vmim)},
            {"phase", text_or_null(item.phase)},
            {"result", recovery::to_string(item.ending)},
            {"vmRunning", item.vm_running ? Json(*item.vm_running) : Json()},
            {"runsOn", text_or_null(item.runs_on)},
            {"sourceNode", text_or_null(item.source_node)},
            {"targetNode", text_or_null(item.target_node)},
            {"startedAt", time_or_null(item.started)},
            {"endedAt", time_or_null(item.ended)},
            {"durationSeconds", duration_of(item)},
            {"downtimeMilliseconds", in_milliseconds(item.downtime)},
            {"bytes", item.bytes ? Json(*item.bytes) : Json()},
            {"cause", text_or_null(item.cause)},
            {"next", text_or_null(item.next)},
            {"notes", item.notes}};
}

Json to_json(const recovery::Progress& progress) {
    const auto& transfer = progress.transfer;
    const bool log = transfer.source == facts::Transfer::Source::launcher_log;
    return {{"percent", progress.percent},
            {"verdict", progress.verdict},
            {"pass", transfer.pass ? Json(*transfer.pass) : Json()},
            {"processedBytes", transfer.processed},
            {"remainingBytes", transfer.remaining},
            {"totalBytes", transfer.total},
            {"rateBytesPerSecond", transfer.rate},
            {"dirtyRateBytesPerSecond", transfer.dirty_rate},
            {"deadline", time_or_null(progress.deadline)},
            {"atDeadline", text_or_null(progress.at_deadline)},
            {"source", log ? "launcherLog" : "handlerMetrics"}};
}

Json to_json(const MigrationReport& report, std::string_view tool_version) {
    Json items = Json::array();
    for (const auto& item : report.items) items.push_back(to_json(item));
    Json error;
    if (report.error) {
        error = {{"kind", report.error->kind},
                 {"message", report.error->message},
                 {"hint", text_or_null(report.error->hint)}};
    }
    return {{"apiVersion", "virt-handoff/v1"},
            {"kind", "MigrationReport"},
            {"takenAt", kubeclient::format_time(report.taken_at)},
            {"source", text_or_null(report.source)},
            {"toolVersion", tool_version},
            {"verb", report.verb},
            {"exitCode", report.exit_code},
            {"items", std::move(items)},
            {"error", std::move(error)}};
}

std::string line_of(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string render_migration_report(const MigrationReport& report, std::string_view tool_version,
                                    OutputFormat output) {
    const Json document = to_json(report, tool_version);
    if (output == OutputFormat::yaml) return kubeclient::to_yaml(kubeclient::Json(document));
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string render_migration_event(const MigrationEvent& event) {
    return line_of(
        {{"apiVersion", "virt-handoff/v1"},
         {"kind", "MigrationEvent"},
         {"type", recovery::to_string(event.type)},
         {"time", kubeclient::format_time(std::chrono::floor<std::chrono::seconds>(event.at))},
         {"namespace", event.ns},
         {"vmi", event.vmi},
         {"vmim", text_or_null(event.vmim)},
         {"phase", text_or_null(event.phase)},
         {"message", text_or_null(event.message)},
         {"next", text_or_null(event.next)},
         {"progress", event.progress ? to_json(*event.progress) : Json()},
         {"outcome", event.outcome ? to_json(*event.outcome) : Json()}});
}

std::string render_migration_error_event(const MigrationReport& report) {
    Json event{{"apiVersion", "virt-handoff/v1"},
               {"kind", "MigrationEvent"},
               {"type", "error"},
               {"time", kubeclient::format_time(report.taken_at)}};
    for (const auto* key : {"namespace", "vmi", "vmim", "phase"}) event[key] = nullptr;
    event["message"] = report.error ? Json(report.error->message) : Json();
    event["next"] = report.error ? text_or_null(report.error->hint) : Json();
    event["progress"] = nullptr;
    event["outcome"] = nullptr;
    return line_of(event);
}

}  // namespace commands
