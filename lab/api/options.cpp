#include "lab/api/options.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "lab/api/body.hpp"

namespace lab {

using kubeclient::bool_at;
using kubeclient::find;
using kubeclient::integer_at;
using kubeclient::items_at;
using kubeclient::text_at;

namespace {

Cause unsupported(const char* field, const std::string& value, const std::string& supported) {
    return {"FieldValueNotSupported",
            "Unsupported value: " + value + ": supported values: " + supported, field};
}

// All dryRun parameters must be "All".
void check_dry_run(const std::vector<std::string>& values, std::vector<Cause>& causes) {
    const bool fine = std::all_of(values.begin(), values.end(),
                                  [](const std::string& value) { return value == "All"; });
    if (!fine) causes.push_back(unsupported("dryRun", Json(values).dump(), "\"All\""));
}

std::vector<std::string> dry_run_of(const Call& call) {
    std::vector<std::string> values;
    for (const auto& [name, value] : call.request.query) {
        if (name == "dryRun") values.push_back(value);
    }
    return values;
}

Outcome<Json> body_of(const Call& call) {
    if (call.request.body.empty()) return Json(Json::object());
    auto body = kubeclient::parse_json(call.request.body, "body");
    if (!body.ok()) {
        return bad_request("couldn't get version/kind; json parse error: " + body.error().message);
    }
    if (!body.value().is_object()) {
        return bad_request("couldn't get version/kind; json parse error: the body is no object");
    }
    const auto kind = text_at(body.value(), {"kind"}).value_or("DeleteOptions");
    if (kind != "DeleteOptions") {
        return bad_request("no kind \"" + kind + "\" is registered for version \"" +
                           text_at(body.value(), {"apiVersion"}).value_or("") +
                           "\" in scheme \"pkg/runtime/scheme.go:111\"");
    }
    return std::move(body).value();
}

std::vector<Cause> problems_of(const std::optional<std::string>& propagation,
                               std::optional<bool> orphan) {
    std::vector<Cause> causes;
    if (orphan && propagation) {
        causes.push_back({"FieldValueInvalid",
                          "Invalid value: \"" + *propagation +
                              "\": orphanDependents and deletionPropagation cannot be both set",
                          "propagationPolicy"});
    }
    const bool known = !propagation || *propagation == "Foreground" ||
                       *propagation == "Background" || *propagation == "Orphan";
    if (!known) {
        causes.push_back(unsupported("propagationPolicy", "\"" + *propagation + "\"",
                                     "\"Foreground\", \"Background\", \"Orphan\", \"nil\""));
    }
    return causes;
}

}  // namespace

Verdict check_write_options(const Call& call, const std::string& options) {
    std::vector<Cause> causes;
    check_dry_run(dry_run_of(call), causes);
    const auto validation = parameter(call.request, "fieldValidation");
    if (!validation.empty() && validation != "Ignore" && validation != "Strict" &&
        validation != "Warn") {
        causes.push_back(unsupported("fieldValidation", "\"" + validation + "\"",
                                     "\"\", \"Ignore\", \"Strict\", \"Warn\""));
    }
    if (!causes.empty()) return invalid_options(options, causes);
    return allowed();
}

std::vector<std::string> warnings_of(const Call& call, std::vector<std::string> complaints) {
    if (field_validation(call) == FieldValidation::ignore) complaints.clear();
    return complaints;
}

Outcome<DeletionOptions> deletion_options(const Call& call) {
    TRY_ASSIGN(body, body_of(call));
    return deletion_options(call, body);
}

Outcome<DeletionOptions> deletion_options(const Call& call, const Json& body) {
    DeletionOptions options;
    const Json* grace = find(body, "gracePeriodSeconds");
    if (grace != nullptr && !grace->is_number_integer()) {
        return bad_request("json: cannot unmarshal " + std::string(grace->type_name()) +
                           " into Go struct field DeleteOptions.gracePeriodSeconds of type int64");
    }
    options.grace_seconds = integer_at(body, {"gracePeriodSeconds"});
    options.uid = text_at(body, {"preconditions", "uid"}).value_or("");
    options.resource_version = text_at(body, {"preconditions", "resourceVersion"}).value_or("");
    auto propagation = text_at(body, {"propagationPolicy"});
    auto orphan = bool_at(body, {"orphanDependents"});
    std::vector<std::string> dry_run = dry_run_of(call);
    for (const Json& value : items_at(body, {"dryRun"})) {
        dry_run.push_back(value.is_string() ? value.get<std::string>() : value.dump());
    }
    if (body.empty()) {  // the query only counts where there is no body
        const auto wanted = parameter(call.request, "propagationPolicy");
        if (!wanted.empty()) propagation = wanted;
        orphan = flag(call.request, "orphanDependents");
        const auto seconds = parameter(call.request, "gracePeriodSeconds");
        if (!seconds.empty()) options.grace_seconds = std::atoll(seconds.c_str());
    }
    auto causes = problems_of(propagation, orphan);
    check_dry_run(dry_run, causes);
    if (!causes.empty()) return invalid_options("DeleteOptions", causes);
    options.propagation = propagation.value_or("");
    if (orphan) options.propagation = *orphan ? "Orphan" : "Background";
    options.dry_run = !dry_run.empty();
    return options;
}

}  // namespace lab
