#include "kubeclient/api.hpp"

#include <nlohmann/json.hpp>

#include "kubeclient/api_status.hpp"
#include "kubeclient/http_message.hpp"

namespace kubeclient {
namespace {

constexpr std::string_view kListSuffix = "List";
// Five million objects at 500 a page: beyond this the server sends us round in circles.
constexpr int kMostPages = 10000;

std::string what_is(const Request& request) {
    return std::string(name_of(request.method)) + " " + request.path;
}

Status must_be_list(const Json& list, const std::string& what) {
    const auto kind = text_at(list, {"kind"}).value_or("");
    const Json* items = find(list, "items");
    const bool items_good = items == nullptr ? list.contains("items") : items->is_array();
    if (kind.size() > kListSuffix.size() && kind.ends_with(kListSuffix) && items_good) {
        return Done{};
    }
    return Error{ErrorKind::protocol, what + ": the reply is " +
                                          (kind.empty() ? "an object without kind" : "a " + kind) +
                                          " where a list was expected"};
}

// Moves the items over; they leave out what the list says once.
void add_items(ObjectList& all, Json& page) {
    const auto items = page.find("items");
    if (items == page.end() || !items->is_array()) return;
    for (Json& item : items->get_ref<Json::array_t&>()) {
        if (item.is_object()) {
            if (find(item, "kind") == nullptr) item["kind"] = all.kind;
            if (find(item, "apiVersion") == nullptr) item["apiVersion"] = all.api_version;
        }
        all.items.push_back(std::move(item));
    }
}

ObjectList list_from(Json page) {
    ObjectList all;
    all.kind = text_at(page, {"kind"}).value_or("");
    all.kind.erase(all.kind.size() - kListSuffix.size());
    all.api_version = text_at(page, {"apiVersion"}).value_or("");
    all.resource_version = text_at(page, {"metadata", "resourceVersion"}).value_or("");
    add_items(all, page);
    return all;
}

void set_unless_empty(Json& object, const char* key, const std::string& value) {
    if (!value.empty()) object[key] = value;
}

// Reads a quoted string whose opening quote is gone, and drops it from `rest`.
std::optional<std::string> quoted_text(std::string_view& rest) {
    std::string text;
    for (std::size_t i = 0; i < rest.size(); ++i) {
        const bool escaped = rest[i] == '\\' && i + 1 < rest.size();
        if (!escaped && rest[i] == '"') {
            rest.remove_prefix(i + 1);
            return text;
        }
        if (escaped) ++i;
        const auto c = static_cast<unsigned char>(rest[i]);
        text += c < 0x20 || c == 0x7f ? '?' : rest[i];
    }
    return std::nullopt;
}

}  // namespace

std::vector<std::string> warnings_of(std::string_view header) {
    std::vector<std::string> texts;
    while (true) {
        while (header.starts_with(' ') || header.starts_with(',')) header.remove_prefix(1);
        // code SP agent SP quoted-text [SP quoted-date]
        const auto space = header.find(' ');
        const auto quote = header.find('"');
        if (space == std::string_view::npos || quote == std::string_view::npos || space > quote) {
            return texts;
        }
        const bool persistent = header.substr(0, space) == "299";
        header.remove_prefix(quote + 1);
        auto text = quoted_text(header);
        if (!text) return texts;
        if (persistent && !text->empty()) texts.push_back(std::move(*text));
        if (header.starts_with(" \"")) {
            header.remove_prefix(2);
            if (!quoted_text(header)) return texts;
        }
    }
}

Api::Api(Transport& transport, WarningSink warnings)
    : transport_(transport), warnings_(std::move(warnings)) {}

void Api::warn(const Response& response) {
    if (!warnings_) return;
    for (const auto& [name, value] : response.headers) {
        if (name != "warning") continue;
        for (const auto& text : warnings_of(value)) {
            const std::lock_guard lock(warned_mutex_);
            if (warned_.insert(text).second) warnings_(text);
        }
    }
}

Result<Response> Api::answer(const Request& request) {
    TRY_ASSIGN(response, transport_.send(request));
    warn(response);
    if (response.status < 200 || response.status > 299) {
        return error_of(response, what_is(request));
    }
    return response;
}

Result<Json> Api::send(const Request& request) {
    TRY_ASSIGN(response, answer(request));
    return object_of(response, what_is(request));
}

Result<Json> Api::get(const std::string& path, std::string_view kind) {
    Request request;
    request.path = path;
    request.accept = accept_for(path);
    TRY_ASSIGN(object, send(request));
    const auto found = text_at(object, {"kind"}).value_or("");
    if (!kind.empty() && found != kind) {
        return Error{ErrorKind::protocol, what_is(request) + ": the reply is of kind \"" + found +
                                              "\" where \"" + std::string(kind) +
                                              "\" was expected"};
    }
    return object;
}

Result<Json> Api::list_page(const std::string& path, const ListOptions& options,
                            const std::string& continue_token, int limit) {
    Request request;
    request.path = path;
    request.accept = accept_for(path);
    const auto ask = [&](const char* name, const std::string& value) {
        if (!value.empty()) request.query.emplace_back(name, value);
    };
    ask("labelSelector", options.label_selector);
    ask("fieldSelector", options.field_selector);
    ask("limit", limit > 0 ? std::to_string(limit) : "");
    ask("continue", continue_token);
    ask("resourceVersion", options.source == ListSource::cache ? "0" : "");
    TRY_ASSIGN(page, send(request));
    TRY(must_be_list(page, what_is(request)));
    return page;
}

Result<ObjectList> Api::list(const std::string& path, const ListOptions& options) {
    const int limit = options.source == ListSource::cache ? 0 : options.limit;
    TRY_ASSIGN(first, list_page(path, options, "", limit));
    auto token = text_at(first, {"metadata", "continue"}).value_or("");
    ObjectList all = list_from(std::move(first));
    // A server may cut the list although nothing was said of a limit; later pages name no version.
    ListOptions rest = options;
    rest.source = ListSource::latest;
    for (int pages = 1; !token.empty(); ++pages) {
        auto page = list_page(path, rest, token, limit);
        if (!page.ok() && page.error().http_status == 410) {
            TRY_ASSIGN(whole, list_page(path, rest, "", 0));
            return list_from(std::move(whole));
        }
        if (!page.ok()) return page.error();
        const auto next = text_at(*page, {"metadata", "continue"}).value_or("");
        if (next == token || pages >= kMostPages) {
            return Error{ErrorKind::protocol, "GET " + path + ": the pages of the list do not end"};
        }
        add_items(all, *page);
        token = next;
    }
    return all;
}

Result<AccessReview> Api::self_subject_access_review(const AccessAttributes& attributes) {
    Json asked = Json::object();
    set_unless_empty(asked, "verb", attributes.verb);
    set_unless_empty(asked, "group", attributes.group);
    set_unless_empty(asked, "resource", attributes.resource);
    set_unless_empty(asked, "subresource", attributes.subresource);
    set_unless_empty(asked, "namespace", attributes.ns);
    set_unless_empty(asked, "name", attributes.name);
    Json review = Json::object();
    review["apiVersion"] = "authorization.k8s.io/v1";
    review["kind"] = "SelfSubjectAccessReview";
    review["spec"]["resourceAttributes"] = std::move(asked);

    Request request;
    request.method = Method::post;
    request.path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    request.content_type = "application/json";
    request.body = to_line(review);
    request.repeatable = Repeatable::yes;  // nothing is stored
    TRY_ASSIGN(answer, send(request));
    const auto allowed = bool_at(answer, {"status", "allowed"});
    if (!allowed) {
        return Error{ErrorKind::protocol,
                     what_is(request) + ": the reply does not say whether it is allowed"};
    }
    AccessReview result;
    result.allowed = *allowed;
    result.denied = bool_at(answer, {"status", "denied"}).value_or(false);
    result.reason = text_at(answer, {"status", "reason"}).value_or("");
    if (result.reason.empty()) {
        result.reason = text_at(answer, {"status", "evaluationError"}).value_or("");
    }
    return result;
}

}  // namespace kubeclient
