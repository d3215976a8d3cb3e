#include "lab/api/table.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "lab/api/json_path.hpp"

namespace lab {

namespace {

using kubeclient::find;
using kubeclient::Instant;
using kubeclient::text_at;

Json name_of(const Json& object) {
    return text_at(object, {"metadata", "name"}).value_or("");
}

Json created_ago(const Json& object, Instant now) {
    return age_of(find(object, {"metadata", "creationTimestamp"}), now);
}

// The words of a value, as jsonpath.PrintResults writes it.
Json printed(const Json& value) {
    return value.is_string() ? value : Json(kubeclient::to_line(value));
}

// Null: an empty cell.
Json cell(const Json& object, const PrinterColumn& column, Instant now) {
    const auto found = at_json_path(object, column.json_path);
    if (found.empty() || found.front()->is_null()) return nullptr;
    const Json& value = *found.front();
    if (column.type == "string") return printed(value);
    if (column.type == "date") return value.is_string() ? Json(age_of(&value, now)) : Json();
    if (column.type == "boolean") return value.is_boolean() ? value : Json();
    return value.is_number() ? value : Json();
}

TableLayout name_and_age() {
    return {{{"Name", "string", "name"}, {"Age"}}, [](const Json& object, Instant now) {
                return std::vector<Json>{name_of(object), created_ago(object, now)};
            }};
}

TableLayout custom_layout(const std::vector<PrinterColumn>& columns) {
    TableLayout layout{{{"Name", "string", "name"}}};
    for (const auto& column : columns) {
        layout.columns.push_back(
            {column.name, column.type, column.format, column.description, column.priority});
    }
    layout.cells = [columns](const Json& object, Instant now) {
        std::vector<Json> cells{name_of(object)};
        for (const auto& column : columns) cells.push_back(cell(object, column, now));
        return cells;
    };
    return layout;
}

Json metadata_of(const Json& object) {
    const Json* metadata = find(object, "metadata");
    return {{"kind", "PartialObjectMetadata"},
            {"apiVersion", "meta.k8s.io/v1"},
            {"metadata", metadata == nullptr ? Json::object() : *metadata}};
}

Json row_of(const Json& object, const TableLayout& layout, RowObject row_object, Instant now) {
    Json row{{"cells", layout.cells(object, now)}};
    if (row_object == RowObject::metadata) row["object"] = metadata_of(object);
    if (row_object == RowObject::whole) row["object"] = object;
    return row;
}

bool is_list(const Json& body) {
    return body.contains("items") && body.at("items").is_array();
}

// Unlike in a list of its own, an object in a row says what it is: kubectl decodes it to sort by.
Json typed(const Json& item, const Json& list) {
    Json object = item;
    const std::string kind = text_at(list, {"kind"}).value_or("");
    object["kind"] = kind.substr(0, kind.rfind("List"));
    object["apiVersion"] = text_at(list, {"apiVersion"}).value_or("");
    return object;
}

Json list_metadata(const Json& body) {
    Json metadata = Json::object();
    for (const char* member : {"resourceVersion", "continue", "remainingItemCount"}) {
        if (const Json* value = find(body, {"metadata", member})) metadata[member] = *value;
    }
    return metadata;
}

class Reshaped final : public WatchCursor {
public:
    Reshaped(std::unique_ptr<WatchCursor> events, std::function<Json(const Json&)> shape)
        : events_(std::move(events)), shape_(std::move(shape)) {}

    std::string next() override {
        const std::string lines = events_->next();
        std::string result;
        for (std::size_t at = 0; at < lines.size();) {
            const auto end = std::min(lines.find('\n', at), lines.size());
            result += line(std::string_view(lines).substr(at, end - at)) + "\n";
            at = end + 1;
        }
        return result;
    }
    bool ended() const override { return events_->ended(); }

private:
    std::string line(std::string_view text) const {
        auto event = kubeclient::parse_json(text, "event");
        if (!event.ok() || text_at(*event, {"type"}) == "ERROR") return std::string(text);
        const Json shaped = shape_(event->at("object"));
        (*event)["object"] = shaped;
        return kubeclient::to_line(*event);
    }

    std::unique_ptr<WatchCursor> events_;
    std::function<Json(const Json&)> shape_;
};

}  // namespace

TableLayout table_layout(const Kind& kind, const KindVersion& version) {
    if (!version.columns.empty()) return custom_layout(version.columns);
    TableLayout layout = built_in_layout(kind.resource);
    return layout.columns.empty() ? name_and_age() : layout;
}

Shape shape_asked(std::string_view accept) {
    const auto has = [](std::string_view clause, std::string_view word) {
        return clause.find(word) != std::string_view::npos;
    };
    if (accept.empty()) return Shape::object;
    while (!accept.empty()) {
        const auto clause = accept.substr(0, accept.find(','));
        accept.remove_prefix(std::min(accept.size(), clause.size() + 1));
        if (!has(clause, "application/json") && !has(clause, "/*")) continue;
        if (!has(clause, "as=")) return Shape::object;
        if (!has(clause, "g=meta.k8s.io") || !has(clause, "v=v1") || has(clause, "v=v1beta1")) {
            continue;
        }
        if (has(clause, "as=Table")) return Shape::table;
        if (has(clause, "as=PartialObjectMetadata")) return Shape::metadata_only;
    }
    return Shape::unknown;
}

Json as_table(const Json& body, const TableLayout& layout, RowObject row_object, Instant now) {
    Json columns = Json::array();
    for (const Column& column : layout.columns) {
        columns.push_back({{"name", column.name},
                           {"type", column.type},
                           {"format", column.format},
                           {"description", column.description},
                           {"priority", column.priority}});
    }
    Json rows = Json::array();
    if (is_list(body)) {
        for (const Json& item : body.at("items")) {
            rows.push_back(row_object == RowObject::whole
                               ? row_of(typed(item, body), layout, row_object, now)
                               : row_of(item, layout, row_object, now));
        }
    } else if (find(body, {"metadata", "name"}) != nullptr) {  // else a bookmark
        rows.push_back(row_of(body, layout, row_object, now));
    }
    return {{"kind", "Table"},
            {"apiVersion", "meta.k8s.io/v1"},
            {"metadata", list_metadata(body)},
            {"columnDefinitions", std::move(columns)},
            {"rows", std::move(rows)}};
}

Json as_metadata(const Json& body) {
    if (!is_list(body)) return metadata_of(body);
    Json items = Json::array();
    for (const Json& item : body.at("items")) items.push_back(metadata_of(item));
    return {{"kind", "PartialObjectMetadataList"},
            {"apiVersion", "meta.k8s.io/v1"},
            {"metadata", list_metadata(body)},
            {"items", std::move(items)}};
}

std::unique_ptr<WatchCursor> reshaped(std::unique_ptr<WatchCursor> events,
                                      std::function<Json(const Json& object)> shape) {
    return std::make_unique<Reshaped>(std::move(events), std::move(shape));
}

std::string age_of(const Json* since, Instant now) {
    if (since == nullptr) return "<unknown>";
    if (!since->is_string()) return "<invalid>";
    const auto time = kubeclient::parse_time(since->get_ref<const std::string&>());
    return time.ok() ? kubeclient::human_duration(now - *time) : "<invalid>";
}

}  // namespace lab
