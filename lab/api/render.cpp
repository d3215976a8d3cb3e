#include "lab/api/render.hpp"

#include <nlohmann/json.hpp>

namespace lab {

namespace {

std::string text(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Items of kinds that are built in do not repeat what the list says of all of them.
void append_item(std::string& out, const View& view, const Object& object) {
    if (view.kind.origin == Origin::custom) {
        out += text(*shown(object, view));
        return;
    }
    char separator = '{';
    for (const auto& [key, value] : object->items()) {
        if (key == "apiVersion" || key == "kind") continue;
        out += separator;
        out += text(key) + ":" + text(value);
        separator = ',';
    }
    out += separator == '{' ? "{}" : "}";
}

}  // namespace

std::string warning_header(const std::string& warning) {
    return "299 - " + text(warning);
}

Object shown(const Object& object, const View& view) {
    const auto api_version = view.kind.api_version(view.version);
    if (object->at("apiVersion") == api_version) return object;
    Json json = *object;
    json["apiVersion"] = api_version;
    return std::make_shared<const Json>(std::move(json));
}

kubeclient::Response render(const View& view, const Reply& what) {
    // A Status stays what it is.
    const bool status = what.body->at("kind") == "Status";
    auto response = reply(what.status, status ? *what.body : *shown(what.body, view));
    for (const std::string& warning : what.warnings) {
        response.headers.emplace_back("warning", warning_header(warning));
    }
    return response;
}

kubeclient::Response render(const View& view, const Listing& listing) {
    Json metadata{{"resourceVersion", std::to_string(listing.revision)}};
    if (!listing.continue_token.empty()) metadata["continue"] = listing.continue_token;
    if (listing.remaining) metadata["remainingItemCount"] = *listing.remaining;
    std::string body = "{\"kind\":" + text(view.kind.list_kind()) +
                       ",\"apiVersion\":" + text(view.kind.api_version(view.version)) +
                       ",\"metadata\":" + text(metadata) + ",\"items\":[";
    bool first = true;
    for (const Object& item : listing.items) {
        if (!std::exchange(first, false)) body += ',';
        append_item(body, view, item);
    }
    return reply_text(200, body + "]}\n");
}

std::string render_event(const View& view, std::string_view type, const Object& object) {
    return "{\"type\":\"" + std::string(type) + "\",\"object\":" + text(*shown(object, view)) +
           "}\n";
}

}  // namespace lab
