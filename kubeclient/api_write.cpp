#include "kubeclient/api_write.hpp"

#include <nlohmann/json.hpp>

#include "kubeclient/api.hpp"
#include "kubeclient/api_status.hpp"
#include "kubeclient/http_message.hpp"

namespace kubeclient {
namespace {

constexpr const char* kFieldManager = "virt-handoff";

Request write_request(Method method, const std::string& path, const char* content_type,
                      std::string body, DryRun dry_run) {
    Request request;
    request.method = method;
    request.path = path;
    request.accept = accept_for(path);
    if (!body.empty()) request.content_type = content_type;
    request.body = std::move(body);
    request.repeatable = dry_run == DryRun::server ? Repeatable::yes : Repeatable::no;
    return request;
}

// Of what stores an object. DELETE has its options in the body instead.
void add_options(Request& request, DryRun dry_run, FieldValidation validation) {
    request.query.emplace_back("fieldManager", kFieldManager);
    request.query.emplace_back("fieldValidation",
                               validation == FieldValidation::strict ? "Strict" : "Warn");
    if (dry_run == DryRun::server) request.query.emplace_back("dryRun", "All");
}

const char* content_type_of(PatchKind kind) {
    switch (kind) {
        case PatchKind::json:
            return "application/json-patch+json";
        case PatchKind::merge:
            return "application/merge-patch+json";
        case PatchKind::strategic:
            return "application/strategic-merge-patch+json";
    }
    return "application/json-patch+json";
}

const char* name_of(Propagation propagation) {
    switch (propagation) {
        case Propagation::background:
            return "Background";
        case Propagation::foreground:
            return "Foreground";
        case Propagation::orphan:
            return "Orphan";
    }
    return "Background";
}

Json json_of(const DeleteOptions& options) {
    Json json = Json::object();
    json["apiVersion"] = "v1";
    json["kind"] = "DeleteOptions";
    json["propagationPolicy"] = name_of(options.propagation);
    if (!options.uid.empty()) json["preconditions"]["uid"] = options.uid;
    if (!options.resource_version.empty()) {
        json["preconditions"]["resourceVersion"] = options.resource_version;
    }
    if (options.grace_seconds) json["gracePeriodSeconds"] = *options.grace_seconds;
    if (options.dry_run == DryRun::server) json["dryRun"] = Json::array({"All"});
    return json;
}

}  // namespace

Result<Json> Api::write(const Request& request) {
    TRY_ASSIGN(response, answer(request));
    const std::string what = std::string(kubeclient::name_of(request.method)) + " " + request.path;
    auto result = result_of(response, what);
    const bool unreadable = !result.ok() && result.error().kind == ErrorKind::protocol;
    if (!unreadable || request.repeatable == Repeatable::yes) return result;
    // A 2xx says that it was done; what was done can be read from the object alone.
    Error error = result.error();
    error.kind = ErrorKind::unknown_outcome;
    error.hint = "it may have taken effect: read the object before anything else";
    return error;
}

Result<Json> Api::create(const std::string& path, const Json& object, DryRun dry_run,
                         FieldValidation validation) {
    auto request = write_request(Method::post, path, "application/json", to_line(object), dry_run);
    add_options(request, dry_run, validation);
    return write(request);
}

Result<Json> Api::replace(const std::string& path, const Json& object, DryRun dry_run,
                          FieldValidation validation) {
    auto request = write_request(Method::put, path, "application/json", to_line(object), dry_run);
    add_options(request, dry_run, validation);
    return write(request);
}

Result<Json> Api::patch(const std::string& path, PatchKind kind, const Json& patch, DryRun dry_run,
                        FieldValidation validation) {
    auto request =
        write_request(Method::patch, path, content_type_of(kind), to_line(patch), dry_run);
    add_options(request, dry_run, validation);
    return write(request);
}

Result<Json> Api::remove(const std::string& path, const DeleteOptions& options) {
    return write(write_request(Method::del, path, "application/json", to_line(json_of(options)),
                               options.dry_run));
}

Status Api::invoke(const std::string& path, const Json& options, DryRun dry_run) {
    Json body = options;
    if (dry_run == DryRun::server) body["dryRun"] = Json::array({"All"});
    const auto request = write_request(Method::put, path, "application/json",
                                       body.is_null() ? "" : to_line(body), dry_run);
    TRY(answer(request));
    return Done{};
}

}  // namespace kubeclient
