#include "lab/api/body.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "kubeclient/yaml.hpp"
#include "lab/api/known_fields.hpp"
#include "lab/api/object_meta.hpp"
#include "lab/api/schema.hpp"

namespace lab {

using kubeclient::text_at;

namespace {

std::string media_type(const Call& call) {
    std::string type = call.request.content_type.substr(0, call.request.content_type.find(';'));
    while (!type.empty() && type.back() == ' ') type.pop_back();
    return type;
}

Refusal unrecognized(const Call& call, const std::string& why) {
    return bad_request("the object provided is unrecognized (must be of type " + call.kind.kind +
                       "): " + why);
}

Refusal cannot_be_handled(const Call& call, const Json& object, const std::string& why) {
    const auto api_version = text_at(object, {"apiVersion"}).value_or(call.version.name);
    const auto slash = api_version.find('/');
    const auto version = slash == std::string::npos ? api_version : api_version.substr(slash + 1);
    return bad_request(text_at(object, {"kind"}).value_or(call.kind.kind) + " in version \"" +
                       version + "\" cannot be handled as a " + call.kind.kind + ": " + why);
}

// Go's sentence where there is one for it; ours where the text breaks off elsewhere.
std::string syntax_error(const std::string& text, const std::string& ours) {
    const bool ends = ours.find("unexpected end of input") != std::string::npos;
    return ends ? "unexpected end of JSON input (" + (text.empty() ? "<empty>" : text) + ")" : ours;
}

Outcome<Json> parsed(const Call& call) {
    const std::string& text = call.request.body;
    const std::string type = media_type(call);
    if (type == "application/yaml") {
        auto documents = kubeclient::parse_yaml(text, "body");
        if (!documents.ok()) return unrecognized(call, documents.error().message);
        if (documents.value().empty()) return Json(nullptr);
        return Json(*documents.value().front().value);
    }
    if (!type.empty() && type != "application/json") {
        return unsupported_media_type(
            {"application/json", "application/yaml", "application/vnd.kubernetes.protobuf"});
    }
    const std::string where = "couldn't get version/kind; json parse error: ";
    auto json = kubeclient::parse_json(text, "body");
    if (!json.ok()) return unrecognized(call, where + syntax_error(text, json.error().message));
    return std::move(json).value();
}

// "core" of "", "storage" of "storage.k8s.io": where Kubernetes has the kinds of a group.
std::string go_package(const std::string& group) {
    return group.empty() ? "core" : group.substr(0, group.find('.'));
}

// Why an object of another kind cannot be read as one of the call's.
std::string unconvertible(const Call& call, const std::string& kind,
                          const std::string& api_version) {
    const auto all = built_in_kinds();
    const bool known = std::any_of(all.begin(), all.end(), [&](const Kind& one) {
        const KindVersion* version = one.version(call.version.name);
        return version != nullptr && one.kind == kind && one.api_version(*version) == api_version;
    });
    if (!known) {
        return "no kind \"" + kind + "\" is registered for version \"" + api_version +
               "\" in scheme \"pkg/runtime/scheme.go:111\"";
    }
    return "converting (" + call.version.name + "." + kind + ") to (" +
           go_package(call.kind.resource.group) + "." + call.kind.kind + "): unknown conversion";
}

// Kinds that are built in fill in what is missing of apiVersion and kind; others must say it.
Verdict check_type(const Call& call, const Json& object) {
    if (!object.is_object()) return unrecognized(call, "the body is no JSON object");
    const auto kind = text_at(object, {"kind"}).value_or("");
    const auto api_version = text_at(object, {"apiVersion"}).value_or("");
    const auto wanted = call.kind.api_version(call.version);
    if (call.kind.origin == Origin::custom) {
        if (kind.empty())
            return unrecognized(call, "Object 'Kind' is missing in '" + object.dump() + "' (" +
                                          object.dump() + ")");
        if (api_version.empty() || api_version == wanted) return allowed();
        return bad_request("the API version in the data (" + api_version +
                           ") does not match the expected API version (" + wanted + ")");
    }
    const bool known = kind.empty() || kind == call.kind.kind;
    if (known && (api_version.empty() || api_version == wanted)) return allowed();
    return cannot_be_handled(call, object,
                             unconvertible(call, kind, api_version.empty() ? wanted : api_version));
}

// Of a custom resource the kind is checked with the rest of its schema.
Verdict check_custom_type(const Call& call, const Json& object) {
    const auto kind = text_at(object, {"kind"}).value_or("");
    const auto api_version = text_at(object, {"apiVersion"}).value_or("");
    const auto wanted = call.kind.api_version(call.version);
    const auto cause = [](const char* field, const std::string& is, const std::string& must) {
        return Cause{"FieldValueInvalid", "Invalid value: \"" + is + "\": must be " + must, field};
    };
    std::vector<Cause> causes;
    if (api_version != wanted) causes.push_back(cause("apiVersion", api_version, wanted));
    if (kind != call.kind.kind) causes.push_back(cause("kind", kind, call.kind.kind));
    if (causes.empty()) return allowed();
    Kind told = call.kind;
    told.kind = kind;
    const auto slash = api_version.find('/');
    told.resource.group = slash == std::string::npos ? "" : api_version.substr(0, slash);
    return invalid(told, text_at(object, {"metadata", "name"}).value_or(""), std::move(causes));
}

// Go reads null as nothing, and writes nothing for it.
void drop_nulls(Json& value) {
    for (auto member = value.begin(); value.is_object() && member != value.end();) {
        member = member->is_null() ? value.erase(member) : std::next(member);
    }
    if (!value.is_structured()) return;
    for (Json& member : value) drop_nulls(member);
}

// What the kind does not know: told about, and dropped.
std::vector<std::string> without_unknown_fields(const Call& call, Json& object) {
    std::vector<std::string> unknown;
    if (call.kind.origin == Origin::built_in) drop_nulls(object);
    if (object.contains("metadata") && object["metadata"].is_object()) {
        unknown = unknown_metadata(object["metadata"]);
        for (const std::string& path : unknown) object["metadata"].erase(path.substr(9));
    }
    auto rest = call.version.schema ? prune(object, *call.version.schema)
                                    : drop_unknown_fields(object, call.kind);
    unknown.insert(unknown.end(), rest.begin(), rest.end());
    // Told in the order of the text, which clients write by name.
    if (call.kind.origin == Origin::built_in) std::sort(unknown.begin(), unknown.end());
    for (std::string& path : unknown) path = "unknown field \"" + path + "\"";
    return unknown;
}

std::string joined(const std::vector<std::string>& complaints) {
    std::string text;
    for (const std::string& complaint : complaints) text += (text.empty() ? "" : ", ") + complaint;
    return text;
}

// The API server quotes the object the way Go's %q does.
Refusal refused_patch(const Json& object, const std::string& why) {
    const std::string quoted = Json(object.dump()).dump();
    const Cause cause{"FieldValueInvalid", "Invalid value: " + quoted + ": " + why, "patch"};
    Refusal refusal{422, "Invalid", " \"\" is invalid: patch: " + cause.message};
    refusal.causes = {cause};
    return refusal;
}

}  // namespace

FieldValidation field_validation(const Call& call) {
    const auto wanted = parameter(call.request, "fieldValidation");
    if (wanted == "Strict") return FieldValidation::strict;
    return wanted == "Ignore" ? FieldValidation::ignore : FieldValidation::warn;
}

Outcome<Body> object_of(const Call& call) {
    TRY_ASSIGN(object, parsed(call));
    TRY(check_type(call, object));
    if (const auto misfit = misfit_of(call.kind, object)) {
        return cannot_be_handled(call, object, *misfit);
    }
    if (call.kind.origin == Origin::custom) {
        if (!object.contains("apiVersion"))
            object["apiVersion"] = call.kind.api_version(call.version);
        TRY(check_custom_type(call, object));
    }
    Body body{std::make_shared<Json>(std::move(object)), {}};
    if (media_type(call) != "application/yaml") {
        body.complaints = duplicate_fields(call.request.body);
    }
    const auto unknown = without_unknown_fields(call, *body.object);
    body.complaints.insert(body.complaints.end(), unknown.begin(), unknown.end());
    if (field_validation(call) == FieldValidation::strict && !body.complaints.empty()) {
        return cannot_be_handled(call, *body.object,
                                 "strict decoding error: " + joined(body.complaints));
    }
    return body;
}

Outcome<Body> object_of_patch(const Call& call, Json object, std::vector<std::string> duplicates) {
    if (call.kind.origin == Origin::custom) {
        if (const auto misfit = misfit_of(call.kind, object)) {
            return refused_patch(object, *misfit);
        }
        TRY(check_custom_type(call, object));
    } else {
        if (!check_type(call, object).ok()) {
            return refused_patch(object, "no kind \"" + text_at(object, {"kind"}).value_or("") +
                                             "\" is registered for version \"" +
                                             text_at(object, {"apiVersion"}).value_or("") +
                                             "\" in scheme \"pkg/runtime/scheme.go:111\"");
        }
        if (const auto misfit = misfit_of(call.kind, object)) {
            return refused_patch(object, *misfit);
        }
    }
    Body body{std::make_shared<Json>(object), std::move(duplicates)};
    const auto unknown = without_unknown_fields(call, *body.object);
    body.complaints.insert(body.complaints.end(), unknown.begin(), unknown.end());
    if (field_validation(call) == FieldValidation::strict && !body.complaints.empty()) {
        return refused_patch(object, "strict decoding error: " + joined(body.complaints));
    }
    return body;
}

}  // namespace lab
