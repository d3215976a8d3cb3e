#include <charconv>

#include "lab/api/list.hpp"

namespace lab {

namespace {

Outcome<std::optional<std::int64_t>> number(const Call& call, const char* name) {
    const std::string text = parameter(call.request, name);
    if (text.empty()) return std::optional<std::int64_t>{};
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return bad_request("strconv.ParseInt: parsing \"" + text + "\": invalid syntax");
    }
    return std::optional(value);
}

Cause forbidden_field(const char* field, const std::string& why) {
    return {"FieldValueForbidden", "Forbidden: " + why, field};
}

Cause unsupported_match(const std::string& match, const std::string& supported) {
    return {"FieldValueNotSupported",
            "Unsupported value: \"" + match + "\": supported values: " + supported,
            "resourceVersionMatch"};
}

std::vector<Cause> problems_of_list(const ListQuery& query) {
    const char* field = "resourceVersionMatch";
    const std::string& match = query.resource_version_match;
    std::vector<Cause> causes;
    if (!match.empty() && query.resource_version.empty()) {
        causes.push_back(forbidden_field(
            field, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
    }
    if (!match.empty() && !query.continue_token.empty()) {
        causes.push_back(
            forbidden_field(field, "resourceVersionMatch is forbidden when continue is provided"));
    }
    if (!match.empty() && match != "Exact" && match != "NotOlderThan") {
        causes.push_back(unsupported_match(match, "\"Exact\", \"NotOlderThan\", \"\""));
    }
    if (match == "Exact" && query.resource_version == "0") {
        causes.push_back(forbidden_field(
            field, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""));
    }
    if (query.send_initial_events) {
        causes.push_back(
            forbidden_field("sendInitialEvents", "sendInitialEvents is forbidden for list"));
    }
    return causes;
}

std::vector<Cause> problems_of_watch(const ListQuery& query) {
    const char* field = "resourceVersionMatch";
    const std::string& match = query.resource_version_match;
    std::vector<Cause> causes;
    if (query.send_initial_events && match != "NotOlderThan") {
        causes.push_back(forbidden_field(
            field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
    }
    if (!match.empty() && !query.send_initial_events) {
        causes.push_back(forbidden_field(
            field,
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is "
            "provided"));
    }
    if (!match.empty() && match != "NotOlderThan") {
        causes.push_back(unsupported_match(match, "\"NotOlderThan\""));
    }
    if (!match.empty() && !query.continue_token.empty()) {
        causes.push_back(
            forbidden_field(field, "resourceVersionMatch is forbidden when continue is provided"));
    }
    return causes;
}

}  // namespace

Outcome<ListQuery> list_query(const Call& call, ListPurpose purpose) {
    ListQuery query;
    TRY_ASSIGN(limit, number(call, "limit"));
    query.limit = limit.value_or(0) < 0 ? 0 : limit.value_or(0);
    TRY_ASSIGN(timeout, number(call, "timeoutSeconds"));
    query.timeout_seconds = timeout;
    query.continue_token = parameter(call.request, "continue");
    query.resource_version = parameter(call.request, "resourceVersion");
    query.resource_version_match = parameter(call.request, "resourceVersionMatch");
    query.send_initial_events = flag(call.request, "sendInitialEvents");
    query.allow_bookmarks = flag(call.request, "allowWatchBookmarks").value_or(false);
    TRY_ASSIGN(labels, parse_label_selector(parameter(call.request, "labelSelector")));
    query.selector.labels = std::move(labels);
    const auto causes =
        purpose == ListPurpose::list ? problems_of_list(query) : problems_of_watch(query);
    if (!causes.empty()) return invalid_options("ListOptions", causes);
    TRY_ASSIGN(fields, parse_field_selector(parameter(call.request, "fieldSelector"), call.kind));
    query.selector.fields = std::move(fields);
    if (!call.key.name.empty()) {
        query.selector.fields.push_back({"metadata.name", call.key.name});
    }
    return query;
}

}  // namespace lab
